//! The Action message that starts a process, as rendered: `START_PROCESS_INHERIT`.
//!
//! Usually a client starts it (`runtime::start_child`); with `startOn` = `server` the engine does,
//! when it pushes the message. Checks at deploy: `validate::inheriting`.

use serde_json::Value;

use super::{copying::CopyList, template::Shape};

/// The `type` of the form; a message with `processName` and no `type` has this form, too.
const TYPE: &str = "START_PROCESS_INHERIT";

/// A process to start, with its data.
#[derive(Clone, Debug, PartialEq)]
pub struct StartMessage {
    /// Process id.
    pub process: String,
    /// Selects the start event.
    pub start_condition: Option<String>,
    /// The data to copy from the instance that pushes the message.
    pub copy: CopyList,
}

impl StartMessage {
    /// Whether a message has this form. Any other JSON is pushed unchanged.
    pub fn is_form(body: &Value) -> bool {
        let Value::Object(form) = body else {
            return false;
        };
        form.get("type")
            .map_or(form.contains_key("processName"), |kind| kind == TYPE)
    }

    /// The process that every message with this shape starts; `None` if it depends on data, or if
    /// the messages have another form.
    pub fn named_process(message: &Shape<'_>) -> Option<String> {
        let member = match message {
            Shape::Constant(value) => {
                return Self::is_form(value)
                    .then(|| text(value.get("processName")))
                    .flatten();
            }
            Shape::Object(members) => |name: &str| {
                members
                    .iter()
                    .find(|(member, _)| *member == name)
                    .map(|(_, shape)| shape)
            },
            _ => return None,
        };
        match member("type") {
            None => {}
            Some(Shape::Constant(kind)) if *kind == TYPE => {}
            Some(_) => return None,
        }
        match member("processName") {
            Some(Shape::Constant(name)) => text(Some(name)),
            _ => None,
        }
    }

    /// Parses a message; `None` if it has another form.
    ///
    /// # Errors
    /// A member that the form does not allow, as a sentence.
    pub fn read(body: &Value) -> Result<Option<Self>, String> {
        if !Self::is_form(body) {
            return Ok(None);
        }
        let process = text(body.get("processName"))
            .ok_or("expected `processName` to name a process, but it does not")?;
        let params = body.get("params");
        let start_condition = text(params.and_then(|params| params.get("startCondition")));
        Ok(Some(Self {
            process,
            start_condition,
            copy: CopyList::from_params(params)?,
        }))
    }

    /// Parses a message whose process the engine starts; `None` if a client does, or if it has
    /// another form.
    ///
    /// # Errors
    /// As [`Self::read`], and for a `startOn` that is neither `client` nor `server`.
    pub fn read_for_server(body: &Value) -> Result<Option<Self>, String> {
        if !Self::is_form(body) {
            return Ok(None);
        }
        match body.get("params").and_then(|params| params.get("startOn")) {
            None | Some(Value::Null) => Ok(None),
            Some(place) if place == "client" => Ok(None),
            Some(place) if place == "server" => Self::read(body),
            Some(other) => Err(format!(
                "expected `startOn` to be `client` or `server`, but got {other}"
            )),
        }
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::template::Template;

    fn process(read: Result<Option<StartMessage>, String>) -> Result<Option<String>, ()> {
        read.map(|message| message.map(|message| message.process))
            .map_err(drop)
    }

    #[test]
    fn start_messages_are_recognised_by_their_form() {
        let read = |body: Value| process(StartMessage::read(&body));
        assert_eq!(read(json!({"processName": "q"})), Ok(Some("q".to_owned())));
        assert_eq!(
            read(json!({"processName": "q", "type": TYPE})),
            Ok(Some("q".to_owned()))
        );
        assert_eq!(
            read(json!({"processName": "q", "type": "openUrl"})),
            Ok(None)
        );
        assert_eq!(read(json!("q")), Ok(None));
        assert_eq!(read(json!({"type": TYPE})), Err(()));
        assert_eq!(read(json!({"processName": ""})), Err(()));
        assert_eq!(
            read(json!({"processName": "q", "params": {"paramsToCopy": "a"}})),
            Err(())
        );
    }

    #[test]
    fn the_process_name_is_known_only_if_it_is_literal() {
        let named = |message: &str| {
            let template = Template::compile(message).expect("the test's template is valid");
            StartMessage::named_process(&template.shape())
        };
        let q = Some("q".to_owned());
        assert_eq!(named(r#"{"processName": "q"}"#), q);
        assert_eq!(
            named(
                r#"{"processName": "q", "type": "START_PROCESS_INHERIT", "clientDataKeys": "${keys}"}"#
            ),
            q
        );
        for message in [
            r#"{"processName": "${q}"}"#,
            r#"{"processName": "q-${n}"}"#,
            r#"{"processName": "q", "type": "${t}"}"#,
            r#"{"processName": "q", "type": "openUrl", "a": "${b}"}"#,
            r#"{"processName": "q", "type": "openUrl"}"#,
            r#""q""#,
            "${q}",
        ] {
            assert_eq!(named(message), None, "{message}");
        }
    }

    #[test]
    fn the_rendered_start_on_decides_the_starter() {
        let read = |params: Value| {
            process(StartMessage::read_for_server(
                &json!({"processName": "q", "params": params}),
            ))
        };
        assert_eq!(read(json!({"startOn": "server"})), Ok(Some("q".to_owned())));
        for params in [
            json!({"startOn": "client"}),
            json!({"startOn": null}),
            json!({}),
            Value::Null,
        ] {
            assert_eq!(read(params), Ok(None));
        }
        assert_eq!(read(json!({"startOn": "both"})), Err(()));
        assert_eq!(
            read(json!({"startOn": "server", "withoutParams": [1]})),
            Err(())
        );
        let other = json!({"processName": "q", "type": "openUrl", "params": {"startOn": "server"}});
        assert_eq!(process(StartMessage::read_for_server(&other)), Ok(None));
    }
}
