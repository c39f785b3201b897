//! Room that callers share: bytes of bodies, uploads. One caller may take a part of it, strangers
//! together another, so that they never take what users and operators need.
//!
//! Taken before anything is held for it, and given back when the permit is dropped.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::session::auth::principal::Principal;

/// Whose part of the room something takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Taker {
    /// Somebody without a token, by address; `None` where the transport has none.
    Stranger(Option<IpAddr>),
    /// A user, by tenant and subject.
    User(String),
    /// A user with role operator or admin, by tenant and subject.
    Operator(String),
}

impl Taker {
    /// The user with this token; `None` for whoever has none.
    pub fn of(principal: &Principal) -> Option<Self> {
        principal.identity.as_ref()?;
        Some(match principal.caller.operator {
            true => Self::Operator(principal.user()),
            false => Self::User(principal.user()),
        })
    }
}

/// The room.
pub struct SharedRoom {
    total: usize,
    per_taker: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    in_all: usize,
    by_taker: HashMap<Taker, usize>,
}

impl SharedRoom {
    /// Room for so much in all, and so much of it for one taker.
    pub fn new(total: usize, per_taker: usize) -> Arc<Self> {
        Arc::new(Self {
            total,
            per_taker,
            taken: Mutex::default(),
        })
    }

    /// How much is taken.
    pub fn taken(&self) -> usize {
        self.lock().in_all
    }

    /// A permit for nothing yet.
    pub fn permit(self: &Arc<Self>, taker: Taker) -> RoomPermit {
        RoomPermit {
            room: self.clone(),
            taker,
            amount: 0,
        }
    }

    /// How far the room may be filled when this taker has got its part: strangers leave half of it
    /// to users, and those an eighth to operators.
    fn limit_for(&self, taker: &Taker) -> usize {
        match taker {
            Taker::Stranger(_) => self.total / 2,
            Taker::User(_) => self.total - self.total / 8,
            Taker::Operator(_) => self.total,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of the room, given back when dropped.
pub struct RoomPermit {
    room: Arc<SharedRoom>,
    taker: Taker,
    amount: usize,
}

impl RoomPermit {
    /// How much it is for.
    pub fn amount(&self) -> usize {
        self.amount
    }

    /// The most it can be for.
    pub fn most(&self) -> usize {
        self.room.per_taker
    }

    /// Makes it one for this much; whether there is room. One that shrinks always has it.
    pub fn resize(&mut self, amount: usize) -> bool {
        let more = amount.saturating_sub(self.amount);
        let less = self.amount.saturating_sub(amount);
        let mut taken = self.room.lock();
        let of_taker = taken.by_taker.get(&self.taker).copied().unwrap_or_default();
        let fits = of_taker + more <= self.room.per_taker
            && taken.in_all + more <= self.room.limit_for(&self.taker);
        if more > 0 && !fits {
            return false;
        }
        taken.in_all = taken.in_all + more - less;
        match of_taker + more - less {
            0 => drop(taken.by_taker.remove(&self.taker)),
            amount => drop(taken.by_taker.insert(self.taker.clone(), amount)),
        }
        self.amount = amount;
        true
    }
}

impl Drop for RoomPermit {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(number: u8) -> Taker {
        Taker::Stranger(Some(IpAddr::from([10, 0, 0, number])))
    }

    fn take(room: &Arc<SharedRoom>, taker: Taker, amount: usize) -> Option<RoomPermit> {
        let mut permit = room.permit(taker);
        permit.resize(amount).then_some(permit)
    }

    #[test]
    fn strangers_leave_room_to_users_and_users_to_operators() {
        let room = SharedRoom::new(80, 20);
        let mut held: Vec<_> = (0..2).map(|n| take(&room, stranger(n), 20)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(take(&room, stranger(2), 1).is_none());
        let users = ["a", "b"].map(|name| take(&room, Taker::User(name.to_owned()), 15));
        assert!(users.iter().all(Option::is_some));
        assert!(take(&room, Taker::User("c".to_owned()), 1).is_none());
        assert!(take(&room, Taker::Operator("o".to_owned()), 10).is_some());
        held.pop();
        drop(held);
        drop(users);
        assert_eq!(room.taken(), 0);
        assert!(room.lock().by_taker.is_empty());
    }

    #[test]
    fn one_taker_has_its_part_and_gets_it_back() {
        let room = SharedRoom::new(1_000, 20);
        let mut permit = take(&room, stranger(1), 12).unwrap();
        assert!(take(&room, stranger(1), 9).is_none());
        assert!(!permit.resize(21));
        assert_eq!(permit.amount(), 12);
        assert!(permit.resize(20));
        assert!(permit.resize(5));
        assert_eq!(room.taken(), 5);
        assert!(take(&room, stranger(1), 15).is_some());
        assert!(take(&room, stranger(2), 20).is_some());
    }
}
