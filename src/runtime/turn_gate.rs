//! Places for work that takes long: a few callers have one at a time, and the others wait in
//! rotation, so that however much one of them sends, another one waits for one turn of each.
//!
//! Not here: how many may wait (pots in `limits`, and queues of their own), and the order itself
//! (`turns`).

use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::turns::Turns;

/// Places for work; clones share them. Callers that are equal as a `G` share one turn.
#[derive(Clone)]
pub struct TurnGate<G: Clone + Eq + Hash>(Arc<Mutex<State<G>>>);

struct State<G: Clone + Eq + Hash> {
    free: usize,
    /// There are none while a place is free.
    waiting: Turns<oneshot::Sender<Turn<G>>, G>,
}

/// A place; the next waiter has it when this is dropped.
pub struct Turn<G: Clone + Eq + Hash>(TurnGate<G>);

impl<G: Clone + Eq + Hash> TurnGate<G> {
    /// So many places.
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: places,
            waiting: Turns::default(),
        })))
    }

    /// Waits for a place. A caller that stops waiting takes none.
    pub async fn turn(&self, of: G) -> Turn<G> {
        loop {
            let (call, called) = oneshot::channel();
            {
                let mut state = self.state();
                if state.free > 0 {
                    state.free -= 1;
                    return Turn(self.clone());
                }
                state.waiting.enter(&of, call);
            }
            if let Ok(turn) = called.await {
                return turn;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<G>> {
        // The order and the number change together, without a panic in between.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next one that still waits; without one the place is free.
    fn next(&self) -> Option<oneshot::Sender<Turn<G>>> {
        let mut state = self.state();
        while let Some((_, call)) = state.waiting.next(|_, _| true) {
            if !call.is_closed() {
                return Some(call);
            }
        }
        state.free += 1;
        None
    }
}

impl<G: Clone + Eq + Hash> Drop for Turn<G> {
    fn drop(&mut self) {
        if let Some(call) = self.0.next() {
            // If it has stopped waiting just now, its place is dropped in turn.
            let _ = call.send(Turn(self.0.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, poll};

    use super::*;

    #[tokio::test]
    async fn callers_take_turns_however_many_of_one_wait() {
        let gate = TurnGate::new(1);
        let first = gate.turn('a').await;
        let mut waiting: Vec<_> = ['a', 'a', 'a', 'b', 'c']
            .into_iter()
            .map(|who| (who, Box::pin(gate.turn(who))))
            .collect();
        for (_, turn) in &mut waiting {
            assert!(poll!(turn).is_pending());
        }
        drop(first);
        let mut order = String::new();
        while !waiting.is_empty() {
            let called: Vec<_> = waiting
                .iter_mut()
                .map(|(_, turn)| turn.now_or_never())
                .collect();
            let at = called.iter().position(Option::is_some).unwrap();
            assert_eq!(called.iter().flatten().count(), 1);
            order.push(waiting.remove(at).0);
        }
        assert_eq!(order, "abcaa");
        assert!(gate.state().free == 1 && gate.state().waiting.is_empty());
    }

    #[tokio::test]
    async fn a_caller_that_stops_waiting_blocks_nobody() {
        let gate = TurnGate::new(1);
        let first = gate.turn('a').await;
        let mut gone = Box::pin(gate.turn('b'));
        let mut late = Box::pin(gate.turn('b'));
        let mut stays = Box::pin(gate.turn('c'));
        assert!(poll!(&mut gone).is_pending() && poll!(&mut late).is_pending());
        assert!(poll!(&mut stays).is_pending());
        drop(gone);
        drop(first);
        // It has been called, and stops waiting before it takes its place.
        drop(late);
        drop(stays.await);
        assert_eq!(gate.state().free, 1);
    }
}
