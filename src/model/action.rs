//! An action as the modeller wrote it: work that a node does automatically, or that a user may do
//! there.
//!
//! Not here: when an action runs and its effects (`engine::actions`); the compiled form
//! (`executable`).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{ad_hoc::START_ACTIVITY, http_request::HttpRequestParams};
use crate::limits::UPLOAD_DEFAULT_BYTES;

/// The order of each action of a node: as written, otherwise one more than that of the preceding
/// sibling, from 0.
pub fn orders(actions: &[Action]) -> Vec<i64> {
    let mut next: HashMap<Option<&str>, i64> = HashMap::new();
    let mut orders = Vec::with_capacity(actions.len());
    for action in actions {
        let next = next.entry(action.parent.as_deref()).or_default();
        let order = action.order.unwrap_or(*next);
        *next = order.saturating_add(1);
        orders.push(order);
    }
    orders
}

/// One action of a node. Field meanings follow the action editor of the process model
/// (docs/process-model.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// Unique in the node; the name by which a client runs it. Letters, digits, `_ - .`.
    pub name: String,
    /// Running order of automatic actions, display order of manual ones; compared among siblings
    /// only. `None`: after the preceding sibling, see [`orders`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
    /// Its type, with the parameters of that type.
    #[serde(flatten)]
    pub work: ActionType,
    /// ISO 8601 duration between triggering and work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<String>,
    /// Whether the engine or a user triggers it.
    #[serde(default)]
    pub trigger: Trigger,
    /// Whether the node waits for it.
    #[serde(default)]
    pub required: Required,
    /// Whether it may run more than once in a visit.
    #[serde(default)]
    pub repeatable: bool,
    /// Whether its mandatory automatic children run when it has ended.
    #[serde(default)]
    pub autorun_children: bool,
    /// Name of the parent action in the same node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Whether it may be run after the token has left; this moves the token back.
    #[serde(default)]
    pub allow_back: bool,
    /// Whether going back restores the data from before its first run.
    #[serde(default)]
    pub restart_from_snapshot: bool,
    /// Paths whose present values are kept by such a restore.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restart_keys: Vec<String>,
    /// Whether a delayed automatic action holds the token until it has run.
    #[serde(default = "yes")]
    pub holds_token: bool,
    /// The data paths that a client may send.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
    /// Whether a payload path that no key covers refuses the run instead of being ignored.
    #[serde(default)]
    pub strict_keys: bool,
}

/// The manual action that approves. A user task with this and the next one is an approval.
pub const APPROVE: &str = "approve";
/// The manual action that rejects.
pub const REJECT: &str = "reject";
/// The member of their payloads that is stored with the decision.
pub const COMMENT: &str = "comment";

/// An action's type with its parameters; in JSON the members `type` and `params` of the action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    content = "params",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum ActionType {
    /// Pushes a Data or Action message to the clients of this or the parent instance.
    WebsocketSend {
        /// Data or Action.
        #[serde(default)]
        message_type: MessageType,
        /// JSON template.
        message: String,
        /// The instance whose clients receive it.
        #[serde(default)]
        target: Target,
    },
    /// Merges the data at its keys. Has no parameters.
    SaveData,
    /// Merges a rendered message into the parent's data.
    AppendToParent {
        /// JSON template.
        message: String,
        /// Path in the parent's data.
        destination: String,
    },
    /// Runs a script over the data; its output is merged.
    BusinessRule {
        /// Statements.
        script: String,
        /// Their language: JavaScript, by any of its names.
        #[serde(default = "javascript")]
        language: String,
    },
    /// Accepts a file of a user; a reference to it is merged.
    UploadFile {
        /// Path in the data for the reference.
        destination: String,
        /// The largest file, in bytes.
        #[serde(default = "upload_default_bytes")]
        max_bytes: i64,
        /// Media types such as `application/pdf` or `image/*`; absent = any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        types: Option<Vec<String>>,
    },
    /// Calls another system over HTTP; its response may be merged.
    HttpRequest(Box<HttpRequestParams>),
    /// Starts a child instance.
    StartSubprocess {
        /// Process id.
        process: String,
        /// Paths to copy: absent = everything, empty = nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        params_to_copy: Option<Vec<String>>,
        /// Paths removed from the copied data.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        without_params: Vec<String>,
        /// Whether the action ends without waiting for the child.
        #[serde(default = "yes", rename = "async")]
        asynchronous: bool,
        /// Path for the result of a synchronous child.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_key: Option<String>,
        /// Template over the child's data that makes the result.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// Starts an activity of the ad-hoc subprocess that has this action.
    StartActivity {
        /// Id of the activity.
        activity: String,
    },
}

