//! The secrets for calls to other systems: those that headers name, and the key that signs
//! webhooks.
//!
//! Not here: the allowed targets of calls (`runtime::http_calls`, which parses their list).

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{ConfigError, secret::read_or_generate};

/// Name of the file in the data directory that contains a generated secret.
pub const WEBHOOK_SECRET_FILE: &str = "webhook-secret";
/// The prefix before the base64 of a key, according to the Standard Webhooks specification.
const PREFIX: &str = "whsec_";
/// The shortest key, in bytes, according to the same specification.
const KEY_BYTES: usize = 24;
/// The prefix of the environment variables of secrets.
const VARIABLE: &str = "STEPWIRE_SECRET_";

/// Secrets by name. Displayed by their names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(pub BTreeMap<String, String>);

impl Secrets {
    /// The secrets of the file, and those of the environment, which take precedence.
    pub(super) fn new(
        file: Option<BTreeMap<String, String>>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut secrets = file.unwrap_or_default();
        for (name, value) in environment {
            if let Some(name) = name.to_str().and_then(|name| name.strip_prefix(VARIABLE)) {
                let value = value.into_string().map_err(|_| unreadable(name))?;
                secrets.insert(name.to_owned(), value);
            }
        }
        for (name, value) in &mut secrets {
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            {
                return Err(ConfigError(format!(
                    "expected names of secrets in capital letters, digits and '_', but one is \
                    '{name}'"
                )));
            }
            // The last line break of a file is not part of its content.
            *value = value.trim_end_matches(['\r', '\n']).to_owned();
            if value.chars().any(char::is_control) {
                return Err(unreadable(name));
            }
        }
        Ok(Self(secrets))
    }
}

fn unreadable(name: &str) -> ConfigError {
    ConfigError(format!(
        "expected the secret {name} to be a text without control characters, but it is not"
    ))
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The source of the key that signs webhooks.
#[derive(Clone, PartialEq, Eq)]
pub enum WebhookSecret {
    /// Given by an option.
    Given(Vec<u8>),
    /// In this file, which is created at first use.
    Generated(PathBuf),
}

impl WebhookSecret {
    /// The source of the key for a server with this option and data directory.
    pub(super) fn new(option: Option<String>, data: &Path) -> Result<Self, ConfigError> {
        option.map_or_else(
            || Ok(Self::Generated(data.join(WEBHOOK_SECRET_FILE))),
            |text| key(&text).map(Self::Given),
        )
    }

    /// Whether the key is generated.
    pub fn is_generated(&self) -> bool {
        matches!(self, Self::Generated(_))
    }

    /// The key. A generated one is created when its file does not exist.
    ///
    /// # Errors
    /// The file cannot be read or created.
    pub fn load(&self) -> Result<Vec<u8>, ConfigError> {
        match self {
            Self::Given(key) => Ok(key.clone()),
            Self::Generated(path) => key(&read_or_generate(path, &|random| {
                format!("{PREFIX}{}", BASE64_STANDARD.encode(random))
            })?),
        }
    }
}

/// The key in a text: base64 after the prefix, else the text itself.
fn key(text: &str) -> Result<Vec<u8>, ConfigError> {
    let key = match text.strip_prefix(PREFIX) {
        Some(base64) => BASE64_STANDARD.decode(base64).ok(),
        None => Some(text.as_bytes().to_vec()),
    };
    key.filter(|key| key.len() >= KEY_BYTES).ok_or_else(|| {
        ConfigError(format!(
            "expected webhook-secret to be {PREFIX} and base64, or a text, of at least \
            {KEY_BYTES} bytes, but it is not"
        ))
    })
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given(…)"),
            Self::Generated(path) => f.debug_tuple("Generated").field(path).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_the_environment_and_the_file_and_are_never_shown() {
        let file = BTreeMap::from([
            ("A".to_owned(), "file".to_owned()),
            ("B".to_owned(), "file".to_owned()),
        ]);
        let environment = [
            ("STEPWIRE_SECRET_A", "hush\n"),
            ("STEPWIRE_SECRETS", "x"),
            ("PATH", "/"),
        ];
        let secrets = Secrets::new(
            Some(file),
            environment.map(|(name, value)| (name.into(), value.into())),
        )
        .unwrap();
        assert_eq!(
            secrets.0,
            BTreeMap::from([("A".into(), "hush".into()), ("B".into(), "file".into())])
        );
        assert_eq!(format!("{secrets:?}"), r#"{"A", "B"}"#);
        for (name, value) in [
            ("a", "x"),
            ("", "x"),
            ("A-B", "x"),
            ("A", "x\r\ny"),
            ("A", "x\0"),
        ] {
            let error = Secrets::new(
                Some(BTreeMap::from([(name.to_owned(), value.to_owned())])),
                [],
            )
            .unwrap_err()
            .to_string();
            assert!(
                error.starts_with("expected ") && !error.contains('\r'),
                "{error}"
            );
        }
    }

    #[test]
    fn the_key_of_webhooks_is_given_in_two_forms_or_generated_once() {
        let data = tempfile::tempdir().unwrap();
        let given = |text: &str| WebhookSecret::new(Some(text.to_owned()), data.path());
        assert_eq!(
            given("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
                .unwrap()
                .load()
                .unwrap()
                .len(),
            24
        );
        assert_eq!(
            given("a text of twenty-four by").unwrap().load().unwrap(),
            b"a text of twenty-four by"
        );
        for bad in ["", "short", "whsec_", "whsec_####", "whsec_c2hvcnQ="] {
            let error = given(bad).unwrap_err().to_string();
            assert!(!error.contains("c2hvcnQ"), "{error}");
        }
        let generated = WebhookSecret::new(None, data.path()).unwrap();
        let key = generated.load().unwrap();
        assert_eq!((key.len(), generated.load().unwrap()), (32, key));
        let text = std::fs::read_to_string(data.path().join(WEBHOOK_SECRET_FILE)).unwrap();
        assert!(
            text.starts_with(PREFIX),
            "it is given to receivers unchanged: {text}"
        );
        assert_eq!(
            format!("{:?}", given("a text of twenty-four by").unwrap()),
            "Given(…)"
        );
    }
}
