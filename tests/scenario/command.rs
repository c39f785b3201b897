//! Commands of clients, from a line to a frame.
//!
//! ```text
//! start PROCESS {data}            start {data} from=p1#1 (the start that the first Action message of p1 requests)
//! run [INSTANCE:][NODE.]ACTION {data}            run … file=NAME,BYTES,TYPE {data} (over REST, see `documents`)
//! done INSTANCE#NR                the NR-th Action message of an instance
//! subscribe INSTANCE | tasks | process/ID       unsubscribe likewise
//! retry | skip | claim | release | assign  [INSTANCE:]NODE
//! terminate | hold | unhold | dismiss  [INSTANCE]
//! ```
//! Every frame may have more fields, as `name=value` (`element=a`, `user=bob`, `ifSeq=7`). Instances
//! are named by process and number (`p1`, `q2`), the first one of the script is the default;
//! `NODE` is its latest visit, `NODE/1` the first.

use serde_json::{Value, json};

use super::names::Names;
use crate::wire::client::id;

/// The frame of a line's words, with an id of its own.
pub fn frame(names: &Names, words: &[&str]) -> Value {
    let [kind, rest @ ..] = words else {
        panic!("expected something to say")
    };
    let mut frame = json!({"type": kind, "id": id()});
    let (target, rest) = match rest {
        [target, rest @ ..] if !target.starts_with('{') && !target.contains('=') => {
            (Some(*target), rest)
        }
        rest => (None, rest),
    };
    match *kind {
        "start" => frame["process"] = json!(target),
        "run" => run(names, target.expect("an action to run"), &mut frame),
        "done" => {
            let (instance, seq) = names.offer(target.expect("INSTANCE#NR"));
            frame["instance"] = json!(instance);
            frame["seq"] = json!(seq);
        }
        "subscribe" | "unsubscribe" => {
            let channel = target.unwrap_or_default();
            frame["channel"] = json!(
                names
                    .key(channel)
                    .map_or(channel.to_owned(), |key| format!("instance/{key}"))
            );
        }
        "retry" | "skip" | "claim" | "release" | "assign" => {
            let (instance, node) = instance(names, target.expect("an element"));
            frame["instance"] = json!(instance);
            frame["element"] = json!(names.element(instance, node));
        }
        _ => {
            frame["instance"] =
                json!(target.map_or_else(|| names.first(), |name| names.known(name)))
        }
    }
    rest.iter().for_each(|word| field(names, word, &mut frame));
    frame
}

fn run(names: &Names, target: &str, frame: &mut Value) {
    let (instance, action) = instance(names, target);
    frame["instance"] = json!(instance);
    frame["action"] = json!(action);
    if let Some((node, action)) = action.rsplit_once('.') {
        frame["element"] = json!(names.element(instance, node));
        frame["action"] = json!(action);
    }
}

fn instance<'a>(names: &'a Names, target: &'a str) -> (&'a str, &'a str) {
    match target.split_once(':') {
        Some((name, rest)) => (names.known(name), rest),
        None => (names.first(), target),
    }
}

fn field(names: &Names, word: &str, frame: &mut Value) {
    if word.starts_with('{') {
        frame["data"] = serde_json::from_str(word)
            .unwrap_or_else(|error| panic!("expected JSON, but {error}: {word}"));
        return;
    }
    let (name, value) = word
        .split_once('=')
        .unwrap_or_else(|| panic!("expected name=value or data, but got {word}"));
    match name {
        "from" if value.contains('#') => {
            let (instance, seq) = names.offer(value);
            frame["inheritFrom"] = json!({"instance": instance, "seq": seq});
        }
        "from" => frame["inheritFrom"] = json!({"instance": names.known(value)}),
        _ => frame[name] = serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
    }
}
