//! The end of a child: the waiting element gets its result, or its failure, which a boundary event
//! catches or which becomes an incident. The end of a child that is not awaited changes nothing
//! else.

use serde_json::{Map, Value};

use crate::{
    engine::{
        conditions,
        context::Step,
        instance_message::InstanceMessage,
        looping::iteration,
        mappings,
        record::{LoopRecord, Record, Status},
        state::Child,
        throwing,
    },
    limits::DATA_DEPTH,
    model::{
        deep_merge::exceeds_depth,
        executable::{ActionWork, Subprocess},
        ids::ElementKey,
        template::Builtins,
    },
};

/// Incident of an element whose asynchronous child could not be started. Its action is done; a
/// retry does its work again.
pub(in crate::engine) const NOT_STARTED: &str = "subprocess_not_started";

/// Incident of an element that waits for a child that failed.
const FAILED: &str = "subprocess_failed";

/// The error that a child failed with.
pub(super) struct ChildError {
    /// Its code.
    pub(super) code: String,
    /// What the event that threw it owned.
    pub(super) carried: Map<String, Value>,
    /// The child's data, if the parent requested a result.
    pub(super) result: Option<Value>,
}

/// The element that waits for a child, in an instance that is live.
fn waiting_for(step: &Step<'_>, child: &Child) -> Option<ElementKey> {
    let element = child.start.element;
    element.filter(|_| child.start.awaited && step.state.status().is_live())
}

/// A child has ended in another way than by finishing.
pub(super) fn child_not_finished(
    step: &mut Step<'_>,
    child: &Child,
    status: Status,
    error: Option<ChildError>,
) {
    record_end(step, child, status);
    if waiting_for(step, child).is_some() {
        let by = error
            .as_ref()
            .map(|error| format!(" by error '{}'", error.code));
        let sentence = format!(
            "expected subprocess {} to finish, but its status is {}{}; retry starts it again",
            described(step, child),
            status.name(),
            by.unwrap_or_default()
        );
        child_failed(step, child, error, sentence);
    }
}

/// A child has finished.
pub(super) fn child_finished(step: &mut Step<'_>, child: &Child, result: Option<Value>) {
    record_end(step, child, Status::Finished);
    let Some(element) = waiting_for(step, child) else {
        return;
    };
    complete_action(step, element, child);
    let called = called_by(step, child);
    let outcome = match (&result, called) {
        (Some(result), Some(called)) => outcome(step, called, child, result),
        _ => Ok(None),
    };
    let (value, trouble) =
        outcome.map_or_else(|sentence| (None, Some(sentence)), |value| (value, None));
    take_all(step, child, result.as_ref());
    let outputs = result.map_or(Ok(None), |result| outputs(step, element, child, &result));
    let listed = iteration::lists_call(step, element).filter(|_| child.start.action.is_none());
    if let (Some((whole, iteration)), Some(result)) = (listed, &value) {
        step.record_loop(LoopRecord::Result {
            element: whole,
            iteration,
            result: result.clone(),
        });
    } else if let (Some(value), Some(path)) =
        (value, called.and_then(|called| called.output_key.as_ref()))
    {
        step.merge_of_child(child, path.nest(value));
    }
    // The data of the child may trigger a boundary event of the call; its output mappings do not.
    conditions::evaluate_changed(step);
    if !is_active(step, element) {
        return;
    }
    let trouble = match outputs {
        Ok(patch) => {
            if let Some(patch) = patch {
                step.merge_around(element, Some(child), patch);
            }
            trouble
        }
        Err(sentence) => trouble.or(Some(sentence)),
    };
    match trouble {
        // The child has ended and is not repeated. Only its result is missing; a retry continues
        // without it.
        Some(sentence) => step.incident(element, mappings::OUTPUT, sentence, None),
        None => {
            conditions::evaluate_except(step, Some(element));
            step.queue(element);
        }
    }
}

/// Handles a child that could not be started. An end message is sent to it nevertheless: if the
/// server stops before it has stored the delivery of the start, the start is delivered again, and
/// may succeed then.
pub(super) fn start_refused(step: &mut Step<'_>, child: &Child, why: &str) {
    record_end(step, child, Status::Terminated);
    if !child.ending {
        step.send(
            child.start.child,
            InstanceMessage::End {
                status: Status::Terminated,
            },
        );
    }
    // Without an action or an awaiting element, only the sender of the message that requested the
    // child could request it again.
    let again = child.start.awaited || child.start.action.is_some();
    let fix = if again {
        "retry starts it again"
    } else {
        "retry continues without it"
    };
    let sentence = format!(
        "expected to start subprocess {}, but {why}; {fix}",
        described(step, child)
    );
    if child.start.awaited {
        return child_failed(step, child, None, sentence);
    }
    let element = child.start.element;
    if let Some(element) = element.filter(|element| is_active(step, *element)) {
        step.incident(element, NOT_STARTED, sentence, child.start.action.clone());
    }
}

pub(super) fn record_end(step: &mut Step<'_>, child: &Child, status: Status) {
    step.record(Record::ChildEnded {
        child: child.start.child,
        process: child.start.process.clone(),
        status,
    });
}

