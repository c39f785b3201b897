//! Translates a client's commands into requests to the runtime: frames and REST requests result in
//! the same ones.
//!
//! Not here: where responses go (`commands` for connections, `web::rest` for requests).

use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    super::auth::{
        principal::Principal,
        token::{Identity, Tokens},
    },
    client::{FrameId, Migrate, Patch, Payload, Run, Start},
    code::ErrorCode,
    on_instance::OnInstance,
    wire_error::WireError,
};
use crate::{
    engine::{
        Command,
        access::Caller,
        command::RunAction,
        record::{CommandTag, StoredFile},
    },
    limits,
    model::{copying::CopyList, ids::InstanceKey},
    runtime::{
        Inherit, StartRequest, Stranger,
        clock::real_now,
        definitions::DeployedProcess,
        instance_request::{InstanceRequest, MigrationRequest},
        keys::body_hash,
    },
};

/// The subject of command ids that are sent with the token of an instance tree.
const BEARER_OF_TREE: &str = "bearer of the tree";

/// Runs a manual action.
///
/// # Errors
/// `bad_request` when the data are no JSON object.
pub fn run(run: Run, caller: &Caller) -> Result<InstanceRequest, WireError> {
    let data = object(run.data.as_ref())?;
    let element = run.element.map_or(0, |element| element.0);
    let hash = body_hash(&[
        b"run",
        run.action.as_bytes(),
        &element.to_be_bytes(),
        &canonical(&data),
    ]);
    let command = RunAction {
        action: run.action,
        element: run.element,
        data,
        file: None,
    };
    Ok(apply(
        &run.id,
        Command::Run(command),
        run.if_seq,
        hash,
        caller,
    ))
}

/// The request whether a file may be uploaded for a run, before its bytes are read.
pub fn may_upload(run: &Run, caller: &Caller) -> InstanceRequest {
    let command = run.id.uuid().map(|id| (id, subject(caller)));
    let action = run.action.clone();
    let without_data = RunAction {
        action,
        element: run.element,
        data: Value::Null,
        file: None,
    };
    InstanceRequest::MayUpload {
        run: Box::new(without_data),
        command,
        if_seq: run.if_seq,
    }
}

/// Runs a manual action with a file. The same id, data and file are the same command, whatever id
/// the file has.
///
/// # Errors
/// As [`run`].
pub fn upload(run: Run, file: StoredFile, caller: &Caller) -> Result<InstanceRequest, WireError> {
    let data = object(run.data.as_ref())?;
    let element = run.element.map_or(0, |element| element.0);
    let (name, media_type, sha256) = (
        file.name.as_bytes(),
        file.media_type.as_bytes(),
        file.sha256.as_bytes(),
    );
    let parts = [
        b"upload",
        run.action.as_bytes(),
        &element.to_be_bytes(),
        &canonical(&data),
        name,
        media_type,
        sha256,
    ];
    let hash = body_hash(&parts);
    let command = RunAction {
        action: run.action,
        element: run.element,
        data,
        file: Some(file),
    };
    Ok(apply(
        &run.id,
        Command::Run(command),
        run.if_seq,
        hash,
        caller,
    ))
}

/// Corrects the data of an instance.
///
/// # Errors
/// `bad_request` when the data are no JSON object.
pub fn patch(patch: &Patch, caller: &Caller) -> Result<InstanceRequest, WireError> {
    let data = object(Some(&patch.data))?;
    let scope = patch.scope;
    let target = scope.map_or(0, |scope| scope.0).to_be_bytes();
    let hash = body_hash(&[b"patch", &target, &canonical(&data)]);
    Ok(apply(
        &patch.id,
        Command::Patch { scope, data },
        patch.if_seq,
        hash,
        caller,
    ))
}

/// Migrates an instance to another version, which has been compiled.
pub fn migrate(
    Migrate {
        id,
        version,
        mapping,
        if_seq,
    }: Migrate,
    target: Arc<DeployedProcess>,
    caller: &Caller,
) -> InstanceRequest {
    let pairs = serde_json::to_vec(&mapping).unwrap_or_default();
    let hash = body_hash(&[b"migrate", &version.to_be_bytes(), &pairs]);
    InstanceRequest::Migrate {
        migration: Box::new(MigrationRequest { target, mapping }),
        tag: tag(&id, hash, caller),
        if_seq,
    }
}

/// Closes an open Action message.
pub fn done(id: &FrameId, seq: u64, caller: &Caller) -> InstanceRequest {
    apply(
        id,
        Command::CloseOffer { seq },
        None,
        body_hash(&[b"done", &seq.to_be_bytes()]),
        caller,
    )
}

/// A command on an instance without data.
pub fn on_instance(id: &FrameId, command: OnInstance, caller: &Caller) -> InstanceRequest {
    let (name, element, user) = command.parts();
    let hash = body_hash(&[name.as_bytes(), &element.0.to_be_bytes(), user.as_bytes()]);
    apply(id, command.into(), None, hash, caller)
}

