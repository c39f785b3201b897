//! A client's start with data of another instance: from an Action message of it, or by an operator.
//!
//! The other instance becomes the parent, and decides: of a client that dismisses the message and
//! those that start from it exactly one wins. The parent's row contains the start as an outbox
//! message, so once decided it takes place, whatever happens to the client and the server.

use std::sync::Arc;

use serde_json::Value;

use super::{Inherit, StartRequest};
use crate::{
    engine::{
        Record, RecordBatch, Rejection,
        access::Caller,
        command::StartInstance,
        open_messages::nothing_starts_below,
        record::{Created, Push},
        rejection::RejectionKind,
    },
    journal::{Entity, StoreError, StoreReader, codec},
    model::{
        action::MessageType, copying::CopyList, deep_merge::deep_merge, ids::InstanceKey,
        start_message::StartMessage,
    },
    runtime::{
        Runtime,
        instance_request::{
            Envelope, InstanceRequest, InstanceResponse, Observed, Refusal, ReplyTo, ResolvedStart,
        },
        trees::{TreePlace, ended_at_or_above},
    },
};

/// The subprocess to start, by an Action message or an operator.
struct SubprocessToStart {
    process: String,
    start_condition: Option<String>,
    copy: CopyList,
    /// The Action message, if it is one.
    offer: Option<u64>,
}

impl Runtime {
    /// Reads the parent first, through its commit gate and with the caller's permissions, then
    /// continues on its thread.
    pub(super) fn start_inheriting(
        self: &Arc<Self>,
        request: StartRequest,
        inherit: Inherit,
        reply: ReplyTo,
    ) {
        if inherit.seq.is_none() && !request.caller.operator {
            let sentence = "expected inheritFrom with the seq of an Action message, but there is \
                none; without it role operator is needed";
            return reply.refuse(Rejection::new(RejectionKind::Forbidden, sentence).into());
        }
        let (runtime, caller) = (self.clone(), request.caller.clone());
        let parent = inherit.instance;
        let on_read = ReplyTo::to(move |answer| match answer {
            InstanceResponse::Observed(observed) => {
                runtime.start_from(request, inherit, observed, reply)
            }
            InstanceResponse::Refused(refusal) => reply.refuse(refusal),
            _ => reply.refuse(Refusal::Internal),
        });
        self.dispatch(
            parent,
            Envelope {
                caller: Some(caller),
                request: InstanceRequest::Observe,
                reply: on_read,
            },
        );
    }

    fn start_from(
        self: &Arc<Self>,
        request: StartRequest,
        inherit: Inherit,
        parent: Arc<Observed>,
        reply: ReplyTo,
    ) {
        let Some(seq) = inherit.seq else {
            let wanted = SubprocessToStart {
                process: request.process.clone().unwrap_or_default(),
                start_condition: request.start_condition.clone(),
                copy: inherit.copy,
                offer: None,
            };
            return self.send_child(request, &parent, wanted, reply);
        };
        let runtime = self.clone();
        self.journal.read_then(
            move |reader| record(reader, inherit.instance, seq),
            move |record| match record {
                Ok(record) => {
                    let wanted = if let Some(Record::Pushed(push)) = record {
                        wanted(seq, &push)
                    } else {
                        Err(no_offer(seq))
                    };
                    match wanted {
                        Ok(wanted) => runtime.send_child(request, &parent, wanted, reply),
                        Err(rejection) => reply.refuse(rejection.into()),
                    }
                }
                Err(error) => {
                    log::error!(
                        "instance {}: message {seq} cannot be read: {error}",
                        inherit.instance
                    );
                    reply.refuse(Refusal::Internal);
                }
            },
        );
    }

    fn send_child(
        self: &Arc<Self>,
        request: StartRequest,
        parent: &Observed,
        wanted: SubprocessToStart,
        reply: ReplyTo,
    ) {
        let child = match self.child(&request, parent, &wanted) {
            Ok(child) => child,
            Err(rejection) => return reply.refuse(rejection.into()),
        };
        let key = child.command.head.key;
        // A repeat reaches the instance that was started from the message, whatever has happened to
        // the message since.
        let is_known = parent.children.iter().any(|known| known.start.child == key);
        let (runtime, parent, root) = (self.clone(), parent.head().key, parent.head().root());
        self.journal.read_then(
            move |reader| {
                let tree = runtime.trees.read(reader, root)?;
                let ends = tree.ends();
                let place = TreePlace {
                    tree,
                    ends,
                    counted: false,
                };
                let is_there = is_known && reader.instance(key)?.is_some();
                let ended = if is_there {
                    None
                } else {
                    ended_at_or_above(reader, parent)?
                };
                Ok((place, runtime, ended))
            },
            move |read| {
                let (place, runtime, ended) = match read {
                    Ok(read) => read,
                    Err(error) => {
                        log::error!("the tree of instance {parent} cannot be read: {error}");
                        return reply.refuse(Refusal::Internal);
                    }
                };
                if let Some((instance, status)) = ended {
                    let sentence = nothing_starts_below(&instance.to_string(), &status);
                    return reply.refuse(Rejection::new(RejectionKind::Conflict, sentence).into());
                }
                let start = Box::new(ResolvedStart {
                    place: Some(place),
                    ..child
                });
                if is_known {
                    runtime.start_child(request.caller, start, reply);
                } else {
                    runtime.ask_parent(parent, request.caller, (start, wanted.offer), reply);
                }
            },
        );
    }

