//! Makes instance keys: shaped like UUIDv7, and derived from the start command, so that a repeat
//! finds its instance.
//!
//! The time bits are those of the command's id if that is a v7 (so indexes grow at their end),
//! otherwise bits of a hash. The rest is a hash of tenant, subject and id, so keys of different
//! users never collide. The last byte is the partition. Children have the partition of their
//! parent.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    engine::correlation::Correlation,
    journal::{Entity, EntityKind},
    model::ids::{InstanceKey, Time},
};

/// The key of an instance started by a client's command.
pub fn of_start(tenant: &str, subject: &str, command: Uuid) -> InstanceKey {
    let hash = digest(&[
        b"start",
        tenant.as_bytes(),
        subject.as_bytes(),
        command.as_bytes(),
    ]);
    let time = if command.get_version_num() == 7 {
        first6(command.as_bytes())
    } else {
        first6(&hash[20..])
    };
    assemble(time, &hash, hash[31])
}

/// The key of the instance that a schedule starts for the time `due`: the same for each attempt.
pub fn of_schedule(tenant: &str, process: &str, node: &str, due: Time) -> InstanceKey {
    let hash = digest(&[
        b"schedule",
        tenant.as_bytes(),
        process.as_bytes(),
        node.as_bytes(),
        &due.0.to_be_bytes(),
    ]);
    assemble(last6(due), &hash, hash[31])
}

/// The entity of a message with its key, or of a signal.
pub fn of_correlation(tenant: &str, correlation: &Correlation) -> Entity {
    let (kind, key) = match correlation {
        Correlation::Message { key, .. } => (EntityKind::Message, key.as_deref()),
        Correlation::Signal { .. } => (EntityKind::Signal, None),
    };
    // A message without a key differs from one with any key, even an empty one.
    let has_key: &[u8] = if key.is_some() { b"key" } else { b"none" };
    let hash = digest(&[
        b"correlation",
        &[kind as u8],
        tenant.as_bytes(),
        correlation.name().as_bytes(),
        has_key,
        key.unwrap_or_default().as_bytes(),
    ]);
    let key = assemble(first6(&hash[20..]), &hash, hash[31]);
    Entity { kind, key: key.0 }
}

/// The key of the instance of a process that a publication starts at `now`.
pub fn of_event_start(entity: Entity, publication: u64, process: &str, now: Time) -> InstanceKey {
    let hash = digest(&[
        b"event start",
        &entity.to_bytes(),
        &publication.to_be_bytes(),
        process.as_bytes(),
    ]);
    assemble(last6(now), &hash, hash[31])
}

/// The key of the instance that begins at a conditional start event of a process by this command:
/// the same for each repeat.
pub fn of_condition(
    tenant: &str,
    (subject, command): (&str, Uuid),
    process: &str,
    event: &str,
) -> InstanceKey {
    let hash = digest(&[
        b"condition",
        tenant.as_bytes(),
        subject.as_bytes(),
        command.as_bytes(),
        process.as_bytes(),
        event.as_bytes(),
    ]);
    assemble(first6(&hash[20..]), &hash, hash[31])
}

/// The identity of the message or signal that record `seq` of an instance throws.
pub fn of_throw(instance: InstanceKey, seq: u64) -> Uuid {
    let hash = digest(&[b"throw", instance.0.as_bytes(), &seq.to_be_bytes()]);
    assemble(first6(&hash[20..]), &hash, hash[31]).0
}

/// The key of a child started from the Action message `seq` of `parent`: the same for every browser
/// tab that starts it.
pub fn of_offer(parent: InstanceKey, seq: u64) -> InstanceKey {
    let hash = digest(&[b"offer", parent.0.as_bytes(), &seq.to_be_bytes()]);
    assemble(first6(parent.0.as_bytes()), &hash, parent.partition())
}

/// The key of a child that record `seq` of `parent` starts at `now`.
pub fn of_child(parent: InstanceKey, seq: u64, now: Time) -> InstanceKey {
    let hash = digest(&[b"child", parent.0.as_bytes(), &seq.to_be_bytes()]);
    assemble(last6(now), &hash, parent.partition())
}

/// A hash of a command's canonical body, which distinguishes a repetition from another command with
/// the same id.
pub fn body_hash(parts: &[&[u8]]) -> u64 {
    let hash = digest(parts);
    hash[..8]
        .iter()
        .fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        // Lengths distinguish ("ab", "c") from ("a", "bc").
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn last6(time: Time) -> [u8; 6] {
    let [_, _, rest @ ..] = time.0.max(0).to_be_bytes();
    rest
}

fn first6(bytes: &[u8]) -> [u8; 6] {
    [bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]]
}

fn assemble(time: [u8; 6], hash: &[u8; 32], partition: u8) -> InstanceKey {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&time);
    bytes[6..15].copy_from_slice(&hash[..9]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    bytes[15] = partition;
    InstanceKey(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_finds_its_instance_and_a_stranger_does_not() {
        let id = Uuid::now_v7();
        assert_eq!(
            of_start("default", "alice", id),
            of_start("default", "alice", id)
        );
        assert_ne!(
            of_start("default", "alice", id),
            of_start("default", "bob", id)
        );
        assert_ne!(
            of_start("default", "alice", id),
            of_start("other", "alice", id)
        );
    }

    #[test]
    fn keys_are_v7_shaped_and_keep_time_and_partition() {
        let id = Uuid::now_v7();
        let key = of_start("default", "alice", id);
        assert_eq!(key.0.get_version_num(), 7);
        assert_eq!(key.0.as_bytes()[..6], id.as_bytes()[..6]);
        assert_eq!(of_child(key, 4, Time(1)).partition(), key.partition());
        assert_eq!(of_offer(key, 4).partition(), key.partition());
    }
}
