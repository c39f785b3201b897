//! Turns a client's start into an envelope: resolves the definition, derives the key, inherits data
//! if requested.
//!
//! The key is known before anything is sent, so a session can follow the instance from its first
//! record. Starts with data of another instance: `inheriting`. Starts by the engine itself come
//! through the `outbox` instead.

pub mod conditions;
mod inheriting;

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::{
    Runtime,
    definitions::DeployedProcess,
    instance_request::{Envelope, InstanceRequest, Observed, ReplyTo, ResolvedStart},
    keys,
};
use crate::{
    engine::{
        Rejection,
        access::Caller,
        command::StartInstance,
        record::{CommandTag, Created},
        rejection::RejectionKind,
    },
    model::{copying::CopyList, ids::InstanceKey},
};

/// A client's request to start an instance.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// Process id; with `inherit.seq` the Action message names it instead.
    pub process: Option<String>,
    /// Start data.
    pub data: Value,
    /// The client's own name for the instance.
    pub business_key: Option<String>,
    /// Selects the start event, if there are several.
    pub start_condition: Option<String>,
    /// The instance to inherit from.
    pub inherit: Option<Inherit>,
    /// Whether to start the draft, as a test; designers and admins may.
    pub test: bool,
    /// The user who starts it.
    pub caller: Caller,
    /// Whether the caller has sent no token: then only processes with anonymous start may be
    /// started.
    pub anonymous: bool,
    /// The conditions for such a caller.
    pub stranger: Stranger,
    /// The command's id; the caller generates one when the client sent none.
    pub command: Uuid,
    /// Hash of the command's canonical body.
    pub hash: u64,
}

pub use strangers::Stranger;

mod strangers;

/// The source of inherited data.
#[derive(Clone, Debug)]
pub struct Inherit {
    /// The instance.
    pub instance: InstanceKey,
    /// The Action message whose process, condition and copy lists are used; without it those of the
    /// request are used (operators only).
    pub seq: Option<u64>,
    /// The data to copy, when no message defines it.
    pub copy: CopyList,
}

/// Roles that may start a draft.
const TESTERS: [&str; 2] = ["designer", "admin"];

/// Why a start cannot be sent: the rejection to answer.
pub type StartError = Rejection;

impl StartRequest {
    /// The key that the instance will have.
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
    /// Starts an instance, or finds the one that this command has started before. The response is
    /// sent through `reply`.
    pub fn start_instance(self: &Arc<Self>, mut request: StartRequest, reply: ReplyTo) {
        let reply = self.until_answered(reply);
        match request.inherit.clone() {
            None => {
                let key = request.key();
                let process = request.process.clone().unwrap_or_default();
                let data = std::mem::take(&mut request.data);
                let head = self.head(&request, key, None, data);
                let start_condition = request.start_condition.clone();
                let command = StartInstance {
                    trace: None,
                    head,
                    start_condition,
                    start_event: None,
                };
                self.send_start(request, &process, command, reply);
            }
            Some(inherit) => self.start_inheriting(request, inherit, reply),
        }
    }

    fn send_start(
        self: &Arc<Self>,
        request: StartRequest,
        process: &str,
        mut command: StartInstance,
        reply: ReplyTo,
    ) {
        let deployed = match self.startable(&request, process) {
            Ok(deployed) => deployed,
            Err(rejection) => return reply.refuse(rejection.into()),
        };
        if request.anonymous && !deployed.executable.definition.anonymous_start {
            let sentence = format!(
                "expected a token, or a process with anonymous start, but '{process}' has none"
            );
            return reply.refuse(Rejection::new(RejectionKind::Unauthenticated, sentence).into());
        }
        command.head.process = deployed.reference();
        let key = command.head.key;
        let instance_request = InstanceRequest::Start(Box::new(ResolvedStart {
            command,
            process: deployed,
            tag: Some(request.tag()),
            place: None,
        }));
        let stranger = request.stranger;
        let envelope = Envelope {
            caller: Some(request.caller),
            request: instance_request,
            reply,
        };
        self.dispatch_start(key, envelope, stranger);
    }

    /// The version to start: the published one, or the draft for a test.
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
                "expected a process that may start, but '{process}' is disabled: enable it with \
                POST /v1/definitions/{process}/enable"
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
            parent: parent.map(|(parent, seq)| parent.head().link(seq, false, false)),
            started_by: subject.clone(),
            data,
            expires_at: request.stranger.expires_at(self.clock.now()),
            origin: request.stranger.origin,
            test: request.test,
            scheduled_for: None,
            correlation: None,
        }
    }
}