    /// The start from a message of an observed instance, for tests.
    #[cfg(test)]
    pub fn inheriting_start(
        &self,
        request: &StartRequest,
        parent: &Observed,
        offer: u64,
    ) -> ResolvedStart {
        let body = &parent.whole.as_ref().unwrap().open[&offer].body;
        let wanted = wanted_by(offer, body).unwrap();
        self.child(request, parent, &wanted).unwrap()
    }

    /// The start without its place in the tree. A child of the caller's own instance needs no
    /// anonymous start: who may use the instance may start its children.
    fn child(
        &self,
        request: &StartRequest,
        parent: &Observed,
        wanted: &SubprocessToStart,
    ) -> Result<ResolvedStart, Rejection> {
        let process = self.startable(request, &wanted.process)?;
        let whole = parent.whole.as_ref();
        let mut data = whole.map_or(Value::Null, |whole| wanted.copy.apply(&*whole.data));
        deep_merge(&mut data, &request.data);
        let seq = wanted.offer.unwrap_or(parent.seq);
        let head = Created {
            process: process.reference(),
            ..self.head(request, request.key(), Some((parent, seq)), data)
        };
        Ok(ResolvedStart {
            command: StartInstance {
                trace: None,
                head,
                start_condition: wanted.start_condition.clone(),
                start_event: None,
            },
            process,
            tag: Some(request.tag()),
            place: None,
        })
    }

    /// Has the parent decide. The start takes place at once; if that fails, the outbox message of
    /// the parent's row causes it.
    fn ask_parent(
        self: &Arc<Self>,
        parent: InstanceKey,
        caller: Caller,
        (start, offer): (Box<ResolvedStart>, Option<u64>),
        reply: ReplyTo,
    ) {
        let (runtime, asker, child) = (self.clone(), caller.clone(), start.clone());
        let decided = ReplyTo::to(move |answer| match answer {
            InstanceResponse::Refused(refusal) => reply.refuse(refusal),
            _ => runtime.start_child(asker, child, reply),
        });
        self.dispatch(
            parent,
            Envelope {
                caller: Some(caller),
                request: InstanceRequest::StartChild { start, offer },
                reply: decided,
            },
        );
    }

    fn start_child(self: &Arc<Self>, caller: Caller, start: Box<ResolvedStart>, reply: ReplyTo) {
        self.dispatch(
            start.command.head.key,
            Envelope {
                caller: Some(caller),
                request: InstanceRequest::Start(start),
                reply,
            },
        );
    }
}

/// A record of an instance by its number.
fn record(
    reader: &dyn StoreReader,
    instance: InstanceKey,
    seq: u64,
) -> Result<Option<Record>, StoreError> {
    let rows = reader.rows(Entity::from(instance), seq.saturating_sub(1), 1)?;
    let row: Option<RecordBatch> = rows
        .first()
        .map(|stored| codec::decode(&stored.row.body))
        .transpose()?;
    Ok(row.and_then(|row| {
        row.numbered()
            .find(|&(number, _)| number == seq)
            .map(|(_, record)| record.clone())
    }))
}

/// Process, start condition and copy lists as recorded in the message; those of the client's
/// request are ignored.
fn wanted(seq: u64, push: &Push) -> Result<SubprocessToStart, Rejection> {
    if push.kind != MessageType::Action {
        return Err(no_offer(seq));
    }
    wanted_by(seq, &push.body)
}

fn wanted_by(seq: u64, message: &Value) -> Result<SubprocessToStart, Rejection> {
    if let Ok(Some(_)) = StartMessage::read_for_server(message) {
        let sentence = format!(
            "expected an Action message that a client answers, but the server has started the \
            process of {seq} itself; follow its processInstanceKey"
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    }
    match StartMessage::read(message) {
        Ok(None) => Err(no_offer(seq)),
        Ok(Some(StartMessage {
            process,
            start_condition,
            copy,
        })) => Ok(SubprocessToStart {
            process,
            start_condition,
            copy,
            offer: Some(seq),
        }),
        Err(sentence) => Err(Rejection::new(RejectionKind::BadRequest, sentence)),
    }
}

fn no_offer(seq: u64) -> Rejection {
    let sentence = format!(
        "expected the seq of an Action message that starts a process, but {seq} is not one"
    );
    Rejection::new(RejectionKind::BadRequest, sentence)
}
