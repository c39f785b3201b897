//! Placing a call: its templates are rendered once, and the result is recorded.
//!
//! A retry after an incident sends the recorded request, so that the called system, which
//! recognises it by its key, sees the same request.

use super::{CallKey, HttpCallRecord, HttpCallRequest, HttpRequest, OutgoingCall, repeat_key};
use crate::{
    engine::{context::Step, effect::Effect, record::Record, state::InstanceState},
    model::{http_request::HttpCall, ids::ElementKey},
};

/// The reason why a call cannot be placed: the code and sentence of an incident.
pub(in crate::engine) type Unplaced = (&'static str, String);

/// Places the call of a triggering, or repeats its failed call. `start` records the start of the
/// action.
pub(in crate::engine) fn place(
    step: &mut Step<'_>,
    call: CallKey,
    template: &HttpCall,
    start: &dyn Fn(&mut Step<'_>),
) -> Result<(), Unplaced> {
    if under_way(step.state) >= step.limits.calls {
        let sentence = format!(
            "expected at most {} calls of one instance in progress, but this is one more. Retry \
            when others are answered",
            step.limits.calls
        );
        return Err(("call_limit", sentence));
    }
    let failed = step
        .state
        .element(call.element)
        .and_then(|element| element.http_call(&call.action, call.occurrence));
    if let Some(request) = failed.map(|open| open.request.clone()) {
        let number = step.record(Record::HttpCall(Box::new(HttpCallRecord::CallRepeated {
            call: call.clone(),
        })));
        send(step, &call, number, request);
        return Ok(());
    }
    let request = render(step, call.element, template)?;
    start(step);
    let number = step.next_seq();
    let request = HttpRequest {
        idempotency_key: repeat_key(step.state.key(), number, &request),
        ..request
    };
    let placed = HttpCallRecord::CallPlaced {
        call: call.clone(),
        request: Box::new(request.clone()),
    };
    step.record(Record::HttpCall(Box::new(placed)));
    send(step, &call, number, request);
    Ok(())
}

fn under_way(state: &InstanceState) -> usize {
    state
        .active()
        .flat_map(|(_, element)| element.http_calls())
        .filter(|open| open.under_way.is_some())
        .count()
}

fn send(step: &mut Step<'_>, call: &CallKey, number: u64, request: HttpRequest) {
    let node = step
        .state
        .element(call.element)
        .map(|element| element.node().clone());
    let action = Some(call.action.clone());
    step.effect(Effect::Call(Box::new(OutgoingCall {
        number,
        node,
        action,
        request: HttpCallRequest::Http(request),
    })));
}

fn render(step: &Step<'_>, key: ElementKey, call: &HttpCall) -> Result<HttpRequest, Unplaced> {
    let (variables, builtins) = (step.variables(key), step.builtins());
    let unfit = |sentence| ("http_request_invalid", sentence);
    let body = call
        .body
        .as_ref()
        .map(|body| body.render(&variables, &builtins))
        .transpose();
    Ok(HttpRequest {
        method: call.method.clone(),
        url: call.url.render(&variables, &builtins).map_err(unfit)?,
        headers: call.headers.render(&variables, &builtins).map_err(unfit)?,
        body: body.map_err(|sentence| ("template_error", sentence))?,
        timeout_ms: call.timeout_ms,
        retries: call.retries,
        backoff_ms: call.backoff_ms,
        success: call.success.clone(),
        idempotency_key: String::new(),
    })
}
