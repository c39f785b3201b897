//! Tokens of an issuer, signed with keys that are generated here; files that change, and unusable
//! files.

use std::{path::PathBuf, sync::Arc};

use aws_lc_rs::{
    encoding::AsDer,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::session::auth::token::{Identity, TokenSettings, Tokens, tests::fits};

const NOW: Time = Time(1_800_000_000_000);
const ALL: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// A key of the issuer, with its public half as in the file.
pub(crate) struct Signer {
    algorithm: Algorithm,
    private: EncodingKey,
    public: Value,
}

impl Signer {
    pub(crate) fn new(algorithm: Algorithm, kid: Option<&str>) -> Self {
        let private = match algorithm {
            Algorithm::RS256 => {
                let pkcs8 = RsaKeyPair::generate(KeySize::Rsa2048)
                    .unwrap()
                    .as_der()
                    .unwrap();
                // The signing key is the inner key: it follows the version, the algorithm and three
                // headers.
                EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..])
            }
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
                EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
            }
            _ => EncodingKey::from_ed_der(
                Ed25519KeyPair::generate()
                    .unwrap()
                    .to_pkcs8v1()
                    .unwrap()
                    .as_ref(),
            ),
        };
        let mut public =
            serde_json::to_value(Jwk::from_encoding_key(&private, algorithm).unwrap()).unwrap();
        public["kid"] = kid.into();
        Self {
            algorithm,
            private,
            public,
        }
    }

    pub(crate) fn token(&self, kid: Option<&str>, claims: &Value) -> String {
        let header = Header {
            kid: kid.map(str::to_owned),
            ..Header::new(self.algorithm)
        };
        jsonwebtoken::encode(&header, claims, &self.private).unwrap()
    }
}

/// A file of keys, and tokens that are valid with it.
struct KeyFile {
    directory: TempDir,
    tokens: Tokens,
}

impl KeyFile {
    fn new(keys: &[&Signer], algorithms: &[Algorithm]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        write(&directory, &set(keys));
        let issuer = IssuerKeys::load(path(&directory), algorithms.to_vec(), NOW).unwrap();
        let settings = TokenSettings {
            secret: "hush".into(),
            issuer: None,
            audience: None,
        };
        Self {
            tokens: Tokens::new(settings).with_issuer(Arc::new(issuer)),
            directory,
        }
    }

    fn verify(&self, token: &str, after: i64) -> Result<Identity, TokenError> {
        self.tokens.verify(token, Time(NOW.0 + after))
    }

    #[track_caller]
    fn refuses(&self, token: &str, part: &str) {
        let error = self.verify(token, 0).unwrap_err();
        fits(&error);
        assert!(
            matches!(&error, TokenError::Invalid(sentence) if sentence.contains(part)),
            "{error}"
        );
    }
}

fn path(directory: &TempDir) -> PathBuf {
    directory.path().join("keys.json")
}

fn write(directory: &TempDir, text: &str) {
    fs::write(path(directory), text).unwrap();
}

pub(crate) fn set(keys: &[&Signer]) -> String {
    json!({"keys": keys.iter().map(|key| &key.public).collect::<Vec<_>>()}).to_string()
}

pub(crate) fn claims() -> Value {
    json!({"sub": "alice", "exp": NOW.0 / 1000 + 60, "roles": ["clerk"]})
}

#[test]
fn each_algorithm_is_accepted_by_its_key() {
    let signers = ALL.map(|algorithm| Signer::new(algorithm, Some(&format!("{algorithm:?}"))));
    let site = KeyFile::new(&signers.each_ref(), &ALL);
    for signer in &signers {
        let kid = format!("{:?}", signer.algorithm);
        for kid in [Some(&*kid), None] {
            let identity = site.verify(&signer.token(kid, &claims()), 0).unwrap();
            assert_eq!(
                (&*identity.subject, &identity.roles[..]),
                ("alice", &["clerk".to_owned()][..])
            );
        }
        site.refuses(
            &signer.token(Some("another"), &claims()),
            "'kid' names no known key",
        );
        let mut forged = Signer::new(signer.algorithm, None);
        forged.public = signer.public.clone();
        site.refuses(
            &forged.token(Some(&kid), &claims()),
            "signature does not match",
        );
    }
    let own = site
        .tokens
        .mint(
            &Identity::anonymous(uuid::Uuid::nil()),
            NOW,
            Duration::from_secs(60),
        )
        .unwrap();
    assert!(
        site.verify(&own, 0).is_ok(),
        "the server's own tokens stay good"
    );
    assert_eq!(
        site.verify(&signers[1].token(None, &claims()), 60_000),
        Err(TokenError::Expired)
    );
}

