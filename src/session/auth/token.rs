//! Bearer tokens: JWTs signed with this server's secret or by an issuer of its configuration, and
//! the identity they contain.
//!
//! Not here: the issuer's keys (`issuer_keys`), which tokens need not be decoded again
//! (`verified_tokens`), whether a user's tokens were revoked
//! (`authentication`), what a role may do (`runtime`), where a token is in a request (`web`), the
//! origin of the secret (`config`). Expiry is compared with the real clock, never with the virtual
//! one of `--test-clock`: the caller passes the time.
//!
//! # Rationale
//!
//! **Permissions over the whole server need a role of their own**, `server-operator`, which no
//! admin of a tenant can grant. The tenant `default`, which the sign-in link and the local socket
//! belong to, is the owner's: its admins have these permissions, so that a server with one tenant
//! needs only one role.

use std::{fmt, sync::Arc, time::Duration};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, TokenData, Validation, errors::ErrorKind,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    issuer_keys::{IssuerKeySet, IssuerKeys},
    roles_claim::RolesClaim,
    verified_tokens::{Genuine, VerifiedTokens},
};
use crate::{
    limits,
    model::{
        ids::{InstanceKey, Time},
        user_name,
    },
};

/// The tenant of a token that names none: that of the server's owner.
pub const DEFAULT_TENANT: &str = "default";

/// The role for operating the server as a whole, beyond any tenant.
pub const SERVER_OPERATOR: &str = "server-operator";

/// The user of a connection or a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name of the user, unique in the tenant.
    pub subject: String,
    /// The tenant.
    pub tenant: String,
    /// Roles granted by the issuer.
    pub roles: Vec<String>,
    /// When its token was issued, on the real clock; `None` if the token does not say.
    pub issued_at: Option<Time>,
    /// When the token expires, on the real clock; `None` for an anonymous connection that has no
    /// token yet.
    pub expires_at: Option<Time>,
    /// The root of the one instance tree it may see and act on; `None` for a user, for whom
    /// permissions decide.
    pub instance: Option<InstanceKey>,
}

impl Identity {
    /// A client without a token: an unguessable subject of its own, and no roles.
    pub fn anonymous(random: Uuid) -> Self {
        let subject = format!("anonymous-{}", random.simple());
        Self {
            subject,
            tenant: DEFAULT_TENANT.into(),
            roles: Vec::new(),
            issued_at: None,
            expires_at: None,
            instance: None,
        }
    }

    /// The owner of the data directory, for the printed sign-in link and the local socket. It has
    /// every permission, in its tenant and over the server.
    pub fn owner() -> Self {
        Self {
            subject: "admin".to_owned(),
            roles: vec!["admin".to_owned(), SERVER_OPERATOR.to_owned()],
            ..Self::anonymous(Uuid::nil())
        }
    }

    /// Whether the role was granted. A token for one instance tree has no roles, whatever it
    /// claims.
    pub fn has_role(&self, role: &str) -> bool {
        self.instance.is_none() && self.roles.iter().any(|granted| granted == role)
    }

    /// Whether it sees and repairs every instance of its tenant: role `operator` or `admin`.
    pub fn is_operator(&self) -> bool {
        self.has_role("operator") || self.is_admin()
    }

    /// Whether it may change definitions: role `designer` or `admin`.
    pub fn is_designer(&self) -> bool {
        self.has_role("designer") || self.is_admin()
    }

    /// Whether it may do everything in its tenant: role `admin`.
    pub fn is_admin(&self) -> bool {
        self.has_role("admin")
    }

    /// Whether it may operate the server as a whole, beyond any tenant: role `server-operator`, and
    /// the admins of the owner's tenant, [`DEFAULT_TENANT`].
    pub fn is_server_operator(&self) -> bool {
        self.has_role(SERVER_OPERATOR) || (self.is_admin() && self.tenant == DEFAULT_TENANT)
    }
}

/// How tokens are signed and checked.
#[derive(Clone)]
pub struct TokenSettings {
    /// The HS256 secret; its raw UTF-8 bytes are the key.
    pub secret: String,
    /// `iss` that tokens must have, if set; minted tokens have it.
    pub issuer: Option<String>,
    /// `aud` that tokens must have, if set; minted tokens have it.
    pub audience: Option<String>,
}

