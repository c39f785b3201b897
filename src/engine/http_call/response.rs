//! Takes the response of a call: its result is merged and the action continues, or an incident
//! describes the failure.
//!
//! A response to a call that nothing waits for any more, or that already has one, leaves no record.

use serde_json::{Value, json};

use super::{CallAnswer, CallFailure, CallKey, HttpCallRecord, Response};
use crate::{
    engine::{context::Step, effect::Effect, record::Record},
    limits::DATA_DEPTH,
    model::{deep_merge::exceeds_depth, executable::ActionWork, http_request::HttpCall},
};

/// Takes the response to the call that record `number` placed or repeated.
pub(in crate::engine) fn take(step: &mut Step<'_>, number: u64, answer: CallAnswer) {
    let Some((call, placed)) = waiting(step, number).filter(|_| step.state.status().is_live())
    else {
        return;
    };
    let action = step
        .node_of(call.element)
        .and_then(|node| node.action(&call.action));
    let Some(ActionWork::HttpRequest(template)) = action.map(|action| &action.work) else {
        return;
    };
    let status = match &answer {
        CallAnswer::Answered(response) => Some(response.status),
        CallAnswer::Failed { status, .. } => *status,
    };
    step.effect(Effect::ForgetCall(number));
    step.record(Record::HttpCall(Box::new(HttpCallRecord::CallAnswered {
        call: call.clone(),
        status,
    })));
    let CallKey {
        element,
        action,
        occurrence,
    } = call;
    let result = match answer {
        CallAnswer::Answered(response) => {
            result(step, template, response).map_err(|message| (CallFailure::Failed, message))
        }
        CallAnswer::Failed {
            failure, message, ..
        } => Err((failure, message)),
    };
    match result {
        Ok(patch) => {
            if let Some(patch) = patch {
                step.merge_of_call(element, placed, patch);
            }
            step.record(Record::ActionCompleted {
                element,
                action,
                occurrence,
            });
            step.queue(element);
        }
        Err((failure, message)) => {
            step.incident(element, failure.code(), message, Some((action, occurrence)))
        }
    }
}

/// The triggering that waits for the response, and the number of the record that placed the call.
fn waiting(step: &Step<'_>, number: u64) -> Option<(CallKey, u64)> {
    step.state.active().find_map(|(element, instance)| {
        let open = instance
            .http_calls()
            .find(|open| open.under_way == Some(number))?;
        Some((
            CallKey {
                element,
                action: open.action.clone(),
                occurrence: open.occurrence,
            },
            open.placed,
        ))
    })
}

/// The patch that a response makes to the data.
fn result(step: &Step<'_>, call: &HttpCall, response: Response) -> Result<Option<Value>, String> {
    let Response {
        status,
        headers,
        body,
    } = response;
    let body = match body {
        Err(why) if call.needs_body() => return Err(why),
        body => body.unwrap_or_default(),
    };
    let value = match &call.output {
        None if call.output_key.is_none() => return Ok(None),
        None => body,
        Some(output) => {
            let scope = json!({"status": status, "headers": headers, "body": body});
            output
                .render(&scope, &step.builtins())
                .map_err(|error| format!("the output of the call: {error}"))?
        }
    };
    let levels = call.output_key.as_ref().map_or(0, |path| path.depth());
    if exceeds_depth(&value, DATA_DEPTH.saturating_sub(levels)) {
        return Err(format!(
            "expected a result of at most {DATA_DEPTH} levels in the data, but it is deeper; \
            take less of it"
        ));
    }
    match &call.output_key {
        Some(path) => Ok(Some(path.nest(value))),
        None if value.is_object() => Ok(Some(value)),
        None => Err(
            "expected the output of the call to be a JSON object, as it is merged into the \
                data, but it is another value"
                .to_owned(),
        ),
    }
}
