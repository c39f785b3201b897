//! How following an instance begins: the instance is read, missed rows are read from the journal,
//! and the first frames or a snapshot are made. What is followed, and what comes after:
//! `subscriptions`.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use super::{
    connection::Connection,
    inbox::Inbound,
    input_schemas::before_read,
    outgoing::Out,
    protocol::{
        channel::Channel,
        code::ErrorCode,
        rendering,
        server::{Live, Reply, Resync, ResyncReason, ServerFrame},
        step::{SubscribeMode, SubscribeResult},
        wire_error::WireError,
    },
    subscription::{
        state::{Acknowledgement, FollowedInstance, StartFrom, SubscriptionPhase},
        subscriptions::marked,
        tree_cursor::Mark,
    },
};
use crate::{
    engine::rejection::RejectionKind,
    journal::StoreError,
    limits,
    model::ids::InstanceKey,
    runtime::{
        instance_request::{InstanceResponse, Observed, Refusal, ReplyTo},
        missed_rows::{self, Missed},
        read_queue::{Read, ReadRequest},
    },
};

/// A look in progress: of a beginning, and one of those that may be at once until its answer has been
/// dealt with.
pub struct PendingRead {
    /// The subscription's round: an answer to an earlier one is dropped.
    round: u64,
    _in_progress: Arc<()>,
}

/// The looks of a connection at instances that it begins to follow: a few at once, in the order in which
/// their frames are sent, as the answers may be large.
#[derive(Default)]
pub(super) struct PendingReads {
    /// Those that have not begun.
    waiting: VecDeque<(InstanceKey, u64, StartFrom)>,
    /// One more for each that is in progress.
    in_progress: Arc<()>,
}

impl Connection {
    /// Looks at an instance when it is its turn.
    pub(super) fn queue_read(&mut self, instance: InstanceKey, round: u64, want: StartFrom) {
        self.reads.waiting.push_back((instance, round, want));
        self.start_reads();
    }

    /// Begins the looks whose turn it is, unless much waits for the client already.
    pub(super) fn start_reads(&mut self) {
        while Arc::strong_count(&self.reads.in_progress) <= limits::READS_AT_ONCE
            && !self.out.is_congested()
            && let Some((instance, round, want)) = self.reads.waiting.pop_front()
        {
            let following = self.following.get(&instance);
            if following.is_some_and(|following| following.round == round) {
                self.read(instance, round, want);
            }
        }
    }

    pub(super) fn read(&self, instance: InstanceKey, round: u64, want: StartFrom) {
        let Some(principal) = &self.principal else {
            return;
        };
        let inbox = self.inbox.clone();
        let read = PendingRead {
            round,
            _in_progress: self.reads.in_progress.clone(),
        };
        let reply = ReplyTo::to(move |answer| {
            inbox.put(Inbound::Looked {
                instance,
                read,
                answer,
            })
        });
        let question = ReadRequest::Observe {
            whole: want != StartFrom::Replay,
        };
        self.sessions.runtime.read(
            instance,
            Read {
                caller: Some(principal.caller.clone()),
                question,
                reply,
            },
        );
    }

    pub(super) fn read_done(
        &mut self,
        instance: InstanceKey,
        read: PendingRead,
        answer: InstanceResponse,
    ) {
        let Some(following) = self
            .following
            .get_mut(&instance)
            .filter(|following| following.round == read.round)
        else {
            return;
        };
        let SubscriptionPhase::Reading(want) = following.phase else {
            return;
        };
        match (answer, want) {
            (InstanceResponse::Observed(observed), StartFrom::Snapshot(reason)) => {
                self.begin_with_snapshot(instance, &observed, reason)
            }
            (InstanceResponse::Observed(observed), StartFrom::Replay) => {
                let cursor = following.cursor;
                if cursor > observed.seq {
                    self.read_whole(instance, ResyncReason::Ahead);
                } else if cursor == observed.seq {
                    self.start_with_missed(instance, &observed, &Missed::default());
                } else {
                    self.read_missed_rows(instance, read, cursor, observed);
                }
            }
            (InstanceResponse::Refused(refusal), _) => self.read_failed(instance, refusal),
            _ => self.read_failed(instance, Refusal::Internal),
        }
    }

    fn read_whole(&mut self, instance: InstanceKey, reason: ResyncReason) {
        let want = StartFrom::Snapshot(Some(reason));
        if let Some(following) = self.following.get_mut(&instance) {
            following.phase = SubscriptionPhase::Reading(want);
            let round = following.round;
            self.read(instance, round, want);
        }
    }

