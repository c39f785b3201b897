//! The files that users have uploaded, each stored in the data directory as
//! `files/<partition>/<id>`.
//!
//! The bytes of a file are stored before the command that attaches them to an instance. So each
//! upload in progress has a mark, an empty file in `files/incoming`, from before its first byte
//! until its command is answered. Marks found at the next start name the files to check
//! (`Files::leftovers`); the instance's state alone decides whether a file is kept.
//!
//! Not here: how bytes arrive and leave (`web`), which files are accepted (`model::upload`), who
//! may read one (`engine`). Every function here blocks: call it on no arbiter.
//!
//! # Rationale
//!
//! **A file's bytes come before its command.** They are durable when the engine decides; a mark
//! stays until the answer is known, so a start after a crash asks the instances of the remaining
//! marks and removes the files that none of them has.

mod incoming;

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    Runtime,
    instance_request::{InstanceResponse, Refusal, ReplyTo},
    read_queue::{Read as ReadInstance, ReadRequest},
};
use crate::{
    engine::{record::StoredFile, rejection::RejectionKind},
    journal::{Damaged, StoredKind, directory},
    limits::{Limit, UPLOADS},
    model::ids::InstanceKey,
};

pub use incoming::{Incoming, Pending, Received};

/// The directory of the marks, beside those of the partitions.
const INCOMING: &str = "incoming";
/// How long a measurement of all files is used.
const MEASURED: Duration = Duration::from_secs(60);
/// The directory of all files within a data directory.
const ROOT: &str = "files";

/// The store of files.
pub struct Files {
    places: Places,
    /// One permit per upload in progress.
    uploads: Arc<Semaphore>,
    /// Whether all files are deleted when this is dropped.
    temporary: bool,
    /// The total bytes at the last measurement.
    measured: Mutex<Option<(Instant, u64)>>,
}

/// The paths of files.
#[derive(Clone)]
struct Places {
    root: Arc<Path>,
}

/// Why an upload cannot begin.
#[derive(Debug)]
pub enum NoUpload {
    /// Too many are in progress.
    Busy,
    /// The disk is full, or broken.
    Failed(io::Error),
}

impl Files {
    /// The store in a data directory.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(data: &Path) -> io::Result<Self> {
        let files = Self::at(data.join(ROOT), false);
        directory::create(&files.places.incoming())?;
        Ok(files)
    }

    /// A store that is deleted with this value, for use with a journal in memory. It takes no space
    /// before the first upload.
    pub fn temporary() -> Self {
        Self::at(
            std::env::temp_dir().join(format!("stepwire-{}", Uuid::now_v7())),
            true,
        )
    }

    fn at(root: PathBuf, temporary: bool) -> Self {
        let uploads = Arc::new(Semaphore::new(UPLOADS.get()));
        Self {
            places: Places { root: root.into() },
            uploads,
            temporary,
            measured: Mutex::default(),
        }
    }

    /// Begins an upload to an instance.
    ///
    /// # Errors
    /// When too many are in progress, or the disk fails.
    pub fn begin(&self, instance: InstanceKey) -> Result<Incoming, NoUpload> {
        let permit = self.uploads.clone().try_acquire_owned().map_err(|_| {
            Limit::Uploads.refused();
            NoUpload::Busy
        })?;
        let begin = || {
            if self.temporary {
                create_private(&self.places.root)?;
            }
            Incoming::begin(self.places.clone(), instance, permit)
        };
        begin().map_err(NoUpload::Failed)
    }

    /// Total bytes of all files. They are measured again when the last measurement is older than a
    /// minute, because that reads the metadata of each file.
    pub fn bytes(&self) -> u64 {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match *measured {
            Some((when, bytes)) if now.duration_since(when) < MEASURED => bytes,
            _ => {
                let bytes = size_below(&self.places.root);
                *measured = Some((now, bytes));
                bytes
            }
        }
    }

    /// The bytes of a stored file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open_file(&self, instance: InstanceKey, id: Uuid) -> io::Result<File> {
        File::open(self.places.file(instance, id))
    }

    /// Removes files, and returns those that are gone, including those that did not exist.
    pub(super) fn remove(&self, files: &[(InstanceKey, Uuid)]) -> Vec<(InstanceKey, Uuid)> {
        let is_gone = |&(instance, id): &(InstanceKey, Uuid)| {
            let place = self.places.file(instance, id);
            match fs::remove_file(&place) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    log::warn!("expected to remove {}, but {error}", place.display());
                    false
                }
                _ => true,
            }
        };
        files.iter().copied().filter(|file| is_gone(file)).collect()
    }

    /// Whether a file exists with all its bytes; otherwise it is recorded as damaged.
    pub(super) fn check_file(&self, instance: InstanceKey, file: &StoredFile, damaged: &Damaged) {
        let place = self.places.file(instance, file.id);
        let why = match fs::metadata(&place) {
            Ok(found) if found.len() == file.size => return,
            Ok(found) => format!("it has {} bytes and not {}", found.len(), file.size),
            Err(error) => error.to_string(),
        };
        damaged.note(StoredKind::File, &file_name(instance, file.id), &why);
    }

    /// Uploads that were in progress when the server last ended: their commands may or may not have
    /// been applied.
    fn leftovers(&self) -> io::Result<Vec<Pending>> {
        let mut found = Vec::new();
        if self.temporary {
            return Ok(found);
        }
        for entry in fs::read_dir(self.places.incoming())? {
            let name = entry?.file_name();
            let parts = name.to_str().and_then(|name| name.split_once('.'));
            let key = parts.and_then(|(instance, id)| {
                Some((instance.parse().ok()?, Uuid::parse_str(id).ok()?))
            });
            match key {
                Some((instance, id)) => {
                    found.push(Pending::found(self.places.clone(), instance, id))
                }
                None => log::warn!(
                    "expected marks of uploads in {}, but found {name:?}: it is not removed",
                    self.places.root.display()
                ),
            }
        }
        Ok(found)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = fs::remove_dir_all(&*self.places.root)
            && error.kind() != ErrorKind::NotFound
        {
            log::warn!(
                "expected to remove the temporary files in {}, but {error}",
                self.places.root.display()
            );
        }
    }
}

