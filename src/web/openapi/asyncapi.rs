//! The AsyncAPI document of the websocket, made from the catalog of its frames.
//!
//! It describes the server's side: the server receives what a client sends. Not here: the frames'
//! shapes (`session::protocol::catalog`).

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::{super::websocket::socket::PROTOCOL, loosen, published::PublishedDocument};
use crate::session::protocol::{
    catalog::{FrameCatalog, FrameShape},
    close::{CloseCode, ReconnectPolicy},
    examples,
};

/// The document.
pub fn document() -> Value {
    let catalog = FrameCatalog::new();
    let all = || catalog.from_client.iter().chain(&catalog.from_server);
    let messages: Map<String, Value> = all()
        .map(|frame| (frame.name.to_owned(), message(frame)))
        .collect();
    let of_channel: Map<String, Value> = all()
        .map(|frame| {
            (
                frame.name.to_owned(),
                reference(&format!("components/messages/{}", frame.name)),
            )
        })
        .collect();
    let schemas: Map<String, Value> = catalog
        .schemas
        .iter()
        .map(|(name, schema)| (name.clone(), json!(schema)))
        .collect();
    let commands = frames(&catalog.from_client, |frame| frame.is_command);
    let others = frames(&catalog.from_client, |frame| !frame.is_command);
    let is_answer = |frame: &FrameShape| ["reply", "error"].contains(&frame.name);
    let (answers, pushes) = (
        frames(&catalog.from_server, is_answer),
        frames(&catalog.from_server, |_| true),
    );
    let session = reference("channels/session");
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stepwire websocket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!(
                "The frames of {PROTOCOL}: text messages, one JSON object each. Within v1 only \
                additive changes: pass over fields and types you do not know. In words: \
                /docs/protocol. The HTTP interface has its own document: /openapi.json."
            ),
            "license": {"name": env!("CARGO_PKG_LICENSE")},
        },
        "defaultContentType": "application/json",
        "servers": {"here": {"host": "localhost:8000", "protocol": "ws", "description": "Where \
            it listens by default"}},
        "channels": {"session": {
            "address": "/v1/ws",
            "title": "A session",
            "messages": of_channel,
            "bindings": {"ws": binding()},
            "x-close-codes": close_codes(),
        }},
        "operations": {
            "command": {
                "action": "receive", "channel": session, "messages": commands,
                "summary": "Commands; each is answered",
                "reply": {"channel": session, "messages": answers},
            },
            "greet": {"action": "receive", "channel": session, "messages": others, "summary": "Frames \
                without an answer of their own"},
            "push": {"action": "send", "channel": session, "messages": pushes, "summary": "What \
                the server sends"},
        },
        "components": {"messages": messages, "schemas": schemas},
    });
    loosen(&mut document);
    document
}

fn reference(place: &str) -> Value {
    json!({"$ref": format!("#/{place}")})
}

fn frames(all: &[FrameShape], wanted: impl Fn(&FrameShape) -> bool) -> Vec<Value> {
    all.iter()
        .filter(|frame| wanted(frame))
        .map(|frame| reference(&format!("channels/session/messages/{}", frame.name)))
        .collect()
}

fn message(frame: &FrameShape) -> Value {
    let payloads = examples::of(frame.name)
        .into_iter()
        .map(|payload| json!({"payload": payload}));
    let mut message = json!({
        "name": frame.name,
        "summary": frame.summary,
        "payload": frame.schema,
        "examples": payloads.collect::<Vec<_>>(),
    });
    if frame.is_command || frame.name == "reply" {
        message["correlationId"] = json!({"location": "$message.payload#/id"});
    }
    message
}

/// How the websocket is opened.
fn binding() -> Value {
    json!({
        "method": "GET",
        "query": {"type": "object", "properties": {
            "ticket": {"type": "string", "description": "A ticket of POST /v1/tickets instead of \
                a token in hello"},
        }},
        "headers": {"type": "object", "required": ["Sec-WebSocket-Protocol"], "properties": {
            "Sec-WebSocket-Protocol": {"type": "string", "enum": [PROTOCOL]},
        }},
        "bindingVersion": "0.1.0",
    })
}

fn close_codes() -> Vec<Value> {
    let described = |code: CloseCode| {
        let reconnect_policy = match code.reconnect_policy() {
            ReconnectPolicy::Reconnect => json!({"reconnect": true}),
            ReconnectPolicy::NewToken => json!({"reconnect": true, "once": "with a new token"}),
            ReconnectPolicy::After(seconds) => json!({"reconnect": true, "afterSeconds": seconds}),
            ReconnectPolicy::Stop => json!({"reconnect": false}),
        };
        json!({"code": code.number(), "reason": code.reason(), "client": reconnect_policy})
    };
    CloseCode::ALL.into_iter().map(described).collect()
}

/// `GET /asyncapi.json`: the frames of the websocket. For anybody.
#[utoipa::path(get, path = "/asyncapi.json", tag = "server", security(()), operation_id = "getAsyncapi", summary = "Read \
    the websocket's document",
    responses((status = 200, description = "An AsyncAPI document", body = Object, content_type = "application/json"), (status = 304, description = "As \
        it was")))]
pub async fn json(request: HttpRequest) -> HttpResponse {
    static PUBLISHED: LazyLock<PublishedDocument> =
        LazyLock::new(|| PublishedDocument::new(&document()));
    PUBLISHED.answer(&request)
}