fn complete_action(step: &mut Step<'_>, element: ElementKey, child: &Child) {
    if let Some((action, occurrence)) = child.start.action.clone() {
        step.record(Record::ActionCompleted {
            element,
            action,
            occurrence,
        });
    }
}

/// Handles the failure of a child that an element waits for.
fn child_failed(step: &mut Step<'_>, child: &Child, error: Option<ChildError>, sentence: String) {
    let Some(element) = child
        .start
        .element
        .filter(|&element| child.start.awaited && step.state.element(element).is_some())
    else {
        return;
    };
    let Some(ChildError {
        code,
        carried,
        result,
    }) = error
    else {
        if !throwing::throw_error(step, Some(element), None, Map::new()) {
            step.incident(element, FAILED, sentence, child.start.action.clone());
        }
        return;
    };
    let is_caught = throwing::is_error_caught(step, element, &code);
    if is_caught || step.state.is_awaited() {
        take_outputs(step, element, child, result);
        if !throwing::throw_error(step, Some(element), Some(&code), carried.clone()) {
            step.fail(&code, carried);
        }
        return;
    }
    step.incident(element, FAILED, sentence, child.start.action.clone());
}

/// What the output mappings of a call activity read off the data of a child that throws something.
pub(super) fn take_outputs(
    step: &mut Step<'_>,
    element: ElementKey,
    child: &Child,
    data: Option<Value>,
) {
    take_all(step, child, data.as_ref());
    match data.map(|data| outputs(step, element, child, &data)) {
        Some(Ok(Some(patch))) => step.merge_around(element, Some(child), patch),
        Some(Err(sentence)) => step.incident(element, mappings::OUTPUT, sentence, None),
        Some(Ok(None)) | None => {}
    }
}

fn is_active(step: &Step<'_>, element: ElementKey) -> bool {
    let element = step.state.element(element);
    element.is_some_and(|element| element.is_active())
}

/// Merges all of a child's data, for a call activity that takes them all; variables that the activity
/// owns itself end with it.
fn take_all(step: &mut Step<'_>, child: &Child, data: Option<&Value>) {
    if let Some(data) = data
        && called_by(step, child).is_some_and(|called| called.takes_all)
    {
        step.merge_of_child(child, data.clone());
    }
}

fn called_by<'a>(step: &Step<'a>, child: &Child) -> Option<&'a Subprocess> {
    let node = step.node_of(child.start.element?)?;
    match &child.start.action {
        None => node.call(),
        Some((name, _)) => match &node.action(name)?.work {
            ActionWork::StartSubprocess { subprocess, .. } => Some(subprocess),
            _ => None,
        },
    }
}

/// The name of a child in sentences: its process, and the iteration that started it.
fn described(step: &Step<'_>, child: &Child) -> String {
    let process = &child.start.process;
    let element = child.start.element.and_then(|key| step.state.element(key));
    match element.and_then(|element| element.loop_counter()) {
        Some(iteration) => format!("'{process}' for iteration {iteration}"),
        None => format!("'{process}'"),
    }
}

/// The result of a call activity's output mappings, applied to the data of its child.
fn outputs(
    step: &Step<'_>,
    element: ElementKey,
    child: &Child,
    result: &Value,
) -> Result<Option<Value>, String> {
    let outputs = step.node_of(element).map_or(&[][..], |node| &node.outputs);
    if child.start.action.is_some() || outputs.is_empty() {
        return Ok(None);
    }
    let builtins = builtins(step, child);
    mappings::outputs_of_call(step, element, outputs, result, &builtins)
        .map(Some)
        .map_err(|sentence| {
            format!(
                "the end of subprocess {}: {sentence}",
                described(step, child)
            )
        })
}

/// The built-in variables of expressions over a child's data: those of the child.
fn builtins<'a>(step: &'a Step<'_>, child: &'a Child) -> Builtins<'a> {
    let head = step.state.head();
    Builtins {
        process_instance_id: child.start.child,
        parent: Some(head.key),
        root: head.root(),
        process_name: &child.start.process,
        business_key: None,
        started_by: &head.started_by,
        scheduled_for: None,
        now: step.now,
    }
}

/// The patch that a child's end makes to the parent's data: the child's data, or its `output`.
/// Empty without an output key.
fn outcome(
    step: &Step<'_>,
    called: &Subprocess,
    child: &Child,
    result: &Value,
) -> Result<Option<Value>, String> {
    let Some(path) = &called.output_key else {
        return Ok(None);
    };
    let value = match &called.output {
        None => result.clone(),
        Some(template) => {
            let rendered = template.render(result, &builtins(step, child));
            rendered.map_err(|error| {
                format!(
                    "the output of subprocess {}: {error}",
                    described(step, child)
                )
            })?
        }
    };
    // Results of iterations are one level deeper, in a list.
    let is_iteration = |key| step.state.element(key).and_then(|it| it.loop_counter());
    let levels = path.depth() + usize::from(child.start.element.and_then(is_iteration).is_some());
    if exceeds_depth(&value, DATA_DEPTH.saturating_sub(levels)) {
        return Err(format!(
            "expected a result of subprocess {} of at most {DATA_DEPTH} levels in the data, but it \
            is deeper; return less by `output`",
            described(step, child)
        ));
    }
    Ok(Some(value))
}
