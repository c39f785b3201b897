//! The order in which many waiters get few places: groups, such as tenants, take turns, and within a
//! group its waiters do. However much one of them has to do, another one waits only for one turn.
//!
//! Not here: what they wait for, and how many places one may have at a time (`journal::readers`;
//! `turn_gate`, `step_threads`, `timers` and `schedules` of `runtime`;
//! `web::transport::thread_turns`).

use std::{
    borrow::Borrow,
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// A ring of groups, each with a ring of waiters.
pub struct Turns<K, G = String> {
    groups: VecDeque<G>,
    waiting: HashMap<G, VecDeque<K>>,
}

impl<K, G> Default for Turns<K, G> {
    fn default() -> Self {
        Self {
            groups: VecDeque::new(),
            waiting: HashMap::new(),
        }
    }
}

impl<K, G: Clone + Eq + Hash> Turns<K, G> {
    /// Adds a waiter, behind all others of its group. It must not be waiting already.
    pub fn enter<Q>(&mut self, group: &Q, who: K)
    where
        G: Borrow<Q>,
        Q: ?Sized + Eq + Hash + ToOwned<Owned = G>,
    {
        match self.waiting.get_mut(group) {
            Some(waiting) => waiting.push_back(who),
            None => {
                self.groups.push_back(group.to_owned());
                self.waiting.insert(group.to_owned(), [who].into());
            }
        }
    }

    /// Removes the waiter whose turn it is; those that `may` not run now keep waiting. A waiter
    /// with more to do then enters again.
    pub fn next(&mut self, may: impl Fn(&G, &K) -> bool) -> Option<(G, K)> {
        for _ in 0..self.groups.len() {
            let group = self.groups.pop_front()?;
            let waiting = self.waiting.get_mut(&group)?;
            let mut found = None;
            for _ in 0..waiting.len() {
                let who = waiting.pop_front()?;
                if may(&group, &who) {
                    found = Some(who);
                    break;
                }
                waiting.push_back(who);
            }
            if waiting.is_empty() {
                self.waiting.remove(&group);
            } else {
                self.groups.push_back(group.clone());
            }
            if let Some(who) = found {
                return Some((group, who));
            }
        }
        None
    }

    /// Whether there is no waiter.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The number of waiters of a group.
    pub fn of_group(&self, group: &G) -> usize {
        self.waiting.get(group).map_or(0, VecDeque::len)
    }

    /// The number of all waiters.
    pub fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_take_turns_and_so_do_members_of_a_group() {
        let mut turns = Turns::<_>::default();
        for (tenant, who) in [("t", 'a'), ("t", 'b'), ("u", 'c'), ("t", 'd')] {
            turns.enter(tenant, who);
        }
        let mut order = String::new();
        while let Some((tenant, who)) = turns.next(|_, _| true) {
            if order.len() < 4 {
                turns.enter(&tenant, who);
            }
            order.push(who);
        }
        assert_eq!(order, "acbcdcab");
        assert!(turns.is_empty() && turns.waiting.is_empty());
    }

    #[test]
    fn an_entry_without_permission_keeps_waiting() {
        let mut turns = Turns::<_>::default();
        for (tenant, who) in [("t", 'a'), ("t", 'b'), ("u", 'c')] {
            turns.enter(tenant, who);
        }
        assert_eq!(turns.next(|_, who| *who == 'c'), Some(("u".into(), 'c')));
        assert_eq!(turns.next(|_, who| *who == 'c'), None);
        assert_eq!(turns.next(|_, who| *who != 'a'), Some(("t".into(), 'b')));
        assert_eq!(turns.next(|_, _| true), Some(("t".into(), 'a')));
        assert!(turns.is_empty());
    }
}
