//! The JSON format of spans in OTLP (`ExportTraceServiceRequest`): ids as hexadecimal digits, times
//! in nanoseconds as texts.

use std::{
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Attribute, Span};

/// The code of a status that reports an error.
const ERROR: u8 = 2;

/// The body of a request with these spans.
pub(super) fn body(spans: &[Span]) -> String {
    // Each run of the program is an instance of its service.
    static INSTANCE: LazyLock<String> = LazyLock::new(|| Uuid::now_v7().to_string());
    let version = env!("CARGO_PKG_VERSION");
    let resource = [
        text("service.name", "stepwire"),
        text("service.version", version),
        text("service.instance.id", &INSTANCE),
    ];
    let spans: Vec<Value> = spans.iter().map(span).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{"scope": {"name": "stepwire", "version": version}, "spans": spans}],
    }]})
    .to_string()
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn span(span: &Span) -> Value {
    let attributes = span.attributes.iter().map(|(key, value)| match value {
        Attribute::Text(value) => text(key, value),
        Attribute::Number(value) => json!({"key": key, "value": {"intValue": value.to_string()}}),
    });
    let mut written = json!({
        "traceId": span.context.trace_id(),
        "spanId": span.context.span_id(),
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": nanoseconds(span.began),
        "endTimeUnixNano": nanoseconds(span.ended.max(span.began)),
        "attributes": attributes.collect::<Vec<Value>>(),
        "status": {},
    });
    if let Some(parent) = &span.parent {
        written["parentSpanId"] = json!(parent);
    }
    if let Some(state) = &span.context.state {
        written["traceState"] = json!(state);
    }
    if let Some(error) = &span.error {
        written["status"] = json!({"code": ERROR, "message": error});
    }
    written
}

fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}
