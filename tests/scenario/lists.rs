//! The notation of frames of lists: `tasks snapshot check [clerk]; sign (ada)`, `tasks check (bob);
//! gone sign`, `process/p p1 onHold`.
//!
//! Not here: frames of instances (`transcript`).

use jiff::Timestamp;
use serde_json::Value;

use super::names::Names;

/// The line of a frame of a list; `None` for another frame.
pub fn line(names: &Names, frame: &Value) -> Option<String> {
    let channel = frame["channel"].as_str()?;
    let kind = frame["type"].as_str()?;
    let lines = |field: &str, line: &dyn Fn(&Names, &Value) -> String| -> Vec<String> {
        frame[field]
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| line(names, entry))
            .collect()
    };
    let gone = |names: &Names, element: &Value| {
        format!(
            "gone {}",
            names.of_element(element.as_str().unwrap_or_default())
        )
    };
    let (word, mut parts) = match kind {
        "snapshot" => (
            " snapshot",
            [lines("tasks", &task), lines("instances", &instance)].concat(),
        ),
        "tasks" => ("", [lines("set", &task), lines("removed", &gone)].concat()),
        "instance" => ("", vec![instance(names, frame)]),
        _ => return None,
    };
    // Tasks that were created in the same millisecond are in the order of random keys.
    parts.sort();
    Some(
        format!("{channel}{word} {}", parts.join("; "))
            .trim_end()
            .to_owned(),
    )
}

fn task(names: &Names, task: &Value) -> String {
    let element = names.of_element(task["element"].as_str().unwrap_or_default());
    let roles: Vec<&str> = task["candidates"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let times = times(task);
    match task["assignee"].as_str() {
        Some(assignee) => format!("{element} ({assignee}){times}"),
        None if roles.is_empty() => format!("{element}{times}"),
        None => format!("{element} [{}]{times}", roles.join(", ")),
    }
}

/// The due state of a user task, and the time of its last reminder before or after now: ` due`, `
/// due, reminded -600s`.
pub fn times(task: &Value) -> String {
    let time = |field: &str| {
        task[field]
            .as_str()
            .map(|text| text.parse::<Timestamp>().expect("a time of the protocol"))
    };
    let Some(due) = time("dueAt") else {
        return String::new();
    };
    time("remindedAt").map_or(" due".to_owned(), |reminded| {
        format!(
            " due, reminded {:+}s",
            reminded.duration_since(due).as_secs()
        )
    })
}

fn instance(names: &Names, instance: &Value) -> String {
    let text = |field: &str| instance[field].as_str().unwrap_or_default();
    let incidents = match instance["incidents"].as_u64() {
        None | Some(0) => String::new(),
        Some(count) => format!(" !{count}"),
    };
    let key = instance["businessKey"]
        .as_str()
        .map(|key| format!(" {key}"))
        .unwrap_or_default();
    format!(
        "{} {}{key}{incidents}",
        names.name(text("instance")).unwrap_or("?"),
        text("status")
    )
}
