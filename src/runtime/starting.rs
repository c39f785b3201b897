//! How a client's start becomes an envelope: the definition is resolved, the key derived, data
//! inherited if asked for.
//!
//! The key is known before anything is sent, so a session can follow the instance from its first
//! record. Starts by the engine itself come through the `outbox` instead.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::{
    Runtime,
    ask::{Answer, Ask, Envelope, Observed, Refusal, Reply, Start},
    definitions::DeployedProcess,
    keys,
    trees::{Tree, TreePlace, ended_at_or_above},
};
use crate::{
    engine::{
        Record, Rejection, Row,
        access::Caller,
        command::{Link, StartInstance},
        record::{CommandTag, Created, ParentLink, Push},
        rejection::RejectionKind,
    },
    journal::{Entity, codec},
    limits,
    model::{
        action::MessageType, copying::CopyList, ids::InstanceKey, merging::deep_merge,
        start_message::StartMessage,
    },
};

/// A client's wish to start an instance.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// Process id; with `inherit.seq` the Action message names it instead.
    pub process: Option<String>,
    /// Start data.
    pub data: Value,
    /// The client's name for the matter.
    pub business_key: Option<String>,
    /// Names the start event among several.
    pub start_condition: Option<String>,
    /// The instance to inherit from.
    pub inherit: Option<Inherit>,
    /// Whether to start the draft, as a test; designers and admins may.
    pub test: bool,
    /// Who starts.
    pub caller: Caller,
    /// Whether the caller has shown no token: only processes with anonymous start then.
    pub anonymous: bool,
    /// The command's id; the caller draws one when the client gave none.
    pub command: Uuid,
    /// Hash of the command's canonical body.
    pub hash: u64,
}

/// What a start inherits from.
#[derive(Clone, Debug)]
pub struct Inherit {
    /// The instance.
    pub instance: InstanceKey,
    /// The Action message whose process, condition and copy lists are used; without it those of the
    /// request (operators only).
    pub seq: Option<u64>,
    /// What of the instance's data is copied, when there is no message to tell.
    pub copy: CopyList,
}

/// Roles that may start a draft.
const TESTERS: [&str; 2] = ["designer", "admin"];

/// Why a start cannot be sent; the caller answers with it.
pub type StartError = Rejection;

impl StartRequest {
    /// The key the instance will have.
    pub fn key(&self) -> InstanceKey {
        match &self.inherit {
            Some(Inherit {
                instance,
                seq: Some(seq),
                ..
            }) => keys::of_offer(*instance, *seq),
            _ => keys::of_start(&self.caller.tenant, &self.caller.subject, self.command),
        }
    }

    fn tag(&self) -> CommandTag {
        CommandTag {
            id: self.command,
            subject: self.caller.subject.clone(),
            hash: self.hash,
        }
    }
}

impl Runtime {
    /// Starts an instance, or finds the one this command has started before. The answer comes
    /// through `reply`.
    pub fn start_instance(self: &Arc<Self>, request: StartRequest, reply: Reply) {
        let reply = self.until_answered(reply);
        match request.inherit.clone() {
            None => {
                let key = request.key();
                let process = request.process.clone().unwrap_or_default();
                let head = self.head(&request, key, None, request.data.clone());
                let start_condition = request.start_condition.clone();
                let command = StartInstance {
                    head,
                    start_condition,
                    schedule: None,
                    link: None,
                };
                self.send_start(request, &process, command, None, reply);
            }
            Some(inherit) => self.start_inheriting(request, inherit, reply),
        }
    }

    fn send_start(
        self: &Arc<Self>,
        request: StartRequest,
        process: &str,
        mut command: StartInstance,
        place: Option<TreePlace>,
        reply: Reply,
    ) {
        let deployed = match self.startable(&request, process) {
            Ok(deployed) => deployed,
            Err(rejection) => return reply.refuse(rejection.into()),
        };
        // A child of somebody's own instance needs no anonymous start: the right to the instance is
        // the right to it.
        if request.anonymous
            && !deployed.executable.definition.anonymous_start
            && request.inherit.is_none()
        {
            let sentence = format!(
                "expected a token, or a process with anonymous start, but '{process}' has none"
            );
            return reply.refuse(Rejection::new(RejectionKind::Unauthenticated, sentence).into());
        }
        command.head.process = deployed.reference();
        let key = command.head.key;
        let ask = Ask::Start(Box::new(Start {
            command,
            process: deployed,
            tag: Some(request.tag()),
            place,
        }));
        self.dispatch(
            key,
            Envelope {
                caller: Some(request.caller),
                ask,
                reply,
            },
        );
    }

