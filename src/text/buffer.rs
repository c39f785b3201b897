//! The buffer that encoders write to.
//!
//! JSON and MessagePack are written in many pieces of one byte, brackets and markers, between a few
//! longer ones; a `Vec` of bytes needs a call and a copy for each.

use std::io::{self, Write};

/// Bytes being written, with little work for each single byte.
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty one, with room for this many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// The written bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl From<Vec<u8>> for Buffer {
    /// Continues after the bytes already written.
    fn from(written: Vec<u8>) -> Self {
        Self(written)
    }
}

impl Write for Buffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match bytes {
            [byte] => self.0.push(*byte),
            _ => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
