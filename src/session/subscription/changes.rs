//! The channel `changes`: notifies a page that its lists have changed, so that it reads them again.
//! It names the lists, never their contents.
//!
//! A notice is sent once; then nothing more is sent until the client subscribes again. So a busy
//! server sends no more than its clients ask for, and keeps only a few bits per client. Changes in
//! between are recorded, and sent when the client subscribes again: a client that subscribes first
//! and reads then misses nothing, even if it reads only some of the lists.
//!
//! Not here: lists whose lines are pushed (`lists`).
//!
//! # Rationale
//!
//! **Pages are notified that something changed, and read it.** The filters, order and paging of a
//! page stay one query of the server. A few bits per connection are pushed, once per subscription,
//! so neither a busy server nor many pages make anything grow.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::super::{
    auth::principal::Principal,
    connection::Connection,
    inbox::{Inbound, Inbox},
    outgoing::Out,
    protocol::{
        channel::Channel,
        client::FrameId,
        code::ErrorCode,
        lists::{ChangesFrame, ChangesSnapshot},
        server::{Reply, Resync, ResyncReason, ServerFrame},
        step::{SubscribeMode, SubscribeResult},
        wire_error::WireError,
    },
};
use crate::{
    engine::access::Caller,
    journal::ReadModelChange,
    runtime::lists::{ListFollower, Origin, Topic},
};

/// A connection that follows the channel `changes`.
pub(in crate::session) struct ChangesFollowing {
    follower: Arc<dyn ListFollower>,
    noted: Arc<NotedChanges>,
}

/// The client has got a notice and has not subscribed again: changes are only recorded.
const NOTICE_SENT: u32 = 1 << 31;

/// The changes since the subscription or the last notice, one bit per topic.
struct NotedChanges {
    audience: Audience,
    topics: AtomicU32,
    inbox: Arc<Inbox>,
    round: u64,
}

/// The changes of which the user is notified.
#[derive(Debug)]
struct Audience {
    tenant: String,
    /// Those of instances that this subject started; `None` for all instances.
    started_by: Option<String>,
    /// Whether changes of processes and schedules are included.
    staff: bool,
    /// Whether changes of users are included.
    admin: bool,
    /// Whether changes of connections are included.
    operator: bool,
    /// Whether the changes of all tenants are included.
    server_operator: bool,
}

impl Audience {
    fn of(caller: &Caller, principal: &Principal) -> Self {
        Self {
            staff: principal.is_staff(),
            admin: principal.is_admin(),
            operator: caller.operator,
            server_operator: principal.is_server_operator(),
            started_by: (!caller.operator).then(|| caller.subject.clone()),
            tenant: caller.tenant.clone(),
        }
    }

    fn is_notified(&self, tenant: &str, topic: Topic) -> bool {
        let may = match topic {
            Topic::Definitions | Topic::Schedules => self.staff,
            Topic::Users => self.admin,
            Topic::Connections if self.server_operator => return true,
            Topic::Connections => self.operator,
            Topic::Instances
            | Topic::Tasks
            | Topic::Incidents
            | Topic::Timers
            | Topic::HttpCalls => true,
        };
        may && self.tenant == tenant
    }

    fn is_notified_of(&self, origin: Origin<'_>) -> bool {
        let may_see = self
            .started_by
            .as_ref()
            .is_none_or(|subject| subject == origin.started_by);
        may_see && self.tenant == origin.tenant
    }
}

impl NotedChanges {
    fn note(&self, topics: u32) {
        if topics != 0 && self.topics.fetch_or(topics, Ordering::AcqRel) == 0 {
            self.inbox.put(Inbound::Changed { round: self.round });
        }
    }
}

fn bit(topic: Topic) -> u32 {
    1 << topic as u32
}

impl ListFollower for NotedChanges {
    fn changed(&self, origin: Origin<'_>, changes: &[ReadModelChange]) {
        if self.audience.is_notified_of(origin) {
            let topics = changes.iter().map(|change| bit(Topic::of(change)));
            self.note(topics.fold(0, |all, one| all | one));
        }
    }

    fn table_changed(&self, tenant: &str, topic: Topic) {
        if self.audience.is_notified(tenant, topic) {
            self.note(bit(topic));
        }
    }
}

