//! The commands a connection sends on: each becomes one envelope; its answer becomes one frame.
//!
//! Commands of one connection to one instance are applied in order: envelopes are sent as frames come in.

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    answers::WireError,
    connection::{Connection, Out},
    frames::{
        client::{FrameId, Payload, Run, Start},
        code::ErrorCode,
        server::{Reply, ServerFrame},
        step::NoResult,
    },
    inbox::{CommandKind, Inbound, PendingCommand},
    rendering,
    token::Identity,
};
use crate::{
    engine::{Command, command::RunAction, record::CommandTag},
    limits,
    model::{
        copying::CopyList,
        ids::{ElementKey, InstanceKey},
    },
    runtime::{
        Inherit, StartRequest,
        ask::{Answer, Ask, Committed, Envelope, Reply as Answering},
        clock::real_now,
        keys::body_hash,
    },
};

impl Connection {
    pub(super) fn run(&mut self, run: Run) {
        let data = match object(run.data.as_ref()) {
            Ok(data) => data,
            Err(error) => return self.tell_error(Some(run.id.as_str()), None, &error),
        };
        let Some(who) = &self.who else { return };
        let by = who.caller.subject.clone();
        let element = run.element.map_or(0, |element| element.0);
        let hash = body_hash(&[b"run", run.action.as_bytes(), &element.to_be_bytes(), &canonical(&data)]);
        let command = Command::Run(RunAction { action: run.action, element: run.element, data, by });
        self.command(run.id, run.instance, command, run.if_seq, hash);
    }

    pub(super) fn done(&mut self, id: FrameId, instance: InstanceKey, seq: u64) {
        let hash = body_hash(&[b"done", &seq.to_be_bytes()]);
        self.command(id, instance, Command::CloseOffer { seq }, None, hash);
    }

    pub(super) fn retry(&mut self, id: FrameId, instance: InstanceKey, element: ElementKey) {
        let hash = body_hash(&[b"retry", &element.0.to_be_bytes()]);
        self.command(id, instance, Command::Retry { element }, None, hash);
    }

    pub(super) fn terminate(&mut self, id: FrameId, instance: InstanceKey) {
        self.command(id, instance, Command::Terminate, None, body_hash(&[b"terminate"]));
    }

    fn command(&mut self, id: FrameId, instance: InstanceKey, command: Command, if_seq: Option<u64>, hash: u64) {
        let Some(caller) = self.who.as_ref().map(|who| who.caller.clone()) else { return };
        let tag = id.uuid().map(|id| CommandTag { id, subject: caller.subject.clone(), hash });
        let Some(reply) = self.pending(PendingCommand { id, kind: CommandKind::Other }) else { return };
        let ask = Ask::Apply { command: Box::new(command), tag, if_seq };
        self.sessions.runtime.dispatch(instance, Envelope { caller: Some(caller), ask, reply });
    }

    pub(super) fn start(&mut self, start: Start) {
        let request = match self.start_request(&start) {
            Ok(request) => request,
            Err(error) => return self.tell_error(Some(start.id.as_str()), None, &error),
        };
        let instance = request.key();
        // A child belongs to the tree the client holds a token for already; a root of its own needs one.
        let anonymous = (request.anonymous && request.inherit.is_none()).then(|| request.caller.subject.clone());
        let follow = start.subscribe && self.follow_from_birth(instance);
        let kind = CommandKind::Start { instance, follow, anonymous };
        if let Some(reply) = self.pending(PendingCommand { id: start.id, kind }) {
            self.sessions.runtime.start_instance(request, reply);
        } else if follow {
            self.unfollow(instance);
        }
    }

    fn start_request(&self, start: &Start) -> Result<StartRequest, WireError> {
        let data = object(start.data.as_ref())?;
        let Some(who) = &self.who else { return Err(WireError::new(ErrorCode::Unauthenticated, "expected hello first")) };
        let mut caller = who.caller.clone();
        if who.identity.is_none()
            && caller.trees.as_deref().is_none_or(<[InstanceKey]>::is_empty)
            && let Some(nonce) = &start.nonce
        {
            caller.subject = subject_of_nonce(nonce).subject;
        }
        let inherit = match &start.inherit_from {
            None => None,
            Some(from) => {
                let copy = CopyList::parse(from.params_to_copy.as_deref(), &from.without_params)
                    .map_err(|sentence| WireError::new(ErrorCode::BadRequest, sentence))?;
                Some(Inherit { instance: from.instance, seq: from.seq, copy })
            }
        };
        let inherited = inherit.as_ref().map(|inherit| format!("{}/{:?}", inherit.instance, inherit.seq)).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let hash = body_hash(&[
            b"start",
            text(&start.process).as_bytes(),
            text(&start.business_key).as_bytes(),
            text(&start.start_condition).as_bytes(),
            inherited.as_bytes(),
            &canonical(&data),
        ]);
        Ok(StartRequest {
            process: start.process.clone(),
            data,
            business_key: start.business_key.clone(),
            start_condition: start.start_condition.clone(),
            inherit,
            anonymous: who.is_anonymous(),
            caller,
            command: start.id.uuid().unwrap_or_else(Uuid::now_v7),
            hash,
        })
    }