    /// An announced child may not exist yet: its first row wakes us. A child that exists but is not
    /// for this caller is dropped silently. Any other refusal ends the subscription.
    fn read_failed(&mut self, instance: InstanceKey, refusal: Refusal) {
        let Some(following) = self.following.get_mut(&instance) else {
            return;
        };
        let announced = following.acknowledgement == Acknowledgement::None && following.cursor == 0;
        let claimed = following.acknowledgement == Acknowledgement::Claimed;
        match &refusal {
            Refusal::Hidden if announced || claimed => return drop(self.unfollow(instance)),
            Refusal::Rejected(rejection)
                if claimed && rejection.kind == RejectionKind::NotFound =>
            {
                return drop(self.unfollow(instance));
            }
            Refusal::Rejected(rejection)
                if announced && rejection.kind == RejectionKind::NotFound =>
            {
                if following.last_read {
                    self.unfollow(instance);
                    let sentence = "expected the announced instance to begin, but it was not \
                        started: its parent says why";
                    let error = WireError::new(ErrorCode::NotFound, sentence);
                    return self.refuse(instance, &Acknowledgement::None, &error);
                }
                following.not_found_deadline = Some(Instant::now() + limits::ANNOUNCED_INSTANCE);
                following.phase = SubscriptionPhase::Ready(Vec::new());
                return;
            }
            _ => {}
        }
        let acknowledgement = following.acknowledgement.clone();
        self.unfollow(instance);
        self.refuse(instance, &acknowledgement, &refusal.into());
    }

    pub(super) fn refuse(
        &mut self,
        instance: InstanceKey,
        acknowledgement: &Acknowledgement,
        error: &WireError,
    ) {
        let channel = &Channel::Instance(instance);
        match acknowledgement {
            Acknowledgement::Replies(ids) => ids
                .iter()
                .for_each(|id| self.send_error(Some(id.as_str()), Some(channel), error)),
            Acknowledgement::None
            | Acknowledgement::Live
            | Acknowledgement::Shown
            | Acknowledgement::Claimed => self.send_error(None, Some(channel), error),
        }
    }

    /// Whether it follows an announced child that does not exist yet.
    pub(super) fn awaits_announced(&self) -> bool {
        let mut all = self.following.values();
        all.any(|following| following.not_found_deadline.is_some())
    }

    /// Reads announced instances again that were not found. While the message that starts one is in
    /// delivery, it may still come; after that one more read decides.
    pub(super) fn read_announced(&mut self, now: Instant) {
        let late = |following: &FollowedInstance| {
            following.cursor == 0
                && following
                    .not_found_deadline
                    .is_some_and(|until| now >= until)
        };
        let late: Vec<(InstanceKey, Option<InstanceKey>)> = self
            .following
            .iter()
            .filter(|(_, following)| late(following))
            .map(|(&key, following)| (key, following.because))
            .collect();
        for (instance, parent) in late {
            let runtime = &self.sessions.runtime;
            if parent.is_some_and(|parent| runtime.is_starting(parent, instance)) {
                if let Some(following) = self.following.get_mut(&instance) {
                    following.not_found_deadline = Some(now + limits::ANNOUNCED_INSTANCE);
                }
                continue;
            }
            let want = StartFrom::Snapshot(None);
            self.follow(instance, 0, want, true, Acknowledgement::None, parent);
            if let Some(following) = self.following.get_mut(&instance) {
                following.last_read = true;
            }
        }
    }

    fn read_missed_rows(
        &self,
        instance: InstanceKey,
        read: PendingRead,
        cursor: u64,
        observed: Arc<Observed>,
    ) {
        let (inbox, observation) = (self.inbox.clone(), observed.clone());
        let journal = &self.sessions.runtime.journal;
        missed_rows::read_then(journal, observation, cursor, move |rows| {
            inbox.put(Inbound::Missed {
                instance,
                read,
                observed,
                rows,
            });
        });
    }

    pub(super) fn missed(
        &mut self,
        instance: InstanceKey,
        read: &PendingRead,
        observed: &Observed,
        rows: Result<Option<Arc<Missed>>, StoreError>,
    ) {
        if self
            .following
            .get(&instance)
            .is_none_or(|following| following.round != read.round)
        {
            return;
        }
        match rows {
            Ok(None) => self.read_whole(instance, ResyncReason::Lag),
            Ok(Some(missed)) => self.start_with_missed(instance, observed, &missed),
            Err(error) => {
                log::error!("instance {instance}: rows for a subscription cannot be read: {error}");
                self.read_failed(instance, Refusal::Internal);
            }
        }
    }

    fn start_with_missed(&mut self, instance: InstanceKey, observed: &Observed, missed: &Missed) {
        let Some(caller) = self.caller() else { return };
        let Some(following) = self.following.get_mut(&instance) else {
            return;
        };
        let mut cursor = following.cursor;
        let mut texts = Vec::new();
        let mut announced = Vec::new();
        for frame in rendering::frames_of_missed(instance, missed)
            .iter()
            .filter(|frame| frame.seq > following.cursor)
        {
            texts.push(marked(instance, frame, cursor, false));
            cursor = frame.seq;
            announced.extend(frame.announces);
        }
        if texts.len() > limits::REPLAY_FRAMES {
            return self.read_whole(instance, ResyncReason::Lag);
        }
        if cursor < observed.seq {
            texts.extend(before_read(self.schemas.as_ref(), observed, &caller));
            let progress = rendering::observed_progress(observed, &caller, cursor);
            let announces = observed.live_children().collect();
            let mark = Mark {
                instance,
                seq: observed.seq,
                announces,
                ended: has_ended(observed),
            };
            texts.push(Out::Marked(progress.for_cursor(cursor), mark));
        }
        announced.extend(observed.live_children());
        self.finish_start(instance, observed, SubscribeMode::Replay, texts);
        self.follow_children(instance, announced, StartFrom::Replay);
    }

