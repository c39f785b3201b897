//! Notifies the webhooks of a process of the end of an instance. Nothing in the instance waits for
//! them or depends on them.

use serde_json::{Value, json};

use super::{HttpCallRecord, HttpCallRequest, OutgoingCall, WebhookRequest, repeat_key};
use crate::{
    engine::{
        context::Step,
        effect::Effect,
        instance_outcome::outcome,
        record::{Record, Status},
    },
    limits::WEBHOOK_DATA_BYTES,
    model::webhook::Webhook,
};

/// The type of the notification; the only one so far.
const TYPE: &str = "instance.ended";

/// Places the notifications of the webhooks for this status; `error` is the code of a failure. The
/// end is recorded before.
pub(in crate::engine) fn notify_webhooks(step: &mut Step<'_>, status: Status, error: Option<&str>) {
    let process = step.process;
    for webhook in process
        .definition
        .webhooks
        .iter()
        .filter(|webhook| webhook.is_notified_of(status.name()))
    {
        let url = webhook.url.clone();
        let number = step.record(Record::HttpCall(Box::new(HttpCallRecord::WebhookPlaced {
            url: url.clone(),
        })));
        let body = body(step, webhook, error);
        let request = WebhookRequest {
            url,
            id: repeat_key(step.state.key(), number, &body),
            body,
        };
        let request = HttpCallRequest::Webhook(request);
        step.effect(Effect::Call(Box::new(OutgoingCall {
            number,
            node: None,
            action: None,
            request,
        })));
    }
}

fn body(step: &Step<'_>, webhook: &Webhook, error: Option<&str>) -> Value {
    let head = step.state.head();
    let mut body = json!({
        "type": TYPE,
        "instance": head.key,
        "process": head.process.id,
        "version": head.process.version,
        "status": step.state.status().name(),
        "businessKey": head.business_key,
        "parent": head.parent.as_ref().map(|link| link.instance),
        "root": head.root(),
        "startedBy": head.started_by,
        "startedAt": step.state.created_at().to_string(),
        "endedAt": step.now.to_string(),
    });
    if let Some(outcome) = outcome(step.state) {
        body["outcome"] = outcome.name().into();
    }
    if let Some(error) = error {
        body["error"] = error.into();
    }
    if head.test {
        body["test"] = true.into();
    }
    if webhook.includes_data() {
        let data = step.state.data();
        if data.to_string().len() <= WEBHOOK_DATA_BYTES {
            body["data"] = data.clone();
        } else {
            body["dataOmitted"] = true.into();
        }
    }
    body
}
