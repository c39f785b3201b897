//! The public keys of a token issuer: a JWKS (RFC 7517), from a file that is read again when it
//! changes, or from a URL.
//!
//! Keys are found by `kid` and algorithm. If a set cannot be read or contains no usable key, the
//! last valid keys stay. Not here: how a URL is fetched (`web::http::key_address`), what a token
//! has to contain (`token`).
//!
//! # Rationale
//!
//! **An unknown key of an issuer only wakes the fetcher**: a flood of bad tokens causes no flood of
//! requests, and no arbiter waits for an issuer.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Notify;

use super::token::TokenError;
use crate::{limits, model::ids::Time, text};

/// The interval at which the file is checked: a new key is valid at the latest this long after it
/// was written.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The keys of an issuer at one time.
pub(super) type IssuerKeySet = Arc<Vec<IssuerKey>>;

/// The keys of an issuer.
pub struct IssuerKeys {
    algorithms: Vec<Algorithm>,
    keys: ArcSwap<Vec<IssuerKey>>,
    source: IssuerKeySource,
}

/// The source of keys.
enum IssuerKeySource {
    /// A file.
    File {
        path: PathBuf,
        state: Mutex<KeyFileState>,
    },
    /// A URL, which another task fetches because that takes long; `wanted` wakes it when a token
    /// names an unknown key.
    Address { wanted: Notify },
}

/// A key of an issuer.
pub(super) struct IssuerKey {
    kid: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

/// When the file was last checked, and its state then.
struct KeyFileState {
    at: Time,
    file: Option<(SystemTime, u64)>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl IssuerKeys {
    /// Reads the file. Only tokens with these algorithms are accepted; `now` is real time.
    ///
    /// # Errors
    /// A sentence if it cannot be read, or contains no key for these algorithms.
    pub fn load(path: PathBuf, algorithms: Vec<Algorithm>, now: Time) -> Result<Self, String> {
        let file = stamp(&path);
        let keys = read(&path, &algorithms)?;
        let state = Mutex::new(KeyFileState { at: now, file });
        Ok(Self {
            algorithms,
            keys: ArcSwap::from_pointee(keys),
            source: IssuerKeySource::File { path, state },
        })
    }

    /// Without keys: [`IssuerKeys::replace`] sets them.
    pub fn by_address(algorithms: Vec<Algorithm>) -> Self {
        Self {
            algorithms,
            keys: ArcSwap::default(),
            source: IssuerKeySource::Address {
                wanted: Notify::new(),
            },
        }
    }

    /// Sets the keys of a JWKS that was fetched from the place with this name.
    ///
    /// # Errors
    /// A sentence if it contains no usable key; the former keys stay.
    pub fn replace(&self, text: &str, name: &str) -> Result<(), String> {
        let keys = parse(text, name, &self.algorithms)?;
        log::debug!("an issuer's keys were fetched: there are {}", keys.len());
        self.keys.store(keys.into());
        Ok(())
    }

    /// Whether there are no keys yet.
    pub fn is_empty(&self) -> bool {
        self.keys.load().is_empty()
    }

    /// Waits until a token names an unknown key. Never ends for keys of a file.
    pub async fn wanted(&self) {
        match &self.source {
            IssuerKeySource::File { .. } => std::future::pending().await,
            IssuerKeySource::Address { wanted } => wanted.notified().await,
        }
    }

    /// The present keys. A file that has changed is read again.
    pub(super) fn present(&self, now: Time) -> IssuerKeySet {
        if let IssuerKeySource::File { path, state } = &self.source {
            self.refresh(path, state, now);
        }
        self.keys.load_full()
    }

    /// The key among `keys` for a token with this header.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if there is none, or if there are several and the token names none.
    pub(super) fn find<'a>(
        &self,
        keys: &'a IssuerKeySet,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<&'a DecodingKey, TokenError> {
        let invalid = |sentence: &str| Err(TokenError::Invalid(sentence.to_owned()));
        if !self.algorithms.contains(&algorithm) {
            return invalid(
                "expected a token of a configured algorithm, but its header names another",
            );
        }
        let mut fitting = keys
            .iter()
            .filter(|key| {
                key.algorithm == algorithm && (kid.is_none() || key.kid.as_deref() == kid)
            })
            .fuse();
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(&key.decoding),
            (None, _) => {
                if let IssuerKeySource::Address { wanted } = &self.source {
                    wanted.notify_one();
                }
                invalid(
                    "expected a token signed with a key of the issuer, but its 'kid' names no \
                    known key",
                )
            }
            (Some(_), Some(_)) => invalid(
                "expected a token that names its key in 'kid', but it has no 'kid' and several \
                keys are possible",
            ),
        }
    }

    /// Reads the file again if it has changed, unless it was checked just now. Reading a small
    /// local file takes less time than checking the signature that follows.
    fn refresh(&self, path: &Path, state: &Mutex<KeyFileState>, now: Time) {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.0.abs_diff(state.at.0) < CHECK_INTERVAL.as_millis() as u64 {
            return;
        }
        state.at = now;
        let file = stamp(path);
        if file == state.file {
            return;
        }
        state.file = file;
        match read(path, &self.algorithms) {
            Ok(keys) => {
                log::info!(
                    "the issuer's keys were read again: there are {}",
                    keys.len()
                );
                self.keys.store(keys.into());
            }
            Err(sentence) => log::warn!("the issuer's former keys stay in use: {sentence}"),
        }
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            IssuerKeySource::File { path, .. } => write!(f, "keys in {}", path.display()),
            IssuerKeySource::Address { .. } => f.write_str("keys by address"),
        }
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path, algorithms: &[Algorithm]) -> Result<Vec<IssuerKey>, String> {
    let name = path.display().to_string();
    let read = fs::File::open(path)
        .and_then(|file| text::read_all(file, limits::REST_BODY_BYTES.get() as u64));
    let text = read.map_err(|error| unreadable(&name, &error))?;
    parse(&text, &name, algorithms)
}

fn parse(text: &str, name: &str, algorithms: &[Algorithm]) -> Result<Vec<IssuerKey>, String> {
    let set: KeySet = serde_json::from_str(text)
        .map_err(|error| unreadable(name, &crate::text::json::in_words(&error)))?;
    let keys: Vec<IssuerKey> = set
        .keys
        .into_iter()
        .filter_map(usable)
        .filter(|key| algorithms.contains(&key.algorithm))
        .collect();
    if keys.is_empty() {
        return Err(format!(
            "expected {name} to hold a key for signatures of a configured algorithm, but it \
            holds none"
        ));
    }
    Ok(keys)
}

fn unreadable(name: &str, cause: &dyn fmt::Display) -> String {
    format!("expected to read the keys in {name} as a JWKS, but: {cause}")
}

/// A key for a supported algorithm. A set may contain others, for example keys for encryption.
fn usable(value: Value) -> Option<IssuerKey> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let common = &jwk.common;
    let is_suitable = common
        .key_algorithm
        .is_none_or(|is_suitable| is_suitable == named)
        && common
            .public_key_use
            .as_ref()
            .is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
        && common
            .key_operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let decoding = DecodingKey::from_jwk(&jwk).ok().filter(|_| is_suitable)?;
    Some(IssuerKey {
        kid: jwk.common.key_id,
        algorithm,
        decoding,
    })
}

#[cfg(test)]
pub(crate) mod tests;
