//! A short hash of a value, to identify contents. It does not protect against deliberate
//! collisions.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// 16 hexadecimal digits, the same for equal values.
pub fn content_hash(value: &(impl Serialize + ?Sized)) -> String {
    // Whatever can be recorded can be written as JSON.
    let hash = Sha256::digest(serde_json::to_vec(value).unwrap_or_default());
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
