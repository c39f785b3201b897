//! The output of a command: results on standard output, everything else on standard error.
//!
//! With `--json` each result is one object on a line, and so is an error; without, they are text
//! for people. Not here: the display while a command waits (`progress`).

use std::{borrow::Cow, io::Write, time::Duration};

use serde_json::{Value, json};

use super::{
    access::Access,
    exit::{Exit, Failure},
    progress::Progress,
};
use crate::{config::CommonArguments, text::standard_error};

/// Prints according to the options.
pub struct Printer {
    json: bool,
    quiet: bool,
    /// The longest time the command may take.
    pub timeout: Option<Duration>,
    named: bool,
}

impl Printer {
    /// Creates a printer from the options.
    pub fn new(common: &CommonArguments) -> Self {
        let named = common.token.is_some() || common.token_file.is_some();
        Self {
            json: common.json,
            quiet: common.quiet,
            timeout: common.timeout,
            named,
        }
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a result.
    ///
    /// # Errors
    /// The reader has closed the output.
    pub fn result(&mut self, text: &str, json: &Value) -> Result<(), Failure> {
        self.raw(
            if self.json {
                json.to_string()
            } else {
                harmless(text).into_owned()
            }
            .as_bytes(),
            true,
        )
    }

    /// Prints bytes unchanged.
    ///
    /// # Errors
    /// Same as [`Printer::result`].
    pub fn raw(&mut self, bytes: &[u8], newline: bool) -> Result<(), Failure> {
        let mut output = std::io::stdout().lock();
        let end: &[u8] = if newline { b"\n" } else { b"" };
        let written = output
            .write_all(bytes)
            .and_then(|()| output.write_all(end))
            .and_then(|()| output.flush());
        // A reader that wants only the first lines may close the output early.
        written.map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure {
                message: String::new(),
                ..Failure::new(Exit::Done, "")
            },
            _ => Failure::new(
                Exit::Refused,
                format!("expected to print the result, but: {error}"),
            ),
        })
    }

    /// Prints a remark on standard error.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            standard_error::complain(&harmless(text));
        }
    }

    /// Prints why there is no result.
    pub fn failure(&mut self, failure: &Failure) {
        if failure.message.is_empty() {
            return;
        }
        standard_error::complain(&harmless(&failure.message));
        if self.json {
            // When nobody reads the output, only this message is lost.
            let _ = self.result("", &json!({"error": failure.error}));
        }
    }

    /// Prints the identity used by the command, unless the user has given it.
    pub fn identity(&self, access: &Access) {
        if !self.named {
            self.note(&format!("{} {}", access.server(), access.identity()));
        }
    }

    /// The display while a command waits.
    pub fn progress(&self) -> Progress {
        if self.quiet {
            Progress::silent()
        } else {
            Progress::shown()
        }
    }
}

/// Runs `work` within the time-out; `None` when that is over.
pub async fn limited<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match limit {
        None => Some(work.await),
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
    }
}

/// The next step as text: the positions of the tokens, and the available actions.
pub fn step(result: &Value) -> String {
    let mut text = format!(
        "{}  {}",
        result["instance"].as_str().unwrap_or_default(),
        status(result)
    );
    for node in list(&result["nodes"]) {
        text += &format!("\n  at   {}", node_text(node));
    }
    for action in list(&result["actions"]) {
        let needs: Vec<&str> = list(&action["requiredKeys"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let needs = if needs.is_empty() {
            String::new()
        } else {
            format!(" (needs {})", needs.join(", "))
        };
        text += &format!(
            "\n  may  {}{needs}",
            action["name"].as_str().unwrap_or_default()
        );
    }
    for child in list(&result["children"]) {
        let of = |name: &str| child[name].as_str().unwrap_or_default();
        text += &format!(
            "\n  sub  {}  {}  {}",
            of("instance"),
            of("process"),
            of("status")
        );
    }
    for path in list(&result["ignored"]).iter().filter_map(Value::as_str) {
        text += &format!("\n  not taken: {path}");
    }
    if let Some(token) = result["token"].as_str() {
        text += &format!("\n  token for later: {token}");
    }
    text
}

/// A status with its outcome.
pub fn status(of: &Value) -> String {
    let status = of["status"].as_str().unwrap_or_default();
    match of["outcome"].as_str() {
        None => status.to_owned(),
        Some(outcome) => format!("{status} ({outcome})"),
    }
}

/// A node with its id, and the reason why it is blocked, if any.
pub fn node_text(node: &Value) -> String {
    let of = |name: &str| node[name].as_str().unwrap_or_default();
    let assignee = node["assignee"]
        .as_str()
        .map(|user| format!(", {user}'s"))
        .unwrap_or_default();
    let incident = &node["incident"];
    let incident = incident["code"].as_str().map(|code| {
        format!(
            ": {code}, {}",
            incident["message"].as_str().unwrap_or_default()
        )
    });
    match of("name") {
        "" => format!("{}{assignee}{}", of("node"), incident.unwrap_or_default()),
        name => format!(
            "{name} ({}{assignee}){}",
            of("node"),
            incident.unwrap_or_default()
        ),
    }
}

/// A text with terminal control characters escaped: names and keys may come from anybody.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let written = |c: char| {
        if steers(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    Cow::Owned(text.chars().map(written).collect())
}

/// The items of a list, if it is one.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_printed_in_readable_lines() {
        let result = json!({
            "instance": "k", "status": "started", "ignored": ["x"], "children": [],
            "nodes": [{"node": "details", "name": "Enter details", "type": "userTask", "assignee": "ada"},
                      {"node": "check", "name": "", "incident": {"code": "rule_error", "message": "expected \
                          a, but b"}}],
            "actions": [{"name": "save", "requiredKeys": ["a.b", "c"]}, {"name": "cancel", "requiredKeys": []}],
        });
        let lines = "k  started\n  at   Enter details (details, ada's)\n  at   check: \
            rule_error, expected a, but b\n  may  save (needs a.b, c)\n  may  cancel\n  not \
            taken: x";
        assert_eq!(step(&result), lines);
        assert_eq!(
            status(&json!({"status": "finished", "outcome": "rejected"})),
            "finished (rejected)"
        );
    }

    #[test]
    fn control_characters_are_escaped_for_the_terminal() {
        assert_eq!(
            harmless("a\u{1b}]0;b\u{7}\r\u{9b}c"),
            r"a\u{1b}]0;b\u{7}\r\u{9b}c"
        );
        assert!(matches!(harmless("a\n\tb é"), Cow::Borrowed(_)));
    }
}