impl Connection {
    /// Sends a notice of the next change; `resync` is set if the server begins the subscription
    /// again.
    pub(in crate::session) fn follow_changes(
        &mut self,
        id: Option<&FrameId>,
        resync: Option<ResyncReason>,
    ) {
        let channel = Channel::Changes;
        let (Some(caller), Some(principal)) = (self.caller(), self.principal()) else {
            return self.unfollow_changes();
        };
        if caller.trees.is_some() {
            self.unfollow_changes();
            let sentence = "expected the token of a user, but this connection has none, or one for a single \
            instance and its children";
            let error = WireError::new(ErrorCode::Forbidden, sentence);
            return self.send_error(id.map(FrameId::as_str), Some(&channel), &error);
        }
        let audience = Audience::of(&caller, principal);
        self.rounds += 1;
        let noted = Arc::new(NotedChanges {
            audience,
            topics: AtomicU32::new(0),
            inbox: self.inbox.clone(),
            round: self.rounds,
        });
        let follower: Arc<dyn ListFollower> = noted.clone();
        let lists = &self.sessions.runtime.lists;
        lists.join(follower.clone());
        // Changes since the last notice; they are sent after the beginning.
        if let Some(before) = self.changes.take() {
            lists.leave(&before.follower);
            noted.note(before.noted.topics.load(Ordering::Acquire) & !NOTICE_SENT);
        }
        self.changes = Some(ChangesFollowing { follower, noted });
        self.begin_changes(id, resync);
    }

    /// Sends the first frames of the channel: `resync`, the snapshot, and the reply.
    fn begin_changes(&mut self, id: Option<&FrameId>, resync: Option<ResyncReason>) {
        let channel = Channel::Changes;
        if let Some(reason) = resync {
            let resync = Resync {
                channel: &channel,
                reason,
            };
            self.out.push_back(Out::Text(resync.text()));
        }
        let snapshot = ChangesSnapshot {
            channel: &channel,
            seq: 0,
        };
        self.out.push_back(Out::Text(snapshot.text()));
        if let Some(id) = id {
            let result = SubscribeResult {
                channel: &channel,
                seq: 0,
                mode: SubscribeMode::Snapshot,
            };
            let reply = Reply {
                id: id.as_str(),
                seq: Some(0),
                duplicate: false,
                result,
            };
            self.out.push_back(Out::Text(reply.text()));
        }
    }

    /// Sends no more notices.
    pub(in crate::session) fn unfollow_changes(&mut self) {
        if let Some(following) = self.changes.take() {
            self.sessions.runtime.lists.leave(&following.follower);
        }
    }

    /// Something has changed: sends a notice, and then nothing more until the client subscribes
    /// again.
    pub(in crate::session) fn send_notice(&mut self, round: u64) {
        let is_this = |following: &ChangesFollowing| following.noted.round == round;
        let Some(noted) = self.changes.as_ref().filter(|one| is_this(one)) else {
            return;
        };
        let noted = noted.noted.topics.swap(NOTICE_SENT, Ordering::AcqRel);
        let topics: Vec<Topic> = Topic::ALL
            .into_iter()
            .filter(|topic| noted & bit(*topic) != 0)
            .collect();
        let frame = ChangesFrame {
            channel: &Channel::Changes,
            seq: 1,
            prev: 0,
            topics: &topics,
        };
        self.out.push_back(Out::Text(frame.text()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience(started_by: Option<&str>, staff: bool) -> Audience {
        Audience {
            tenant: "a".into(),
            started_by: started_by.map(str::to_owned),
            staff,
            admin: false,
            operator: staff,
            server_operator: false,
        }
    }

    #[test]
    fn changes_are_reported_only_for_the_own_tenant_and_own_instances() {
        let of = |tenant, started_by| Origin { tenant, started_by };
        let (operator, user) = (audience(None, true), audience(Some("ada"), false));
        assert!(
            operator.is_notified_of(of("a", "bob")) && !operator.is_notified_of(of("b", "bob"))
        );
        assert!(user.is_notified_of(of("a", "ada")) && !user.is_notified_of(of("a", "bob")));
        assert!(!user.is_notified_of(of("b", "ada")));
        assert!(
            operator.is_notified("a", Topic::Definitions)
                && !operator.is_notified("b", Topic::Schedules)
        );
        assert!(
            operator.is_notified("a", Topic::Connections)
                && !user.is_notified("a", Topic::Connections)
        );
        assert!(!operator.is_notified("b", Topic::Connections));
        assert!(
            !operator.is_notified("a", Topic::Users) && !user.is_notified("a", Topic::Definitions)
        );
    }
}
