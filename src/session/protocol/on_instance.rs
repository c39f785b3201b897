//! Commands on an instance without data: they hold, end, repair or assign. Frames and REST requests
//! share the reader.
//!
//! What they do: `engine`. The frames with data are in `client`.

use super::fields::{Fields, Sentence};
use crate::{
    engine::Command,
    model::ids::{ElementKey, InstanceKey},
};

/// The types of the frames, and the last segment of the requests' paths.
pub const NAMES: [&str; 10] = [
    "hold",
    "unhold",
    "terminate",
    "dismiss",
    "retry",
    "skip",
    "move",
    "claim",
    "release",
    "assign",
];

/// A short description of the command with this name.
pub fn summary(name: &str) -> &'static str {
    match name {
        "hold" => "Lets nothing happen in an instance",
        "unhold" => "Lets a held instance go on",
        "terminate" => "Ends an instance and its children",
        "dismiss" => "Ends a subprocess, as its user",
        "retry" => "Runs what an incident left undone",
        "skip" => "Goes on without what an incident left undone",
        "move" => "Takes a token to another node of its scope, as an operator",
        "claim" => "Takes a user task",
        "release" => "Gives a user task back",
        "assign" => "Assigns a user task to a user",
        _ => "",
    }
}

/// One of these commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnInstance {
    /// Hold the instance until `unhold`.
    Hold,
    /// Continue the instance.
    Unhold,
    /// End the instance.
    Terminate,
    /// End a subprocess, as its user.
    Dismiss,
    /// Retry the failed work of an element.
    Retry(ElementKey),
    /// Continue without the failed work of an element.
    Skip(ElementKey),
    /// Move the token of an element to the node with this id.
    MoveToken(ElementKey, String),
    /// Claim a user task.
    Claim(ElementKey),
    /// Release a user task.
    Release(ElementKey),
    /// Assign a user task to this subject.
    Assign(ElementKey, String),
}

impl OnInstance {
    /// Reads the command with this name from the fields of a frame or a request's body; `None` for
    /// another name.
    pub(super) fn read(
        name: &str,
        fields: &Fields<'_>,
        instance: InstanceKey,
    ) -> Option<Result<Self, Sentence>> {
        let element = || fields.required("element", super::reading::element(fields, instance)?);
        Some(match name {
            "hold" => Ok(Self::Hold),
            "unhold" => Ok(Self::Unhold),
            "terminate" => Ok(Self::Terminate),
            "dismiss" => Ok(Self::Dismiss),
            "retry" => element().map(Self::Retry),
            "skip" => element().map(Self::Skip),
            "move" => element()
                .and_then(|element| Ok(Self::MoveToken(element, named("to", "a node", fields)?))),
            "claim" => element().map(Self::Claim),
            "release" => element().map(Self::Release),
            "assign" => element()
                .and_then(|element| Ok(Self::Assign(element, named("user", "a user", fields)?))),
            _ => return None,
        })
    }

    /// Its name, its element, and its user or node: the values that identify a repeat.
    pub fn parts(&self) -> (&'static str, ElementKey, &str) {
        match self {
            Self::Hold => ("hold", ElementKey(0), ""),
            Self::Unhold => ("unhold", ElementKey(0), ""),
            Self::Terminate => ("terminate", ElementKey(0), ""),
            Self::Dismiss => ("dismiss", ElementKey(0), ""),
            Self::Retry(element) => ("retry", *element, ""),
            Self::Skip(element) => ("skip", *element, ""),
            Self::MoveToken(element, to) => ("move", *element, to),
            Self::Claim(element) => ("claim", *element, ""),
            Self::Release(element) => ("release", *element, ""),
            Self::Assign(element, user) => ("assign", *element, user),
        }
    }
}

impl From<OnInstance> for Command {
    fn from(command: OnInstance) -> Self {
        match command {
            OnInstance::Hold => Self::Hold,
            OnInstance::Unhold => Self::Unhold,
            OnInstance::Terminate => Self::Terminate,
            OnInstance::Dismiss => Self::Dismiss,
            OnInstance::Retry(element) => Self::Retry { element },
            OnInstance::Skip(element) => Self::Skip { element },
            OnInstance::MoveToken(element, to) => Self::MoveToken { element, to },
            OnInstance::Claim(element) => Self::Claim { element },
            OnInstance::Release(element) => Self::Release { element },
            OnInstance::Assign(element, user) => Self::Assign { element, user },
        }
    }
}

/// A required field that contains a name.
fn named(field: &'static str, what: &str, fields: &Fields<'_>) -> Result<String, Sentence> {
    let name = fields.required(field, fields.name(field)?)?;
    if name.is_empty() {
        Err(format!(
            "expected '{field}' to be the name of {what}, but it is empty"
        ))
    } else {
        Ok(name)
    }
}
