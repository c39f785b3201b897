//! The start of a child: recorded in the parent, carried out by a message. The key of the child is
//! derived from the number of the record.
//!
//! A child is started by a call activity, by a `startSubprocess` action, or by a message whose
//! process the engine starts. `open_messages` handles a client's start of a child.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    engine::{
        context::Step,
        instance_message::InstanceMessage,
        looping::iteration,
        quotas,
        record::{ChildStarted, Created, ProcessRef, Push, Record},
        state::ElementInstance,
    },
    model::{
        action::MessageType,
        business_key,
        executable::Subprocess,
        ids::{ElementKey, InstanceKey, Time},
        start_message::StartMessage,
    },
};

/// The action and the triggering that start a child.
type StartedBy = Option<(Arc<str>, u32)>;

/// A child to start.
struct NewChild {
    process: String,
    start_condition: Option<String>,
    element: Option<ElementKey>,
    action: StartedBy,
    awaited: bool,
    wants_result: bool,
    data: Value,
    business_key: Option<String>,
}

/// Incident of a call activity whose process cannot be read from the data. A retry reads it again.
const UNREADABLE: &str = "called_process_error";

/// Starts the child of a call activity or a `startSubprocess`.
pub(in crate::engine) fn start_child(
    step: &mut Step<'_>,
    called: &Subprocess,
    element: ElementKey,
    action: StartedBy,
    awaited: bool,
) {
    let is_call = action.is_none();
    let process = called.process.id(step.variables(element), &step.builtins());
    let process = match process {
        Ok(process) => process,
        Err(sentence) => return step.incident(element, UNREADABLE, sentence, action),
    };
    let business_key = match business_key(step, called, element) {
        Ok(key) => key,
        Err(sentence) => return step.incident(element, UNREADABLE, sentence, action),
    };
    let data = if is_call {
        called_data(step, called, element)
    } else {
        called.copy.apply(step.variables(element))
    };
    let child = NewChild {
        awaited,
        wants_result: awaited
            && (called.output_key.is_some() || is_call && gives_out(step, element)),
        business_key,
        ..called_child(process, element, data)
    };
    begin(step, NewChild { action, ..child });
}

/// The start data of a call activity's child: the variables copied to it, and the result of its
/// input mappings.
pub(in crate::engine) fn called_data(
    step: &Step<'_>,
    called: &Subprocess,
    element: ElementKey,
) -> Value {
    let variables = step.variables(element);
    let undone = step
        .state
        .element(element)
        .and_then(ElementInstance::undone_iteration);
    // A copy of all data has the variables visible to the activity as a whole; this holds for the
    // handler of an iteration too, which is in the scope of the whole. A path may name a variable
    // of the iteration.
    let whole = match undone {
        Some(_) => step.state.element(element).and_then(ElementInstance::scope),
        None => Some(iteration::whole_of(step, element)),
    };
    let whole = whole.unwrap_or(element);
    let mut data = if called.copy.copy.is_some() || whole == element {
        called.copy.apply(&variables)
    } else {
        let around = step.state.element(whole).and_then(|whole| whole.scope());
        called.copy.apply(step.state.variables(around))
    };
    let inputs = step.node_of(element).map_or(&[][..], |node| &node.inputs);
    if let Value::Object(members) = &mut data {
        let is_left_out = |name: &str| {
            let mut without = called.copy.without.iter();
            without.any(|path| path.depth() == 1 && path.first() == name)
        };
        let names = inputs.iter().map(|mapping| mapping.target().first());
        for name in names.filter(|name| !is_left_out(name)) {
            if let Some(value) = variables.get(name) {
                members.insert(name.to_owned(), value.clone());
            }
        }
        members.extend(iteration::item_of(step, element));
        // The item of the handler is that of the iteration that it compensates.
        let undone = undone.and_then(|node| step.process.node(node));
        let item = undone.and_then(iteration::item_name);
        members.extend(item.and_then(|item| Some((item.to_owned(), variables.get(item)?.clone()))));
    }
    data
}

