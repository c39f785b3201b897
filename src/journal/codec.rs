//! The encoding of rows, snapshots and messages: a format version, then MessagePack without field
//! names.
//!
//! Record types are frozen, so version 1 stays readable; a reader knows its own version and all
//! earlier ones. Not here: the meaning of the bytes (`engine::record`).

use serde::{Serialize, de::DeserializeOwned};

use super::store::StoreError;
use crate::text::{buffer::Buffer, memory};

const VERSION: u8 = 1;
/// A size that suffices for most rows.
const TYPICAL: usize = 1024;

/// Encodes a value.
///
/// # Errors
/// Only for values that MessagePack cannot represent; record types contain none.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let mut written = Vec::with_capacity(TYPICAL);
    written.push(VERSION);
    let mut buffer = Buffer::from(written);
    rmp_serde::encode::write(&mut buffer, value)
        .map_err(|error| StoreError::Failed("encode a record", Box::new(error)))?;
    Ok(buffer.into_bytes())
}

/// Decodes the bytes of [`encode`].
///
/// # Errors
/// [`StoreError::Unreadable`] for an unknown version or damaged bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&VERSION, body)) => rmp_serde::from_slice(body)
            .map_err(|error| StoreError::Unreadable(format!("a stored value is damaged: {error}"))),
        Some((version, _)) => Err(StoreError::Unreadable(format!(
            "a stored value has format version {version}, newer than {VERSION}: start a server \
            at least as new as the one that wrote it"
        ))),
        None => Err(StoreError::Unreadable("a stored value is empty".to_owned())),
    }
}

/// Bytes that the value of [`encode`] takes in memory, estimated.
pub fn memory(bytes: &[u8]) -> usize {
    memory::of_message_pack(bytes.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    proptest! {
        #[test]
        fn numbers_keep_every_digit(signed in any::<i64>(), unsigned in any::<u64>(), decimal in any::<f64>()) {
            let value = json!({"whole": [signed, unsigned, signed >> 11, unsigned >> 11], "decimal": decimal, "zero": -0.0, "one": 1.0});
            let stored: Value = decode(&encode(&value)?)?;
            prop_assert_eq!(stored.to_string(), value.to_string());
        }
    }
}
