//! Conditions for accepting a token. Tokens are assembled by hand here, so that invalid ones can be
//! made.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::session::protocol::close::{REASON_BYTES, TOKEN_INVALID};

const NOW: Time = Time(1_800_000_000_000);
const LATER: i64 = 1_800_000_060;

fn tokens(issuer: Option<&str>, audience: Option<&str>) -> Tokens {
    let text = |value: Option<&str>| value.map(str::to_owned);
    Tokens::new(TokenSettings {
        secret: "sésame".into(),
        issuer: text(issuer),
        audience: text(audience),
    })
}

fn signed(algorithm: Algorithm, claims: &Value) -> String {
    jsonwebtoken::encode(
        &Header::new(algorithm),
        claims,
        &EncodingKey::from_secret("sésame".as_bytes()),
    )
    .unwrap()
}

/// Checks that the sentence fits in a Close.
#[track_caller]
pub(in crate::session) fn fits(error: &TokenError) {
    let room = REASON_BYTES - TOKEN_INVALID.len();
    assert!(error.to_string().len() <= room, "{error}");
}

#[track_caller]
fn check(claims: Value, expected: &str) {
    let found = match tokens(None, None).verify(&signed(Algorithm::HS256, &claims), NOW) {
        Ok(identity) => format!(
            "{} {} {:?}",
            identity.subject, identity.tenant, identity.roles
        ),
        Err(error) => {
            fits(&error);
            error.to_string()
        }
    };
    assert!(found.contains(expected), "{claims}: {found}");
}

#[test]
fn claims_become_an_identity() {
    check(json!({"sub": "alice", "exp": LATER}), "alice default []");
    check(
        json!({"sub": "alice", "exp": LATER, "roles": ["admin"], "tenant": "acme"}),
        r#"alice acme ["admin"]"#,
    );
    check(
        json!({"sub": "alice", "exp": LATER, "roles": null, "aud": "other", "iss": "other", "x": 1}),
        "alice default []",
    );
    check(json!({"sub": "alice", "exp": 1_800_000_000.5}), "alice");
    let longest = 1_800_000_000 + limits::TOKEN_LIFETIME.as_secs();
    check(json!({"sub": "alice", "exp": longest}), "alice");
    check(
        json!({"sub": "alice", "exp": longest + 1}),
        "--max-token-lifetime",
    );
}

#[test]
fn the_times_of_a_token_are_checked() {
    for wrong in [
        json!(1e300),
        json!(-1e300),
        json!(253_402_300_800_i64),
        json!(1e15),
    ] {
        check(
            json!({"sub": "alice", "exp": wrong}),
            "'exp' of the token to be in seconds",
        );
        check(
            json!({"sub": "alice", "exp": LATER, "iat": wrong}),
            "'iat' of the token to be in seconds",
        );
        check(
            json!({"sub": "alice", "exp": LATER, "nbf": wrong}),
            "'nbf' of the token to be in seconds",
        );
    }
}

#[test]
fn no_token_lasts_longer_than_configured() {
    let tokens = tokens(None, None).with_longest(Duration::from_secs(3600));
    let ada = Identity {
        subject: "ada".into(),
        ..Identity::anonymous(Uuid::nil())
    };
    assert!(
        tokens
            .mint(&ada, NOW, Duration::from_secs(3600))
            .is_ok_and(|token| tokens.verify(&token, NOW).is_ok())
    );
    let refused = tokens
        .mint(&ada, NOW, Duration::from_secs(3601))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("within 1 h,") && refused.contains("--max-token-lifetime"),
        "{refused}"
    );
}

