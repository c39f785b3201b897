//! Reads the extension elements of a node: actions with their parameters, and keys.

use roxmltree::Node;

use super::{
    reader::{Reader, plain},
    xml::{filled, text},
};
use crate::model::{
    action::{
        Action, ActionType, Key, MessageType, Required, Target, Trigger, javascript,
        upload_default_bytes,
    },
    ad_hoc::START_ACTIVITY,
    http_request::{self, HttpRequestParams},
};

const ATTRIBUTES: &[&str] = &[
    "name",
    "order",
    "type",
    "timer",
    "trigger",
    "required",
    "repeatable",
    "autorunChildren",
    "parent",
    "allowBack",
    "restartFromSnapshot",
    "strictKeys",
    "holdsToken",
];

/// Reads a `stepwire:actions` element of the node `id`.
pub(super) fn read_all(actions: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Vec<Action> {
    reader.check_attributes(actions, id, &[], &[]);
    let mut read = Vec::new();
    for child in actions.children().filter(Node::is_element) {
        if reader.is_own(child, id, &["action"]) {
            read.push(read_action(child, id, reader));
        }
    }
    read
}

fn read_action(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Action {
    reader.check_attributes(node, id, ATTRIBUTES, &[]);
    let mut params = Params {
        action: node.attribute("name").unwrap_or_default(),
        values: Vec::new(),
    };
    let mut keys = Vec::new();
    let mut restart_keys = Vec::new();
    for child in node.children().filter(Node::is_element) {
        if reader.is_own(child, id, &["param", "key", "restartKey"]) {
            match child.tag_name().name() {
                "key" => keys.push(read_key(child, id, reader)),
                "restartKey" => restart_keys.push(plain(child, "path")),
                _ => params.read(child, id, reader),
            }
        }
    }
    let mut flag = |name: &str, absent: bool| reader.flag(id, name, node.attribute(name), absent);
    let (repeatable, autorun_children) =
        (flag("repeatable", false), flag("autorunChildren", false));
    let (allow_back, restart_from_snapshot) =
        (flag("allowBack", false), flag("restartFromSnapshot", false));
    let (holds_token, strict_keys) = (flag("holdsToken", true), flag("strictKeys", false));
    let triggers = [
        ("automatic", Trigger::Automatic),
        ("manual", Trigger::Manual),
    ];
    let necessities = [
        ("mandatory", Required::Mandatory),
        ("optional", Required::Optional),
    ];
    Action {
        name: plain(node, "name"),
        order: reader.integer(id, "order", node.attribute("order")),
        work: read_type(node, params, id, reader),
        timer: filled(node.attribute("timer")).map(str::to_owned),
        trigger: reader.word(
            id,
            "trigger",
            node.attribute("trigger"),
            &triggers,
            Trigger::default(),
        ),
        required: reader.word(
            id,
            "required",
            node.attribute("required"),
            &necessities,
            Required::default(),
        ),
        repeatable,
        autorun_children,
        parent: filled(node.attribute("parent")).map(str::to_owned),
        allow_back,
        restart_from_snapshot,
        restart_keys,
        holds_token,
        keys,
        strict_keys,
    }
}

/// Reads type and parameters. A type that does not run is reported and read as `saveData`, so that
/// the rest of the node can still be checked.
fn read_type(
    node: Node<'_, '_>,
    mut params: Params<'_>,
    id: &str,
    reader: &mut Reader<'_>,
) -> ActionType {
    let name = reader.required(node, id, "type");
    let work = match name.as_str() {
        "websocketSend" => {
            let message_types = [
                ("default", MessageType::Default),
                ("action", MessageType::Action),
            ];
            let targets = [("active", Target::Active), ("parent", Target::Parent)];
            let message_type = params.take("messageType");
            let target = params.take("target");
            ActionType::WebsocketSend {
                message_type: reader.word(
                    id,
                    "messageType",
                    message_type.as_deref(),
                    &message_types,
                    MessageType::default(),
                ),
                message: params.text("message"),
                target: reader.word(id, "target", target.as_deref(), &targets, Target::default()),
            }
        }
        "appendToParent" => ActionType::AppendToParent {
            message: params.text("message"),
            destination: params.text("destination"),
        },
        "businessRule" => ActionType::BusinessRule {
            script: params.text("script"),
            language: params.take("language").unwrap_or_else(javascript),
        },
        "uploadFile" => {
            let (max_bytes, types) = (params.take("maxBytes"), params.take("types"));
            ActionType::UploadFile {
                destination: params.text("destination"),
                max_bytes: reader
                    .integer(id, "maxBytes", max_bytes.as_deref())
                    .unwrap_or_else(upload_default_bytes),
                types: reader.list(id, "types", types.as_deref()),
            }
        }
        "httpRequest" => {
            let (retries, success) = (params.take("retries"), params.take("success"));
            ActionType::HttpRequest(Box::new(HttpRequestParams {
                method: params
                    .take("method")
                    .unwrap_or_else(http_request::default_method),
                url: params.text("url"),
                headers: params.take("headers"),
                body: params.take("body"),
                timeout: params
                    .take("timeout")
                    .unwrap_or_else(http_request::default_timeout),
                retries: reader
                    .integer(id, "retries", retries.as_deref())
                    .unwrap_or_else(http_request::default_retries),
                backoff: params
                    .take("backoff")
                    .unwrap_or_else(http_request::default_backoff),
                success: reader.list(id, "success", success.as_deref()),
                output_key: params.take("outputKey"),
                output: params.take("output"),
            }))
        }
        "startSubprocess" => {
            let asynchronous = params.take_as_written("async");
            let without_params = params.take("withoutParams");
            let params_to_copy = params.take("paramsToCopy");
            ActionType::StartSubprocess {
                process: params.text("process"),
                params_to_copy: reader.list(id, "paramsToCopy", params_to_copy.as_deref()),
                without_params: reader
                    .list(id, "withoutParams", without_params.as_deref())
                    .unwrap_or_default(),
                asynchronous: reader.flag(id, "async", asynchronous.as_deref(), true),
                output_key: params.take("outputKey"),
                output: params.take("output"),
            }
        }
        START_ACTIVITY => ActionType::StartActivity {
            activity: params.text("activity"),
        },
        "saveData" => ActionType::SaveData,
        other => {
            if !other.is_empty() {
                let message = format!(
                    "action `{}`: expected type websocketSend, saveData, appendToParent, \
                    businessRule, uploadFile, httpRequest, startSubprocess or startActivity, but \
                    got `{other}`, which is not supported; use one of those",
                    params.action
                );
                reader.error(id, "unsupported_action_type", message);
            }
            return ActionType::SaveData;
        }
    };
    params.warn_of_rest(&name, id, reader);
    work
}

/// Reads a `stepwire:key` element.
pub(super) fn read_key(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Key {
    reader.check_attributes(node, id, &["path", "required"], &[]);
    let path = plain(node, "path");
    let required = reader.flag(id, "required", node.attribute("required"), false);
    let mut schemas = Vec::new();
    for child in node.children().filter(Node::is_element) {
        if reader.is_own(child, id, &["schema"]) {
            schemas.push(child);
        }
    }
    let schema = reader.only(id, "duplicate_extension", schemas);
    let schema =
        schema.and_then(|schema| reader.json(id, &format!("schema of key {path}"), &text(schema)));
    Key {
        path,
        required,
        schema,
    }
}

/// The `stepwire:param` elements of an action, which its type takes out one by one.
struct Params<'a> {
    action: &'a str,
    /// Name, value, and the line it is in.
    values: Vec<(String, String, usize)>,
}

impl Params<'_> {
    fn read(&mut self, node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) {
        let name = reader.required(node, id, "name");
        let line = reader.line(node);
        if let Some((_, _, first)) = self.values.iter().find(|(other, ..)| *other == name) {
            let message = format!(
                "action `{}`: expected the param `{name}` once, but it is in line {first} and in \
                line {line}; remove one",
                self.action
            );
            reader.error(id, "duplicate_param", message);
            return;
        }
        self.values.push((name, text(node), line));
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.take_as_written(name).filter(|value| !value.is_empty())
    }

    fn take_as_written(&mut self, name: &str) -> Option<String> {
        let position = self.values.iter().position(|(other, ..)| other == name)?;
        Some(self.values.swap_remove(position).1)
    }

    /// A required parameter; `validate` reports an empty one.
    fn text(&mut self, name: &str) -> String {
        self.take(name).unwrap_or_default()
    }

    fn warn_of_rest(&self, type_name: &str, id: &str, reader: &mut Reader<'_>) {
        for (name, ..) in &self.values {
            let message = format!(
                "action `{}`: expected no param `{name}` for type {type_name}, but got it; it is \
                ignored",
                self.action
            );
            reader.warning(id, "unknown_name", message);
        }
    }
}
