//! Drafts and presence of a connection: which tasks its user has open, and what it is sent about
//! others there. When an instance is pulled, the connection receives the difference from what it
//! was sent before.
//!
//! What is stored, and for how long: `runtime::drafts`, `runtime::presence`.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use super::{
    connection::Connection,
    inbox::{CommandKind, PendingCommand},
    outgoing::Out,
    protocol::{
        channel::Channel,
        client::FrameId,
        code::ErrorCode,
        server::ServerFrame,
        task_notes::{self, DraftOf, PresenceAt, PresenceState, PresentUser},
        to_command,
        wire_error::WireError,
    },
};
use crate::{
    engine::access::Caller,
    journal::DraftRow,
    limits::{self, Limit},
    model::ids::{ElementKey, InstanceKey},
    runtime::{
        drafts::DraftRequest,
        instance_request::{Envelope, InstanceRequest},
        presence::Present,
        task_access::TaskAccess,
    },
};

/// What was sent about the tasks of an instance.
#[derive(Default)]
pub(super) struct SentNotes {
    drafts: BTreeMap<(ElementKey, String), Arc<DraftRow>>,
    present: BTreeMap<ElementKey, Vec<PresentUser>>,
}

/// The tasks that a connection has open.
pub(super) struct OpenTasks {
    connection: u64,
    /// Each with the time when its user typed last.
    tasks: BTreeMap<(InstanceKey, ElementKey), Option<Instant>>,
}

impl OpenTasks {
    /// No tasks.
    pub fn new(connection: u64) -> Self {
        Self {
            connection,
            tasks: BTreeMap::new(),
        }
    }
}

impl Connection {
    pub(super) fn draft(&mut self, draft: DraftOf) {
        let Some(caller) = self.caller() else { return };
        let text = draft.data.as_ref().map(task_notes::text_of_draft);
        let data = match text.transpose() {
            Ok(data) => data,
            Err(error) => return self.send_error(Some(draft.id.as_str()), None, &error),
        };
        let Some(reply) = self.pending(PendingCommand {
            id: draft.id,
            kind: CommandKind::Other,
        }) else {
            return;
        };
        let request = DraftRequest {
            instance: draft.instance,
            element: draft.element,
            action: draft.action,
            subject: to_command::subject(&caller),
            data,
        };
        self.sessions.runtime.draft(caller, request, reply);
    }

    pub(super) fn presence(&mut self, presence: PresenceAt) {
        let Some(caller) = self.caller() else { return };
        let PresenceAt {
            id,
            instance,
            element,
            state,
        } = presence;
        let typing = match state {
            PresenceState::Open => false,
            PresenceState::Typing => true,
            PresenceState::Closed => {
                self.close_task(instance, element);
                return self.send_done(&id);
            }
        };
        let known = self.open_tasks.tasks.contains_key(&(instance, element));
        if !known && self.open_tasks.tasks.len() >= limits::TASKS_OPEN.get() {
            Limit::TasksOpen.refused();
            let sentence = format!(
                "expected at most {} tasks that one connection has open, but this is one more: \
                close one",
                limits::TASKS_OPEN.get()
            );
            let error = WireError::new(ErrorCode::Conflict, sentence);
            return self.send_error(Some(id.as_str()), None, &error);
        }
        let kind = CommandKind::Presence { typing };
        let Some(reply) = self.pending(PendingCommand { id, kind }) else {
            return;
        };
        let request = InstanceRequest::MayWork {
            element: Some(element),
            action: None,
        };
        let envelope = Envelope {
            caller: Some(caller),
            request,
            reply,
        };
        self.sessions.runtime.dispatch(instance, envelope);
    }

    /// The user may work at the task: it is open now.
    pub(super) fn opened_task(&mut self, id: &FrameId, access: TaskAccess, typing: bool) {
        let Some(caller) = self.caller() else { return };
        let runtime = self.sessions.runtime.clone();
        let (instance, element) = (access.instance, access.element);
        let present = Present {
            connection: self.open_tasks.connection,
            user: caller.subject.as_str().into(),
            typing,
            since: runtime.clock.now(),
        };
        if !runtime.presence.put(access, present) {
            let sentence = format!(
                "expected at most {} connections that have one task open, but this is one more",
                limits::PRESENT_PER_TASK.get()
            );
            let error = WireError::new(ErrorCode::Conflict, sentence);
            return self.send_error(Some(id.as_str()), None, &error);
        }
        let typed = typing.then(Instant::now);
        self.open_tasks.tasks.insert((instance, element), typed);
        self.send_done(id);
        runtime.hub.wake(instance);
    }

