//! The lists that a connection follows: `tasks` and `process/ID`. They are queries, not logs: a
//! snapshot, then changes, numbered within the subscription.
//!
//! The list first joins the runtime's changes, then reads the store; changes in between are applied
//! on top, so nothing is missed. The format of its frames: `protocol::lists`. Which entries belong
//! in it: `list_contents`.
//!
//! # Rationale
//!
//! **A list with too many unsent changes starts over** with a snapshot instead of queueing them,
//! because lists are queries.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytestring::ByteString;

use super::{
    super::{
        connection::Connection,
        inbox::{Inbound, Inbox},
        outgoing::Out,
        protocol::{
            channel::Channel,
            client::FrameId,
            code::ErrorCode,
            lists::{
                InstanceEntry, InstanceFrame, InstancesSnapshot, TaskEntry, TasksFrame,
                TasksSnapshot,
            },
            server::{Reply, Resync, ResyncReason, ServerFrame},
            step::{SubscribeMode, SubscribeResult},
            wire_error::WireError,
        },
    },
    list_contents::{Contents, ListChange, Subject},
};
use crate::{
    engine::access::Caller,
    journal::{InstanceFilter, ReadModelChange, StoreError, StoreReader, TaskAudience},
    limits,
    runtime::lists::{ListFollower, Origin},
};

/// One followed list of a connection.
pub(in crate::session) struct ListFollowing {
    follower: Arc<dyn ListFollower>,
    list: Arc<FollowedList>,
    /// Commands to answer once it has begun.
    ids: Vec<FrameId>,
    /// Sent before the snapshot, if that replaces what the client has.
    resync: Option<ResyncReason>,
    /// The number of the newest frame; `None` before the snapshot.
    seq: Option<u64>,
    round: u64,
}

/// The part of a followed list that the runtime's threads see.
struct FollowedList {
    channel: Channel,
    inbox: Arc<Inbox>,
    round: u64,
    contents: Mutex<Contents>,
}

impl FollowedList {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        // A panic in the middle of a change can at most show one task too many until the next
        // snapshot.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListFollower for FollowedList {
    fn changed(&self, _: Origin<'_>, changes: &[ReadModelChange]) {
        if self.contents().take(changes) {
            self.inbox.put(Inbound::ListChanged {
                channel: self.channel.clone(),
                round: self.round,
            });
        }
    }
}

/// The lines of a list's snapshot.
pub type ListLines = Result<Vec<ListChange>, StoreError>;

impl Connection {
    /// Follows a list, or begins it again.
    pub(in crate::session) fn follow_list(&mut self, id: FrameId, channel: Channel) {
        let Some(caller) = self.caller() else { return };
        if let Some(sentence) = no_list(&channel, &caller) {
            return self.send_error(
                Some(id.as_str()),
                Some(&channel),
                &WireError::new(ErrorCode::Forbidden, sentence),
            );
        }
        if self.lists.len() >= limits::LISTS.get() && !self.lists.contains_key(&channel) {
            limits::Limit::Lists.refused();
            let sentence = format!(
                "expected at most {} lists per connection, but this is one more: unsubscribe some",
                limits::LISTS.get()
            );
            return self.send_error(
                Some(id.as_str()),
                Some(&channel),
                &WireError::new(ErrorCode::TooLarge, sentence),
            );
        }
        let mut ids = self.unfollow_list(&channel);
        ids.push(id);
        self.begin_list(channel, &caller, ids, None);
    }

    /// Stops following a list; returns the commands to answer.
    pub(in crate::session) fn unfollow_list(&mut self, channel: &Channel) -> Vec<FrameId> {
        let Some(following) = self.lists.remove(channel) else {
            return Vec::new();
        };
        self.sessions.runtime.lists.leave(&following.follower);
        following.ids
    }

    /// Begins every list again, because the user's permissions have changed.
    pub(in crate::session) fn list_again(&mut self, reason: ResyncReason) {
        let Some(caller) = self.caller() else { return };
        if self.changes.is_some() {
            self.follow_changes(None, Some(reason));
        }
        for channel in self.lists.keys().cloned().collect::<Vec<_>>() {
            let ids = self.unfollow_list(&channel);
            if let Some(sentence) = no_list(&channel, &caller) {
                self.send_error(
                    None,
                    Some(&channel),
                    &WireError::new(ErrorCode::Forbidden, sentence),
                );
            } else {
                self.begin_list(channel, &caller, ids, Some(reason));
            }
        }
    }

    fn begin_list(
        &mut self,
        channel: Channel,
        caller: &Caller,
        ids: Vec<FrameId>,
        resync: Option<ResyncReason>,
    ) {
        self.rounds += 1;
        let round = self.rounds;
        let subject = subject(&channel, caller);
        let contents = Mutex::new(Contents::new(subject.clone()));
        let list = Arc::new(FollowedList {
            channel: channel.clone(),
            inbox: self.inbox.clone(),
            round,
            contents,
        });
        let follower: Arc<dyn ListFollower> = list.clone();
        self.sessions.runtime.lists.join(follower.clone());
        let inbox = self.inbox.clone();
        let sent = channel.clone();
        self.sessions.runtime.journal.list_then(
            Some(caller.taker()),
            move |reader| read(reader, &subject),
            move |listed| {
                inbox.put(Inbound::Listed {
                    channel: sent,
                    round,
                    listed,
                })
            },
        );
        self.lists.insert(
            channel,
            ListFollowing {
                follower,
                list,
                ids,
                resync,
                seq: None,
                round,
            },
        );
    }

