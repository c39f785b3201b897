//! Follows the instances that a connection starts: from their first record, without a snapshot.
//!
//! The subscription is set up before the start is sent, so that no row is missed, and begins when
//! the start is answered. Other subscriptions: `subscriptions`.

use super::{
    super::{connection::Connection, outgoing::Out},
    state::{Acknowledgement, FollowedInstance, StartFrom, SubscriptionPhase},
};
use crate::{limits, model::ids::InstanceKey};

impl Connection {
    /// Prepares to follow an instance that this connection is about to start. Nothing is sent
    /// before the start is answered, because the key may be that of another user's instance.
    pub(in crate::session) fn await_start(&mut self, instance: InstanceKey) {
        if !self.following.contains_key(&instance)
            && self.following.len() < limits::SUBSCRIPTIONS.get()
        {
            let phase = SubscriptionPhase::AwaitingStart;
            // If there is no room, that is reported when the start is answered.
            let _ = self.add(instance, 0, phase, true, Acknowledgement::None, None);
        }
    }

    /// The start was applied: the frames of its commit take their place before the reply. `false`
    /// if the connection has no room for another subscription.
    pub(in crate::session) fn follow_started(
        &mut self,
        instance: InstanceKey,
        duplicate: bool,
    ) -> bool {
        let has_room = self.following.len() < limits::SUBSCRIPTIONS.get();
        match self.following.get_mut(&instance) {
            Some(following) if following.awaits_start() && !duplicate => {
                following.phase = SubscriptionPhase::Live;
                self.out.push_back(Out::Pull(instance));
            }
            Some(following) if !following.awaits_start() => {}
            None if !has_room => return false,
            // It was started earlier, or while there was no room: the rows since then are read.
            _ => self.follow(
                instance,
                0,
                StartFrom::Replay,
                true,
                Acknowledgement::Shown,
                None,
            ),
        }
        true
    }

    /// The start was refused.
    pub(in crate::session) fn start_refused(&mut self, instance: InstanceKey) {
        if self
            .following
            .get(&instance)
            .is_some_and(FollowedInstance::awaits_start)
        {
            self.unfollow(instance);
        }
    }
}