/// Whether the element has output mappings, which read the child's data.
fn gives_out(step: &Step<'_>, element: ElementKey) -> bool {
    step.node_of(element).is_some_and(|node| {
        let takes_all = node.call().is_some_and(|called| called.takes_all);
        takes_all || !node.outputs.is_empty()
    })
}

fn called_child(process: String, element: ElementKey, data: Value) -> NewChild {
    NewChild {
        process,
        start_condition: None,
        element: Some(element),
        action: None,
        awaited: false,
        wants_result: false,
        data,
        business_key: None,
    }
}

/// The business key of the child.
fn business_key(
    step: &Step<'_>,
    called: &Subprocess,
    element: ElementKey,
) -> Result<Option<String>, String> {
    let template = called.business_key.as_ref();
    let key =
        template.map(|it| business_key::rendered(it, &step.variables(element), &step.builtins()));
    Ok(key.transpose()?.flatten())
}

/// Pushes a message to this instance's clients. If the engine is to start the process that the
/// message names, the child is started here, from this instance's data; the message then names the
/// child and accepts no response.
pub(in crate::engine) fn push(step: &mut Step<'_>, mut push: Push, action: StartedBy) {
    // The message was checked when it was rendered.
    let start = (push.kind == MessageType::Action)
        .then(|| StartMessage::read_for_server(&push.body).ok().flatten())
        .flatten();
    let Some(start) = start else {
        let waits = push.kind == MessageType::Action;
        push.open_until = waits.then(|| {
            step.now
                .plus(&step.process.action_message_expiry)
                .unwrap_or_else(Time::last)
        });
        step.record(Record::Pushed(Box::new(push)));
        return;
    };
    let child = begin(
        step,
        NewChild {
            data: start.copy.apply(step.state.variables(push.element)),
            process: start.process,
            start_condition: start.start_condition,
            element: push.element,
            action,
            awaited: false,
            wants_result: false,
            business_key: None,
        },
    );
    if let Value::Object(members) = &mut push.body {
        members.insert(
            "processInstanceKey".to_owned(),
            Value::String(child.to_string()),
        );
    }
    step.record(Record::Pushed(Box::new(push)));
}

/// Whether there is room for an Action message: one that starts its process needs room for a child,
/// another one for an open message. Otherwise the code and sentence of an incident.
pub(in crate::engine) fn room_for(
    step: &Step<'_>,
    starts: bool,
) -> Result<(), (&'static str, String)> {
    if starts {
        quotas::for_children(step, 1).map_err(|sentence| (quotas::CHILDREN, sentence))
    } else {
        quotas::for_open_message(step).map_err(|sentence| (quotas::OPEN_MESSAGES, sentence))
    }
}

fn begin(step: &mut Step<'_>, new: NewChild) -> InstanceKey {
    let child = step.next_child_key();
    let NewChild {
        process,
        element,
        action,
        awaited,
        ..
    } = new;
    let start = ChildStarted {
        child,
        process: process.clone(),
        element,
        action,
        awaited,
        received: 0,
    };
    let seq = step.record(Record::ChildStarted(Box::new(start)));
    step.children_begun += 1;
    let head = step.state.head();
    let created = Created {
        key: child,
        tenant: head.tenant.clone(),
        process: ProcessRef {
            id: process,
            version: 0,
            revision: String::new(),
        },
        business_key: new.business_key,
        parent: Some(head.link(seq, awaited, new.wants_result)),
        started_by: head.started_by.clone(),
        data: new.data,
        expires_at: None,
        origin: None,
        test: head.test,
        scheduled_for: None,
        correlation: None,
    };
    step.send(
        child,
        InstanceMessage::Start {
            head: Box::new(created),
            start_condition: new.start_condition,
            command: None,
        },
    );
    child
}