    /// The version a start runs: the published one, or the draft for a test.
    fn startable(
        &self,
        request: &StartRequest,
        process: &str,
    ) -> Result<Arc<DeployedProcess>, Rejection> {
        let tenant = &request.caller.tenant;
        if !request.test {
            return self
                .definitions
                .published(tenant, process)
                .ok_or_else(|| self.not_startable(tenant, process));
        }
        if !request.caller.has_any(&TESTERS.map(str::to_owned)) {
            let sentence = "expected role designer or admin for a test start, but this user has \
                neither: leave out 'test'";
            return Err(Rejection::new(RejectionKind::Forbidden, sentence));
        }
        self.definitions.draft(tenant, process).ok_or_else(|| {
            let sentence = format!(
                "expected a process with a draft to test, but '{process}' has none: \
                    deploy one without publishing"
            );
            Rejection::new(RejectionKind::NotFound, sentence)
        })
    }

    fn not_startable(&self, tenant: &str, process: &str) -> Rejection {
        if self.definitions.is_disabled(tenant, process) {
            let sentence = format!(
                "expected a process that may start, but '{process}' is disabled: POST \
                /v1/definitions/{process}/enable lets it"
            );
            return Rejection::new(RejectionKind::Conflict, sentence);
        }
        let sentence = if self.definitions.knows(tenant, process) {
            format!(
                "expected a process with a published version, but no version of '{process}' is \
                published: publish one"
            )
        } else {
            format!(
                "expected the id of a deployed process, but there is no '{process}': see GET \
                /v1/definitions"
            )
        };
        Rejection::new(RejectionKind::NotFound, sentence)
    }

    fn head(
        &self,
        request: &StartRequest,
        key: InstanceKey,
        parent: Option<(&Observed, u64)>,
        data: Value,
    ) -> Created {
        let subject = &request.caller.subject;
        Created {
            key,
            tenant: request.caller.tenant.clone(),
            process: crate::engine::record::ProcessRef {
                id: String::new(),
                version: 0,
                revision: String::new(),
            },
            business_key: request.business_key.clone(),
            parent: parent.map(|(parent, seq)| ParentLink {
                instance: parent.head().key,
                seq,
                wants_result: false,
            }),
            root: parent.map_or(key, |(parent, _)| parent.head().root),
            level: parent.map_or(1, |(parent, _)| parent.head().level.saturating_add(1)),
            started_by: subject.clone(),
            root_started_by: parent.map_or_else(
                || subject.clone(),
                |(parent, _)| parent.head().root_started_by.clone(),
            ),
            data,
            expires_at: None,
            test: request.test,
            scheduled_for: None,
        }
    }

    /// Looks at the parent first, through its gate, with the caller's eyes; then goes on off its
    /// thread.
    fn start_inheriting(self: &Arc<Self>, request: StartRequest, inherit: Inherit, reply: Reply) {
        if inherit.seq.is_none() && !request.caller.operator {
            let sentence = "expected inheritFrom with the seq of an Action message, but there is \
                none; without it role operator is needed";
            return reply.refuse(Rejection::new(RejectionKind::Forbidden, sentence).into());
        }
        let (runtime, caller) = (self.clone(), request.caller.clone());
        let parent = inherit.instance;
        let looked = Reply::to(move |answer| match answer {
            Answer::Observed(observed) => runtime.start_from(request, inherit, observed, reply),
            Answer::Refused(refusal) => reply.refuse(refusal),
            _ => reply.refuse(Refusal::Internal),
        });
        self.dispatch(
            parent,
            Envelope {
                caller: Some(caller),
                ask: Ask::Observe,
                reply: looked,
            },
        );
    }