#[test]
fn a_public_key_is_no_secret_and_other_algorithms_are_refused() {
    let signer = Signer::new(Algorithm::ES256, Some("one"));
    let other = Signer::new(Algorithm::EdDSA, Some("two"));
    let site = KeyFile::new(&[&signer, &other], &[Algorithm::ES256]);
    site.refuses(&other.token(Some("two"), &claims()), "configured algorithm");
    let text = fs::read(path(&site.directory)).unwrap();
    for secret in [&text[..], signer.public["x"].as_str().unwrap().as_bytes()] {
        let header = Header {
            kid: Some("one".into()),
            ..Header::new(Algorithm::HS256)
        };
        let token =
            jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
        site.refuses(&token, "signature does not match");
    }
    let good = signer.token(Some("one"), &claims());
    let (_, rest) = good.split_once('.').unwrap();
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "RS256", "kid": "one"}),
        json!({"alg": "EdDSA", "kid": "one"}),
    ] {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        let token = format!(
            "{}.{rest}",
            BASE64_URL_SAFE_NO_PAD.encode(header.to_string())
        );
        assert!(
            matches!(site.verify(&token, 0), Err(TokenError::Invalid(_))),
            "{header}"
        );
    }
}

#[test]
fn a_changed_key_file_is_reread_within_seconds() {
    let (first, second) = (
        Signer::new(Algorithm::EdDSA, Some("1")),
        Signer::new(Algorithm::EdDSA, Some("22")),
    );
    let site = KeyFile::new(&[&first], &ALL);
    let (old, new) = (
        first.token(Some("1"), &claims()),
        second.token(Some("22"), &claims()),
    );
    write(&site.directory, &format!("\u{feff}{}", set(&[&second])));
    assert!(site.verify(&new, 1_999).is_err(), "looked at just now");
    assert!(site.verify(&new, 2_000).is_ok());
    assert!(site.verify(&old, 2_000).is_err(), "taken out of the file");
    for bad in [
        "",
        "{}",
        "[]",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}"#,
    ] {
        write(&site.directory, bad);
        assert!(
            site.verify(&new, 10_000).is_ok(),
            "the last good keys stay: {bad}"
        );
    }
    fs::remove_file(path(&site.directory)).unwrap();
    assert!(site.verify(&new, 20_000).is_ok(), "the last good keys stay");
    write(&site.directory, &set(&[&first, &second]));
    assert!(site.verify(&old, 30_000).is_ok());
}

#[test]
fn only_keys_for_signatures_count() {
    let signer = Signer::new(Algorithm::ES256, Some("one"));
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut public = signer.public.clone();
        change(&mut public);
        let directory = tempfile::tempdir().unwrap();
        write(&directory, &json!({"keys": [public]}).to_string());
        IssuerKeys::load(path(&directory), ALL.to_vec(), NOW).is_err()
    };
    assert!(!refused(&|key| key["use"] = "sig".into()));
    assert!(refused(&|key| key["use"] = "enc".into()));
    assert!(refused(&|key| key["alg"] = "ES384".into()));
    assert!(refused(&|key| key["key_ops"] = json!(["encrypt"])));
    assert!(refused(&|key| key["crv"] = "P-384".into()));
    assert!(refused(&|key| key["x"] = 7.into()));
    assert!(
        IssuerKeys::load("nowhere.json".into(), ALL.to_vec(), NOW)
            .unwrap_err()
            .contains("nowhere.json")
    );
}

#[test]
fn a_token_without_key_id_is_accepted_if_there_is_one_key() {
    let (first, second) = (
        Signer::new(Algorithm::EdDSA, None),
        Signer::new(Algorithm::EdDSA, None),
    );
    assert!(
        KeyFile::new(&[&first], &ALL)
            .verify(&first.token(None, &claims()), 0)
            .is_ok()
    );
    KeyFile::new(&[&first, &second], &ALL)
        .refuses(&first.token(None, &claims()), "names its key in 'kid'");
}
