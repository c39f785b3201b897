//! The timers of the next minute in memory, by owner, and which of them fires next.
//!
//! Tenants take turns, and so do the definitions of a tenant; none has more than its share firing
//! at a time. Of an owner with very many timers only the first are in memory; the others stay in
//! the table until these have fired. Not here: the table, the sleep and the firing (`timers`).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    engine::command::TimerKey,
    journal::Owner,
    limits,
    model::ids::{InstanceKey, Time},
    turns::Turns,
};

/// Timers of one owner in memory; when less than half of them remain, more are read.
pub(super) const OF_OWNER: usize = 512;

/// A timer and when it is due.
pub(super) type Due = (Time, InstanceKey, TimerKey);

/// The result of [`Near::take`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TimerTaken {
    /// A timer to fire.
    Fire(Arc<Owner>, Due),
    /// Everything that is due has its share firing.
    Blocked,
    /// No timer is due before this time.
    Until(Time),
}

/// The timers in memory.
pub(super) struct Near {
    /// Timers due before this are in memory, except those of owners that have too many.
    pub until: Time,
    /// Whether the table is being read: a timer that is set meanwhile is kept.
    pub is_reading: bool,
    owners: BTreeMap<Arc<Owner>, OfOwner>,
    /// Owners with a due timer, waiting for their turn.
    ready: Turns<Arc<Owner>>,
    /// The first timer of each other owner.
    first: BTreeSet<(Time, Arc<Owner>)>,
    /// Owners of which more timers have to be read.
    incomplete: BTreeSet<Arc<Owner>>,
    firing_of_tenant: HashMap<String, usize>,
}

/// The timers of one definition.
#[derive(Default)]
struct OfOwner {
    due: BTreeSet<Due>,
    /// Timers that were taken and may still be in the table.
    taken: BTreeSet<(InstanceKey, TimerKey)>,
    firing: usize,
    is_ready: bool,
    /// Only timers due before this are in memory.
    only_before: Option<Time>,
}

impl Default for Near {
    fn default() -> Self {
        Self {
            until: Time(i64::MIN),
            is_reading: false,
            owners: BTreeMap::new(),
            ready: Turns::default(),
            first: BTreeSet::new(),
            incomplete: BTreeSet::new(),
            firing_of_tenant: HashMap::new(),
        }
    }
}

impl Near {
    /// Adds a timer whose row is durable; returns whether it is in memory now.
    pub fn set(&mut self, owner: Owner, due: Due) -> bool {
        let known = self.owners.get(&owner);
        let before = known.and_then(|of| of.only_before).unwrap_or(self.until);
        let is_near = due.0 < before || (self.is_reading && due.0 < self.until);
        if is_near {
            self.insert(&Arc::new(owner), due);
        }
        is_near
    }

    /// Adds the timers read for an owner, up to the end of the window; as many as `limit` if there
    /// may be more.
    pub fn read(&mut self, owner: Owner, rows: Vec<Due>, limit: usize) {
        let owner = Arc::new(owner);
        let last = rows.last().map(|row| row.0);
        let all = rows.len() < limit;
        for row in rows {
            let is_taken = |of: &OfOwner| of.taken.contains(&(row.1, row.2.clone()));
            if !self.owners.get(&owner).is_some_and(is_taken) {
                self.insert(&owner, row);
            }
        }
        self.incomplete.remove(&owner);
        if let Some(of) = self.owners.get_mut(&owner) {
            of.only_before = last.filter(|_| !all);
        }
        self.prune(&owner);
    }

    /// The timer whose turn it is at `now`.
    pub fn take(&mut self, now: Time) -> TimerTaken {
        while let Some((time, owner)) = self.first.pop_first() {
            if time > now {
                self.first.insert((time, owner));
                break;
            }
            if let Some(of) = self.owners.get_mut(&owner) {
                of.is_ready = true;
                self.ready.enter(&owner.tenant.clone(), owner);
            }
        }
        let (owners, of_tenant) = (&self.owners, &self.firing_of_tenant);
        let may = |tenant: &String, owner: &Arc<Owner>| {
            let of_tenant = of_tenant.get(tenant).copied().unwrap_or_default();
            let firing = owners.get(owner).map_or(0, |of| of.firing);
            of_tenant < limits::TIMERS_PER_TENANT.get()
                && firing < limits::TIMERS_PER_DEFINITION.get()
        };
        let Some((tenant, owner)) = self.ready.next(may) else {
            let next = self.first.first().map_or(Time::last(), |(time, _)| *time);
            return if self.ready.is_empty() {
                TimerTaken::Until(next)
            } else {
                TimerTaken::Blocked
            };
        };
        let Some(of) = self.owners.get_mut(&owner) else {
            return self.take(now);
        };
        of.is_ready = false;
        let Some(due) = of.due.pop_first() else {
            return self.take(now);
        };
        of.firing += 1;
        of.taken.insert((due.1, due.2.clone()));
        if of.only_before.is_some() && of.due.len() < OF_OWNER / 2 {
            self.incomplete.insert(owner.clone());
        }
        *self.firing_of_tenant.entry(tenant).or_default() += 1;
        self.wait_for_turn(&owner, now);
        TimerTaken::Fire(owner, due)
    }