/// Why a token was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is genuine, but has expired: get a new one.
    Expired,
    /// It is genuine, but its user was removed, or its tokens were revoked after it was issued.
    Revoked,
    /// It is not genuine, or a claim is missing or invalid; the sentence says which, without
    /// repeating the token, and is short enough for a Close.
    Invalid(String),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => {
                f.write_str("expected a valid token, but it has expired: sign in again")
            }
            Self::Revoked => f.write_str(
                "expected a token whose user may still use it, but it was revoked: sign in again",
            ),
            Self::Invalid(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for TokenError {}

/// Verifies and mints tokens.
pub struct Tokens {
    settings: TokenSettings,
    decoding: DecodingKey,
    encoding: EncodingKey,
    validation: Validation,
    issuer: Option<Arc<IssuerKeys>>,
    roles_claim: RolesClaim,
    longest: Duration,
    verified: VerifiedTokens,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    tenant: Option<String>,
    instance: Option<InstanceKey>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Serialize)]
struct Minted<'a> {
    sub: &'a str,
    tenant: &'a str,
    roles: &'a [String],
    // With milliseconds: a token that is issued after a revocation, but in the same second, is
    // valid.
    iat: f64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<InstanceKey>,
}

impl Tokens {
    /// Signs and checks tokens with these settings.
    pub fn new(settings: TokenSettings) -> Self {
        Self {
            decoding: DecodingKey::from_secret(settings.secret.as_bytes()),
            encoding: EncodingKey::from_secret(settings.secret.as_bytes()),
            validation: validation(&settings),
            issuer: None,
            roles_claim: RolesClaim::default(),
            longest: limits::TOKEN_LIFETIME,
            verified: VerifiedTokens::default(),
            settings,
        }
    }

    /// Also accepts tokens signed with an issuer's keys. Tokens that this server mints with its own
    /// secret stay valid.
    pub fn with_issuer(self, keys: Arc<IssuerKeys>) -> Self {
        Self {
            issuer: Some(keys),
            ..self
        }
    }

    /// Reads the roles from another claim than `roles`.
    pub fn with_roles_claim(self, roles_claim: RolesClaim) -> Self {
        Self {
            roles_claim,
            ..self
        }
    }

    /// Neither accepts nor mints tokens that expire later than this; by default
    /// [`limits::TOKEN_LIFETIME`].
    pub fn with_longest(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// The identity in a token, at `now` on the real clock. There is no leeway: a token expires at
    /// its `exp`.
    pub fn verify(&self, token: &str, now: Time) -> Result<Identity, TokenError> {
        if token.len() > limits::TOKEN_BYTES {
            let sentence = "expected a token of at most 8192 bytes, but it is longer";
            return Err(TokenError::Invalid(sentence.into()));
        }
        let keys = self.issuer.as_ref().map(|issuer| issuer.present(now));
        let genuine = match self.verified.find(token, &keys) {
            Some(genuine) => genuine,
            None => {
                let genuine = Arc::new(self.read(token, &keys)?);
                self.verified.keep(token, &keys, genuine.clone());
                genuine
            }
        };
        self.check_times(&genuine, now)?;
        Ok(genuine.identity.clone())
    }

    /// What a token says, if it is genuine. Its times are still to be compared with the clock.
    fn read(&self, token: &str, keys: &Option<IssuerKeySet>) -> Result<Genuine, TokenError> {
        let invalid = |sentence: &str| Err(TokenError::Invalid(sentence.into()));
        let TokenData { header, claims } = self.decode(token, keys)?;
        if header.crit.is_some() {
            return invalid(
                "expected a token without critical header extensions, but its header lists some \
                in 'crit'",
            );
        }
        let Claims {
            sub,
            exp,
            nbf,
            iat,
            tenant,
            instance,
            others,
        } = claims;
        check_subject(&sub)?;
        let expires_at = time("exp", exp)?;
        let issued_at = iat.map(|iat| time("iat", iat)).transpose()?;
        let not_before = nbf.map(|start| time("nbf", start)).transpose()?;
        let roles = self
            .roles_claim
            .of(&others, header.alg == Algorithm::HS256)
            .map_err(TokenError::Invalid)?;
        let identity = Identity {
            subject: sub,
            tenant: tenant.unwrap_or_else(|| DEFAULT_TENANT.into()),
            roles,
            issued_at,
            expires_at: Some(expires_at),
            instance,
        };
        Ok(Genuine {
            identity,
            expires_at,
            not_before,
        })
    }

    fn check_times(&self, genuine: &Genuine, now: Time) -> Result<(), TokenError> {
        let expires_at = genuine.expires_at;
        if now >= expires_at {
            return Err(TokenError::Expired);
        }
        if u128::from(expires_at.0.abs_diff(now.0)) > self.longest.as_millis() {
            return Err(TokenError::Invalid(self.too_long()));
        }
        if genuine.not_before.is_some_and(|start| now < start) {
            let sentence = "expected a token that is valid by now, but its 'nbf' is in the future";
            return Err(TokenError::Invalid(sentence.into()));
        }
        Ok(())
    }

    /// The key decides which algorithm a token must have, never the token: HS256 with the secret
    /// only.
    fn decode(
        &self,
        token: &str,
        keys: &Option<IssuerKeySet>,
    ) -> Result<TokenData<Claims>, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| refusal(&error))?;
        let decoded = match (header.alg, self.issuer.as_ref().zip(keys.as_ref())) {
            (Algorithm::HS256, _) | (_, None) => {
                jsonwebtoken::decode(token, &self.decoding, &self.validation)
            }
            (algorithm, Some((issuer, keys))) => {
                let key = issuer.find(keys, algorithm, header.kid.as_deref())?;
                let validation = Validation {
                    algorithms: vec![algorithm],
                    ..self.validation.clone()
                };
                jsonwebtoken::decode(token, key, &validation)
            }
        };
        decoded.map_err(|error| refusal(&error))
    }

    /// A token for this identity that expires `ttl` after `now` on the real clock, in whole
    /// seconds; the times in the identity are ignored.
    ///
    /// # Errors
    /// It would be valid for too long, or its subject is no name of a user: such a token would be
    /// refused.
    pub fn mint(
        &self,
        identity: &Identity,
        now: Time,
        ttl: Duration,
    ) -> Result<String, TokenError> {
        if ttl > self.longest {
            return Err(TokenError::Invalid(self.too_long()));
        }
        check_subject(&identity.subject)?;
        let issued = now.0.div_euclid(1000);
        let claims = Minted {
            sub: &identity.subject,
            tenant: &identity.tenant,
            roles: &identity.roles,
            iat: now.0 as f64 / 1000.0,
            exp: issued.saturating_add_unsigned(ttl.as_secs()),
            iss: self.settings.issuer.as_deref(),
            aud: self.settings.audience.as_deref(),
            instance: identity.instance,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(
            |error| TokenError::Invalid(format!("expected the token to be signed, but: {error}")),
        )
    }
}

