//! How a connection follows instances: subscribe, resume, trees of children, replays and snapshots.
//! Following from a start on: `subscribe_on_start`.
//!
//! Wake-ups are registered first; then the instance is read through its commit gate, at number S;
//! then what comes after S is pulled: no gap, and nothing twice. What was missed before S is read
//! from the journal. Every read checks the permissions again.
//!
//! # Rationale
//!
//! **A connection only continues to follow the newest 8 ended instances.** Little comes after an
//! end; a client that starts thousands would otherwise reach the limit of subscriptions and keep
//! their rows in memory.

use super::{
    super::{
        auth::principal::Principal,
        connection::Connection,
        input_schemas::before_row,
        outgoing::Out,
        protocol::{
            channel::Channel,
            client::{FrameId, ResumePoint},
            code::ErrorCode,
            rendering,
            server::ResyncReason,
            wire_error::WireError,
        },
        task_notes::SentNotes,
    },
    state::{Acknowledgement, FollowedInstance, StartFrom, SubscriptionPhase},
    tree_cursor::Mark,
};
use crate::{
    limits::{self, CallerKind},
    model::ids::InstanceKey,
    runtime::channel::{RowsAfter, SharedFrame},
};

/// Rows taken from a channel at a time.
const PULL_ROWS: usize = 16;

impl Connection {
    pub(in crate::session) fn subscribe(
        &mut self,
        id: FrameId,
        channel: Channel,
        after: Option<u64>,
        tree: bool,
    ) {
        let instance = match channel {
            Channel::Instance(instance) => instance,
            Channel::Changes => return self.follow_changes(Some(&id), None),
            Channel::Tasks | Channel::Process(_) => return self.follow_list(id, channel),
        };
        let want = if after.is_some() {
            StartFrom::Replay
        } else {
            StartFrom::Snapshot(None)
        };
        self.follow(
            instance,
            after.unwrap_or(0),
            want,
            tree,
            Acknowledgement::Replies(vec![id]),
            None,
        );
    }

    pub(in crate::session) fn unsubscribe(&mut self, id: &FrameId, channel: &Channel) {
        if let Channel::Instance(instance) = channel {
            self.unfollow_tree(*instance);
        } else if *channel == Channel::Changes {
            self.unfollow_changes();
        } else {
            let owed = self.unfollow_list(channel);
            self.send_unsubscribed(&owed);
        }
        self.send_done(id);
    }

    fn send_unsubscribed(&mut self, ids: &[FrameId]) {
        let sentence = "expected the subscription to begin, but it was unsubscribed before: \
            subscribe again if you need it";
        for id in ids {
            self.send_error(
                Some(id.as_str()),
                None,
                &WireError::new(ErrorCode::Conflict, sentence),
            );
        }
    }

    /// The user's permissions have changed: every followed instance is shown again, or is no longer
    /// followed.
    pub(in crate::session) fn read_again(&mut self, reason: ResyncReason) {
        let settled = |following: &FollowedInstance| {
            matches!(
                following.phase,
                SubscriptionPhase::Live | SubscriptionPhase::Ready(_)
            )
        };
        let followed: Vec<(InstanceKey, bool, Option<InstanceKey>)> = self
            .following
            .iter()
            .filter(|(_, following)| settled(following))
            .map(|(&instance, following)| (instance, following.tree, following.because))
            .collect();
        for (instance, tree, because) in followed {
            self.follow(
                instance,
                0,
                StartFrom::Snapshot(Some(reason)),
                tree,
                Acknowledgement::Shown,
                because,
            );
        }
    }

    /// Stops following an instance, and the descendants that were followed because of it.
    fn unfollow_tree(&mut self, instance: InstanceKey) {
        if let Some(Acknowledgement::Replies(ids)) = self
            .unfollow(instance)
            .map(FollowedInstance::pending_replies)
        {
            self.send_unsubscribed(&ids);
        }
        let of_children = |(&key, child): (&InstanceKey, &FollowedInstance)| {
            (child.because == Some(instance)).then_some(key)
        };
        for child in self
            .following
            .iter()
            .filter_map(of_children)
            .collect::<Vec<_>>()
        {
            self.unfollow_tree(child);
        }
    }

    pub(in crate::session) fn resume(&mut self, point: ResumePoint, same_log: bool) {
        let want = if same_log {
            StartFrom::Replay
        } else {
            StartFrom::Snapshot(Some(ResyncReason::Restored))
        };
        self.follow(
            point.instance,
            point.after,
            want,
            true,
            Acknowledgement::Live,
            None,
        );
    }

    pub(in crate::session) fn refuse_for_want_of_room(
        &mut self,
        instance: InstanceKey,
        acknowledgement: &Acknowledgement,
    ) {
        limits::Limit::Subscriptions.refused();
        let sentence = format!(
            "expected at most {} subscriptions per connection, but this is one more: unsubscribe \
            some",
            limits::SUBSCRIPTIONS.get()
        );
        self.refuse(
            instance,
            acknowledgement,
            &WireError::new(ErrorCode::TooLarge, sentence),
        );
    }

    pub(in crate::session) fn follow(
        &mut self,
        instance: InstanceKey,
        cursor: u64,
        want: StartFrom,
        tree: bool,
        acknowledgement: Acknowledgement,
        because: Option<InstanceKey>,
    ) {
        if !self.following.contains_key(&instance)
            && self.following.len() >= limits::SUBSCRIPTIONS.get()
        {
            return self.refuse_for_want_of_room(instance, &acknowledgement);
        }
        let phase = SubscriptionPhase::Reading(want);
        let added = self.add(
            instance,
            cursor,
            phase,
            tree,
            acknowledgement.clone(),
            because,
        );
        let Some(round) = added else {
            let sentence = "expected capacity for another subscription, but the server has as many \
                as it allows: try again later";
            let error = WireError::new(ErrorCode::Busy, sentence);
            return self.refuse(instance, &acknowledgement, &error);
        };
        self.out
            .push_back(Out::SubscriptionStart { instance, round });
        self.queue_read(instance, round, want);
    }

