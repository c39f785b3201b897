//! The files users have brought, each in the data directory as `files/<partition>/<id>`.
//!
//! Bytes come before the command that makes them the instance's. So each upload in progress has a
//! mark, an empty file in `files/incoming`, from before its first byte until its command is
//! answered; marks found at the next start tell what to look after (`Files::leftovers`), and only
//! the instance's state tells whether a file is kept.
//!
//! Not here: how bytes come in and go out (`web`), which files are taken (`model::upload`), who may
//! have one (`engine`). Everything here blocks: call it off the arbiters.
//!
//! # Why so
//!
//! **A file's bytes come before its command.** They are durable at their place when the engine
//! decides; a mark stays until the answer is known, so a start after a crash asks the
//! instances behind the marks left and removes what none of them knows.

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

/// Where the marks are, beside the directories of the partitions.
const INCOMING: &str = "incoming";
/// How long a measure of all files holds.
const MEASURED: Duration = Duration::from_secs(60);
/// Where files are in a data directory.
const ROOT: &str = "files";

/// The store of files.
pub struct Files {
    places: Places,
    /// One permit per upload in progress.
    uploads: Arc<Semaphore>,
    /// Whether everything goes when this does.
    temporary: bool,
    /// How many bytes they had when they were last measured.
    measured: Mutex<Option<(Instant, u64)>>,
}

/// Where files are on disk.
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

    /// A store that is gone with this value, as a journal in memory is. It takes no room before the
    /// first upload.
    pub fn temporary() -> Self {
        Self::at(
            std::env::temp_dir().join(format!("stepwire-{}", Uuid::now_v7())),
            true,
        )
    }

    fn at(root: PathBuf, temporary: bool) -> Self {
        let uploads = Arc::new(Semaphore::new(UPLOADS));
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

    /// How many bytes all files have together. They are measured when the last measure is older
    /// than a minute, as that looks at each of them.
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

    /// Removes files, and says which are gone. One that is not there is gone.
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

    /// Whether a file is there with all its bytes; one that is not is noted.
    pub(super) fn look_at(&self, instance: InstanceKey, file: &StoredFile, damaged: &Damaged) {
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

/// How a file is called in the log: where it is kept, and whose it is.
pub fn file_name(instance: InstanceKey, id: Uuid) -> String {
    let place = place_of(instance, id);
    format!("{} of instance {instance}", place.display())
}

/// Where a file is kept, from the data directory on.
pub fn place_of(instance: InstanceKey, id: Uuid) -> PathBuf {
    Places {
        root: Path::new(ROOT).into(),
    }
    .file(instance, id)
}

/// Where all files of a data directory are kept, from it on, also of uploads in progress. One may
/// be gone by the time it is read: an upload that was refused.
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

/// The bytes of all files in the folders of a folder; what cannot be read counts nothing, as it may
/// be gone.
fn size_below(root: &Path) -> u64 {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries(root).flat_map(|partition| entries(&partition.path()));
    files
        .filter_map(|file| file.metadata().ok())
        .map(|file| file.len())
        .sum()
}

/// Creates a directory that other users of the machine cannot look into, unless it is there.
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
    /// Keeps what instances know of the uploads a former run left in progress, and removes the
    /// rest.
    pub(super) async fn settle_leftovers(self: &Arc<Self>) -> io::Result<()> {
        for leftover in self.files.leftovers()? {
            let (sender, answer) = tokio::sync::oneshot::channel();
            // Nobody waits while the server goes down; the next start asks again.
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
