//! Shared pots of places or bytes that all callers take from. Each kind of caller has a share, so
//! that anonymous callers cannot use up the part of users, nor users that of operators; optionally,
//! one caller may take at most a part.
//!
//! A kind of caller may take more while the total taken, by any caller, is less than its share of
//! the pot. So part of each pot remains for users when anonymous callers have taken all they can,
//! and part for operators and designers when users have. A place is taken before resources are used
//! for it, and is returned when it is dropped. List of pots: "Shared pots" in `docs/limits.md`. Not
//! here: rates per second (`session::shared_rates`).

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::Limit;

/// The kind of caller that takes from a pot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// Without a user's token.
    Anonymous,
    /// A user without operating role.
    User,
    /// A user with role operator, designer or admin; the server itself.
    Staff,
}

impl CallerKind {
    /// How much of a pot may be taken, in total, for this kind to take more: half for anonymous
    /// callers, seven eighths for users, everything for staff.
    pub fn share(self, size: usize) -> usize {
        match self {
            Self::Anonymous => size / 2,
            Self::User => size - (size / 8).max(1),
            Self::Staff => size,
        }
    }
}

/// The caller that takes from a pot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Taker {
    /// A caller without a token, by network; `None` where the transport has none.
    Stranger(Option<IpAddr>),
    /// A user, by tenant and subject.
    User(String),
    /// A user with an operating role, by tenant and subject.
    Operator(String),
}

impl Taker {
    /// The kind of this caller.
    pub fn kind(&self) -> CallerKind {
        match self {
            Self::Stranger(_) => CallerKind::Anonymous,
            Self::User(_) => CallerKind::User,
            Self::Operator(_) => CallerKind::Staff,
        }
    }
}

/// A pot. Clones share it.
#[derive(Clone)]
pub struct Pot(Arc<State>);

struct State {
    size: usize,
    per_taker: usize,
    limit: Limit,
    taken: AtomicUsize,
    by_taker: Mutex<HashMap<Taker, usize>>,
}

impl Pot {
    /// A pot of this size; requests that find no room are counted under `limit`. 0 = no limit.
    pub fn new(size: usize, limit: Limit) -> Self {
        Self::with_part(size, usize::MAX, limit)
    }

    /// The same, of which one caller may take `per_taker`.
    pub fn with_part(size: usize, per_taker: usize, limit: Limit) -> Self {
        Self(Arc::new(State {
            size: if size == 0 { usize::MAX } else { size },
            per_taker,
            limit,
            taken: AtomicUsize::new(0),
            by_taker: Mutex::default(),
        }))
    }

    /// One place for a caller of this kind, unless the share of the kind is taken.
    pub fn take(&self, kind: CallerKind) -> Option<PotPlace> {
        self.filled(PotPlace {
            pot: self.0.clone(),
            kind,
            taker: None,
            amount: 0,
        })
    }

    /// One place for this caller, unless it has its maximum or the share of its kind is taken.
    pub fn take_for(&self, taker: Taker) -> Option<PotPlace> {
        self.filled(self.permit(taker))
    }

    /// A place of size 0, to be resized.
    pub fn permit(&self, taker: Taker) -> PotPlace {
        PotPlace {
            pot: self.0.clone(),
            kind: taker.kind(),
            taker: Some(taker),
            amount: 0,
        }
    }

    /// How much is taken in total.
    pub fn taken(&self) -> usize {
        self.0.taken.load(Ordering::Relaxed)
    }

    fn filled(&self, mut place: PotPlace) -> Option<PotPlace> {
        place.resize(1).then_some(place)
    }
}

/// A part of a pot; returned when dropped.
pub struct PotPlace {
    pot: Arc<State>,
    kind: CallerKind,
    /// `None` where callers are not distinguished.
    taker: Option<Taker>,
    amount: usize,
}

impl PotPlace {
    /// Its current size.
    pub fn amount(&self) -> usize {
        self.amount
    }

    /// The largest size it can have.
    pub fn capacity(&self) -> usize {
        self.pot.per_taker
    }

    /// Changes its size; gives whether there is room. Shrinking always succeeds.
    pub fn resize(&mut self, amount: usize) -> bool {
        if amount < self.amount {
            let less = self.amount - amount;
            self.pot.give_back(self.taker.as_ref(), less);
        } else if !self
            .pot
            .take(self.kind, self.taker.as_ref(), amount - self.amount)
        {
            self.pot.limit.refused();
            return false;
        }
        self.amount = amount;
        true
    }
}

impl Drop for PotPlace {
    fn drop(&mut self) {
        self.resize(0);
    }
}