impl Places {
    fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    fn mark(&self, instance: InstanceKey, id: Uuid) -> PathBuf {
        self.incoming().join(format!("{instance}.{id}"))
    }

    fn partition(&self, instance: InstanceKey) -> PathBuf {
        self.root.join(format!("{:02x}", instance.partition()))
    }

    fn file(&self, instance: InstanceKey, id: Uuid) -> PathBuf {
        self.partition(instance).join(id.to_string())
    }
}

/// The name of a file in the log: its path and its instance.
pub fn file_name(instance: InstanceKey, id: Uuid) -> String {
    let place = place_of(instance, id);
    format!("{} of instance {instance}", place.display())
}

/// The path of a file, relative to the data directory.
pub fn place_of(instance: InstanceKey, id: Uuid) -> PathBuf {
    Places {
        root: Path::new(ROOT).into(),
    }
    .file(instance, id)
}

/// The paths of all files, relative to the data directory, including uploads in progress. A file
/// may be gone when it is read, because its upload was refused.
///
/// # Errors
/// Those of the file system.
pub fn all_places(data: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let partitions = match fs::read_dir(data.join(ROOT)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(all),
        partitions => partitions?,
    };
    for partition in partitions {
        let name = partition?.file_name();
        if name == INCOMING {
            continue;
        }
        for file in fs::read_dir(data.join(ROOT).join(&name))? {
            all.push(Path::new(ROOT).join(&name).join(file?.file_name()));
        }
    }
    all.sort();
    Ok(all)
}

/// Total bytes of all files in the subdirectories of a directory; what cannot be read counts as 0,
/// because it may be gone.
fn size_below(root: &Path) -> u64 {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries(root).flat_map(|partition| entries(&partition.path()));
    files
        .filter_map(|file| file.metadata().ok())
        .map(|file| file.len())
        .sum()
}

/// Creates a directory that other users of the machine cannot read, unless it exists.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

impl Runtime {
    /// Keeps the files of interrupted uploads that instances have, and removes the others.
    pub(super) async fn settle_leftovers(self: &Arc<Self>) -> io::Result<()> {
        for leftover in self.files.leftovers()? {
            let (sender, answer) = tokio::sync::oneshot::channel();
            // When the server stops, nobody waits for the answer; the next start asks again.
            let reply = ReplyTo::to(move |answer| drop(sender.send(answer)));
            self.read(
                leftover.instance(),
                ReadInstance {
                    caller: None,
                    question: ReadRequest::FindFile(leftover.id()),
                    reply,
                },
            );
            match answer.await {
                Ok(InstanceResponse::File(_)) => leftover.keep(),
                Ok(InstanceResponse::Refused(Refusal::Rejected(rejection)))
                    if rejection.kind == RejectionKind::NotFound =>
                {
                    leftover.discard()
                }
                _ => log::warn!(
                    "expected to finish the upload {}, but its instance did not answer",
                    leftover.id()
                ),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
