//! How a connection follows an instance that it starts itself: from its first record, without a look at it.

use super::{
    connection::{Connection, Out},
    following::{Courtesy, Following, Phase, Want},
};
use crate::model::ids::InstanceKey;

impl Connection {
    /// Follows an instance that this connection starts itself. Nothing of it is shown before the start is answered: the key
    /// may be that of somebody else's instance.
    pub(super) fn follow_from_birth(&mut self, instance: InstanceKey) -> bool {
        if self.following.contains_key(&instance) || !self.has_room(instance, &Courtesy::None) {
            return false;
        }
        self.add(instance, 0, Phase::Unborn, true, Courtesy::None, None);
        true
    }

    /// The start was done: its frames take their place before the reply.
    pub(super) fn follow_born(&mut self, instance: InstanceKey) {
        if let Some(following) = self.following.get_mut(&instance).filter(|following| following.is_unborn()) {
            following.phase = Phase::Live;
            self.out.push_back(Out::Pull(instance));
        }
    }

    /// The start was refused.
    pub(super) fn unfollow_unborn(&mut self, instance: InstanceKey) {
        if self.following.get(&instance).is_some_and(Following::is_unborn) {
            self.unfollow(instance);
        }
    }

    /// A start found its instance there already: what has happened since is read.
    pub(super) fn follow_again_from_birth(&mut self, instance: InstanceKey) {
        if self.following.get(&instance).is_some_and(Following::is_unborn) {
            self.follow(instance, 0, Want::Replay, true, Courtesy::None, None);
        }
    }
}