    fn begin_with_snapshot(
        &mut self,
        instance: InstanceKey,
        observed: &Observed,
        reason: Option<ResyncReason>,
    ) {
        let channel = Channel::Instance(instance);
        let Some(caller) = self.caller() else { return };
        let Some(snapshot) = rendering::snapshot(observed, &caller) else {
            return;
        };
        let mut texts = Vec::new();
        texts.extend(before_read(self.schemas.as_ref(), observed, &caller));
        if let Some(reason) = reason {
            texts.push(Out::Text(
                Resync {
                    channel: &channel,
                    reason,
                }
                .text(),
            ));
        }
        let announces = observed.live_children().collect();
        texts.push(Out::Marked(
            snapshot,
            Mark {
                instance,
                seq: observed.seq,
                announces,
                ended: has_ended(observed),
            },
        ));
        self.finish_start(instance, observed, SubscribeMode::Snapshot, texts);
        self.follow_children(
            instance,
            observed.live_children().collect(),
            StartFrom::Snapshot(None),
        );
    }

    /// The first frames of a subscription are known: they take their place in the outgoing order,
    /// and later frames are pulled behind them.
    fn finish_start(
        &mut self,
        instance: InstanceKey,
        observed: &Observed,
        mode: SubscribeMode,
        mut texts: Vec<Out>,
    ) {
        let Some(following) = self.following.get_mut(&instance) else {
            return;
        };
        let (channel, seq) = (&Channel::Instance(instance), observed.seq);
        match &following.acknowledgement {
            Acknowledgement::None | Acknowledgement::Shown | Acknowledgement::Claimed => {}
            Acknowledgement::Live => texts.push(Out::Text(Live { channel, seq }.text())),
            Acknowledgement::Replies(ids) => texts.extend(ids.iter().map(|id| {
                let result = SubscribeResult { channel, seq, mode };
                Out::Text(
                    Reply {
                        id: id.as_str(),
                        seq: Some(seq),
                        duplicate: false,
                        result,
                    }
                    .text(),
                )
            })),
        }
        following.cursor = seq;
        following.ended = has_ended(observed);
        following.not_found_deadline = None;
        let ready = texts.into_iter().map(|out| self.out.hold(out)).collect();
        following.phase = SubscriptionPhase::Ready(ready);
    }

    pub(super) fn follow_children(
        &mut self,
        parent: InstanceKey,
        children: Vec<InstanceKey>,
        want: StartFrom,
    ) {
        if self
            .following
            .get(&parent)
            .is_none_or(|following| !following.tree)
        {
            return;
        }
        for child in children {
            match self.following.get_mut(&child) {
                None => self.follow(child, 0, want, true, Acknowledgement::None, Some(parent)),
                Some(following) if following.acknowledgement == Acknowledgement::Claimed => {
                    following.acknowledgement = Acknowledgement::None
                }
                Some(_) => {}
            }
        }
    }

    /// The beginning of a subscription is first in the outgoing order: its frames are sent once
    /// they are ready. `false` while they are not.
    pub(super) fn begin(&mut self, instance: InstanceKey, round: u64) -> bool {
        let following = self
            .following
            .get_mut(&instance)
            .filter(|following| following.round == round);
        let Some(following) = following else {
            self.out.pop_front();
            return true;
        };
        match std::mem::replace(&mut following.phase, SubscriptionPhase::Live) {
            SubscriptionPhase::Ready(texts) => {
                self.out.pop_front();
                self.out.push_front(Out::Pull(instance));
                self.out.put_first(texts);
                true
            }
            SubscriptionPhase::Live => {
                self.out.pop_front();
                true
            }
            looking => {
                following.phase = looking;
                false
            }
        }
    }

    /// The server is stopping: whatever waits for the beginning of a subscription is dropped, so
    /// that `bye` is sent.
    pub(super) fn forget_what_has_not_begun(&mut self) {
        let waits = |out: &Out| match out {
            Out::SubscriptionStart { instance, round } => {
                let following = self
                    .following
                    .get(instance)
                    .filter(|following| following.round == *round);
                following.is_some_and(|following| {
                    matches!(following.phase, SubscriptionPhase::Reading(_))
                })
            }
            Out::Text(_) | Out::Marked(..) | Out::Schemas(_) | Out::Pull(_) => false,
        };
        self.out.truncate_from(waits);
    }
}

fn has_ended(observed: &Observed) -> bool {
    !observed.next.status.is_live()
}
