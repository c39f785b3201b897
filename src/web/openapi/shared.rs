//! Common parts of annotations: parameters, responses, the schema of a refusal.

use utoipa::{IntoParams, IntoResponses, ToSchema};
use uuid::Uuid;

use crate::session::protocol::step::StepResult;

/// The header of every request that is a command.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// The command's id, a UUID: a repeat with the same id gets the first answer with `duplicate:
    /// true`.
    // A text for generated clients: some cannot put anything else into a header.
    #[param(
        rename = "Idempotency-Key",
        required = false,
        min_length = 32,
        example = "0197a1f2-5b7e-7c33-9d5e-2f4b6a8c0d1e"
    )]
    pub idempotency_key: String,
}

/// The instance of a request.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InstancePath {
    /// The instance's key, as the answer to its start gave it.
    pub key: Uuid,
}

/// The refusals of commands on an instance.
#[derive(IntoResponses)]
pub enum CommandRefused {
    /// You may see the instance, but not do this.
    #[response(status = 403)]
    Forbidden,
    /// There is no such instance that you may see.
    #[response(status = 404)]
    NotFound,
    /// It cannot be done now: `code` and `reason` say why.
    #[response(status = 409)]
    NotNow,
    /// The data violate the action's keys (`fields` says where), or the id was used for another
    /// command.
    #[response(status = 422)]
    Invalid,
}

/// The process of a request.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProcessPath {
    /// The process's id, by its modeller.
    pub id: String,
}

/// The version of a process.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct VersionPath {
    /// The process's id, by its modeller.
    pub id: String,
    /// The version, from 1.
    #[param(minimum = 1)]
    pub version: u32,
}

/// The trial of a request.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TrialPath {
    /// Its key.
    pub trial: Uuid,
}

/// The response to a command that has changed an instance: the next step of the same commit.
#[derive(ToSchema)]
pub struct Applied<'a> {
    /// The number the instance is at.
    pub seq: u64,
    /// Whether the command had been answered before.
    pub duplicate: bool,
    /// The file that was uploaded with it.
    #[schema(nullable = false)]
    pub file: Option<FileEntry>,
    /// The state of the instance.
    #[serde(flatten)]
    pub step: StepResult<'a>,
}

/// The response to a command; if nothing had to be done, it only says that.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Answered<'a> {
    /// It has changed the instance.
    Applied(Box<Applied<'a>>),
    /// Nothing had to be done.
    Unchanged(Unchanged),
}

/// The response to a command for which nothing had to be done.
#[derive(ToSchema)]
#[schema(max_properties = 1)]
pub struct Unchanged {
    /// Always false.
    pub duplicate: bool,
}

/// A file of an instance.
#[derive(ToSchema)]
pub struct FileEntry {
    /// Its id, as in its path.
    pub id: Uuid,
    /// The name that its user gave it.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its media type.
    pub r#type: String,
    /// The hash of its bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
}

/// The states of a version of a definition.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub enum VersionState {
    /// Deployed, but not published.
    Draft,
    /// New instances run it.
    Published,
    /// Published, but starts nothing new at present.
    Disabled,
    /// Taken back, or replaced by a newer published version.
    Deprecated,
    /// A draft that was replaced by another.
    Replaced,
}