    fn close_task(&mut self, instance: InstanceKey, element: ElementKey) {
        if self.open_tasks.tasks.remove(&(instance, element)).is_some() {
            let runtime = &self.sessions.runtime;
            let connection = self.open_tasks.connection;
            runtime.presence.calm(instance, element, connection, true);
            runtime.hub.wake(instance);
        }
    }

    /// The connection ends: its tasks are no longer open.
    pub(super) fn close_tasks(&mut self) {
        let open: Vec<_> = self.open_tasks.tasks.keys().copied().collect();
        for (instance, element) in open {
            self.close_task(instance, element);
        }
    }

    /// Users who have not typed for a while count as no longer typing.
    pub(super) fn calm_down(&mut self, now: Instant) {
        let runtime = &self.sessions.runtime;
        for (&(instance, element), typed) in &mut self.open_tasks.tasks {
            if typed.is_some_and(|typed| now.duration_since(typed) >= limits::TYPING) {
                *typed = None;
                let connection = self.open_tasks.connection;
                runtime.presence.calm(instance, element, connection, false);
                runtime.hub.wake(instance);
            }
        }
    }

    /// Sends what has changed of the drafts and the presence in a followed instance.
    pub(super) fn send_notes(&mut self, instance: InstanceKey, caller: &Caller) {
        let Some(following) = self.following.get_mut(&instance) else {
            return;
        };
        let runtime = &self.sessions.runtime;
        let channel = Channel::Instance(instance);
        let sent = &mut following.notes;
        let drafts = runtime.drafts.of(instance, &to_command::subject(caller));
        let place = |row: &Arc<DraftRow>| (row.key.element, row.key.action.clone());
        let drafts: BTreeMap<_, _> = drafts.into_iter().map(|row| (place(&row), row)).collect();
        let is_sent = |(place, row): &(&(ElementKey, String), &Arc<DraftRow>)| {
            sent.drafts
                .get(*place)
                .is_some_and(|old| Arc::ptr_eq(old, row))
        };
        let saved = drafts.iter().filter(|draft| !is_sent(draft));
        let mut frames: Vec<_> = saved
            .map(|(_, row)| draft_frame(&channel, row, true))
            .collect();
        let removed = sent
            .drafts
            .iter()
            .filter(|(place, _)| !drafts.contains_key(place));
        frames.extend(removed.map(|(_, row)| draft_frame(&channel, row, false)));
        sent.drafts = drafts;

        let seen = runtime.presence.seen_by(instance, caller);
        let connection = self.open_tasks.connection;
        let present: BTreeMap<_, _> = seen
            .into_iter()
            .map(|(element, present)| (element, users(&present, connection)))
            .filter(|(_, users)| !users.is_empty())
            .collect();
        let closed = sent
            .present
            .keys()
            .filter(|element| !present.contains_key(element));
        let changed = present
            .iter()
            .filter(|(element, users)| sent.present.get(element) != Some(users))
            .map(|(element, users)| (*element, users.as_slice()));
        for (element, users) in closed.map(|element| (*element, &[][..])).chain(changed) {
            let frame = task_notes::PresentAt {
                channel: &channel,
                element: element.wire(instance),
                users,
            };
            frames.push(frame.text());
        }
        sent.present = present;
        self.out.extend(frames.into_iter().map(Out::Text));
    }
}

fn draft_frame(channel: &Channel, row: &DraftRow, is_there: bool) -> bytestring::ByteString {
    let data = serde_json::from_str(&row.data).ok().filter(|_| is_there);
    let frame = task_notes::Drafted {
        channel,
        element: row.key.element.wire(row.key.instance),
        action: &row.key.action,
        data,
        saved_at: is_there.then(|| row.saved_at.to_string()),
    };
    frame.text()
}

/// One entry per user, without the receiving connection.
fn users(present: &[Present], without: u64) -> Vec<PresentUser> {
    let mut users: Vec<PresentUser> = Vec::new();
    for one in present.iter().filter(|one| one.connection != without) {
        match users.iter_mut().find(|user| *user.user == *one.user) {
            Some(user) => user.typing |= one.typing,
            None => users.push(PresentUser {
                user: one.user.to_string(),
                typing: one.typing,
                since: one.since.to_string(),
            }),
        }
    }
    users
}
