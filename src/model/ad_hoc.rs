//! Ad-hoc subprocesses: what is in them has no order of its own. Users start its activities, as often
//! and in whichever order they like; as the modeller wrote them and compiled.
//!
//! Not here: how they run (`engine::elements::ad_hoc`), the rules they must keep
//! (`validate::ad_hoc`), what BPMN spells them (`bpmn_xml::ad_hoc`).

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
    /// An activity can be started only when nothing else in it is active.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sequential: bool,
    /// Condition asked when an activity in it completes: once it is true, nothing in it begins any
    /// more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_condition: Option<String>,
    /// Whether what is active in it ends when the condition is true; else it is waited for.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub cancel_remaining_instances: bool,
    /// The activities that start with it.
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

/// The activities that start with an ad-hoc subprocess.
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
    /// An activity can be started only when nothing else in it is active.
    pub sequential: bool,
    /// What the evaluator knows the completion condition by.
    pub condition: Option<String>,
    /// Whether what is active in it ends when the condition is true.
    pub cancels_remaining: bool,
    /// The activities that start with it.
    pub active: Option<Active>,
}

/// The compiled [`ActiveElements`].
#[derive(Debug)]
pub enum Active {
    /// Their ids.
    Ids(Vec<Arc<str>>),
    /// Where the list of their ids is.
    Path(DataPath),
}

impl AdHoc {
    /// Compiles what the ad-hoc subprocess `id` says.
    ///
    /// # Errors
    /// A sentence about what cannot be read; `validate` has reported it before.
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

/// What the evaluator knows the completion condition of an ad-hoc subprocess by: its own id is that
/// of a loop's condition.
pub fn condition_id(node: &str) -> String {
    format!("{node}/completion")
}

/// What an ad-hoc subprocess offers for an activity that no action of its own starts: an action with
/// the id of the activity, which takes no data.
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
