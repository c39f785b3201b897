//! The options whose value is one of a few words.
//!
//! Not here: the options themselves (`options`).

use clap::ValueEnum;
use serde::Deserialize;

/// The store of process instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// One SQLite file in the data directory.
    #[default]
    Sqlite,
    /// Memory; lost at exit.
    Memory,
}

/// The format of the lines of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people: time, level, module, sentence, fields.
    #[default]
    Text,
    /// For programs: one JSON object per line.
    Json,
}

/// A signature algorithm of an issuer's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
pub enum JwtAlgorithm {
    /// RSA with SHA-256.
    #[value(name = "RS256")]
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[value(name = "ES256")]
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[value(name = "EdDSA")]
    #[serde(rename = "EdDSA")]
    EdDsa,
}