    /// Notes a command as unanswered; `None` (and a `busy` frame) when too many are.
    fn pending(&mut self, command: PendingCommand) -> Option<Answering> {
        if self.unanswered >= limits::UNANSWERED_COMMANDS {
            let sentence = format!(
                "expected at most {} unanswered commands, but this is one more: wait for answers",
                limits::UNANSWERED_COMMANDS
            );
            self.tell_error(Some(command.id.as_str()), None, &WireError::new(ErrorCode::Busy, sentence));
            return None;
        }
        self.unanswered += 1;
        let inbox = self.inbox.clone();
        Some(Answering::to(move |answer| inbox.put(Inbound::Answered { command, answer })))
    }

    pub(super) fn answered(&mut self, command: &PendingCommand, answer: Answer) {
        self.unanswered -= 1;
        let id = command.id.as_str();
        match answer {
            Answer::Applied(committed) => self.tell_applied(command, &committed, false),
            Answer::Duplicate(committed) => {
                if let CommandKind::Start { instance, follow: true, .. } = &command.kind {
                    self.follow_again_from_birth(*instance);
                }
                self.tell_applied(command, &committed, true);
            }
            Answer::Unchanged | Answer::Observed(_) => self.tell_done(&command.id),
            Answer::Refused(refusal) => {
                if let CommandKind::Start { instance, follow: true, .. } = &command.kind {
                    self.unfollow(*instance);
                }
                self.tell_error(Some(id), None, &refusal.into());
            }
        }
    }

    fn tell_applied(&mut self, command: &PendingCommand, committed: &Committed, duplicate: bool) {
        let token = match &command.kind {
            CommandKind::Start { instance, anonymous: Some(subject), .. } => self.token_for(subject, *instance),
            _ => None,
        };
        let seq = committed.row.last_seq();
        let envelope = Reply { id: command.id.as_str(), seq: Some(seq), duplicate, result: NoResult {} }.text();
        // The result is shared between repliers of a row, so it is put in place of the empty one.
        let head = envelope.strip_suffix("{}}").unwrap_or(&envelope);
        let text = format!("{head}{}}}", rendering::result(committed, token.as_deref()));
        self.out.push_back(Out::Text(text.into()));
    }

    /// The token of an anonymous start. This connection may act on the instance from now on, too.
    fn token_for(&mut self, subject: &str, root: InstanceKey) -> Option<String> {
        let identity = Identity { subject: subject.to_owned(), instance: Some(root), ..Identity::anonymous(Uuid::nil()) };
        match self.sessions.tokens.mint(&identity, real_now(), limits::ANONYMOUS_TOKEN) {
            Ok(token) => {
                if let Some(who) = &mut self.who {
                    who.adopt(subject.to_owned(), root);
                }
                Some(token)
            }
            Err(error) => {
                log::error!("a token for an anonymous start cannot be made: {error}");
                None
            }
        }
    }
}

fn object(payload: Option<&Payload>) -> Result<Value, WireError> {
    match payload {
        None => Ok(Value::Object(serde_json::Map::new())),
        Some(payload) => payload.parse().map(Value::Object).map_err(|sentence| WireError::new(ErrorCode::BadRequest, sentence)),
    }
}

/// The canonical text of a payload: members in order, no blanks.
fn canonical(data: &Value) -> Vec<u8> {
    serde_json::to_vec(data).unwrap_or_default()
}

/// The subject of an anonymous client: whoever shows the same secret nonce is the same.
fn subject_of_nonce(nonce: &str) -> Identity {
    let hash = Sha256::digest(nonce.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    Identity::anonymous(Uuid::from_bytes(half))
}
