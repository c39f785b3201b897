//! The source of a process definition as it is stored: packed. A source may have a megabyte; packed
//! it takes a tenth, so that the transaction that writes it, for which all others wait, is short.
//!
//! Not here: what a source means (`model`), packed rows of instances that have ended
//! ([`history`](super::history)).

use std::{
    fmt,
    io::{Read, Write},
    sync::Arc,
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::store::StoreError;

/// Bytes of the length before the packed text.
const LENGTH: usize = 4;

/// A packed source: the length of the text as 4 bytes, little-endian, then the text as zlib (RFC
/// 1950), whose checksum detects damage.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedSource(Arc<[u8]>);

impl PackedSource {
    /// Packs a source. That takes some milliseconds for a megabyte.
    ///
    /// # Errors
    /// A text of 4 GiB or more.
    pub fn pack(text: &[u8]) -> Result<Self, StoreError> {
        let length = u32::try_from(text.len())
            .map_err(|error| StoreError::Failed("pack a source of 4 GiB", Box::new(error)))?;
        let pack = || {
            let packed = length.to_le_bytes().to_vec();
            let mut encoder = ZlibEncoder::new(packed, Compression::fast());
            encoder.write_all(text)?;
            encoder.finish()
        };
        let packed =
            pack().map_err(|error| StoreError::Failed("pack a source", Box::new(error)))?;
        Ok(Self(packed.into()))
    }

    /// A packed source as it was stored.
    pub fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The packed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes of its text.
    pub fn text_len(&self) -> usize {
        let length = self.0.first_chunk::<LENGTH>();
        length.map_or(0, |length| u32::from_le_bytes(*length) as usize)
    }

    /// Its text.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it is damaged.
    pub fn text(&self) -> Result<Vec<u8>, StoreError> {
        let damaged = |why: &str| StoreError::Unreadable(format!("a packed source: {why}"));
        let packed = self.0.get(LENGTH..).unwrap_or_default();
        let mut text = Vec::new();
        // At most the length that it should have, whatever the bytes contain.
        ZlibDecoder::new(packed)
            .take(self.text_len() as u64 + 1)
            .read_to_end(&mut text)
            .map_err(|error| damaged(&error.to_string()))?;
        if text.len() != self.text_len() {
            return Err(damaged("its text has another length"));
        }
        Ok(text)
    }
}

impl fmt::Debug for PackedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedSource({} bytes of text)", self.text_len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_packed_and_read_again() {
        let long = "<task id=\"t1\"/>".repeat(10_000);
        for text in ["", "{}", long.as_str()] {
            let packed = PackedSource::pack(text.as_bytes()).unwrap();
            let stored = PackedSource::stored(packed.bytes().to_vec());
            assert_eq!(stored.text().unwrap(), text.as_bytes());
            assert_eq!(stored.text_len(), text.len());
            assert!(packed.bytes().len() <= text.len() / 10 + 16);
        }
    }

    #[test]
    fn a_damaged_source_is_an_error() {
        let good = PackedSource::pack(b"<definitions/>").unwrap();
        for at in 0..good.bytes().len() {
            let mut bytes = good.bytes().to_vec();
            bytes[at] ^= 0x55;
            let text = PackedSource::stored(bytes).text();
            assert!(
                matches!(text, Err(StoreError::Unreadable(_))),
                "{at}: {text:?}"
            );
            let cut = good.bytes()[..at].to_vec();
            let text = PackedSource::stored(cut).text();
            assert!(
                matches!(text, Err(StoreError::Unreadable(_))),
                "{at}: {text:?}"
            );
        }
    }
}
