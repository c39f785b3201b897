//! Sends the commands of a connection to the runtime: each becomes one envelope, and its response
//! one frame.
//!
//! Commands of one connection to one instance are applied in order, because envelopes are sent as
//! frames arrive. Requests are built in `to_command`.

use super::{
    auth::principal::Principal,
    connection::Connection,
    inbox::{CommandKind, Inbound, PendingCommand},
    input_schemas,
    outgoing::Out,
    protocol::{
        client::{FrameId, Patch, Run, Start},
        code::ErrorCode,
        on_instance::OnInstance,
        publish::{self, Publish, PublishResult, PublishTo},
        rendering,
        server::{Reply, ServerFrame},
        to_command,
        wire_error::WireError,
    },
    subscription::state::Acknowledgement,
};
use crate::{
    engine::access::Caller,
    limits,
    model::ids::InstanceKey,
    runtime::{
        correlations::publish::PublishReply,
        instance_request::{Committed, Envelope, InstanceRequest, InstanceResponse, ReplyTo},
        task_access::TaskAccess,
    },
};

impl Connection {
    /// The caller, once `hello` was received.
    pub(super) fn caller(&self) -> Option<Caller> {
        let principal = self.principal.as_ref()?;
        Some(Caller {
            address: self.address,
            trace: self.trace.clone(),
            ..principal.caller.clone()
        })
    }

    pub(super) fn run(&mut self, run: Run) {
        let (id, instance) = (run.id.clone(), run.instance);
        self.command(id, instance, |_, caller| to_command::run(run, caller));
    }

    pub(super) fn patch(&mut self, patch: Patch) {
        let (id, instance) = (patch.id.clone(), patch.instance);
        self.command(id, instance, |_, caller| to_command::patch(&patch, caller));
    }

    pub(super) fn done(&mut self, id: FrameId, instance: InstanceKey, seq: u64) {
        self.command(id, instance, |id, caller| {
            Ok(to_command::done(id, seq, caller))
        });
    }

    pub(super) fn on_instance(&mut self, id: FrameId, instance: InstanceKey, command: OnInstance) {
        self.command(id, instance, |id, caller| {
            Ok(to_command::on_instance(id, command, caller))
        });
    }

    fn command(
        &mut self,
        id: FrameId,
        instance: InstanceKey,
        to_request: impl FnOnce(&FrameId, &Caller) -> Result<InstanceRequest, WireError>,
    ) {
        let Some(caller) = self.caller() else { return };
        match to_request(&id, &caller) {
            Ok(request) => {
                let Some(reply) = self.pending(PendingCommand {
                    id,
                    kind: CommandKind::Other,
                }) else {
                    return;
                };
                self.sessions.runtime.dispatch(
                    instance,
                    Envelope {
                        caller: Some(caller),
                        request,
                        reply,
                    },
                );
            }
            Err(error) => self.send_error(Some(id.as_str()), None, &error),
        }
    }

    pub(super) fn publish(&mut self, publish: &Publish) {
        let Some(caller) = self.caller() else { return };
        let runtime = self.sessions.runtime.clone();
        let admitted = publish::to_publish(publish, &caller, runtime.clock.now()).and_then(|to| {
            self.sessions.admit_publish(self.payer)?;
            Ok(to)
        });
        let to = match admitted {
            Ok(to) => to,
            Err(error) => return self.send_error(Some(publish.id.as_str()), None, &error),
        };
        let kind = match &to {
            PublishTo::Instance(instance, _) => CommandKind::Publish(*instance),
            PublishTo::All(_) => CommandKind::Other,
        };
        let id = publish.id.clone();
        let Some(reply) = self.pending(PendingCommand { id, kind }) else {
            return;
        };
        match to {
            PublishTo::Instance(instance, request) => runtime.dispatch(
                instance,
                Envelope {
                    caller: Some(caller),
                    request,
                    reply,
                },
            ),
            PublishTo::All(request) => {
                let bytes = publish.data.as_ref().map_or(0, |data| data.text().len());
                let reply = publishing(reply);
                runtime.publish(request, self.sessions.charging((self.payer, bytes), reply));
            }
        }
    }

    fn send_published(&mut self, id: &FrameId, duplicate: bool, result: PublishResult) {
        let reply = Reply {
            id: id.as_str(),
            seq: None,
            duplicate,
            result,
        };
        self.out.push_back(Out::Text(reply.text()));
    }

    pub(super) fn start(&mut self, start: Start) {
        let Some(principal) = &self.principal else {
            return;
        };
        let admitted = to_command::start(&start, principal).and_then(|mut request| {
            request.caller.address = self.address;
            request.caller.trace = self.trace.clone();
            self.sessions
                .admit_start(&mut request, self.payer, self.address)?;
            Ok(request)
        });
        let request = match admitted {
            Ok(request) => request,
            Err(error) => return self.send_error(Some(start.id.as_str()), None, &error),
        };
        let instance = request.key();
        let kind = CommandKind::Start {
            instance,
            follow: start.subscribe,
            anonymous: to_command::subject_of_token(&request),
        };
        let Some(reply) = self.pending(PendingCommand { id: start.id, kind }) else {
            return;
        };
        if start.subscribe {
            self.await_start(instance);
        }
        self.sessions.runtime.start_instance(request, reply);
    }

