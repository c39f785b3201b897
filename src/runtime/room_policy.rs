//! What the server still accepts while the disk has little free space: below the low watermark
//! nothing new; below the critical one only what completes or ends something; on a full disk
//! nothing.
//!
//! The server's own work waits and is tried again. Reading needs no space. Repeats of commands that
//! were applied are answered as usual, so these checks come after that of repeats. Not here: the
//! state of the disk (`journal::disk_room`).

use super::instance_request::{Refusal, ResolvedStart};
use crate::{
    engine::{Command, access::Caller, command::TimerKey, instance_message::InstanceMessage},
    journal::disk_room::DiskRoom,
    limits::Limit,
};

/// Whether an instance may start.
///
/// # Errors
/// [`Refusal::NoRoom`].
pub fn admit_start(
    room: DiskRoom,
    caller: Option<&Caller>,
    start: &ResolvedStart,
) -> Result<(), Refusal> {
    // A subprocess that its parent starts belongs to an instance that exists.
    let begins_something = caller.is_some() || start.command.start_event.is_some();
    let least = if begins_something {
        DiskRoom::Low
    } else {
        DiskRoom::Critical
    };
    refuse_from(least, room)
}

/// Whether something new may begin within an instance.
///
/// # Errors
/// [`Refusal::NoRoom`].
pub fn admit_new(room: DiskRoom) -> Result<(), Refusal> {
    refuse_from(DiskRoom::Low, room)
}

/// Whether a command may be applied to an instance.
///
/// # Errors
/// [`Refusal::NoRoom`].
pub fn admit_command(room: DiskRoom, command: &Command) -> Result<(), Refusal> {
    let least = if completes(command) {
        DiskRoom::Full
    } else {
        DiskRoom::Critical
    };
    refuse_from(least, room)
}

/// Whether an instance may migrate to another version.
///
/// # Errors
/// [`Refusal::NoRoom`].
pub fn admit_migration(room: DiskRoom) -> Result<(), Refusal> {
    refuse_from(DiskRoom::Critical, room)
}

/// Whether something larger than a command (a file, a definition) may be stored.
///
/// # Errors
/// [`Refusal::NoRoom`].
pub fn admit_large(room: DiskRoom) -> Result<(), Refusal> {
    refuse_from(DiskRoom::Critical, room)
}

fn refuse_from(least: DiskRoom, room: DiskRoom) -> Result<(), Refusal> {
    if room < least {
        return Ok(());
    }
    match room {
        DiskRoom::Enough | DiskRoom::Low => Limit::DiskLow,
        DiskRoom::Critical => Limit::DiskCritical,
        DiskRoom::Full => Limit::DiskFull,
    }
    .refused();
    Err(Refusal::NoRoom(room))
}

/// Whether a command brings its instance nearer to its end, or stops it.
fn completes(command: &Command) -> bool {
    match command {
        Command::Run(_)
        | Command::TakeAnswer { .. }
        | Command::Deliver(_)
        | Command::Join(_)
        | Command::TakeMessage(_)
        | Command::CloseOffer { .. }
        | Command::Terminate
        | Command::EndWithAncestor
        | Command::Dismiss
        | Command::Hold
        | Command::Skip { .. } => true,
        Command::Receive { message, .. } => !matches!(**message, InstanceMessage::Start { .. }),
        Command::FireTimer(timer) => *timer == TimerKey::expiry(),
        Command::Unhold
        | Command::StartChild(_)
        | Command::Patch { .. }
        | Command::Retry { .. }
        | Command::MoveToken { .. }
        | Command::Claim { .. }
        | Command::Release { .. }
        | Command::Assign { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_disk_space_is_free_the_more_is_refused() {
        let taken = |room| {
            [
                admit_command(room, &Command::Terminate),
                admit_command(room, &Command::FireTimer(TimerKey::expiry())),
                admit_command(room, &Command::Unhold),
                admit_large(room),
            ]
            .map(|admitted| admitted.is_ok())
        };
        assert_eq!(taken(DiskRoom::Enough), [true; 4]);
        assert_eq!(taken(DiskRoom::Low), [true; 4]);
        assert_eq!(taken(DiskRoom::Critical), [true, true, false, false]);
        assert_eq!(taken(DiskRoom::Full), [false; 4]);
    }
}
