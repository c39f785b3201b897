//! A short hash of a value: tells what is sent from what else might be. No protection against
//! somebody who looks for a collision.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// 16 hexadecimal digits, the same for the same value.
pub fn content_hash(value: &(impl Serialize + ?Sized)) -> String {
    // What can be recorded can be written as JSON.
    let hash = Sha256::digest(serde_json::to_vec(value).unwrap_or_default());
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
