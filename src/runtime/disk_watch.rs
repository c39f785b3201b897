//! Watches the free space of the disk with the data directory: a thread that measures once a second
//! and informs the journal, where other code reads the result.
//!
//! What is refused when little space is free: `room_policy`. The writer itself finds out when none
//! is free, because quotas and other limits cannot be measured here.

use std::{
    io,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::{
    journal::{Journal, disk_room::DiskRoom},
    limits::{DISK_CHECK_INTERVAL, Watermark, Watermarks},
};

/// The size of a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// The whole disk.
    pub total: u64,
    /// The bytes that this process may still write.
    pub free: u64,
}

impl DiskSpace {
    /// Measures the disk of a directory.
    ///
    /// # Errors
    /// Those of the system; always on systems that do not support it.
    #[cfg(unix)]
    pub fn of(dir: &Path) -> io::Result<Self> {
        let found = rustix::fs::statvfs(dir)?;
        Ok(Self {
            total: found.f_blocks.saturating_mul(found.f_frsize),
            free: found.f_bavail.saturating_mul(found.f_frsize),
        })
    }

    /// Measures the disk of a directory.
    ///
    /// # Errors
    /// Always: this system does not support it.
    #[cfg(not(unix))]
    pub fn of(_: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The state of the free space. A low state lasts until a tenth more than its watermark is
    /// free, so that it does not change back and forth.
    fn room(self, marks: Watermarks, before: DiskRoom) -> DiskRoom {
        let is_below = |mark: Watermark, level: DiskRoom| {
            let mark = mark.of(self.total);
            let mark = if before >= level {
                mark + mark / 10
            } else {
                mark
            };
            self.free < mark
        };
        if is_below(marks.critical, DiskRoom::Critical) {
            DiskRoom::Critical
        } else if is_below(marks.low, DiskRoom::Low) {
            DiskRoom::Low
        } else {
            DiskRoom::Enough
        }
    }
}

/// The measuring thread; it ends when this is dropped.
pub struct DiskWatch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl DiskWatch {
    /// Measures once, and starts the thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(dir: PathBuf, marks: Watermarks, journal: Journal) -> io::Result<Self> {
        let mut check = DiskCheck {
            dir,
            marks,
            journal,
            before: DiskRoom::Enough,
            is_blind: false,
        };
        check.now();
        let (stop, stopped) = bounded(0);
        let thread = thread::Builder::new()
            .name("disk-watch".into())
            .spawn(move || {
                while stopped.recv_timeout(DISK_CHECK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    check.now();
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for DiskWatch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was logged when it happened.
            let _ = thread.join();
        }
    }
}

struct DiskCheck {
    dir: PathBuf,
    marks: Watermarks,
    journal: Journal,
    before: DiskRoom,
    /// Whether the last measurement failed.
    is_blind: bool,
}

impl DiskCheck {
    fn now(&mut self) {
        match DiskSpace::of(&self.dir) {
            Ok(space) => {
                self.is_blind = false;
                self.before = space.room(self.marks, self.before);
                self.journal.room().measured(self.before, space.free);
            }
            Err(error) if !self.is_blind => {
                self.is_blind = true;
                log::warn!(
                    "how much room is free on the disk of {} cannot be measured: {error}; its \
                    watermarks mean nothing until it can",
                    self.dir.display()
                );
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_space_is_left_only_with_a_tenth_more() {
        let marks = Watermarks {
            low: Watermark::new(100, 100),
            critical: Watermark::new(10, 100),
        };
        let mut room = DiskRoom::Enough;
        let mut seen = Vec::new();
        for free in [100, 99, 105, 9, 10, 11, 109, 110] {
            let space = DiskSpace { total: 1_000, free };
            room = space.room(marks, room);
            seen.push(room);
        }
        use DiskRoom::{Critical, Enough, Low};
        assert_eq!(
            seen,
            [Enough, Low, Low, Critical, Critical, Low, Low, Enough]
        );
    }

    #[test]
    fn the_disk_of_a_directory_is_measured() {
        let space = DiskSpace::of(&std::env::temp_dir()).unwrap();
        assert!(space.free <= space.total && space.total > 0);
    }
}
