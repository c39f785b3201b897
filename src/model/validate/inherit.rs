//! The form of an Action message that starts a process: `START_PROCESS_INHERIT`.

use serde_json::{Map, Value};

use super::Report;
use crate::model::{path::DataPath, start_message::StartMessage};

/// Checks an Action message by its outline, in which every placeholder is `null` and so may be
/// anything. A message of another form is pushed unchanged, and not checked.
pub(super) fn check(element: &str, owner: &str, outline: &Value, report: &mut Report) {
    let Value::Object(form) = outline else { return };
    if !StartMessage::is_form(outline) {
        return;
    }
    let mut expect = |holds: bool, sentence: &str| {
        if !holds {
            report.error(
                element,
                "invalid_start_message",
                format!("{owner}: {sentence}; correct the message"),
            );
        }
    };
    let has_name = form
        .get("processName")
        .is_some_and(|name| name.is_null() || name.as_str().is_some_and(|name| !name.is_empty()));
    expect(
        has_name,
        "expected `processName` to name the process to start, but it is missing or no text",
    );
    expect(
        is_list(form, "clientDataKeys", |_| true),
        "expected `clientDataKeys` to be a list of texts, but it is not",
    );
    match form.get("params") {
        None | Some(Value::Null) => {}
        Some(Value::Object(params)) => {
            let is_path = |path: &str| DataPath::parse(path).is_ok();
            let lists = is_list(params, "paramsToCopy", is_path)
                && is_list(params, "withoutParams", is_path);
            expect(
                lists,
                "expected `paramsToCopy` and `withoutParams` to be lists of paths, but one is not",
            );
            let condition = params
                .get("startCondition")
                .is_none_or(|condition| condition.is_null() || condition.is_string());
            expect(
                condition,
                "expected `startCondition` to be a text, but it is not",
            );
            let start_on = params
                .get("startOn")
                .is_none_or(|place| place.is_null() || place == "client" || place == "server");
            expect(
                start_on,
                "expected `startOn` to be `client` or `server`, but it is not",
            );
        }
        Some(_) => expect(false, "expected `params` to be an object, but it is not"),
    }
}

/// Whether the member, if present, is a list of texts that pass.
fn is_list(form: &Map<String, Value>, name: &str, passes: impl Fn(&str) -> bool) -> bool {
    match form.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items
            .iter()
            .all(|item| item.is_null() || item.as_str().is_some_and(&passes)),
        Some(_) => false,
    }
}
