//! The order of notes to an entity of messages or signals and of publications by clients: an entity
//! receives what was posted before a publication arrived first.
//!
//! A command is answered when its notes are posted. An entity receives the notes of one instance
//! one after the other, so some may still be in delivery when the client publishes something that
//! the instance waits for since that command.

use std::collections::BTreeMap;

use dashmap::{DashMap, Entry};
use tokio::sync::oneshot;

use crate::journal::Entity;

/// The sender of a note with the note's number, or an entity with the place of a publication.
pub type NoteId = (Entity, u64);

/// Notes and publications that their entities have not received.
#[derive(Default)]
pub struct UnreceivedNotes {
    entities: DashMap<Entity, Unreceived>,
}

#[derive(Default)]
struct Unreceived {
    /// The next place.
    next: u64,
    places: BTreeMap<NoteId, u64>,
    /// By place; with a sender for a publication that waits for its turn.
    order: BTreeMap<u64, Option<oneshot::Sender<()>>>,
}

impl Unreceived {
    fn add(&mut self, id: impl FnOnce(u64) -> NoteId, turn: Option<oneshot::Sender<()>>) -> NoteId {
        let place = self.next;
        self.next += 1;
        let id = id(place);
        self.places.insert(id, place);
        self.order.insert(place, turn);
        id
    }
}

impl UnreceivedNotes {
    /// A note to an entity was posted.
    pub fn posted(&self, entity: Entity, note: NoteId) {
        let mut unreceived = self.entities.entry(entity).or_default();
        unreceived.add(|_| note, None);
    }

    /// An entity has received a note or a publication, or will not receive it. The next one may be
    /// a publication whose turn it is now.
    pub fn received(&self, entity: Entity, id: NoteId) {
        let Entry::Occupied(mut unreceived) = self.entities.entry(entity) else {
            return;
        };
        let Some(place) = unreceived.get_mut().places.remove(&id) else {
            return;
        };
        unreceived.get_mut().order.remove(&place);
        match unreceived.get_mut().order.first_entry() {
            None => drop(unreceived.remove()),
            Some(mut first) => {
                if let Some(turn) = first.get_mut().take() {
                    // A publisher that waits no longer has published already.
                    let _waits = turn.send(());
                }
            }
        }
    }

    /// The turn of a publication; `None` when the entity has received everything.
    pub fn turn(&self, entity: Entity) -> Option<(NoteId, oneshot::Receiver<()>)> {
        let mut unreceived = self.entities.get_mut(&entity)?;
        let (turn, waits) = oneshot::channel();
        let id = unreceived.add(|place| (entity, place), Some(turn));
        Some((id, waits))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::ids::InstanceKey;

    #[test]
    fn a_publication_waits_for_the_notes_and_publications_before_it() {
        let instance = |n| Entity::from(InstanceKey(Uuid::from_u128(n)));
        let (unreceived, entity) = (UnreceivedNotes::default(), instance(0));
        assert!(unreceived.turn(entity).is_none());
        unreceived.posted(entity, (instance(1), 7));
        unreceived.posted(entity, (instance(2), 7));
        let (first, mut first_turn) = unreceived.turn(entity).unwrap();
        let (second, mut second_turn) = unreceived.turn(entity).unwrap();
        unreceived.posted(entity, (instance(1), 8));

        unreceived.received(entity, (instance(2), 7));
        assert!(first_turn.try_recv().is_err());
        unreceived.received(entity, (instance(1), 7));
        assert!(first_turn.try_recv().is_ok());
        assert!(second_turn.try_recv().is_err());
        unreceived.received(entity, first);
        assert!(
            second_turn.try_recv().is_ok(),
            "a later note does not count"
        );
        unreceived.received(entity, second);
        assert!(unreceived.turn(entity).is_some());

        unreceived.received(instance(3), (instance(1), 8));
        unreceived.received(entity, (instance(1), 8));
    }

    #[test]
    fn nothing_is_remembered_when_everything_is_received() {
        let entity = Entity::from(InstanceKey(Uuid::from_u128(0)));
        let unreceived = UnreceivedNotes::default();
        unreceived.posted(entity, (entity, 3));
        let (id, _turn) = unreceived.turn(entity).unwrap();
        unreceived.received(entity, (entity, 3));
        unreceived.received(entity, id);
        assert!(unreceived.entities.is_empty());
    }
}
