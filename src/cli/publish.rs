//! `stepwire publish`: publishes a message or a signal.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    access::Access,
    exit::{Exit, Failure},
    payload,
    print::{Printer, list},
    rest::{Body, Rest},
};
use crate::config::PublishArguments;

/// Publishes it, and prints the receivers.
///
/// # Errors
/// The server refuses, or cannot be reached.
pub async fn publish(
    publish: PublishArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut body = json!({
        "name": publish.name,
        "data": payload::read(publish.data_json.as_deref())?,
    });
    let members = [
        ("correlationKey", publish.key),
        ("businessKey", publish.business_key),
        ("ttl", publish.ttl),
        (
            "instance",
            publish.instance.map(|instance| instance.to_string()),
        ),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    let path = if publish.signal {
        "/v1/signals"
    } else {
        "/v1/messages"
    };
    let id = publish.id.unwrap_or_else(Uuid::now_v7);
    let mut result = Rest::new(access)?
        .post(path, Body::command(&body, id))
        .await?;
    result["id"] = json!(id.to_string());
    printer.result(&text(&result), &result)?;
    Ok(Exit::Done)
}

/// The receivers, in a few lines.
fn text(result: &Value) -> String {
    let mut lines = Vec::new();
    for (name, what) in [("instances", "got it"), ("started", "was started")] {
        let keys = list(&result[name]).iter().filter_map(Value::as_str);
        lines.extend(keys.map(|key| format!("{key}  {what}")));
    }
    for (name, what) in [("moreInstances", "got it"), ("moreStarted", "were started")] {
        if let Some(more) = result[name].as_u64() {
            lines.push(format!("{more} more {what}"));
        }
    }
    for refused in list(&result["refused"]) {
        let text_of = |name: &str| refused[name].as_str().unwrap_or_default().to_owned();
        lines.push(format!(
            "{}  could not be started: {}",
            text_of("instance"),
            text_of("message")
        ));
    }
    if let Some(until) = result["bufferedUntil"].as_str() {
        lines.push(format!("kept until {until} for those who do not wait yet"));
    }
    if lines.is_empty() {
        lines.push("no element waits for it".to_owned());
    }
    lines.join("\n")
}