impl State {
    fn take(&self, kind: CallerKind, taker: Option<&Taker>, more: usize) -> bool {
        if more == 0 {
            return true;
        }
        let Some(taker) = taker else {
            return self.take_any(kind, more);
        };
        let mut by_taker = self.by_taker.lock().unwrap_or_else(PoisonError::into_inner);
        let has = by_taker.get(taker).copied().unwrap_or_default();
        let fits = more <= self.per_taker.saturating_sub(has) && self.take_any(kind, more);
        if fits {
            by_taker.insert(taker.clone(), has + more);
        }
        fits
    }

    fn take_any(&self, kind: CallerKind, more: usize) -> bool {
        let share = kind.share(self.size);
        let take = |taken: usize| taken.checked_add(more).filter(|taken| *taken <= share);
        // The counter guards no other memory, so no ordering is needed.
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    fn give_back(&self, taker: Option<&Taker>, less: usize) {
        self.taken.fetch_sub(less, Ordering::Relaxed);
        let Some(taker) = taker else { return };
        let mut by_taker = self.by_taker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(has) = by_taker.get_mut(taker) {
            *has -= less;
            if *has == 0 {
                by_taker.remove(taker);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(number: u8) -> Taker {
        Taker::Stranger(Some(IpAddr::from([10, 0, 0, number])))
    }

    fn user(name: &str) -> Taker {
        Taker::User(name.to_owned())
    }

    fn take(pot: &Pot, taker: Taker, amount: usize) -> Option<PotPlace> {
        let mut place = pot.permit(taker);
        place.resize(amount).then_some(place)
    }

    #[test]
    fn strangers_leave_places_for_users_and_users_for_operators() {
        let pot = Pot::new(16, Limit::Uploads);
        let take = |kind, capacity: usize| -> Vec<PotPlace> {
            (0..capacity).map_while(|_| pot.take(kind)).collect()
        };
        let strangers = take(CallerKind::Anonymous, 99);
        let users = take(CallerKind::User, 99);
        let staff = take(CallerKind::Staff, 99);
        assert_eq!((strangers.len(), users.len(), staff.len()), (8, 6, 2));
        drop(users);
        assert!(pot.take(CallerKind::Anonymous).is_none(), "ten are taken");
        drop((strangers, staff));
        assert_eq!(pot.taken(), 0);
        let users = take(CallerKind::User, 99);
        assert_eq!(users.len(), 14);
        assert!(pot.take(CallerKind::Anonymous).is_none());
        assert_eq!(take(CallerKind::Staff, 99).len(), 2);
    }

    #[test]
    fn the_smallest_pot_has_a_place_for_an_operator_and_zero_means_no_limit() {
        let pot = Pot::new(2, Limit::Uploads);
        let users: Vec<_> = std::iter::from_fn(|| pot.take(CallerKind::User)).collect();
        assert_eq!(users.len(), 1);
        assert!(pot.take(CallerKind::Staff).is_some());
        let open = Pot::new(0, Limit::Uploads);
        let held: Vec<_> = (0..1_000)
            .filter_map(|_| open.take(CallerKind::Anonymous))
            .collect();
        assert_eq!(held.len(), 1_000);
    }

    #[test]
    fn amounts_have_the_same_shares() {
        let pot = Pot::with_part(80, 20, Limit::Uploads);
        let mut held: Vec<_> = (0..2).map(|n| take(&pot, stranger(n), 20)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(take(&pot, stranger(2), 1).is_none());
        let users = ["a", "b"].map(|name| take(&pot, user(name), 15));
        assert!(users.iter().all(Option::is_some));
        assert!(take(&pot, user("c"), 1).is_none());
        assert!(take(&pot, Taker::Operator("o".to_owned()), 10).is_some());
        held.pop();
        drop(held);
        drop(users);
        assert_eq!(pot.taken(), 0);
        assert!(pot.0.by_taker.lock().unwrap().is_empty());
    }

    #[test]
    fn each_holder_has_a_share_that_is_returned() {
        let pot = Pot::with_part(1_000, 20, Limit::Uploads);
        let mut place = take(&pot, stranger(1), 12).unwrap();
        assert!(take(&pot, stranger(1), 9).is_none());
        assert!(!place.resize(21));
        assert_eq!(place.amount(), 12);
        assert!(place.resize(20));
        assert!(place.resize(5));
        assert_eq!(pot.taken(), 5);
        assert!(take(&pot, stranger(1), 15).is_some());
        assert!(take(&pot, stranger(2), 20).is_some());
        drop(place);
        let held: Vec<_> = (0..99).map_while(|_| pot.take_for(user("a"))).collect();
        assert_eq!(held.len(), 20);
    }
}
