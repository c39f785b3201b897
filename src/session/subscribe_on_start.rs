//! How a connection follows the instances it starts itself: from their first record, without a
//! snapshot.
//!
//! The subscription is set up before the start is sent, so that no row is missed, and begins when
//! the start is answered. Other subscriptions: `subscriptions`.

use super::{
    connection::{Connection, Out},
    following::{Courtesy, Following, Phase, Want},
};
use crate::{limits, model::ids::InstanceKey};

impl Connection {
    /// Prepares to follow an instance that this connection is about to start. Nothing of it is
    /// shown before the start is answered: the key may be that of somebody else's instance.
    pub(super) fn await_start(&mut self, instance: InstanceKey) {
        if !self.following.contains_key(&instance) && self.following.len() < limits::SUBSCRIPTIONS {
            let phase = Phase::AwaitingStart;
            // Without room it is told when the start is answered.
            let _ = self.add(instance, 0, phase, true, Courtesy::None, None);
        }
    }

    /// The start was done: the frames of its commit take their place before the reply. `false` when
    /// the connection has no room for another subscription.
    pub(super) fn follow_started(&mut self, instance: InstanceKey, duplicate: bool) -> bool {
        let has_room = self.following.len() < limits::SUBSCRIPTIONS;
        match self.following.get_mut(&instance) {
            Some(following) if following.awaits_start() && !duplicate => {
                following.phase = Phase::Live;
                self.out.push_back(Out::Pull(instance));
            }
            Some(following) if !following.awaits_start() => {}
            None if !has_room => return false,
            // It began earlier, or while there was no room: what has happened since is read.
            _ => self.follow(instance, 0, Want::Replay, true, Courtesy::Shown, None),
        }
        true
    }

    /// The start was refused.
    pub(super) fn start_refused(&mut self, instance: InstanceKey) {
        if self
            .following
            .get(&instance)
            .is_some_and(Following::awaits_start)
        {
            self.unfollow(instance);
        }
    }
}
