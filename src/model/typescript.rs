//! TypeScript declarations of a process, for developers of its frontend: the data of its actions,
//! the contents of its Data messages and its view, its names, and all of that in the form that the
//! TypeScript client uses. Deterministic: the same definition gives the same text.
//!
//! `keys` and `schema` derive what may be sent, `bodies` what is pushed, `views` the resulting
//! view; `types` writes types, `names` names them. Where the definition does not determine a type,
//! it is `Json`.

mod bodies;
mod keys;
mod names;
mod schema;
mod types;
mod views;

use std::fmt::Write;

use self::{
    names::{Names, comment},
    types::{Type, TypeMember},
};
use super::{
    action::{MessageType, Target, Trigger},
    definition::{ElementType, FlowNode},
    executable::{ActionWork, ExecutableAction, ExecutableNode, ExecutableProcess},
};

const JSON: &str =
    "export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };\n";

/// How constants in messages are declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constants {
    /// As literals, so that a frontend can distinguish messages by them.
    Literal,
    /// By their types only, for users who may not read templates.
    Widened,
}

/// The declarations of a version of a process.
pub fn declarations(process: &ExecutableProcess, version: u32, constants: Constants) -> String {
    let mut text = format!(
        "// Types of the process {}, version {version}. Stepwire made them from its definition: \
        not to be edited.\n",
        comment(&process.definition.id)
    );
    push(&mut text, "Any JSON.", JSON);
    let nodes = process
        .nodes()
        .iter()
        .map(|node| Type::literal(&*node.id))
        .collect();
    push(
        &mut text,
        "The ids of its nodes.",
        &alias("NodeId", &Type::Union(nodes)),
    );
    let mut actions: Vec<&str> = process
        .nodes()
        .iter()
        .flat_map(actions_of)
        .map(|action| &*action.name)
        .collect();
    actions.sort_unstable();
    actions.dedup();
    let actions = Type::Union(actions.into_iter().map(Type::literal).collect());
    push(
        &mut text,
        "The names of its actions.",
        &alias("ActionName", &actions),
    );
    let mut names = Names::default();
    push_starts(&mut text, process, &mut names);
    let actions = push_payloads(&mut text, process, &mut names);
    push_bodies(&mut text, process, constants);
    push_process(&mut text, process, actions, constants);
    text
}

/// The nodes as written and as compiled; both are in document order.
fn both_forms(process: &ExecutableProcess) -> impl Iterator<Item = (&FlowNode, &ExecutableNode)> {
    process.definition.nodes.iter().zip(process.nodes())
}

fn push_starts(text: &mut String, process: &ExecutableProcess, names: &mut Names) {
    let mut starts = Vec::new();
    for (node, _) in both_forms(process)
        .filter(|(node, _)| node.kind == ElementType::StartEvent && node.scope.is_none())
    {
        let name = names.give(&[&node.id, "Start"]);
        let data = if node.keys.is_empty() {
            Type::any_object()
        } else {
            keys::payload(&node.keys)
        };
        let condition = node
            .start_condition
            .as_deref()
            .map(|condition| format!(", with the start condition {}", comment(condition)));
        let doc = format!(
            "What a start at {} takes{}.",
            comment(&node.id),
            condition.unwrap_or_default()
        );
        push(text, &doc, &format!("export interface {name} {data}\n"));
        starts.push(Type::Named(name));
    }
    push(
        text,
        "What a start takes.",
        &alias("StartData", &Type::Union(starts)),
    );
}

