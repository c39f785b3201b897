//! How much space the disk has, as those see it who are about to write: measured against watermarks
//! by anyone who watches the disk, and learnt by the writer whose write found none.
//!
//! Not here: measuring (`runtime::disk_watch`), who is refused what (`runtime::decide`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// How much room there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskRoom {
    /// Enough.
    #[default]
    Enough,
    /// Less than the low watermark: nothing new begins.
    Low,
    /// Less than the critical watermark: only what completes or frees continues.
    Critical,
    /// A write found none. Nothing is lost; reading continues.
    Full,
}

impl DiskRoom {
    /// Its name on the wire, and in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Low => "disk_low",
            Self::Critical => "disk_critical",
            Self::Full => "disk_full",
        }
    }
}

/// Free bytes below which a full disk is not tried again.
const LEAST_FREE: u64 = 1 << 20;

/// The room of one journal's disk. Anyone who changes it writes a line to the log, once per change.
#[derive(Default)]
pub struct RoomState {
    known: Mutex<Known>,
    changed: watch::Sender<DiskRoom>,
}

#[derive(Clone, Copy, Default)]
struct Known {
    measured: DiskRoom,
    /// In bytes, when it was measured.
    free: Option<u64>,
    full: bool,
    failed: bool,
}

impl Known {
    fn room(self) -> DiskRoom {
        if self.full {
            DiskRoom::Full
        } else {
            self.measured
        }
    }
}

impl RoomState {
    /// How much there is.
    pub fn now(&self) -> DiskRoom {
        *self.changed.borrow()
    }

    /// Whether a write found none.
    pub fn is_full(&self) -> bool {
        self.now() == DiskRoom::Full
    }

    /// Whether the disk failed, and the server is about to end.
    pub fn has_failed(&self) -> bool {
        self.lock().failed
    }

    /// Wakes whenever it changes.
    pub fn changes(&self) -> watch::Receiver<DiskRoom> {
        self.changed.subscribe()
    }

    /// The disk was measured: so much is free, in bytes.
    pub fn measured(&self, room: DiskRoom, free: u64) {
        let Some(now) = self.change(|known| {
            known.measured = room;
            known.free = Some(free);
        }) else {
            return;
        };
        let mib = free >> 20;
        match now {
            DiskRoom::Enough => log::info!(
                "the disk has room again ({mib} MiB are free): everything is taken as before"
            ),
            DiskRoom::Low => log::warn!(
                "the disk has less free ({mib} MiB) than its low watermark: new instances are \
                refused until there is room again"
            ),
            DiskRoom::Critical => log::error!(
                "the disk has less free ({mib} MiB) than its critical watermark: only what \
                completes or frees is taken until there is room again"
            ),
            // The state that the writer has reported.
            DiskRoom::Full => {}
        }
    }

    /// A write found no room.
    pub(super) fn filled(&self, tried: &str) {
        if self.change(|known| known.full = true).is_some() {
            log::error!(
                "expected to {tried}, but the disk is full: nothing is written until space is free \
                again, nothing acknowledged is lost, and reads are still served"
            );
        }
    }

    /// Whether another try to write is worth it: so little is free that the next commit would find
    /// none again, and the log would report it each time.
    pub(super) fn is_hopeless(&self) -> bool {
        self.lock().free.is_some_and(|free| free < LEAST_FREE)
    }

    /// The store can be written to, after it could not.
    pub(super) fn wrote(&self) {
        if let Some(now) = self.change(|known| known.full = false) {
            log::info!(
                "the disk can be written to again ({})",
                match now {
                    DiskRoom::Enough => "everything is taken as before",
                    _ => "less is free than its watermarks ask for",
                }
            );
        }
    }

    /// The disk failed.
    pub(super) fn failed(&self) {
        self.lock().failed = true;
    }

    /// How much there is now, if that is another.
    fn change(&self, change: impl FnOnce(&mut Known)) -> Option<DiskRoom> {
        let mut known = self.lock();
        let before = known.room();
        change(&mut known);
        let now = known.room();
        (now != before).then(|| {
            self.changed.send_replace(now);
            now
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Changed by single assignments.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_writer_found_goes_before_what_was_measured() {
        let room = RoomState::default();
        let mut changes = room.changes();
        assert_eq!(room.now(), DiskRoom::Enough);
        room.measured(DiskRoom::Low, 1);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        room.measured(DiskRoom::Low, 2);
        assert!(!changes.has_changed().unwrap(), "told once");
        room.filled("commit");
        room.measured(DiskRoom::Enough, 3);
        assert_eq!(room.now(), DiskRoom::Full);
        room.wrote();
        assert_eq!(room.now(), DiskRoom::Enough);
    }
}
