//! One upload, from its mark to its end: its bytes arrive, then it waits for its command, then it
//! is kept or discarded.
//!
//! When it is dropped while bytes arrive (the client disconnected, a limit was exceeded), it is
//! deleted. Once its command has been sent, only the response decides: a [`Pending`] that is
//! dropped then stays on disk, for the next start to check.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::PathBuf,
};

use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::Places;
use crate::{
    engine::record::StoredFile,
    journal::directory,
    model::ids::InstanceKey,
    runtime::instance_request::{InstanceResponse, Refusal},
};

/// A file whose bytes are arriving.
pub struct Incoming {
    file: File,
    hash: Sha256,
    size: u64,
    upload: Pending,
}

/// A file that is completely on disk.
pub struct Received {
    size: u64,
    sha256: String,
    upload: Pending,
}

/// An upload whose command has been sent.
pub struct Pending {
    places: Places,
    instance: InstanceKey,
    id: Uuid,
    /// Whether the file is deleted when this is dropped.
    goes: bool,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Incoming {
    /// Marks the upload and creates its file.
    pub(super) fn begin(
        places: Places,
        instance: InstanceKey,
        permit: OwnedSemaphorePermit,
    ) -> io::Result<Self> {
        let upload = Pending {
            places,
            instance,
            id: Uuid::now_v7(),
            goes: true,
            _permit: Some(permit),
        };
        directory::create(&upload.places.incoming())?;
        File::create_new(upload.mark())?;
        directory::sync(&upload.places.incoming())?;
        directory::create(&upload.places.partition(instance))?;
        Ok(Self {
            file: File::create_new(upload.path())?,
            hash: Sha256::new(),
            size: 0,
            upload,
        })
    }

    /// Writes the next bytes.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// All bytes have arrived: makes them durable.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(self) -> io::Result<Received> {
        self.file.sync_all()?;
        directory::sync(&self.upload.places.partition(self.upload.instance))?;
        let sha256 = self
            .hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Received {
            size: self.size,
            sha256,
            upload: self.upload,
        })
    }
}

impl Received {
    /// The file, with name and type, for its command.
    pub fn named(&self, name: String, media_type: String) -> StoredFile {
        StoredFile {
            id: self.upload.id,
            name,
            size: self.size,
            media_type,
            sha256: self.sha256.clone(),
        }
    }

    /// The command is sent now: its response decides about the file.
    pub fn sent(mut self) -> Pending {
        self.upload.goes = false;
        self.upload
    }
}

impl Pending {
    /// An upload that an earlier run of the server left.
    pub(super) fn found(places: Places, instance: InstanceKey, id: Uuid) -> Self {
        Self {
            places,
            instance,
            id,
            goes: false,
            _permit: None,
        }
    }

    /// The instance that it belongs to.
    pub fn instance(&self) -> InstanceKey {
        self.instance
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The command was answered: the file is kept if the command was applied, and removed if it was
    /// refused or had been applied before.
    pub fn settle(self, answer: Option<&InstanceResponse>) {
        match answer {
            Some(InstanceResponse::Applied(_)) => self.keep(),
            // Only the log knows whether it was applied.
            None | Some(InstanceResponse::Refused(Refusal::Internal | Refusal::Unknown)) => {}
            Some(_) => self.discard(),
        }
    }

    /// The instance has the file.
    pub(in crate::runtime) fn keep(self) {
        self.remove_mark();
    }

    /// No instance will have the file.
    pub(super) fn discard(mut self) {
        self.goes = true;
    }

    fn mark(&self) -> PathBuf {
        self.places.mark(self.instance, self.id)
    }

    fn path(&self) -> PathBuf {
        self.places.file(self.instance, self.id)
    }

    fn remove_mark(&self) {
        if let Err(error) = fs::remove_file(self.mark())
            && error.kind() != ErrorKind::NotFound
        {
            log::warn!(
                "expected to remove the mark of the upload {}, but {error}",
                self.id
            );
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.goes {
            return;
        }
        match fs::remove_file(self.path()) {
            Err(error)
                if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                // The mark stays, so the next start tries again.
                log::warn!("expected to remove the file {}, but {error}", self.id);
            }
            _ => self.remove_mark(),
        }
    }
}