    pub(in crate::session) fn add(
        &mut self,
        instance: InstanceKey,
        cursor: u64,
        phase: SubscriptionPhase,
        tree: bool,
        acknowledgement: Acknowledgement,
        because: Option<InstanceKey>,
    ) -> Option<u64> {
        self.rounds += 1;
        let round = self.rounds;
        let (channel, place, owed) = match self.following.remove(&instance) {
            Some(mut former) => (
                former.channel.clone(),
                former.place.take(),
                former.pending_replies(),
            ),
            None => {
                let kind = self
                    .principal
                    .as_ref()
                    .map_or(CallerKind::Anonymous, Principal::kind);
                let place = self.sessions.subscriptions.take(kind)?;
                let channel = self.sessions.runtime.hub.follow(instance);
                channel.join(self.follower.clone());
                (channel, Some(place), Acknowledgement::None)
            }
        };
        let acknowledgement = acknowledgement.after(owed);
        self.following.insert(
            instance,
            FollowedInstance {
                channel,
                place,
                cursor,
                phase,
                ended: false,
                tree,
                because,
                round,
                acknowledgement,
                not_found_deadline: None,
                notes: SentNotes::default(),
                last_read: false,
            },
        );
        Some(round)
    }

    pub(in crate::session) fn unfollow(
        &mut self,
        instance: InstanceKey,
    ) -> Option<FollowedInstance> {
        let following = self.following.remove(&instance)?;
        following.channel.leave(&self.follower);
        Some(following)
    }

    /// Little comes after an end (a child started from an open Action message), so a client that
    /// starts many instances need not unsubscribe from them: only the newest ended ones stay
    /// followed, and those whose children are followed because of them.
    fn let_go_of_ended(&mut self, instance: InstanceKey) {
        if !self.ended.contains(&instance) {
            self.ended.push_back(instance);
        }
        if self.ended.len() > limits::ENDED_FOLLOWED
            && let Some(oldest) = self.ended.pop_front()
        {
            if self
                .following
                .values()
                .any(|following| following.because == Some(oldest))
            {
                self.ended.push_back(oldest);
            } else {
                self.unfollow(oldest);
            }
        }
    }

    /// A pull is first in the outgoing order: it is replaced by the channel's rows after our
    /// cursor.
    pub(in crate::session) fn pull(&mut self, instance: InstanceKey) {
        let Some(Principal { caller, .. }) = &self.principal else {
            self.out.pop_front();
            return;
        };
        let Some(following) = self
            .following
            .get_mut(&instance)
            .filter(|following| matches!(following.phase, SubscriptionPhase::Live))
        else {
            self.out.pop_front();
            return;
        };
        match following.channel.after(following.cursor, PULL_ROWS) {
            RowsAfter::Nothing => {
                self.out.pop_front();
                let caller = caller.clone();
                self.send_notes(instance, &caller);
            }
            RowsAfter::Behind => self.fall_behind(instance),
            // An announced child that was not found may be one that the caller may not see; its
            // rows show that.
            RowsAfter::Rows(rows) if !rows.iter().all(|row| row.may_be_seen_by(caller)) => {
                self.out.pop_front();
                self.unfollow(instance);
            }
            RowsAfter::Rows(rows) => {
                following.not_found_deadline = None;
                let mut texts = Vec::new();
                let mut announced = Vec::new();
                let mut bytes = 0;
                for row in &rows {
                    if bytes > limits::PULL_BYTES {
                        break;
                    }
                    let cursor = following.cursor;
                    texts.extend(before_row(self.schemas.as_ref(), row, caller));
                    let progress = rendering::progress_of(row, caller);
                    let frames = rendering::messages(row).iter().chain([&progress]);
                    for frame in frames.filter(|frame| frame.seq > cursor) {
                        let last = frame.seq == progress.seq && !row.next.status.is_live();
                        let out = marked(instance, frame, following.cursor, last);
                        bytes += out.text().map_or(0, |text| text.len());
                        texts.push(out);
                        following.cursor = frame.seq;
                        announced.extend(frame.announces);
                    }
                    following.ended = !row.next.status.is_live();
                }
                let ended = following.ended;
                for frame in texts.into_iter().rev() {
                    self.out.push_front(frame);
                }
                self.follow_children(instance, announced, StartFrom::Replay);
                if ended {
                    self.let_go_of_ended(instance);
                }
            }
        }
    }

    /// The channel no longer has the rows after our cursor, but the journal does. Nothing behind is
    /// sent before.
    fn fall_behind(&mut self, instance: InstanceKey) {
        self.rounds += 1;
        let round = self.rounds;
        if let Some(following) = self.following.get_mut(&instance) {
            following.round = round;
            following.phase = SubscriptionPhase::Reading(StartFrom::Replay);
            following.acknowledgement = Acknowledgement::None;
        }
        self.out.pop_front();
        self.out
            .push_front(Out::SubscriptionStart { instance, round });
        self.read(instance, round, StartFrom::Replay);
    }
}

/// A frame of an instance for a client at `cursor`, and whether the instance has ended with it.
pub(in crate::session) fn marked(
    instance: InstanceKey,
    frame: &SharedFrame,
    cursor: u64,
    ended: bool,
) -> Out {
    let mark = Mark {
        instance,
        seq: frame.seq,
        announces: frame.announces.into_iter().collect(),
        ended,
    };
    Out::Marked(frame.for_cursor(cursor), mark)
}