    /// A timer that was taken fires no more for now, so that another one may.
    pub fn release(&mut self, owner: &Arc<Owner>) {
        if let Some(of) = self.owners.get_mut(owner) {
            of.firing = of.firing.saturating_sub(1);
        }
        if let Some(firing) = self.firing_of_tenant.get_mut(&owner.tenant) {
            *firing -= 1;
            if *firing == 0 {
                self.firing_of_tenant.remove(&owner.tenant);
            }
        }
    }

    /// A taken timer is done.
    pub fn done(&mut self, owner: &Arc<Owner>, (_, instance, key): &Due) {
        if let Some(of) = self.owners.get_mut(owner) {
            of.taken.remove(&(*instance, key.clone()));
        }
        self.prune(owner);
    }

    /// A taken timer is to fire again, at this time.
    pub fn again(&mut self, owner: &Arc<Owner>, due: Due) {
        if let Some(of) = self.owners.get_mut(owner) {
            of.taken.remove(&(due.1, due.2.clone()));
        }
        self.insert(owner, due);
    }

    /// An owner of which more timers have to be read.
    pub fn owner_to_read(&self) -> Option<Owner> {
        self.incomplete.first().map(|owner| Owner::clone(owner))
    }

    /// Gives up reading more of an owner until the window moves.
    pub fn not_read(&mut self, owner: &Owner) {
        self.incomplete.remove(owner);
    }

    /// Whether anything is due at `now`.
    pub fn are_due(&self, now: Time) -> bool {
        let first = self.first.first().is_some_and(|(time, _)| *time <= now);
        first || !self.ready.is_empty() || !self.incomplete.is_empty()
    }

    /// How many timers are due at `now`, and how many are in memory.
    pub fn counts(&self, now: Time) -> (usize, usize) {
        let due = |of: &OfOwner| of.due.iter().take_while(|(due, ..)| *due <= now).count();
        (
            self.owners.values().map(due).sum(),
            self.owners.values().map(|of| of.due.len()).sum(),
        )
    }

    fn insert(&mut self, owner: &Arc<Owner>, due: Due) {
        let of = self.owners.entry(owner.clone()).or_default();
        let before = of.due.first().map(|(time, ..)| *time);
        let first = before.map_or(due.0, |before| before.min(due.0));
        of.due.insert(due);
        if !of.is_ready && before != Some(first) {
            if let Some(before) = before {
                self.first.remove(&(before, owner.clone()));
            }
            self.first.insert((first, owner.clone()));
        }
        // Not while the table is being read, because the reading decides which timers are in
        // memory.
        if !self.is_reading && of.due.len() > 2 * OF_OWNER {
            let last = of.due.pop_last().map(|(time, ..)| time);
            of.only_before = last.or(of.only_before);
        }
    }

    /// Puts an owner whose timer was just taken back where it belongs.
    fn wait_for_turn(&mut self, owner: &Arc<Owner>, now: Time) {
        let Some(of) = self.owners.get_mut(owner) else {
            return;
        };
        let Some(next) = of.due.first().map(|(time, ..)| *time) else {
            return;
        };
        if next <= now {
            of.is_ready = true;
            self.ready.enter(&owner.tenant, owner.clone());
        } else {
            self.first.insert((next, owner.clone()));
        }
    }

