//! Ad-hoc subprocesses: their contents have no order of their own. Users start the activities, as
//! often and in whichever order they like. As the modeller wrote them, and compiled.
//!
//! Not here: how they run (`engine::elements::ad_hoc`), their rules (`validate::ad_hoc`), their
//! notation in BPMN (`bpmn_xml::ad_hoc`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    action::{Required, Trigger},
    definition::FlowNode,
    executable::{ActionWork, ExecutableAction},
    keys::Keys,
    path::DataPath,
};

/// How an ad-hoc subprocess runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdHoc {
    /// Whether an activity can be started only while nothing else in it is active.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sequential: bool,
    /// Condition evaluated when an activity in it completes: once it is true, nothing more begins
    /// in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_condition: Option<String>,
    /// Whether active elements are ended when the condition is true; otherwise it waits for them.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub cancel_remaining_instances: bool,
    /// The activities that start together with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_elements: Option<ActiveElements>,
}

impl Default for AdHoc {
    fn default() -> Self {
        Self {
            sequential: false,
            completion_condition: None,
            cancel_remaining_instances: true,
            active_elements: None,
        }
    }
}

/// The activities that start together with an ad-hoc subprocess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ActiveElements {
    /// Their ids.
    Ids(Vec<String>),
    /// Path of a list of their ids, read on entering.
    Path(String),
}

/// A compiled [`AdHoc`].
#[derive(Debug)]
pub struct ExecutableAdHoc {
    /// Whether an activity can be started only while nothing else in it is active.
    pub sequential: bool,
    /// The id of the completion condition for the evaluator.
    pub condition: Option<String>,
    /// Whether active elements are ended when the condition is true.
    pub cancels_remaining: bool,
    /// The activities that start together with it.
    pub active: Option<Active>,
}

/// The compiled [`ActiveElements`].
#[derive(Debug)]
pub enum Active {
    /// Their ids.
    Ids(Vec<Arc<str>>),
    /// The path of the list of their ids.
    Path(DataPath),
}

impl AdHoc {
    /// Compiles the settings of the ad-hoc subprocess `id`.
    ///
    /// # Errors
    /// The mistake, as a sentence; `validate` has reported it before.
    pub fn compile(&self, id: &str) -> Result<ExecutableAdHoc, String> {
        let active = match &self.active_elements {
            None => None,
            Some(ActiveElements::Ids(ids)) => {
                let ids = ids.iter().map(|id| id.as_str().into());
                Some(Active::Ids(ids.collect()))
            }
            Some(ActiveElements::Path(path)) => Some(Active::Path(DataPath::parse(path)?)),
        };
        let condition = self.completion_condition.as_ref();
        Ok(ExecutableAdHoc {
            sequential: self.sequential,
            condition: condition.map(|_| condition_id(id)),
            cancels_remaining: self.cancel_remaining_instances,
            active,
        })
    }
}

/// The id of an ad-hoc subprocess's completion condition for the evaluator; the node's own id is
/// used for the condition of a loop.
pub fn condition_id(node: &str) -> String {
    format!("{node}/completion")
}

/// The action that an ad-hoc subprocess offers for an activity which none of its own actions
/// starts: it has the id of the activity, and takes no data.
pub fn start_action(activity: &FlowNode, order: i64) -> ExecutableAction {
    let id: Arc<str> = activity.id.as_str().into();
    ExecutableAction {
        name: id.clone(),
        order,
        type_name: START_ACTIVITY,
        work: ActionWork::StartActivity { activity: id },
        timer: None,
        trigger: Trigger::Manual,
        required: Required::Optional,
        repeatable: true,
        autorun_children: false,
        parent: None,
        allow_back: false,
        restart_from_snapshot: false,
        restart_keys: Vec::new(),
        holds_token: true,
        keys: Keys::default(),
        children: Vec::new(),
    }
}

/// The type of actions that start an activity.
pub const START_ACTIVITY: &str = "startActivity";

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}
