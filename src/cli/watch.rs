//! `stepwire watch`: prints every push as a line, across interruptions, each once and in order.

use serde_json::Value;
use uuid::Uuid;

use super::{
    access::Access,
    client::{Client, Watcher},
    exit::{Exit, Failure},
    followed::key_of,
    print::{Printer, limited, list, node_text, status},
    progress::Progress,
};
use crate::config::WatchArguments;

/// Watches until the instance has ended, or the time is over.
///
/// # Errors
/// The server refuses, or cannot be reached.
pub async fn watch(
    watch: WatchArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let limit = printer.timeout;
    let mut lines = Lines {
        printer,
        progress: Progress::silent(),
        failed: None,
    };
    let watching = async {
        let mut client = Client::connect(access).await?;
        match Uuid::parse_str(&watch.what) {
            Ok(key) => {
                lines.progress.set_root(&key.to_string(), None);
                client
                    .follow(&key.to_string(), watch.after, &mut lines)
                    .await?;
            }
            Err(_) if watch.what == "tasks" => client.follow_list("tasks", &mut lines).await?,
            Err(_) => {
                client
                    .follow_list(&format!("process/{}", watch.what), &mut lines)
                    .await?
            }
        }
        loop {
            if let Some(failure) = lines.failed.take() {
                return Err(failure);
            }
            if let Some(exit) = lines.progress.exit(false) {
                client.close().await;
                return Ok(exit);
            }
            client.next(&mut lines).await?;
        }
    };
    limited(limit, watching).await.unwrap_or(Ok(Exit::TimedOut))
}

struct Lines<'a> {
    printer: &'a mut Printer,
    progress: Progress,
    /// Set when the reader has closed the output.
    failed: Option<Failure>,
}

impl Watcher for Lines<'_> {
    fn frame(&mut self, frame: &Value) {
        self.progress.frame(frame);
        let text = text(frame);
        if self.printer.is_json() || !text.is_empty() {
            let printed = self.printer.result(&text, frame);
            self.failed = self.failed.take().or(printed.err());
        }
    }

    fn lost(&mut self, why: &str) {
        self.printer
            .note(&format!("the connection is lost ({why}); connecting again"));
    }

    fn back(&mut self) {
        self.printer.note("connected again");
    }
}

/// A frame for people; empty for frames that only programs need.
fn text(frame: &Value) -> String {
    let of = |name: &str| frame[name].as_str().unwrap_or_default();
    let key = key_of(frame).unwrap_or_default();
    match of("type") {
        "data" => format!(
            "{key}  data  {}/{}  {}",
            of("node"),
            of("action"),
            frame["body"]
        ),
        "action" => format!("{key}  action  {}  {}", of("node"), frame["body"]),
        "view" => format!("{key}  view  {}", frame["body"]),
        "child" => format!("{key}  child  {}", instance(&frame["child"])),
        "resync" => format!("{}  resync  {}", of("channel"), of("reason")),
        "progress" => format!("{key}  {}", position(frame)),
        "snapshot" if !key.is_empty() => format!("{key}  {} {}", of("process"), position(frame)),
        "snapshot" => lines(
            list(&frame["tasks"])
                .iter()
                .map(task)
                .chain(list(&frame["instances"]).iter().map(instance)),
        ),
        "instance" => instance(frame),
        "tasks" => {
            let removed = list(&frame["removed"])
                .iter()
                .filter_map(Value::as_str)
                .map(|element| format!("{element}  gone"));
            lines(list(&frame["set"]).iter().map(task).chain(removed))
        }
        _ => String::new(),
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn position(frame: &Value) -> String {
    let nodes: Vec<String> = list(&frame["nodes"]).iter().map(node_text).collect();
    let at = if nodes.is_empty() {
        String::new()
    } else {
        format!(" at {}", nodes.join(", "))
    };
    format!("{}{at}", status(frame))
}

fn instance(entry: &Value) -> String {
    let of = |name: &str| entry[name].as_str().unwrap_or_default();
    format!(
        "{}  {}  {}{}",
        of("instance"),
        of("process"),
        status(entry),
        business_key(entry)
    )
}

fn task(entry: &Value) -> String {
    let of = |name: &str| entry[name].as_str().unwrap_or_default();
    format!(
        "{}  {}  {}{}",
        of("element"),
        of("process"),
        node_text(entry),
        business_key(entry)
    )
}

fn business_key(entry: &Value) -> String {
    let key = entry["businessKey"].as_str();
    key.map(|key| format!("  {key}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_push_is_printed_as_one_line() {
        let check = |frame: Value, expected: &str| assert_eq!(text(&frame), expected);
        let data = json!({"type": "data", "channel": "instance/k", "seq": 5, "prev": 0, "node": "n", "action": "a", "body": {"x": 1}});
        check(data, r#"k  data  n/a  {"x":1}"#);
        let nodes = json!([{"node": "n", "name": "N", "type": "userTask"}]);
        check(
            json!({"type": "progress", "channel": "instance/k", "status": "started", "nodes": nodes}),
            "k  started at N (n)",
        );
        let task = json!({"element": "k-4", "process": "p", "businessKey": "b", "node": "n", "name": "N", "assignee": "ada"});
        check(
            json!({"type": "tasks", "channel": "tasks", "set": [task], "removed": ["k-2"]}),
            "k-4  p  N (n, ada's)  b\nk-2  gone",
        );
        let instances =
            json!([{"instance": "k", "process": "p", "status": "finished", "businessKey": "b"}]);
        check(
            json!({"type": "snapshot", "channel": "process/p", "instances": instances}),
            "k  p  finished  b",
        );
        check(
            json!({"type": "live", "channel": "instance/k", "seq": 5}),
            "",
        );
    }
}
