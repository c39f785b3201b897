//! What the annotations of several handlers share: parameters, answers, the schema of a refusal.

use utoipa::{IntoParams, IntoResponses};
use uuid::Uuid;

/// The header of every request that is a command.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// The command's id: a repeat with the same id gets the first answer with `duplicate: true`.
    #[param(rename = "Idempotency-Key", required = false)]
    pub idempotency_key: Uuid,
}

/// Where an instance is.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InstancePath {
    /// The instance's key, as the answer to its start told it.
    pub key: Uuid,
}

/// The refusals of commands on an instance.
#[derive(IntoResponses)]
pub enum CommandRefused {
    /// You may see the instance, but not do this.
    #[response(status = 403)]
    Forbidden,
    /// There is no such instance, or none you may see.
    #[response(status = 404)]
    NotFound,
    /// It cannot be done now: `code` and `reason` say why.
    #[response(status = 409)]
    NotNow,
    /// The data break the action's keys (`fields` says where), or the id was used for another command.
    #[response(status = 422)]
    Invalid,
}
