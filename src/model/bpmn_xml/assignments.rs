//! Reads the assignment and due date of a user task in the notations of BPMN and other engines,
//! where they mean the same here: an assignee, candidate groups, a due date. Names and paths are
//! understood; other expressions are not, and are reported.
//!
//! Not here: Stepwire's own attributes (`nodes`), which take precedence.

use roxmltree::Node;

use super::{
    is_bpmn,
    reader::Reader,
    xml::{LIKE_ACTIVITI, ZEEBE, filled, text},
};
use crate::model::{
    computation::Computation,
    ids::Time,
    plain_expression,
    task_settings::{self, UserTask},
};

/// Fills in what Stepwire's attributes of a task leave open. Records the names that are understood,
/// so that no warning says that they have no effect.
pub(super) fn read(
    node: Node<'_, '_>,
    id: &str,
    task: &mut UserTask,
    reader: &mut Reader<'_>,
) -> Vec<&'static str> {
    let mut understood = Vec::new();
    for (name, value) in found(node) {
        let is_open = match name {
            "assignee" | "humanPerformer" => task.assignee.is_none(),
            "dueDate" => task.due_date.is_none(),
            _ => task.candidate_groups.is_empty(),
        };
        if !is_open {
            continue;
        }
        understood.push(name);
        let read = match name {
            "assignee" | "humanPerformer" => set(&mut task.assignee, template(&value)),
            "dueDate" => set(
                &mut task.due_date,
                template(&value).filter(|text| is_due_date(text)),
            ),
            _ => set(&mut task.candidate_groups, groups(&value)),
        };
        if !read {
            let message = format!(
                "expected a name or a path such as ${{manager}} as {name}, but got `{value}`, \
                which is not understood here and has no effect; write it in Stepwire's own \
                attributes"
            );
            reader.warning(id, "foreign_expression", message);
        }
    }
    understood
}

fn set<T>(place: &mut T, value: Option<impl Into<T>>) -> bool {
    match value {
        Some(value) => {
            *place = value.into();
            true
        }
        None => false,
    }
}

/// The values found, by name, in order of precedence.
fn found(node: Node<'_, '_>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut note = |name, value: Option<&str>| {
        found.extend(filled(value).map(|value| (name, value.to_owned())));
    };
    for namespace in LIKE_ACTIVITI {
        for name in ["assignee", "candidateGroups", "dueDate"] {
            note(name, node.attribute((namespace, name)));
        }
    }
    let extensions = node
        .children()
        .filter(|child| is_bpmn(*child, "extensionElements"))
        .flat_map(|holder| holder.children());
    for extension in extensions.filter(|child| child.tag_name().namespace() == Some(ZEEBE)) {
        match extension.tag_name().name() {
            "assignmentDefinition" => {
                note("assignee", extension.attribute("assignee"));
                note("candidateGroups", extension.attribute("candidateGroups"));
            }
            "taskSchedule" => note("dueDate", extension.attribute("dueDate")),
            _ => {}
        }
    }
    for name in ["humanPerformer", "potentialOwner"] {
        for performer in node.children().filter(|child| is_bpmn(*child, name)) {
            let expression = performer
                .descendants()
                .find(|child| is_bpmn(*child, "formalExpression"));
            note(name, expression.map(text).as_deref());
        }
    }
    found
}

/// A text template with the same meaning: `#{path}` and FEEL's `= path` become `${path}`, and what
/// is computed keeps its language.
pub(super) fn template(value: &str) -> Option<String> {
    let value = value.trim();
    let Some(feel) = value.strip_prefix('=').map(str::trim) else {
        return computed_text(value);
    };
    if let Some(path) = plain_expression::path(feel) {
        return Some(format!("${{{path}}}"));
    }
    let quoted = plain_expression::quoted_text(feel).filter(|_| feel.starts_with('"'));
    quoted
        .map(str::to_owned)
        .or_else(|| Some(format!("${{{}}}", Computation::spaced(value)?)))
}

/// A text in which each expression is a path or computed.
pub(super) fn computed_text(text: &str) -> Option<String> {
    let path = |inside: &str| {
        let path = plain_expression::path(inside)?;
        let is_special = ["execution.", "task."]
            .iter()
            .any(|it| path.starts_with(it));
        (!is_special).then(|| path.to_owned())
    };
    translated(text, path)
}

/// A text in which `path` understands an expression, or it is computed.
pub(super) fn translated(text: &str, path: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (mut read, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("${").or_else(|| rest.find("#{")) {
        let at = rest.find("#{").map_or(at, |other| other.min(at));
        let (before, opened) = rest.split_at(at);
        let opened = &opened[2..];
        let length = Computation::length(opened, |inside| path(inside).is_some())?;
        let (inside, after) = (&opened[..length], &opened[length + 1..]);
        read.push_str(before);
        let placeholder = match path(inside) {
            Some(path) => format!("${{{path}}}"),
            None => Computation::spaced(&format!("${{{inside}}}"))?,
        };
        read.push_str(&placeholder);
        rest = after;
    }
    Some(read + rest)
}

/// Whether a text without placeholders is a due date; one with placeholders is read when a task is
/// activated.
fn is_due_date(text: &str) -> bool {
    text.contains("${") || task_settings::due(&text.into(), Time(0)).is_ok()
}

/// Names of groups, as `a, b` or `group(a), group(b)`; in FEEL as a text. Users among them, and
/// computed values, are not understood.
fn groups(value: &str) -> Option<Vec<String>> {
    let value = value.trim();
    let value = match value.strip_prefix('=') {
        Some(feel) => feel.trim().strip_prefix('"')?.strip_suffix('"')?,
        None => value,
    };
    let name = |part: &str| {
        let part = part.trim();
        let name = part
            .strip_prefix("group(")
            .and_then(|rest| rest.strip_suffix(')'))
            .unwrap_or(part)
            .trim();
        let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
    };
    value.split(',').map(name).collect()
}
