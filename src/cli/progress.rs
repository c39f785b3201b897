//! The state of an instance and its children while a command waits, and its display: a spinner on a
//! terminal, otherwise a line for each change, on standard error.

use std::{collections::BTreeMap, io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::{
    client::Watcher,
    exit::Exit,
    followed::{is_live, key_of},
    print::{harmless, list, node_text, status},
};
use crate::text::standard_error;

/// The interval of the spinner's animation.
const TURN: Duration = Duration::from_millis(120);

/// The known state and its display.
pub struct Progress {
    members: BTreeMap<String, Value>,
    root: Option<String>,
    shown: String,
    screen: Screen,
}

enum Screen {
    None,
    Lines,
    Spinner(ProgressBar),
}

impl Progress {
    /// Without display.
    pub fn silent() -> Self {
        Self {
            members: BTreeMap::new(),
            root: None,
            shown: String::new(),
            screen: Screen::None,
        }
    }

    /// Displayed on standard error.
    pub fn shown() -> Self {
        let screen = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner();
            // The template is valid.
            let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(TURN);
            Screen::Spinner(bar)
        } else {
            Screen::Lines
        };
        Self {
            screen,
            ..Self::silent()
        }
    }

    /// Sets the main instance; the others are its children.
    pub fn set_root(&mut self, key: &str, process: Option<&str>) {
        self.root = Some(key.to_owned());
        if let (Some(member), Some(process)) = (self.members.get_mut(key), process) {
            member["process"] = json!(process);
        }
        self.show();
    }

    /// The outcome of the instance if it has ended, or, if `until_waiting`, if it waits for a user.
    pub fn exit(&self, until_waiting: bool) -> Option<Exit> {
        let root = self.members.get(self.root.as_deref()?)?;
        let ended = Exit::of_status(root["status"].as_str()?, root["outcome"].as_str());
        ended.or_else(|| (until_waiting && self.needs_a_person()).then_some(Exit::Waiting))
    }

    /// Whether a user has to act anywhere: at a user task, by an offered action, or because of an
    /// incident.
    fn needs_a_person(&self) -> bool {
        let waits = |node: &Value| node["type"] == "userTask" || node["incident"].is_object();
        // A back action is always possible and does not count.
        let is_forward = |action: &Value| action["back"] != true;
        let mut live = self
            .members
            .values()
            .filter(|member| member["status"].as_str().is_some_and(is_live));
        live.any(|member| {
            list(&member["nodes"]).iter().any(waits)
                || list(&member["actions"]).iter().any(is_forward)
        })
    }

    /// The state of the instance as a result; `None` before its first frame.
    pub fn result(&self, outcome: Exit) -> Option<Value> {
        let root = self.root.as_deref()?;
        let mut result = self.members.get(root)?.clone();
        result["instance"] = json!(root);
        result["exit"] = if outcome == Exit::Done {
            result["status"].clone()
        } else {
            json!(outcome.name())
        };
        let children = self.members.iter().filter(|(key, _)| *key != root);
        result["children"] = children
            .map(|(key, member)| {
                let mut child = member.clone();
                child["instance"] = json!(key);
                child
            })
            .collect();
        Some(result)
    }

    /// Removes the display from the screen.
    pub fn close(&self) {
        if let Screen::Spinner(bar) = &self.screen {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self) {
        let line = self.line();
        if line.is_empty() || line == self.shown {
            return;
        }
        self.print_line(&line);
        self.shown = line;
    }

    fn print_line(&self, line: &str) {
        let line = harmless(line);
        match &self.screen {
            Screen::None => {}
            Screen::Lines => standard_error::complain(&line),
            Screen::Spinner(bar) => bar.set_message(line.into_owned()),
        }
    }

    /// The positions of the instance and its live children.
    fn line(&self) -> String {
        let Some(root) = &self.root else {
            return String::new();
        };
        let live = |member: &Value| member["status"].as_str().is_some_and(is_live);
        let children = self
            .members
            .iter()
            .filter(|(key, member)| *key != root && live(member));
        let all = self.members.get_key_value(root).into_iter().chain(children);
        let texts = all.map(|(_, member)| {
            let nodes: Vec<String> = list(&member["nodes"]).iter().map(node_text).collect();
            let at = if nodes.is_empty() {
                String::new()
            } else {
                format!(" at {}", nodes.join(", "))
            };
            format!(
                "{} {}{at}",
                member["process"].as_str().unwrap_or("it is"),
                status(member)
            )
        });
        texts.collect::<Vec<_>>().join("; ")
    }

    fn apply(&mut self, key: &str, frame: &Value) {
        let member = self
            .members
            .entry(key.to_owned())
            .or_insert_with(|| json!({"view": {}}));
        if let Some(seq) = frame["seq"].as_u64() {
            member["seq"] = json!(seq);
        }
        match frame["type"].as_str() {
            Some("snapshot") => take(
                member,
                frame,
                &["status", "outcome", "nodes", "actions", "view", "process"],
            ),
            Some("progress") => take(member, frame, &["status", "outcome", "nodes", "actions"]),
            Some("view") => member["view"] = frame["body"].clone(),
            Some("data") => merge(&mut member["view"], &frame["body"]),
            Some("child") => {
                let child = &frame["child"];
                if let Some(key) = child["instance"].as_str() {
                    let known = self
                        .members
                        .entry(key.to_owned())
                        .or_insert_with(|| json!({"view": {}}));
                    take(known, child, &["process", "status"]);
                }
            }
            _ => {}
        }
    }
}

impl Watcher for Progress {
    fn frame(&mut self, frame: &Value) {
        if let Some(key) = key_of(frame).map(str::to_owned) {
            self.apply(&key, frame);
        }
        // Between the frames of one commit it has no position.
        if matches!(frame["type"].as_str(), Some("snapshot" | "progress")) {
            self.show();
        }
    }

    fn lost(&mut self, why: &str) {
        self.print_line(&format!("the connection is lost ({why}); connecting again"));
    }

    fn back(&mut self) {
        let line = if self.shown.is_empty() {
            "connected again".to_owned()
        } else {
            format!("connected again: {}", self.shown)
        };
        self.print_line(&line);
    }
}

/// Copies these fields, and removes those that are absent.
fn take(into: &mut Value, from: &Value, names: &[&str]) {
    let Value::Object(into) = into else { return };
    for name in names {
        match from.get(*name) {
            Some(value) => drop(into.insert((*name).to_owned(), value.clone())),
            None => drop(into.remove(*name)),
        }
    }
}

/// The merge of the protocol: objects are merged member by member, everything else is replaced.
pub fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patches) = patch else {
        return into.clone_from(patch);
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    for (name, patch) in patches {
        match into.get_mut(name) {
            Some(member) if member.is_object() && patch.is_object() => merge(member, patch),
            _ => into[name] = patch.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(channel: &str, status: &str, nodes: Value) -> Value {
        json!({"type": "progress", "channel": format!("instance/{channel}"), "seq": 5, "status": status, "nodes": nodes, "actions": []})
    }

    #[test]
    fn progress_reports_waiting_for_a_user_and_the_final_status() {
        let mut known = Progress::silent();
        known.frame(
            &json!({"type": "data", "channel": "instance/k", "seq": 3, "body": {"a": {"b": 1}}}),
        );
        known.frame(
            &json!({"type": "data", "channel": "instance/k", "seq": 4, "body": {"a": {"c": 2}}}),
        );
        known.frame(&progress(
            "k",
            "started",
            json!([{"node": "wait", "name": "Wait", "type": "task"}]),
        ));
        assert_eq!(known.exit(true), None, "nobody said which one it is");
        known.set_root("k", Some("p0"));
        assert_eq!((known.exit(true), known.exit(false)), (None, None));
        known.frame(&json!({"type": "child", "channel": "instance/k", "seq": 6, "child": {"instance": "c", "process": "p", "status": "started"}}));
        known.frame(&progress(
            "c",
            "started",
            json!([{"node": "ask", "name": "Ask", "type": "userTask"}]),
        ));
        assert_eq!(
            (known.exit(true), known.exit(false)),
            (Some(Exit::Waiting), None)
        );
        assert_eq!(
            known.line(),
            "p0 started at Wait (wait); p started at Ask (ask)"
        );
        known.frame(&progress("c", "finished", json!([])));
        assert_eq!(known.exit(true), None);
        let mut end = progress("k", "finished", json!([]));
        end["outcome"] = json!("rejected");
        known.frame(&end);
        assert_eq!(known.exit(false), Some(Exit::Rejected));
        let result = known.result(Exit::Rejected).unwrap();
        assert_eq!(
            (&result["view"], &result["exit"]),
            (&json!({"a": {"b": 1, "c": 2}}), &json!("rejected"))
        );
        assert_eq!(result["children"][0]["status"], "finished");
    }
}
