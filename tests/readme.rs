//! The exchange printed in README.md is what the program does: each `>` line is sent, each `<` line
//! must be received.

mod curl;
mod guide;
mod links;

use std::path::Path;

use serde_json::{Value, json};

use crate::wire::{Client, Server};

/// Matches anything that the line leaves out: members of an object, or the end of a text.
const LEFT_OUT: &str = "…";

#[tokio::test]
async fn the_exchange_works_as_printed() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"))
        .expect("README.md is there");
    let block = readme
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let block = block.expect("README.md has a block of text with the exchange");
    let server = Server::start();
    let mut client = Client::open(&server).await;
    let mut key = None;
    for line in block.lines() {
        let line = line.replace("KEY", key.as_deref().unwrap_or("KEY"));
        match line.split_once(' ') {
            Some((">", frame)) => client.send_text(frame).await,
            Some(("<", printed)) => {
                let expected = readable(printed);
                let frame = client.expect_that(|frame| agrees(&expected, frame)).await;
                if key.is_none() {
                    key = frame["channel"]
                        .as_str()
                        .and_then(|channel| channel.strip_prefix("instance/"))
                        .map(str::to_owned);
                }
            }
            _ => panic!("expected a line with > or <, but it is: {line}"),
        }
    }
    assert!(block.contains("> ") && key.is_some());
}

/// The printed line as JSON, without the parts that an object or list leaves out.
fn readable(printed: &str) -> Value {
    let whole = printed.replace(",…", "").replace("{…}", "{}");
    serde_json::from_str(&whole)
        .unwrap_or_else(|error| panic!("expected JSON with … in it, but {error}: {printed}"))
}

/// Whether a frame has everything that is printed; it may have more.
fn agrees(printed: &Value, found: &Value) -> bool {
    match (printed, found) {
        (Value::Object(printed), Value::Object(found)) => printed
            .iter()
            .all(|(name, value)| found.get(name).is_some_and(|found| agrees(value, found))),
        (Value::Array(printed), Value::Array(found)) => {
            printed.len() == found.len()
                && printed
                    .iter()
                    .zip(found)
                    .all(|(printed, found)| agrees(printed, found))
        }
        (Value::String(printed), Value::String(found)) => match printed.strip_suffix(LEFT_OUT) {
            Some(start) => found.starts_with(start),
            // The key is not known before the first frame that names it.
            None => {
                printed == found
                    || (printed.contains("KEY") && found.len() == printed.len() - "KEY".len() + 36)
            }
        },
        (printed, found) => printed == found,
    }
}

#[test]
fn printed_lines_agree_with_frames_that_hold_more() {
    let printed = readable(r#"{"a":[{"b":1,…}],"c":"x…",…}"#);
    assert!(agrees(
        &printed,
        &json!({"a": [{"b": 1, "z": 2}], "c": "xyz", "d": 0})
    ));
    assert!(!agrees(&printed, &json!({"a": [{"b": 2}], "c": "xyz"})));
    assert!(!agrees(&printed, &json!({"a": [], "c": "xyz"})));
}
