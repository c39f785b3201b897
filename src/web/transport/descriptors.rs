//! File descriptors: how many the process may have, and how many of them are for connections.

use std::fs;

use super::BACKLOG;

/// Descriptors in addition to those open at the start and those of connections: for uploads and
/// downloads, calls to other systems, scripts, and reads of the store; and for all connections that
/// wait to be accepted, because they are accepted before they are refused.
const RESERVE: usize = 256 + BACKLOG as usize;
/// Descriptors that are open at the start, if the system does not report them.
const OPEN: usize = 64;

/// Raises the limit of open files to what the process may have, and returns how many connections
/// fit; `None` if there is no such limit.
pub fn room_for_connections() -> Option<usize> {
    let allowed = raised_limit()?;
    let open = fs::read_dir("/proc/self/fd").map_or(OPEN, Iterator::count);
    Some(room(allowed, open))
}

/// The number of connections for which there is room; if the limit is low, half of it is for the
/// rest.
fn room(allowed: usize, open: usize) -> usize {
    let reserve = RESERVE.min(allowed / 2);
    allowed.saturating_sub(open + reserve).max(1)
}

#[cfg(unix)]
fn raised_limit() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            log::warn!("expected to raise the limit of open files to its maximum, but: {error}");
            limit.current
        }
    };
    current.map(|files| usize::try_from(files).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn raised_limit() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_file_descriptors_for_other_uses() {
        assert_eq!(room(1_048_576, 60), 1_048_576 - 60 - 4_352);
        assert_eq!(room(1_024, 60), 1_024 - 60 - 512);
        assert_eq!(room(128, 60), 128 - 60 - 64);
        assert_eq!(room(64, 60), 1);
    }
}
