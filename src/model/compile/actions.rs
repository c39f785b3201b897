//! Compiles the actions of a node: their order, their parents, their templates and keys.
//!
//! Not here: nodes and flows (`compile`).

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    duration,
    model::{
        action::{Action, ActionType, Required, Trigger, orders},
        ad_hoc::start_action,
        called_process::CalledProcess,
        copying::CopyList,
        definition::FlowNode,
        executable::{ActionWork, ExecutableAction, Subprocess},
        keys::Keys,
        path::DataPath,
        template::Template,
        upload::UploadRules,
    },
};

/// The actions of a node with their order, by their parent; under `None` the top-level ones.
struct Siblings<'a>(HashMap<Option<&'a str>, Vec<(i64, &'a Action)>>);

impl<'a> Siblings<'a> {
    fn of(actions: &'a [Action]) -> Self {
        let mut siblings: HashMap<_, Vec<_>> = HashMap::new();
        for (order, action) in orders(actions).into_iter().zip(actions) {
            let parent = action.parent.as_deref();
            siblings.entry(parent).or_default().push((order, action));
        }
        Self(siblings)
    }

    /// Compiles the children of `parent`, or the top-level actions, by their order.
    fn compile(&mut self, parent: Option<&'a str>) -> Result<Vec<ExecutableAction>, String> {
        let mut siblings = self.0.remove(&parent).unwrap_or_default();
        siblings.sort_by_key(|(order, _)| *order);
        siblings
            .into_iter()
            .map(|(order, action)| compile_action(order, action, self))
            .collect()
    }
}

/// Compiles the actions of a node by their order.
pub(super) fn compile_actions(actions: &[Action]) -> Result<Vec<ExecutableAction>, String> {
    Siblings::of(actions).compile(None)
}

fn compile_action<'a>(
    order: i64,
    action: &'a Action,
    all: &mut Siblings<'a>,
) -> Result<ExecutableAction, String> {
    // Children have none themselves: `validate` allows one level.
    let children = if action.parent.is_none() {
        all.compile(Some(&action.name))?
    } else {
        Vec::new()
    };
    let mut restart_keys: Vec<DataPath> = action
        .restart_keys
        .iter()
        .map(|path| DataPath::parse_members(path))
        .collect::<Result<_, _>>()?;
    restart_keys.sort_by_key(|path| Reverse(path.segments().len()));
    Ok(ExecutableAction {
        name: action.name.as_str().into(),
        order,
        type_name: action.work.name(),
        work: compile_work(&action.work)?,
        timer: action.timer.as_deref().map(duration::parse).transpose()?,
        trigger: action.trigger,
        required: action.required,
        repeatable: action.repeatable,
        autorun_children: action.autorun_children,
        parent: action.parent.as_deref().map(Arc::from),
        allow_back: action.allow_back,
        restart_from_snapshot: action.restart_from_snapshot,
        restart_keys,
        holds_token: action.holds_token,
        keys: Keys::compile(&action.keys, action.strict_keys)?,
        children,
    })
}

/// The actions of an ad-hoc subprocess: its own, followed by one for each of its activities that
/// none of its own actions starts.
pub(super) fn compile_ad_hoc_actions(
    actions: &[Action],
    activities: &[&FlowNode],
) -> Result<Vec<ExecutableAction>, String> {
    let mut compiled = compile_actions(actions)?;
    let started: HashSet<&str> = actions
        .iter()
        .filter_map(|action| match &action.work {
            ActionType::StartActivity { activity } => Some(activity.as_str()),
            _ => None,
        })
        .collect();
    let last = compiled.iter().map(|action| action.order).max();
    let others = activities
        .iter()
        .filter(|activity| !started.contains(activity.id.as_str()));
    let orders = last.unwrap_or(0).saturating_add(1)..;
    compiled.extend(
        orders
            .zip(others)
            .map(|(order, activity)| start_action(activity, order)),
    );
    Ok(compiled)
}

/// The action of a user task, or of a receive task without a message, that has none: it accepts all
/// data, then lets the token continue.
pub(super) fn complete_action() -> ExecutableAction {
    ExecutableAction {
        name: "complete".into(),
        order: 0,
        type_name: "complete",
        work: ActionWork::SaveData,
        timer: None,
        trigger: Trigger::Manual,
        required: Required::Mandatory,
        repeatable: false,
        autorun_children: false,
        parent: None,
        allow_back: false,
        restart_from_snapshot: false,
        restart_keys: Vec::new(),
        holds_token: true,
        keys: Keys::everything(),
        children: Vec::new(),
    }
}

fn compile_work(work: &ActionType) -> Result<ActionWork, String> {
    Ok(match work {
        ActionType::WebsocketSend {
            message_type,
            message,
            target,
        } => ActionWork::WebsocketSend {
            message: compile_template(message)?,
            message_type: *message_type,
            target: *target,
        },
        ActionType::SaveData => ActionWork::SaveData,
        ActionType::AppendToParent {
            message,
            destination,
        } => ActionWork::AppendToParent {
            message: compile_template(message)?,
            destination: DataPath::parse_members(destination)?,
        },
        ActionType::BusinessRule { .. } => ActionWork::BusinessRule,
        ActionType::UploadFile {
            destination,
            max_bytes,
            types,
        } => ActionWork::UploadFile {
            destination: DataPath::parse_members(destination)?,
            rules: UploadRules::compile(*max_bytes, types.as_deref())?,
        },
        ActionType::HttpRequest(params) => {
            let sentences = |mistakes: Vec<(_, String)>| {
                mistakes
                    .into_iter()
                    .map(|(_, sentence)| sentence)
                    .collect::<Vec<_>>()
            };
            ActionWork::HttpRequest(Box::new(
                params
                    .compile()
                    .map_err(|mistakes| sentences(mistakes).join("; "))?,
            ))
        }
        ActionType::StartSubprocess {
            process,
            params_to_copy,
            without_params,
            asynchronous,
            output_key,
            output,
        } => ActionWork::StartSubprocess {
            subprocess: Subprocess {
                process: CalledProcess::compile(process)?,
                copy: CopyList::parse(params_to_copy.as_deref(), without_params)?,
                business_key: None,
                output_key: output_key
                    .as_deref()
                    .map(DataPath::parse_members)
                    .transpose()?,
                output: output.as_deref().map(compile_template).transpose()?,
                takes_all: false,
            },
            asynchronous: *asynchronous,
        },
        ActionType::StartActivity { activity } => ActionWork::StartActivity {
            activity: activity.as_str().into(),
        },
    })
}

pub(super) fn compile_template(text: &str) -> Result<Template, String> {
    Template::compile(text).map_err(|error| error.to_string())
}