fn apply(
    id: &FrameId,
    command: Command,
    if_seq: Option<u64>,
    hash: u64,
    caller: &Caller,
) -> InstanceRequest {
    InstanceRequest::Apply {
        command: Box::new(command),
        tag: tag(id, hash, caller),
        if_seq,
    }
}

fn tag(id: &FrameId, hash: u64, caller: &Caller) -> Option<CommandTag> {
    id.uuid().map(|id| CommandTag {
        id,
        subject: subject(caller),
        hash,
    })
}

/// The subject whose command ids these are. All holders of a tree's token are the same client for
/// the tree, also when a client has several trees and reconnects with the token of one.
pub fn subject(caller: &Caller) -> String {
    if caller.trees.is_some() {
        BEARER_OF_TREE
    } else {
        &caller.subject
    }
    .to_owned()
}

/// Starts an instance.
///
/// # Errors
/// `bad_request` when the data are no JSON object, or a path to copy is invalid.
pub fn start(start: &Start, principal: &Principal) -> Result<StartRequest, WireError> {
    let data = object(start.data.as_ref())?;
    let mut caller = principal.caller.clone();
    let nonce = start
        .nonce
        .as_ref()
        .filter(|_| principal.is_anonymous() && start.inherit_from.is_none());
    if nonce.is_some_and(String::is_empty) {
        let sentence = "expected 'nonce' to be a secret of the client, but it is empty: send a random \
            text, or leave it out";
        return Err(WireError::new(ErrorCode::BadRequest, sentence));
    }
    if let Some(nonce) = nonce {
        caller.subject = subject_of_nonce(nonce).subject;
    }
    let inherit = match &start.inherit_from {
        None => None,
        Some(from) => {
            let copy = CopyList::parse(from.params_to_copy.as_deref(), &from.without_params)
                .map_err(|sentence| WireError::new(ErrorCode::BadRequest, sentence))?;
            Some(Inherit {
                instance: from.instance,
                seq: from.seq,
                copy,
            })
        }
    };
    let mut request = StartRequest {
        process: start.process.clone(),
        business_key: start.business_key.clone(),
        start_condition: start.start_condition.clone(),
        test: start.test,
        anonymous: principal.is_anonymous(),
        stranger: Stranger::default(),
        caller,
        command: start.id.uuid().unwrap_or_else(Uuid::now_v7),
        hash: start_hash(start, inherit.as_ref(), &data),
        inherit,
        data,
    };
    if subject_of_token(&request).is_some() {
        // The key follows from the secret subject, so a client that knows it may see what it
        // started, also on another connection.
        request.caller.trees = Some(principal.trees_and(request.key()));
    }
    Ok(request)
}

fn start_hash(start: &Start, inherit: Option<&Inherit>, data: &Value) -> u64 {
    fn bytes(text: &Option<String>) -> &[u8] {
        text.as_deref().unwrap_or_default().as_bytes()
    }
    let inherited = inherit
        .map(|inherit| format!("{}/{:?}", inherit.instance, inherit.seq))
        .unwrap_or_default();
    body_hash(&[
        b"start",
        bytes(&start.process),
        bytes(&start.business_key),
        bytes(&start.start_condition),
        inherited.as_bytes(),
        &[u8::from(start.test)],
        &canonical(data),
    ])
}

/// The subject of the token in the answer to this start. A child belongs to a tree for which the
/// client already has a token; a root of an anonymous client needs one.
pub fn subject_of_token(request: &StartRequest) -> Option<String> {
    (request.anonymous && request.inherit.is_none()).then(|| request.caller.subject.clone())
}

/// The token of an anonymous start, valid for the tree of `root`. `None` if it could not be made;
/// the log says why.
pub fn anonymous_token(tokens: &Tokens, subject: &str, root: InstanceKey) -> Option<String> {
    let identity = Identity {
        subject: subject.to_owned(),
        instance: Some(root),
        ..Identity::anonymous(Uuid::nil())
    };
    tokens
        .mint(&identity, real_now(), limits::ANONYMOUS_TOKEN)
        .inspect_err(|error| log::error!("a token for an anonymous start cannot be made: {error}"))
        .ok()
}

pub(super) fn object(payload: Option<&Payload>) -> Result<Value, WireError> {
    match payload {
        None => Ok(Value::Object(serde_json::Map::new())),
        Some(payload) => payload
            .parse()
            .map(Value::Object)
            .map_err(|sentence| WireError::new(ErrorCode::BadRequest, sentence)),
    }
}

/// The canonical text of a payload: members in order, no blanks.
pub(super) fn canonical(data: &Value) -> Vec<u8> {
    serde_json::to_vec(data).unwrap_or_default()
}

/// The subject of an anonymous client: the same for everybody who sends the same secret nonce.
fn subject_of_nonce(nonce: &str) -> Identity {
    let hash = Sha256::digest(nonce.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    Identity::anonymous(Uuid::from_bytes(half))
}
