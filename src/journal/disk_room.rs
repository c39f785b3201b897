//! The state of the disk's free space, for code that is about to write. It is measured against
//! watermarks, or known from a write that found no space.
//!
//! Not here: measuring (`runtime::disk_watch`), what is refused in which state (`runtime::decide`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A state of the free space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskRoom {
    /// Enough.
    #[default]
    Enough,
    /// Less than the low watermark: nothing new is begun.
    Low,
    /// Less than the critical watermark: only work that completes something or frees space
    /// continues.
    Critical,
    /// A write found no space. Nothing is lost; reading continues.
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

/// With fewer free bytes a full disk is not tried again.
const LEAST_FREE: u64 = 1 << 20;

/// The state of one journal's disk. Each change is logged once, by the code that makes it.
#[derive(Default)]
pub struct RoomState {
    known: Mutex<DiskRoomState>,
    changed: watch::Sender<DiskRoom>,
}

#[derive(Clone, Copy, Default)]
struct DiskRoomState {
    measured: DiskRoom,
    /// In bytes, at the last measurement.
    free: Option<u64>,
    full: bool,
    failed: bool,
}

impl DiskRoomState {
    fn room(self) -> DiskRoom {
        if self.full {
            DiskRoom::Full
        } else {
            self.measured
        }
    }
}

impl RoomState {
    /// The current state.
    pub fn now(&self) -> DiskRoom {
        *self.changed.borrow()
    }

    /// Whether a write found no space.
    pub fn is_full(&self) -> bool {
        self.now() == DiskRoom::Full
    }

    /// Whether the disk failed, so that the server is about to end.
    pub fn has_failed(&self) -> bool {
        self.lock().failed
    }

    /// Wakes whenever it changes.
    pub fn changes(&self) -> watch::Receiver<DiskRoom> {
        self.changed.subscribe()
    }

    /// The disk was measured; `free` is in bytes.
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
            // Only the writer ends this state.
            DiskRoom::Full => {}
        }
    }

    /// A write found no space.
    pub(super) fn filled(&self, tried: &str) {
        if self.change(|known| known.full = true).is_some() {
            log::error!(
                "expected to {tried}, but the disk is full: nothing is written until space is free \
                again, nothing acknowledged is lost, and reads are still served"
            );
        }
    }

    /// Whether another attempt to write is useless: so little is free that the next commit would
    /// fail again, and the log would report it each time.
    pub(super) fn is_hopeless(&self) -> bool {
        self.lock().free.is_some_and(|free| free < LEAST_FREE)
    }

    /// The store can be written to again.
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

    /// Changes the known state; returns the new one if it differs.
    fn change(&self, change: impl FnOnce(&mut DiskRoomState)) -> Option<DiskRoom> {
        let mut known = self.lock();
        let before = known.room();
        change(&mut known);
        let now = known.room();
        (now != before).then(|| {
            self.changed.send_replace(now);
            now
        })
    }

    fn lock(&self) -> MutexGuard<'_, DiskRoomState> {
        // Only changed by single assignments, so a poisoned lock is safe.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_takes_precedence_over_the_measured_space() {
        let room = RoomState::default();
        let mut changes = room.changes();
        assert_eq!(room.now(), DiskRoom::Enough);
        room.measured(DiskRoom::Low, 1);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        room.measured(DiskRoom::Low, 2);
        assert!(!changes.has_changed().unwrap(), "reported once");
        room.filled("commit");
        room.measured(DiskRoom::Enough, 3);
        assert_eq!(room.now(), DiskRoom::Full);
        room.wrote();
        assert_eq!(room.now(), DiskRoom::Enough);
    }
}