    fn prune(&mut self, owner: &Arc<Owner>) {
        let is_empty = |of: &OfOwner| {
            of.due.is_empty() && of.taken.is_empty() && of.firing == 0 && of.only_before.is_none()
        };
        if self.owners.get(owner).is_some_and(is_empty) {
            self.owners.remove(owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::engine::command::TimerKind;

    fn owner(tenant: &str, process: &str) -> Owner {
        Owner {
            tenant: tenant.into(),
            process: process.into(),
        }
    }

    fn due(time: i64, instance: u128) -> Due {
        let key = TimerKey {
            element: None,
            kind: TimerKind::Expiry,
            occurrence: 1,
        };
        (Time(time), InstanceKey(Uuid::from_u128(instance)), key)
    }

    fn near() -> Near {
        Near {
            until: Time(1_000),
            ..Near::default()
        }
    }

    fn taken(near: &mut Near, now: i64) -> Option<String> {
        match near.take(Time(now)) {
            TimerTaken::Fire(owner, due) => {
                near.release(&owner);
                near.done(&owner, &due);
                Some(format!("{}/{} {}", owner.tenant, owner.process, due.0.0))
            }
            TimerTaken::Blocked | TimerTaken::Until(_) => None,
        }
    }

    #[test]
    fn tenants_and_definitions_take_turns_with_any_number_of_due_timers() {
        let mut near = near();
        for time in 1..=6 {
            assert!(near.set(owner("t", "many"), due(time, time as u128)));
        }
        near.set(owner("t", "few"), due(10, 50));
        near.set(owner("u", "one"), due(20, 60));
        near.set(owner("u", "one"), due(99, 61));
        assert!(!near.set(owner("u", "late"), due(1_000, 62)));
        assert_eq!(near.counts(Time(20)), (8, 9));
        let order: Vec<_> = std::iter::from_fn(|| taken(&mut near, 20)).collect();
        let expected = [
            "t/many 1", "u/one 20", "t/few 10", "t/many 2", "t/many 3", "t/many 4", "t/many 5",
            "t/many 6",
        ];
        assert_eq!(order, expected);
        assert_eq!(near.take(Time(20)), TimerTaken::Until(Time(99)));
        assert!(!near.are_due(Time(98)) && near.are_due(Time(99)));
        assert_eq!(near.owners.len(), 1, "those without a timer are forgotten");
    }

    #[test]
    fn no_tenant_or_definition_fires_more_than_its_share() {
        let mut near = near();
        let definitions = limits::TIMERS_PER_TENANT.get() / limits::TIMERS_PER_DEFINITION.get() + 1;
        for instance in 0..limits::TIMERS_PER_DEFINITION.get() as u128 + 1 {
            for number in 0..definitions {
                near.set(owner("t", &number.to_string()), due(1, instance));
            }
        }
        let mut firing = Vec::new();
        while let TimerTaken::Fire(owner, due) = near.take(Time(1)) {
            firing.push((owner, due));
        }
        assert_eq!(firing.len(), limits::TIMERS_PER_TENANT.get());
        assert_eq!(near.take(Time(1)), TimerTaken::Blocked);
        near.set(owner("u", "other"), due(1, 7));
        assert_eq!(taken(&mut near, 1).as_deref(), Some("u/other 1"));
        let (first, of) = firing.pop().unwrap();
        near.release(&first);
        near.again(&first, (Time(5), of.1, of.2));
        assert!(matches!(near.take(Time(1)), TimerTaken::Fire(..)));
        assert_eq!(near.take(Time(1)), TimerTaken::Blocked);
    }

    #[test]
    fn of_a_definition_with_many_timers_the_next_ones_are_in_memory() {
        let mut near = near();
        let many = |from: usize| (from..from + OF_OWNER).map(|n| due(n as i64, n as u128));
        near.read(owner("t", "many"), many(0).collect(), OF_OWNER);
        let beyond = due(OF_OWNER as i64 + 3, 7_000);
        assert!(!near.set(owner("t", "many"), beyond.clone()));
        near.is_reading = true;
        assert!(near.set(owner("t", "many"), beyond.clone()));
        near.is_reading = false;
        assert_eq!(near.owner_to_read(), None);
        let TimerTaken::Fire(of, first) = near.take(Time(0)) else {
            panic!("expected a timer");
        };
        for n in 1..=OF_OWNER / 2 + 1 {
            assert!(taken(&mut near, n as i64).is_some());
        }
        assert_eq!(near.owner_to_read(), Some(owner("t", "many")));
        // A timer in flight is still in the table, and must not fire a second time.
        let rows: Vec<Due> = std::iter::once(first.clone())
            .chain(many(OF_OWNER / 2 + 2))
            .collect();
        near.read(owner("t", "many"), rows, OF_OWNER + 9);
        assert_eq!(near.owner_to_read(), None);
        let (_, in_memory) = near.counts(Time(0));
        assert_eq!(in_memory, OF_OWNER + 1);
        assert!(
            near.set(owner("t", "many"), due(999, 1)),
            "all are in memory"
        );
        near.release(&of);
        near.done(&of, &first);
        while taken(&mut near, 1_000).is_some() {}
        assert!(near.owners.is_empty() && near.firing_of_tenant.is_empty());
    }

    #[test]
    fn a_definition_that_sets_many_timers_keeps_the_next_ones_in_memory() {
        let mut near = near();
        for n in (0..3 * OF_OWNER).rev() {
            near.set(owner("t", "many"), due(n as i64 / 10, n as u128));
        }
        let (_, in_memory) = near.counts(Time(0));
        assert!(in_memory <= 2 * OF_OWNER, "{in_memory}");
        assert!(taken(&mut near, 0).is_some_and(|first| first.ends_with(" 0")));
    }
}