/// The payloads, also by action: if several nodes have the action, it accepts what any of them
/// accepts.
fn push_payloads(
    text: &mut String,
    process: &ExecutableProcess,
    names: &mut Names,
) -> Vec<(String, Vec<Type>)> {
    let mut by_node = Vec::new();
    let mut everywhere: Vec<(String, Vec<Type>)> = Vec::new();
    for (written, node) in both_forms(process) {
        let mut by_action = Vec::new();
        for action in actions_of(node).filter(|action| action.trigger == Trigger::Manual) {
            let name = names.give(&[&node.id, &action.name, "Payload"]);
            // The built-in action of a user task without actions is not written, and accepts
            // everything.
            let payload = match written
                .actions
                .iter()
                .find(|written| *written.name == *action.name)
            {
                Some(written) => keys::payload(&written.keys),
                None => Type::any_object(),
            };
            let file = if matches!(action.work, ActionWork::UploadFile { .. }) {
                ", beside its file"
            } else {
                ""
            };
            let doc = format!(
                "What the action {} of {} takes{file}.",
                comment(&action.name),
                comment(&node.id)
            );
            push(text, &doc, &format!("export interface {name} {payload}\n"));
            match everywhere
                .iter_mut()
                .find(|(known, _)| **known == *action.name)
            {
                Some((_, payloads)) => payloads.push(Type::named(&name)),
                None => everywhere.push((action.name.to_string(), vec![Type::named(&name)])),
            }
            by_action.push(TypeMember::required(&action.name, Type::Named(name)));
        }
        if !by_action.is_empty() {
            by_node.push(TypeMember::required(&node.id, Type::Object(by_action)));
        }
    }
    let payloads = Type::Object(by_node);
    push(
        text,
        "What `run` takes as `data`, by node and action.",
        &format!("export interface Payloads {payloads}\n"),
    );
    everywhere
}

fn push_bodies(text: &mut String, process: &ExecutableProcess, constants: Constants) {
    let mut by_node = Vec::new();
    for node in process.nodes() {
        let body = |action: &ExecutableAction| {
            Some(TypeMember::required(
                &action.name,
                body_of(action, constants)?,
            ))
        };
        let by_action: Vec<TypeMember> = actions_of(node).filter_map(body).collect();
        if !by_action.is_empty() {
            by_node.push(TypeMember::required(&node.id, Type::Object(by_action)));
        }
    }
    let bodies = Type::Object(by_node);
    push(
        text,
        "What Data messages hold, by node and action.",
        &format!("export interface DataBodies {bodies}\n"),
    );
}

/// The content of an action's Data message, if it sends one to the clients of its own instance.
fn body_of(action: &ExecutableAction, constants: Constants) -> Option<Type> {
    match &action.work {
        ActionWork::WebsocketSend {
            message,
            message_type: MessageType::Default,
            target: Target::Active,
        } => Some(bodies::body(&message.shape(), constants)),
        _ => None,
    }
}

fn push_process(
    text: &mut String,
    process: &ExecutableProcess,
    actions: Vec<(String, Vec<Type>)>,
    constants: Constants,
) {
    let bodies = process
        .nodes()
        .iter()
        .flat_map(actions_of)
        .filter_map(|action| body_of(action, constants))
        .collect();
    let view = views::view(bodies, process.nodes().iter().any(may_have_children));
    push(
        text,
        "What the view holds, each part once its Data message has come.",
        &alias("View", &view),
    );
    let actions: Vec<TypeMember> = actions
        .into_iter()
        .map(|(name, payloads)| TypeMember::required(&name, Type::any(payloads)))
        .collect();
    let actions = if actions.is_empty() {
        Type::named("Record<never, never>")
    } else {
        Type::Object(actions)
    };
    let shape = vec![
        TypeMember::required("start", Type::named("StartData")),
        TypeMember::required("view", Type::named("View")),
        TypeMember::required("actions", actions),
    ];
    let processes = Type::Object(vec![TypeMember::required(
        &process.definition.id,
        Type::Object(shape),
    )]);
    let doc = "What `connect` of the TypeScript client takes: `connect<Processes>(…)`; for \
        several processes `connect<A & B>(…)`.";
    push(
        text,
        doc,
        &format!("export interface Processes {processes}\n"),
    );
}

/// Whether it may start a child, directly or by asking a client.
fn may_have_children(node: &ExecutableNode) -> bool {
    let starts = |action: &ExecutableAction| {
        matches!(
            action.work,
            ActionWork::StartSubprocess { .. }
                | ActionWork::WebsocketSend {
                    message_type: MessageType::Action,
                    ..
                }
        )
    };
    node.call().is_some() || actions_of(node).any(starts)
}

/// Top-level actions with their children, in their order.
fn actions_of(node: &ExecutableNode) -> impl Iterator<Item = &ExecutableAction> {
    node.actions
        .iter()
        .flat_map(|action| std::iter::once(action).chain(&action.children))
}

fn alias(name: &str, meaning: &Type) -> String {
    format!("export type {name} = {meaning};\n")
}

fn push(text: &mut String, doc: &str, declaration: &str) {
    // Writing to a text cannot fail.
    let _ = write!(text, "\n/** {doc} */\n{declaration}");
}

#[cfg(test)]
mod tests;
