//! Whose turn it is when loops continue: a few of the steps in which more iterations begin run at
//! once, and the others wait. Tenants take turns, and so do the definitions of a tenant. Within a
//! definition a loop that has begun continues before others begin, so that few loops are half
//! begun, in memory and on the disk.
//!
//! Not here: how many iterations such a step begins (`engine::looping`).

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{journal::Owner, limits, runtime::Runtime, turns::Turns};

/// The steps that wait, and the number of those that run.
pub(super) struct LoopTurns<T>(Mutex<Inner<T>>);

struct Inner<T> {
    turns: Turns<Arc<Owner>>,
    waiting: BTreeMap<Arc<Owner>, VecDeque<T>>,
    going_on: BTreeMap<Arc<Owner>, usize>,
    of_tenant: HashMap<String, usize>,
    all: usize,
    /// Whether a caller is handing out places: a place freed meanwhile is left to it.
    is_handing_out: bool,
}

impl<T> Default for LoopTurns<T> {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            turns: Turns::default(),
            waiting: BTreeMap::new(),
            going_on: BTreeMap::new(),
            of_tenant: HashMap::new(),
            all: 0,
            is_handing_out: false,
        }))
    }
}

impl<T> LoopTurns<T> {
    /// Adds a step; before the others of its definition if its loop `continues`.
    pub fn enter(&self, owner: Arc<Owner>, what: T, continues: bool) {
        let mut inner = self.lock();
        if !inner.waiting.contains_key(&owner) {
            inner.turns.enter(&owner.tenant, owner.clone());
        }
        let waiting = inner.waiting.entry(owner).or_default();
        if continues {
            waiting.push_front(what);
        } else {
            waiting.push_back(what);
        }
    }

    fn release(&self, owner: &Arc<Owner>) {
        let mut inner = self.lock();
        inner.all -= 1;
        less(&mut inner.going_on, owner);
        if let Some(going_on) = inner.of_tenant.get_mut(&owner.tenant) {
            *going_on -= 1;
            if *going_on == 0 {
                inner.of_tenant.remove(&owner.tenant);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Changes under it cannot panic in the middle.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn less(counts: &mut BTreeMap<Arc<Owner>, usize>, owner: &Arc<Owner>) {
    if let Some(count) = counts.get_mut(owner) {
        *count -= 1;
        if *count == 0 {
            counts.remove(owner);
        }
    }
}

impl<T> Inner<T> {
    /// The next step that may run, with its place.
    fn next(&mut self) -> Option<(Arc<Owner>, T)> {
        if self.all >= limits::LOOP_STEPS.get() {
            return None;
        }
        let (going_on, of_tenant) = (&self.going_on, &self.of_tenant);
        let (tenant, owner) = self.turns.next(|tenant, owner| {
            of_tenant.get(tenant).copied().unwrap_or_default() < limits::LOOP_STEPS_PER_TENANT.get()
                && going_on.get(owner).copied().unwrap_or_default()
                    < limits::LOOP_STEPS_PER_DEFINITION.get()
        })?;
        let waiting = self.waiting.get_mut(&owner)?;
        let next = waiting.pop_front()?;
        if waiting.is_empty() {
            self.waiting.remove(&owner);
        } else {
            self.turns.enter(&tenant, owner.clone());
        }
        self.all += 1;
        *self.going_on.entry(owner.clone()).or_default() += 1;
        *self.of_tenant.entry(tenant).or_default() += 1;
        Some((owner, next))
    }
}

/// The place of a step that runs; when dropped, another one may run.
pub(super) struct LoopPlace {
    runtime: Arc<Runtime>,
    owner: Arc<Owner>,
}

impl Drop for LoopPlace {
    fn drop(&mut self) {
        self.runtime.outbox.loop_turns.release(&self.owner);
        hand_out(&self.runtime);
    }
}

/// Runs the steps whose turn it is. A step that is answered at once frees its place while places
/// are handed out; the loop here uses it, so that the stack does not grow with the number of
/// waiting steps.
pub(super) fn hand_out(runtime: &Arc<Runtime>) {
    let turns = &runtime.outbox.loop_turns;
    let mut inner = turns.lock();
    if inner.is_handing_out {
        return;
    }
    inner.is_handing_out = true;
    while let Some((owner, (delivery, ends))) = inner.next() {
        drop(inner);
        let place = LoopPlace {
            runtime: runtime.clone(),
            owner,
        };
        super::deliver_now(runtime, delivery, ends, Some(place));
        inner = turns.lock();
    }
    inner.is_handing_out = false;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(tenant: &str, process: &str) -> Arc<Owner> {
        Arc::new(Owner {
            tenant: tenant.into(),
            process: process.into(),
        })
    }

    #[test]
    fn definitions_and_tenants_have_shares_and_started_loops_continue_first() {
        let turns = LoopTurns::default();
        let next = || turns.lock().next().map(|(_, what)| what);
        let many = owner("t", "many");
        for number in 0..10 {
            turns.enter(many.clone(), number, false);
        }
        let begun: Vec<i32> = std::iter::from_fn(next).collect();
        assert_eq!(begun, [0, 1, 2, 3]);
        assert_eq!(begun.len(), limits::LOOP_STEPS_PER_DEFINITION.get());
        turns.enter(many.clone(), 100, true);
        turns.enter(owner("t", "few"), 200, false);
        turns.enter(owner("u", "other"), 300, false);
        assert_eq!([next(), next(), next()], [Some(200), Some(300), None]);
        turns.release(&many);
        assert_eq!([next(), next()], [Some(100), None]);
        for _ in 0..4 {
            turns.release(&many);
        }
        for owner in [owner("t", "few"), owner("u", "other")] {
            turns.release(&owner);
        }
        assert_eq!(next(), Some(4));
        let inner = turns.lock();
        assert_eq!((inner.all, inner.of_tenant["t"]), (1, 1));
        assert!(inner.of_tenant.len() == 1 && inner.going_on.len() == 1);
    }
}