    /// Records a command as unanswered; `None` (and a `busy` frame) when there are too many.
    pub(super) fn pending(&mut self, command: PendingCommand) -> Option<ReplyTo> {
        if self.unanswered >= limits::UNANSWERED_COMMANDS.get() {
            limits::Limit::UnansweredCommands.refused();
            let sentence = format!(
                "expected at most {} unanswered commands, but this is one more: wait for answers",
                limits::UNANSWERED_COMMANDS.get()
            );
            self.send_error(
                Some(command.id.as_str()),
                None,
                &WireError::new(ErrorCode::Busy, sentence),
            );
            return None;
        }
        self.unanswered += 1;
        let inbox = self.inbox.clone();
        Some(ReplyTo::to(move |answer| {
            inbox.put(Inbound::Answered { command, answer })
        }))
    }

    pub(super) fn answered(&mut self, command: &PendingCommand, answer: InstanceResponse) {
        self.unanswered -= 1;
        let id = command.id.as_str();
        if let (
            CommandKind::Start {
                instance,
                anonymous: Some(subject),
                ..
            },
            InstanceResponse::Applied(_) | InstanceResponse::Duplicate(_),
        ) = (&command.kind, &answer)
            && let Some(principal) = &mut self.principal
        {
            // First, because the following reads use these permissions.
            principal.adopt(subject.clone(), *instance);
        }
        if let (
            CommandKind::Publish(instance),
            InstanceResponse::Applied(_) | InstanceResponse::Duplicate(_),
        ) = (&command.kind, &answer)
        {
            let duplicate = matches!(answer, InstanceResponse::Duplicate(_));
            return self.send_published(&command.id, duplicate, PublishResult::of(*instance));
        }
        if let (&CommandKind::Presence { typing }, InstanceResponse::MayWork(access)) =
            (&command.kind, &answer)
        {
            return self.opened_task(&command.id, TaskAccess::clone(access), typing);
        }
        match answer {
            InstanceResponse::Published(published) => {
                self.send_published(&command.id, false, (*published).into());
            }
            InstanceResponse::Applied(committed) => self.applied(command, &committed, false),
            InstanceResponse::Duplicate(committed) => self.applied(command, &committed, true),
            InstanceResponse::Unchanged
            | InstanceResponse::Observed(_)
            | InstanceResponse::MayUpload(_)
            | InstanceResponse::MayWork(_)
            | InstanceResponse::Migration(_)
            | InstanceResponse::File(_) => {
                self.forget_start(&command.kind);
                self.send_done(&command.id);
            }
            InstanceResponse::Refused(refusal) => {
                self.forget_start(&command.kind);
                self.send_error(Some(id), None, &refusal.into());
            }
        }
    }

    fn applied(&mut self, command: &PendingCommand, committed: &Committed, duplicate: bool) {
        let CommandKind::Start {
            instance,
            follow: true,
            ..
        } = command.kind
        else {
            return self.send_applied(command, committed, duplicate);
        };
        let follows = self.follow_started(instance, duplicate);
        self.send_applied(command, committed, duplicate);
        if !follows {
            self.refuse_for_want_of_room(instance, &Acknowledgement::Shown);
        }
    }

    fn forget_start(&mut self, kind: &CommandKind) {
        if let CommandKind::Start { instance, .. } = kind {
            self.start_refused(*instance);
        }
    }

    fn send_applied(&mut self, command: &PendingCommand, committed: &Committed, duplicate: bool) {
        let token = match &command.kind {
            CommandKind::Start {
                instance,
                anonymous: Some(subject),
                ..
            } => to_command::anonymous_token(&self.sessions.tokens, subject, *instance),
            _ => None,
        };
        let Some(Principal { caller, .. }) = &self.principal else {
            return;
        };
        self.out.extend(input_schemas::before_row(
            self.schemas.as_ref(),
            committed,
            caller,
        ));
        let reply = Reply {
            id: command.id.as_str(),
            seq: Some(committed.row.last_seq()),
            duplicate,
            result: rendering::result(committed, caller, token.as_deref()),
        };
        self.out.push_back(Out::Text(reply.text()));
    }
}

/// A reply that names the receivers of a publication.
fn publishing(reply: ReplyTo) -> PublishReply {
    Box::new(move |published| {
        reply.send(match published {
            Ok(published) => InstanceResponse::Published(Box::new(published)),
            Err(refusal) => InstanceResponse::Refused(refusal),
        });
    })
}