    fn start_from(
        self: &Arc<Self>,
        request: StartRequest,
        inherit: Inherit,
        parent: Arc<Observed>,
        reply: Reply,
    ) {
        let Some(seq) = inherit.seq else {
            let process = request.process.clone().unwrap_or_default();
            let condition = request.start_condition.clone();
            return self.send_child(
                request,
                &parent,
                (parent.seq, None),
                &process,
                condition,
                &inherit.copy,
                reply,
            );
        };
        let runtime = self.clone();
        self.journal.read_then(
            move |reader| {
                let rows = reader.rows(Entity::from(inherit.instance), seq.saturating_sub(1), 1)?;
                let row: Option<Row> = rows
                    .first()
                    .map(|stored| codec::decode(&stored.row.body))
                    .transpose()?;
                Ok(row.and_then(|row| {
                    row.numbered()
                        .find(|&(number, _)| number == seq)
                        .map(|(_, record)| record.clone())
                }))
            },
            move |record| match record {
                Ok(Some(Record::Pushed(push))) => {
                    runtime.start_from_offer(request, &parent, seq, &push, reply)
                }
                Ok(_) => reply.refuse(no_offer(seq).into()),
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

    /// Process, start condition and copy lists are taken as recorded in the message; what the
    /// client says of them is ignored.
    fn start_from_offer(
        self: &Arc<Self>,
        request: StartRequest,
        parent: &Observed,
        seq: u64,
        push: &Push,
        reply: Reply,
    ) {
        if push.kind != MessageType::Action {
            return reply.refuse(no_offer(seq).into());
        }
        if let Ok(Some(_)) = StartMessage::read_for_server(&push.body) {
            let sentence = format!(
                "expected an Action message that a client answers, but the server has started \
                the process of {seq} itself; follow its processInstanceKey"
            );
            return reply.refuse(Rejection::new(RejectionKind::Conflict, sentence).into());
        }
        match StartMessage::read(&push.body) {
            Ok(None) => reply.refuse(no_offer(seq).into()),
            // A repeat reaches the instance the message has led to, whatever has become of the
            // message since.
            Ok(Some(_)) if !is_child(parent, &request) && !is_open(parent, seq) => {
                let sentence = format!(
                    "expected an Action message that is open, but {seq} is not any more: a \
                    client was done with it, its time is over, its instance was ended, or a step \
                    back has undone it"
                );
                reply.refuse(Rejection::new(RejectionKind::Conflict, sentence).into());
            }
            Ok(Some(StartMessage {
                process,
                start_condition,
                copy,
            })) => {
                self.send_child(
                    request,
                    parent,
                    (seq, Some(seq)),
                    &process,
                    start_condition,
                    &copy,
                    reply,
                );
            }
            Err(sentence) => {
                reply.refuse(Rejection::new(RejectionKind::BadRequest, sentence).into())
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call site shape for both kinds of inheriting start"
    )]
    fn send_child(
        self: &Arc<Self>,
        request: StartRequest,
        parent: &Observed,
        (link_seq, offer): (u64, Option<u64>),
        process: &str,
        start_condition: Option<String>,
        copy: &CopyList,
        reply: Reply,
    ) {
        let mut data = parent
            .whole
            .as_ref()
            .map_or(Value::Null, |whole| copy.apply(&whole.data));
        deep_merge(&mut data, &request.data);
        let head = self.head(&request, request.key(), Some((parent, link_seq)), data);
        let command = StartInstance {
            head,
            start_condition,
            schedule: None,
            link: Some(Link { offer }),
        };
        let (runtime, process) = (self.clone(), process.to_owned());
        let is_known = is_child(parent, &request);
        let has_room = is_known || parent.children.len() < limits::CHILDREN;
        let (parent, root, level) = (parent.head().key, parent.head().root, parent.head().level);
        self.journal.read_then(
            move |reader| {
                let tree = runtime.trees.read(reader, root)?;
                let ends = tree.ends();
                Ok((
                    TreePlace {
                        tree,
                        ends,
                        counted: false,
                    },
                    runtime,
                    ended_at_or_above(reader, parent)?,
                ))
            },
            move |read| {
                let (place, runtime, ended) = match read {
                    Ok(read) => read,
                    Err(error) => {
                        log::error!("the tree of instance {parent} cannot be read: {error}");
                        return reply.refuse(Refusal::Internal);
                    }
                };
                let refusal = if is_known {
                    None
                } else {
                    no_place(&place.tree, level, has_room, ended)
                };
                if let Some(sentence) = refusal {
                    return reply.refuse(Rejection::new(RejectionKind::Conflict, sentence).into());
                }
                runtime.send_start(request, &process, command, Some(place), reply);
            },
        );
    }
}

/// Whether the instance that is asked for is there already.
fn is_child(parent: &Observed, request: &StartRequest) -> bool {
    parent
        .children
        .iter()
        .any(|child| child.start.child == request.key())
}

fn is_open(parent: &Observed, seq: u64) -> bool {
    parent
        .whole
        .as_ref()
        .is_some_and(|whole| whole.open.contains_key(&seq))
}

/// Why nothing may start below an instance, if so.
fn no_place(
    tree: &Tree,
    level: u32,
    has_room: bool,
    ended: Option<(InstanceKey, String)>,
) -> Option<String> {
    if let Some((instance, status)) = ended {
        return Some(format!(
            "expected an instance that subprocesses may be started from, but {instance} is \
            {status}, and nothing starts below it any more: start the process by itself"
        ));
    }
    let (what, most) = if !has_room {
        (
            "subprocesses of one instance, ended ones included",
            limits::CHILDREN,
        )
    } else if level as usize >= limits::TREE_LEVELS {
        (
            "levels of subprocesses below one another",
            limits::TREE_LEVELS,
        )
    } else if tree.room() == 0 {
        ("live instances of one tree", limits::TREE_INSTANCES)
    } else {
        return None;
    };
    Some(format!(
        "expected at most {most} {what}, but this is one more: start it by itself"
    ))
}

fn no_offer(seq: u64) -> Rejection {
    let sentence =
        format!("expected the seq of an Action message that starts a process, but {seq} is none");
    Rejection::new(RejectionKind::BadRequest, sentence)
}