impl ActionType {
    /// The name used in BPMN files, frames and problems.
    pub fn name(&self) -> &'static str {
        match self {
            Self::WebsocketSend { .. } => "websocketSend",
            Self::SaveData => "saveData",
            Self::AppendToParent { .. } => "appendToParent",
            Self::BusinessRule { .. } => "businessRule",
            Self::UploadFile { .. } => "uploadFile",
            Self::HttpRequest(_) => "httpRequest",
            Self::StartSubprocess { .. } => "startSubprocess",
            Self::StartActivity { .. } => START_ACTIVITY,
        }
    }
}

/// The language of a rule without one.
pub fn javascript() -> String {
    "javascript".to_owned()
}

/// The largest file of an `uploadFile` action without `maxBytes`.
pub fn upload_default_bytes() -> i64 {
    UPLOAD_DEFAULT_BYTES as i64
}

/// Who triggers an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trigger {
    /// The engine, on entering the node or after its parent action.
    #[default]
    Automatic,
    /// A user.
    Manual,
}

/// Whether a node waits for an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Required {
    /// The token waits until it has run.
    #[default]
    Mandatory,
    /// The token does not wait for it.
    Optional,
}

/// The kind of message that a websocketSend sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MessageType {
    /// A Data message: a JSON object merged into the clients' view.
    #[default]
    Default,
    /// An Action message: asks the frontend to do something.
    Action,
}

/// The instance whose clients a websocketSend reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// This instance's.
    #[default]
    Active,
    /// The parent instance.
    Parent,
}

/// A path prefix a client may send data under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Key {
    /// Dotted path of object members.
    pub path: String,
    /// Must be present and not null.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// JSON Schema its value must satisfy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<serde_json::Value>,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(written: Value, full: Value) {
        let action: Action = serde_json::from_value(written).expect("the test's action is valid");
        assert_eq!(
            serde_json::to_value(&action).expect("actions are JSON"),
            full
        );
        assert_eq!(
            serde_json::from_value::<Action>(full).expect("the written form is read back"),
            action
        );
    }

    #[test]
    fn type_and_params_are_members_beside_the_others() {
        let full = |kind: &str, params: Option<Value>| {
            let mut full = json!({"name": "a", "type": kind, "trigger": "automatic", "required": "mandatory",
                "repeatable": false, "autorunChildren": false, "allowBack": false, "restartFromSnapshot": false,
                "holdsToken": true, "strictKeys": false});
            if let Some(params) = params {
                full["params"] = params;
            }
            full
        };
        check(
            json!({"name": "a", "type": "saveData"}),
            full("saveData", None),
        );
        check(
            json!({"name": "a", "params": {"message": "{}"}, "type": "websocketSend"}),
            full(
                "websocketSend",
                Some(json!({"messageType": "default", "message": "{}", "target": "active"})),
            ),
        );
    }

    #[test]
    fn unknown_members_are_refused() {
        for action in [
            json!({"name": "a", "type": "saveData", "odd": 1}),
            json!({"name": "a", "type": "businessRule", "params": {"script": "", "odd": 1}}),
            json!({"name": "a", "type": "saveData", "params": {"odd": 1}}),
            json!({"name": "a", "type": "websocketSend", "params": {"message": "{}", "odd": 1}}),
            json!({"name": "a", "type": "odd"}),
            json!({"name": "a"}),
        ] {
            assert!(
                serde_json::from_value::<Action>(action.clone()).is_err(),
                "{action}"
            );
        }
    }
}