/// A sign-in must be able to contain everything that a user of this server may have.
#[test]
fn a_user_with_the_longest_names_and_roles_can_sign_in() {
    let name = "\"x".repeat(limits::NAME_BYTES / 2);
    let role = "r".repeat(limits::USER_ROLES_BYTES / limits::USER_ROLES);
    let roles = vec![role; limits::USER_ROLES];
    let identity = Identity {
        subject: name.clone(),
        tenant: name,
        roles,
        ..Identity::anonymous(Uuid::nil())
    };
    let token = tokens(
        Some("https://stepwire.example/some/issuer"),
        Some("an audience"),
    )
    .mint(&identity, NOW, limits::SIGNED_IN)
    .unwrap();
    assert!(
        token.len() < limits::COOKIE_BYTES - "stepwire-session=".len(),
        "{}",
        token.len()
    );
    assert!(token.len() < limits::TOKEN_BYTES);
}

#[test]
fn no_token_has_the_subject_of_a_schedule() {
    check(
        json!({"sub": "schedule:nightly", "exp": LATER, "roles": ["admin"]}),
        "the reserved `schedule:`",
    );
    check(
        json!({"sub": "schedule", "exp": LATER}),
        "schedule default []",
    );
}

#[test]
fn wrong_claims_are_refused() {
    check(json!({"exp": LATER}), "with sub (text)");
    check(json!({"sub": "alice"}), "exp (number)");
    check(json!({"sub": "", "exp": LATER}), "it is empty");
    check(json!({"sub": 5, "exp": LATER}), "sub (text)");
    check(json!({"sub": "alice", "exp": "soon"}), "exp (number)");
    check(
        json!({"sub": "alice", "exp": LATER, "roles": "admin"}),
        "roles (list)",
    );
    check(
        json!({"sub": "alice", "exp": LATER, "instance": "none"}),
        "known algorithm",
    );
    check(json!({"sub": "alice", "exp": LATER, "nbf": LATER}), "nbf");
}

#[test]
fn it_expires_at_its_exp_without_leeway() {
    let token = signed(Algorithm::HS256, &json!({"sub": "alice", "exp": LATER}));
    let at = |millis| {
        tokens(None, None)
            .verify(&token, Time(millis))
            .map(|identity| identity.expires_at)
    };
    assert_eq!(at(LATER * 1000 - 1), Ok(Some(Time(LATER * 1000))));
    assert_eq!(at(LATER * 1000), Err(TokenError::Expired));
    check(json!({"sub": "alice", "exp": -1}), "expired");
}

#[test]
fn only_hs256_with_the_right_secret_is_accepted() {
    let claims = json!({"sub": "alice", "exp": LATER});
    let refused = |token: &str| {
        let error = tokens(None, None).verify(token, NOW).unwrap_err();
        fits(&error);
        assert!(matches!(error, TokenError::Invalid(_)), "{token}")
    };
    refused(&signed(Algorithm::HS384, &claims));
    refused(&signed(Algorithm::HS512, &claims));
    let body = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let good = signed(Algorithm::HS256, &claims);
    let signature = good.rsplit('.').next().unwrap();
    for algorithm in [
        "none", "None", "NONE", "RS256", "ES256", "EdDSA", "hs256", "",
    ] {
        let header =
            BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
        refused(&format!("{header}.{body}."));
        refused(&format!("{header}.{body}.{signature}"));
    }
    refused(&good[..good.len() - 2]);
    refused(&good.replace('.', ""));
    refused("");
    refused(&"x".repeat(limits::TOKEN_BYTES + 1));
    let other = Tokens::new(TokenSettings {
        secret: "other".into(),
        issuer: None,
        audience: None,
    });
    assert!(
        matches!(other.verify(&good, NOW), Err(TokenError::Invalid(sentence)) if sentence.contains("signature"))
    );
    let mut header = Header::new(Algorithm::HS256);
    header.crit = Some(vec!["b64".into()]);
    refused(
        &jsonwebtoken::encode(
            &header,
            &claims,
            &EncodingKey::from_secret("sésame".as_bytes()),
        )
        .unwrap(),
    );
}

