//! The work of each action type. Everything that can fail is computed before the first record of
//! the work.

use serde_json::Value;

use crate::{
    engine::{
        context::Step,
        http_call::{CallKey, request},
        instance_message::InstanceMessage,
        quotas,
        record::Push,
        subprocess::start,
    },
    model::{
        action::{MessageType, Target},
        evaluator::{BpmnError, RuleError},
        executable::{ActionWork, ExecutableAction},
        ids::ElementKey,
        path::DataPath,
        start_message::StartMessage,
        template::Template,
    },
};

/// The progress of an action's work.
pub(super) enum Worked {
    /// It is done.
    Done,
    /// It waits for the end of a synchronous child, or for the response of an HTTP call.
    Awaits,
}

/// The reason why an action's work is not done.
pub(super) enum Failure {
    /// It failed: the code and sentence of an incident.
    Incident(&'static str, String),
    /// It throws an error, which an event may catch.
    Thrown(BpmnError),
}

impl Failure {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::Incident(code, message.into())
    }
}

/// Does an action's work. `start` records the start of the action, for work that takes longer than
/// this step.
pub(super) fn perform(
    step: &mut Step<'_>,
    key: ElementKey,
    action: &ExecutableAction,
    occurrence: u32,
    start: &dyn Fn(&mut Step<'_>),
) -> Result<Worked, Failure> {
    match &action.work {
        // The reference to a file is merged together with the payload (`upload`).
        ActionWork::SaveData | ActionWork::UploadFile { .. } => Ok(Worked::Done),
        ActionWork::WebsocketSend {
            message,
            message_type,
            target,
        } => send(
            step,
            key,
            (action, occurrence),
            message,
            *message_type,
            *target,
        )
        .map(|()| Worked::Done),
        ActionWork::AppendToParent {
            message,
            destination,
        } => append(step, key, message, destination).map(|()| Worked::Done),
        ActionWork::BusinessRule => apply_rule(step, key, action).map(|()| Worked::Done),
        ActionWork::StartActivity { activity } => {
            step.activate(activity, Some(key), Vec::new());
            Ok(Worked::Done)
        }
        ActionWork::HttpRequest(template) => {
            let call = CallKey {
                element: key,
                action: action.name.clone(),
                occurrence,
            };
            let placed = request::place(step, call, template, start);
            placed
                .map(|()| Worked::Awaits)
                .map_err(|(code, sentence)| Failure::new(code, sentence))
        }
        ActionWork::StartSubprocess {
            subprocess,
            asynchronous,
        } => {
            quotas::for_children(step, 1)
                .map_err(|sentence| Failure::new(quotas::CHILDREN, sentence))?;
            let awaits = !asynchronous;
            if awaits {
                start(step);
            }
            let starter = Some((action.name.clone(), occurrence));
            start::start_child(step, subprocess, key, starter, awaits);
            Ok(match awaits {
                true => Worked::Awaits,
                false => Worked::Done,
            })
        }
    }
}

fn send(
    step: &mut Step<'_>,
    key: ElementKey,
    (action, occurrence): (&ExecutableAction, u32),
    message: &Template,
    kind: MessageType,
    target: Target,
) -> Result<(), Failure> {
    let body = render(step, key, message)?;
    if kind == MessageType::Default && !body.is_object() {
        return Err(Failure::new(
            "template_error",
            "expected a JSON object as Data message, but the template gave another value",
        ));
    }
    if kind == MessageType::Action {
        let start = StartMessage::read_for_server(&body)
            .map_err(|error| Failure::new("invalid_start_message", error))?;
        if target == Target::Active {
            start::room_for(step, start.is_some())
                .map_err(|(code, sentence)| Failure::new(code, sentence))?;
        }
    }
    let node = step
        .node_of(key)
        .map(|node| node.id.to_string())
        .unwrap_or_default();
    let name = action.name.to_string();
    match target {
        Target::Active => {
            let push = Push {
                kind,
                node,
                action: name,
                element: Some(key),
                origin: None,
                body,
                open_until: None,
            };
            start::push(step, push, Some((action.name.clone(), occurrence)));
        }
        Target::Parent => {
            require_parent(step)?;
            step.send_to_parent(InstanceMessage::Push {
                kind,
                body,
                node,
                action: name,
            });
        }
    }
    Ok(())
}

fn append(
    step: &mut Step<'_>,
    key: ElementKey,
    message: &Template,
    destination: &DataPath,
) -> Result<(), Failure> {
    let patch = destination.nest(render(step, key, message)?);
    require_parent(step)?;
    step.send_to_parent(InstanceMessage::Append { patch });
    Ok(())
}

fn apply_rule(
    step: &mut Step<'_>,
    key: ElementKey,
    action: &ExecutableAction,
) -> Result<(), Failure> {
    let Some(node) = step.node_of(key) else {
        return Ok(());
    };
    let output = step.evaluator.rule(
        &node.id,
        &action.name,
        &step.variables(key),
        &step.now.to_string(),
    );
    let patch = output.map_err(|error| match error {
        RuleError::Thrown(error) => Failure::Thrown(error),
        RuleError::Failed(error) => Failure::new("rule_error", error.0),
    })?;
    step.merge(Some(key), patch);
    Ok(())
}

fn render(step: &Step<'_>, key: ElementKey, template: &Template) -> Result<Value, Failure> {
    template
        .render(step.variables(key), &step.builtins())
        .map_err(|error| Failure::new("template_error", error))
}

fn require_parent(step: &Step<'_>) -> Result<(), Failure> {
    if step.state.can_send_to_parent() {
        return Ok(());
    }
    let why = if step.state.head().parent.is_some() {
        "the parent has ended"
    } else {
        "this instance has no parent"
    };
    Err(Failure::new(
        "no_parent",
        format!("expected a running parent instance to send to, but {why}"),
    ))
}
