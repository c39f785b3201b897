//! The order in which many waiters get few places: tenants take turns, and within a tenant its
//! waiters do. However much one of them has to do, another one waits only for one turn.
//!
//! Not here: what they wait for, and how many places one may have at a time (`scripts`, `timers`,
//! `schedules`).

use std::collections::{HashMap, VecDeque};

/// A ring of tenants, each with a ring of waiters.
pub struct Turns<K> {
    tenants: VecDeque<String>,
    waiting: HashMap<String, VecDeque<K>>,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self {
            tenants: VecDeque::new(),
            waiting: HashMap::new(),
        }
    }
}

impl<K> Turns<K> {
    /// Adds a waiter, behind all others of its tenant. It must not be waiting already.
    pub fn enter(&mut self, tenant: &str, who: K) {
        match self.waiting.get_mut(tenant) {
            Some(waiting) => waiting.push_back(who),
            None => {
                self.tenants.push_back(tenant.to_owned());
                self.waiting
                    .insert(tenant.to_owned(), VecDeque::from([who]));
            }
        }
    }

    /// Removes the waiter whose turn it is; those that `may` not run now keep waiting. A waiter
    /// with more to do then enters again.
    pub fn next(&mut self, may: impl Fn(&str, &K) -> bool) -> Option<(String, K)> {
        for _ in 0..self.tenants.len() {
            let tenant = self.tenants.pop_front()?;
            let waiting = self.waiting.get_mut(&tenant)?;
            let mut found = None;
            for _ in 0..waiting.len() {
                let who = waiting.pop_front()?;
                if may(&tenant, &who) {
                    found = Some(who);
                    break;
                }
                waiting.push_back(who);
            }
            if waiting.is_empty() {
                self.waiting.remove(&tenant);
            } else {
                self.tenants.push_back(tenant.clone());
            }
            if let Some(who) = found {
                return Some((tenant, who));
            }
        }
        None
    }

    /// Whether there is no waiter.
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_take_turns_and_so_do_those_within_one() {
        let mut turns = Turns::default();
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
    fn who_may_not_keeps_waiting() {
        let mut turns = Turns::default();
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