#[test]
fn issuer_and_audience_are_checked_when_configured() {
    let strict = tokens(Some("https://id.example"), Some("stepwire"));
    let verify = |extra: Value| {
        let mut claims = json!({"sub": "alice", "exp": LATER});
        claims
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        strict
            .verify(&signed(Algorithm::HS256, &claims), NOW)
            .is_ok()
    };
    assert!(verify(
        json!({"iss": "https://id.example", "aud": "stepwire"})
    ));
    assert!(verify(
        json!({"iss": "https://id.example", "aud": ["other", "stepwire"]})
    ));
    assert!(!verify(json!({"iss": "https://id.example"})));
    assert!(!verify(json!({"aud": "stepwire"})));
    assert!(!verify(
        json!({"iss": "https://evil.example", "aud": "stepwire"})
    ));
    assert!(!verify(
        json!({"iss": "https://id.example", "aud": "other"})
    ));
}

#[test]
fn a_minted_token_is_accepted_until_its_end() {
    let tokens = tokens(Some("https://id.example"), Some("stepwire"));
    let root = InstanceKey(Uuid::from_u128(7));
    let mut identity = Identity::anonymous(Uuid::from_u128(1));
    identity.instance = Some(root);
    identity.roles = vec!["admin".into()];
    let token = tokens
        .mint(&identity, NOW, limits::ANONYMOUS_TOKEN)
        .unwrap();
    let found = tokens.verify(&token, NOW).unwrap();
    let (issued_at, expires_at) = (Some(NOW), Some(Time(NOW.0 + 24 * 3_600_000)));
    assert_eq!(
        found,
        Identity {
            issued_at,
            expires_at,
            ..identity.clone()
        }
    );
    let later = tokens
        .mint(&identity, Time(NOW.0 + 7), limits::ANONYMOUS_TOKEN)
        .unwrap();
    assert_eq!(
        tokens.verify(&later, NOW).unwrap().issued_at,
        Some(Time(NOW.0 + 7)),
        "to the millisecond"
    );
    assert!(
        !found.is_admin() && !found.is_operator(),
        "a token of one instance has no roles"
    );
    assert_eq!(
        tokens.verify(&token, Time(NOW.0 + 24 * 3_600_000)),
        Err(TokenError::Expired)
    );
    assert_eq!(found.subject, "anonymous-00000000000000000000000000000001");
}

#[test]
fn roles_grant_their_rights() {
    let with = |roles: &[&str]| Identity {
        roles: roles.iter().map(|role| role.to_string()).collect(),
        ..Identity::anonymous(Uuid::from_u128(1))
    };
    assert!(with(&["admin"]).is_operator() && with(&["admin"]).is_admin());
    assert!(with(&["operator"]).is_operator() && !with(&["operator"]).is_admin());
    assert!(with(&["clerk", "x"]).has_role("x") && !with(&["clerk"]).is_operator());
    assert!(with(&["admin"]).is_designer() && with(&["designer"]).is_designer());
    assert!(!with(&["operator"]).is_designer() && !with(&["designer"]).is_operator());
}

#[test]
fn server_operators_and_tenant_operators_are_distinct() {
    let with = |tenant: &str, role: &str| {
        let one = Identity {
            tenant: tenant.into(),
            roles: vec![role.into()],
            ..Identity::anonymous(Uuid::from_u128(1))
        };
        (one.is_server_operator(), one.is_operator())
    };
    assert_eq!(with("acme", "server-operator"), (true, false));
    assert_eq!(with("acme", "admin"), (false, true));
    assert_eq!(with("acme", "operator"), (false, true));
    assert_eq!(with("default", "operator"), (false, true));
    assert_eq!(with("default", "admin"), (true, true));
    assert!(Identity::owner().is_server_operator() && Identity::owner().is_admin());
    let of_tree = Identity {
        instance: Some(InstanceKey(Uuid::from_u128(7))),
        ..Identity::owner()
    };
    assert!(!of_tree.is_server_operator());
}
