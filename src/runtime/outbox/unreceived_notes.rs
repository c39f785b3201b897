//! The order of notes to an entity of messages or signals, of publications by clients, and of what
//! instances throw: an entity receives what was posted before a publication arrived first, and the
//! subscriptions that were posted before a throw before that throw.
//!
//! A command is answered when its notes are posted. An entity receives the notes of one instance
//! one after the other, so some may still be in delivery when a client publishes, or another
//! instance throws, something that the instance waits for since that command.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use dashmap::{DashMap, Entry};
use tokio::sync::oneshot;

use crate::journal::Entity;

/// The sender of a note with the note's number, or an entity with the place of a publication.
pub type NoteId = (Entity, u64);

/// Notes and publications that their entities have not received.
#[derive(Default)]
pub struct UnreceivedNotes {
    entities: DashMap<Entity, Unreceived>,
    /// The next place, of whichever entity: a publication is never known by the place of another.
    next: AtomicU64,
}

#[derive(Default)]
struct Unreceived {
    places: BTreeMap<NoteId, u64>,
    /// By place; with a sender for a publication that waits for its turn.
    order: BTreeMap<u64, Option<oneshot::Sender<()>>>,
    /// The places of notes on subscriptions.
    subscriptions: BTreeSet<u64>,
    /// The throws that wait for their turn, by place.
    throws: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Unreceived {
    fn add(&mut self, place: u64, id: NoteId, turn: Option<oneshot::Sender<()>>) {
        self.places.insert(id, place);
        self.order.insert(place, turn);
    }

    fn remove(&mut self, place: u64) {
        self.order.remove(&place);
        self.subscriptions.remove(&place);
        self.throws.remove(&place);
    }

    /// The publication and the throws whose turn it is now.
    fn next_turns(&mut self) -> impl Iterator<Item = oneshot::Sender<()>> {
        let first = self.order.first_entry();
        let publication = first.and_then(|mut first| first.get_mut().take());
        let later = match self.subscriptions.first() {
            Some(first) => self.throws.split_off(first),
            None => BTreeMap::new(),
        };
        let throws = std::mem::replace(&mut self.throws, later);
        publication.into_iter().chain(throws.into_values())
    }
}

impl UnreceivedNotes {
    /// A note to an entity was posted: a throw, or one on a subscription.
    pub fn posted(&self, entity: Entity, note: NoteId, is_throw: bool) {
        let mut unreceived = self.entities.entry(entity).or_default();
        // Drawn under the entity's lock, so that its places are in the order of their numbers.
        let place = self.place();
        unreceived.add(place, note, None);
        if !is_throw {
            unreceived.subscriptions.insert(place);
        }
    }

    /// An entity has received a note or a publication, or will not receive it. It may be the turn
    /// of others now.
    pub fn received(&self, entity: Entity, id: NoteId) {
        let Entry::Occupied(mut unreceived) = self.entities.entry(entity) else {
            return;
        };
        let Some(place) = unreceived.get_mut().places.remove(&id) else {
            return;
        };
        unreceived.get_mut().remove(place);
        for turn in unreceived.get_mut().next_turns() {
            // A publisher that waits no longer has published already.
            let _waits = turn.send(());
        }
        if unreceived.get().order.is_empty() {
            unreceived.remove();
        }
    }

    /// The turn of a publication; `None` when the entity has received everything.
    pub fn turn(&self, entity: Entity) -> Option<(NoteId, oneshot::Receiver<()>)> {
        let mut unreceived = self.entities.get_mut(&entity)?;
        let (turn, waits) = oneshot::channel();
        let place = self.place();
        unreceived.add(place, (entity, place), Some(turn));
        Some(((entity, place), waits))
    }

    fn place(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The turn of a posted throw; `None` when the entity has received all subscriptions that were
    /// posted before it.
    pub fn turn_of_throw(&self, entity: Entity, throw: NoteId) -> Option<oneshot::Receiver<()>> {
        let mut unreceived = self.entities.get_mut(&entity)?;
        let place = *unreceived.places.get(&throw)?;
        if unreceived.subscriptions.first()? > &place {
            return None;
        }
        let (turn, waits) = oneshot::channel();
        unreceived.throws.insert(place, turn);
        Some(waits)
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
        let posted = |note| unreceived.posted(entity, note, false);
        posted((instance(1), 7));
        posted((instance(2), 7));
        let (first, mut first_turn) = unreceived.turn(entity).unwrap();
        let (second, mut second_turn) = unreceived.turn(entity).unwrap();
        posted((instance(1), 8));

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
        unreceived.posted(entity, (entity, 3), true);
        let (id, _turn) = unreceived.turn(entity).unwrap();
        unreceived.received(entity, (entity, 3));
        unreceived.received(entity, id);
        assert!(unreceived.entities.is_empty());

        // A publication whose row could not be written is reported a second time.
        unreceived.posted(entity, (entity, 4), false);
        let (_, mut turn) = unreceived.turn(entity).unwrap();
        unreceived.received(entity, id);
        assert_eq!(turn.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    }

    #[test]
    fn a_throw_waits_for_the_subscriptions_before_it_and_for_no_other_throw() {
        let instance = |n| Entity::from(InstanceKey(Uuid::from_u128(n)));
        let (unreceived, entity) = (UnreceivedNotes::default(), instance(0));
        let (throw, waits) = (true, false);
        unreceived.posted(entity, (instance(1), 1), throw);
        unreceived.posted(entity, (instance(2), 1), throw);
        assert!(unreceived.turn_of_throw(entity, (instance(2), 1)).is_none());
        unreceived.posted(entity, (instance(1), 2), waits);
        unreceived.posted(entity, (instance(3), 1), throw);
        unreceived.posted(entity, (instance(4), 1), waits);
        unreceived.posted(entity, (instance(5), 1), throw);
        let mut third = unreceived.turn_of_throw(entity, (instance(3), 1)).unwrap();
        let mut fifth = unreceived.turn_of_throw(entity, (instance(5), 1)).unwrap();
        unreceived.received(entity, (instance(1), 1));
        assert!(third.try_recv().is_err());
        unreceived.received(entity, (instance(1), 2));
        assert!(third.try_recv().is_ok());
        assert!(fifth.try_recv().is_err());
        unreceived.received(entity, (instance(4), 1));
        assert!(fifth.try_recv().is_ok());
        for sender in [2, 3, 5] {
            unreceived.received(entity, (instance(sender), 1));
        }
        assert!(unreceived.entities.is_empty());
    }
}