    /// The store has been read: sends the snapshot, and the changes made meanwhile.
    pub(in crate::session) fn listed(&mut self, channel: &Channel, round: u64, listed: ListLines) {
        let Some(following) = self
            .lists
            .get_mut(channel)
            .filter(|following| following.round == round)
        else {
            return;
        };
        let rows = match listed {
            Ok(rows) => rows,
            Err(error) => {
                log::error!("the list {channel} cannot be read: {error}");
                return self.end_unreadable(channel);
            }
        };
        if let Some(reason) = following.resync.take() {
            self.out
                .push_back(Out::Text(Resync { channel, reason }.text()));
        }
        let more = rows.len() > limits::TASKS_LISTED;
        let shown = &rows[..rows.len().min(limits::TASKS_LISTED)];
        self.out
            .push_back(Out::Text(list_snapshot(channel, shown, more)));
        following.seq = Some(0);
        for id in following.ids.drain(..) {
            let result = SubscribeResult {
                channel,
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
        following.list.contents().begin(shown);
        self.send_changes(channel, round);
    }

    /// Ends the subscription of a list that cannot be read, with an error for each request.
    fn end_unreadable(&mut self, channel: &Channel) {
        let ids = self.unfollow_list(channel);
        let wire = WireError::new(
            ErrorCode::Internal,
            "expected to read the list, but that failed: subscribe again",
        );
        let ids: Vec<Option<&str>> = if ids.is_empty() {
            vec![None]
        } else {
            ids.iter().map(|id| Some(id.as_str())).collect()
        };
        ids.into_iter()
            .for_each(|id| self.send_error(id, Some(channel), &wire));
    }

    /// The list has changed: adds the changes to the outgoing frames.
    pub(in crate::session) fn send_changes(&mut self, channel: &Channel, round: u64) {
        let Some(following) = self
            .lists
            .get_mut(channel)
            .filter(|following| following.round == round)
        else {
            return;
        };
        let Some(seq) = &mut following.seq else {
            return;
        };
        let Some(changes) = following.list.contents().drain() else {
            let Some(caller) = self.caller() else { return };
            let ids = self.unfollow_list(channel);
            return self.begin_list(channel.clone(), &caller, ids, Some(ResyncReason::Lag));
        };
        if matches!(channel, Channel::Process(_)) {
            for row in changes.iter().filter_map(ListChange::instance) {
                *seq += 1;
                let frame = InstanceFrame {
                    channel,
                    seq: *seq,
                    prev: *seq - 1,
                    entry: row.into(),
                };
                self.out.push_back(Out::Text(frame.text()));
            }
        } else if !changes.is_empty() {
            let set: Vec<TaskEntry<'_>> = changes
                .iter()
                .filter_map(ListChange::task)
                .map(Into::into)
                .collect();
            let removed: Vec<String> = changes
                .iter()
                .filter_map(ListChange::removed)
                .map(|(key, element)| element.wire(key))
                .collect();
            *seq += 1;
            let frame = TasksFrame {
                channel,
                seq: *seq,
                prev: *seq - 1,
                set: &set,
                removed: &removed,
            };
            self.out.push_back(Out::Text(frame.text()));
        }
    }

    /// The connection ends and follows no lists any more.
    pub(in crate::session) fn leave_lists(&mut self) {
        for following in self.lists.values() {
            self.sessions.runtime.lists.leave(&following.follower);
        }
    }
}

/// Why a caller may not follow a list.
fn no_list(channel: &Channel, caller: &Caller) -> Option<&'static str> {
    match channel {
        // Tasks are found by their owner, who may also have started other trees.
        Channel::Tasks if caller.trees.is_some() => Some(
            "expected the token of a user, but this connection has none, or one for a single \
            instance and its children",
        ),
        Channel::Process(_) if !caller.operator => Some(
            "expected role operator or admin to follow the instances of a process, but this user \
            has neither",
        ),
        _ => None,
    }
}

/// The user or the process of a list.
fn subject(channel: &Channel, caller: &Caller) -> Subject {
    match channel {
        Channel::Process(id) => Subject::Instances {
            tenant: caller.tenant.clone(),
            process: (id != ANY_PROCESS).then(|| id.clone()),
        },
        _ => Subject::Tasks(TaskAudience {
            tenant: caller.tenant.clone(),
            subject: caller.subject.clone(),
            roles: caller.roles.to_vec(),
        }),
    }
}

/// In place of an id in `process/ID`: the instances of all processes.
const ANY_PROCESS: &str = "*";

/// Reads one row more than is shown, to find out whether there are more.
fn read(reader: &dyn StoreReader, subject: &Subject) -> ListLines {
    match subject {
        Subject::Tasks(audience) => Ok(reader
            .tasks_for(audience, limits::TASKS_LISTED + 1)?
            .into_iter()
            .map(ListChange::Task)
            .collect()),
        Subject::Instances { tenant, process } => {
            let filter = InstanceFilter {
                tenant: Some(tenant.clone()),
                process: process.clone(),
                ..InstanceFilter::default()
            };
            Ok(reader
                .instances(&filter, None, limits::TASKS_LISTED + 1)?
                .into_iter()
                .map(ListChange::Instance)
                .collect())
        }
    }
}

/// The snapshot frame of a list of instances or tasks.
fn list_snapshot(channel: &Channel, shown: &[ListChange], more: bool) -> ByteString {
    if let Channel::Process(_) = channel {
        let instances: Vec<InstanceEntry<'_>> = shown
            .iter()
            .filter_map(ListChange::instance)
            .map(Into::into)
            .collect();
        return InstancesSnapshot {
            channel,
            seq: 0,
            instances: &instances,
            more,
        }
        .text();
    }
    let tasks: Vec<TaskEntry<'_>> = shown
        .iter()
        .filter_map(ListChange::task)
        .map(Into::into)
        .collect();
    TasksSnapshot {
        channel,
        seq: 0,
        tasks: &tasks,
        more,
    }
    .text()
}