impl Tokens {
    fn too_long(&self) -> String {
        format!(
            "expected a token that ends within {} h, but it ends later: get another, or \
            raise --max-token-lifetime",
            self.longest.as_secs() / 3600
        )
    }
}

fn check_subject(sub: &str) -> Result<(), TokenError> {
    // Not the whole sentence: it has to fit into the Close of a websocket.
    let fault = user_name::fault(sub)
        .map(|fault| format!("expected 'sub' of the token to be the name of a user, but {fault}"));
    fault.map_or(Ok(()), |sentence| Err(TokenError::Invalid(sentence)))
}

fn validation(settings: &TokenSettings) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    // The library compares these with the system's clock; `verify` compares them with the time it
    // is given.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    // Otherwise a token with `aud` is refused when no audience is configured.
    validation.validate_aud = settings.audience.is_some();
    // `Claims` requires `sub` and `exp`, and accepts every number. Configured claims are only
    // checked if present, so they are required here.
    let mut required = Vec::new();
    if let Some(issuer) = &settings.issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if let Some(audience) = &settings.audience {
        validation.set_audience(&[audience]);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

/// The time of a claim in seconds with a fraction.
fn time(claim: &str, seconds: f64) -> Result<Time, TokenError> {
    let millis = (seconds * 1000.0).round();
    if millis.abs() <= Time::last().0 as f64 {
        return Ok(Time(millis as i64));
    }
    let sentence = format!(
        "expected '{claim}' of the token to be in seconds since 1970, up to the year 9999, but \
        it is not"
    );
    Err(TokenError::Invalid(sentence))
}

/// The sentence for an error of the library; it never repeats the token or its content.
fn refusal(error: &jsonwebtoken::errors::Error) -> TokenError {
    TokenError::Invalid(match error.kind() {
        ErrorKind::InvalidSignature => {
            "expected a token signed with this server's secret or its issuer's key, but its \
            signature does not match"
                .into()
        }
        ErrorKind::InvalidAlgorithm => "expected a token of a configured algorithm, but its \
            header names another"
            .into(),
        ErrorKind::InvalidIssuer => "expected 'iss' of the token to be the configured issuer, \
            but it is another"
            .into(),
        ErrorKind::InvalidAudience => "expected 'aud' of the token to name the configured \
            audience, but it does not"
            .into(),
        ErrorKind::MissingRequiredClaim(name) => format!(
            "expected the token to have the claim \
            '{name}', but it has none"
        ),
        ErrorKind::Json(_) => {
            "expected a token of a known algorithm with sub (text), exp (number) and roles (list), \
            but it is not one"
                .into()
        }
        _ => "expected a bearer JWT of three parts, but this is not one".into(),
    })
}

#[cfg(test)]
pub(in crate::session) mod tests;
