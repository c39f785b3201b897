//! Pots that all callers take places from, with shares by kind of caller: strangers cannot empty
//! those of users, nor users those of operators.
//!
//! A kind may take a place while less is taken, by whomever, than its share of the pot. So part of
//! each pot is there for users when strangers have taken all they can, and part for operators and
//! designers when users have. Which pots there are: "Shared pots" in `docs/limits.md`. Not here:
//! rates per second (`session::shared_rates`).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::Limit;

/// What kind of caller takes from a pot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// Without a user's token.
    Anonymous,
    /// A user without a role that runs the server.
    User,
    /// A user with role operator, designer or admin.
    Staff,
}

impl CallerKind {
    /// How many places of a pot may be taken for this kind to take one more: half for strangers,
    /// seven eighths for users, all for who runs the server.
    pub fn share(self, size: usize) -> usize {
        match self {
            Self::Anonymous => size / 2,
            Self::User => size - (size / 8).max(1),
            Self::Staff => size,
        }
    }
}

/// A pot of places.
pub struct Pot {
    size: usize,
    taken: Arc<AtomicUsize>,
    limit: Limit,
}

/// A place taken; given back when dropped.
#[derive(Debug)]
pub struct PotPlace(Arc<AtomicUsize>);

impl Pot {
    /// A pot of so many places; what finds none is counted under `limit`. 0 = no limit.
    pub fn new(size: usize, limit: Limit) -> Self {
        let size = if size == 0 { usize::MAX } else { size };
        Self {
            size,
            taken: Arc::default(),
            limit,
        }
    }

    /// A place, unless as many are taken as this kind may take.
    pub fn take(&self, kind: CallerKind) -> Option<PotPlace> {
        let share = kind.share(self.size);
        let one_more = |taken| (taken < share).then_some(taken + 1);
        // The counter guards no other memory, so no ordering is needed.
        match self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
        {
            Ok(_) => Some(PotPlace(self.taken.clone())),
            Err(_) => {
                self.limit.refused();
                None
            }
        }
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for PotPlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_leave_places_for_users_and_users_for_operators() {
        let pot = Pot::new(16, Limit::Uploads);
        let take = |kind, most: usize| -> Vec<PotPlace> {
            (0..most).map_while(|_| pot.take(kind)).collect()
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
    fn the_smallest_pot_has_a_place_for_an_operator_and_none_has_no_limit() {
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
}
