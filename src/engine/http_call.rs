//! Calls to other systems: the request of an `httpRequest` action, its response, and webhooks at
//! the end of an instance.
//!
//! Placing a call records the request as it will be sent in every attempt. The response arrives as
//! a command of its own and is taken once: it names the record that placed or repeated the call.
//! Meanwhile the action is in progress, like one that waits for a child. `request` makes requests,
//! `response` takes responses, `end` notifies webhooks.
//!
//! `runtime::http_calls` makes the calls; `model::http_request` reads their definition.

pub(super) mod end;
pub(super) mod request;
pub(super) mod response;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{
    content_hash::content_hash,
    http_request::{headers::Header, status::StatusRanges},
    ids::{ElementKey, InstanceKey},
};

/// The triggering for which a call is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallKey {
    /// The element of the action.
    pub element: ElementKey,
    /// The name of the action.
    pub action: Arc<str>,
    /// The number of the triggering, from 1.
    pub occurrence: u32,
}

/// A change of a call or webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HttpCallRecord {
    /// A call was placed for the first time.
    #[serde(rename = "placed")]
    CallPlaced {
        /// The triggering that placed it.
        call: CallKey,
        /// The request.
        request: Box<HttpRequest>,
    },
    /// A failed call was placed again with the same request.
    #[serde(rename = "repeated")]
    CallRepeated {
        /// The triggering that placed it.
        call: CallKey,
    },
    /// A call got a response, or was given up.
    #[serde(rename = "answered")]
    CallAnswered {
        /// The triggering that placed it.
        call: CallKey,
        /// The status of the response; `None` without a response.
        status: Option<u16>,
    },
    /// A notification of the end of the instance was placed for a webhook.
    #[serde(rename = "webhook")]
    WebhookPlaced {
        /// The URL of the webhook.
        url: String,
    },
}

/// A request as it is sent, without its secrets, which stay in the server's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The method, in upper case.
    pub method: String,
    /// The whole URL, with all values encoded.
    pub url: String,
    /// The headers besides those that the server adds.
    pub headers: Vec<Header>,
    /// The body, as JSON.
    pub body: Option<Value>,
    /// The timeout of one attempt, in milliseconds.
    pub timeout_ms: u64,
    /// How often a failed attempt is repeated.
    pub retries: u32,
    /// The pause before the first repetition, in milliseconds; it doubles each time.
    pub backoff_ms: u64,
    /// The statuses of a success.
    pub success: StatusRanges,
    /// The key by which the called system recognises a repetition; the same for every attempt and
    /// every retry.
    pub idempotency_key: String,
}

/// The notification that is sent to a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookRequest {
    /// The URL of the webhook.
    pub url: String,
    /// The body, as JSON.
    pub body: Value,
    /// The id by which the receiver recognises a repetition.
    pub id: String,
}

/// A request to another system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HttpCallRequest {
    /// The request of an `httpRequest` action, which waits for the response.
    #[serde(rename = "http")]
    Http(HttpRequest),
    /// The notification of a webhook, for which nothing waits.
    #[serde(rename = "webhook")]
    Webhook(WebhookRequest),
}

impl HttpCallRequest {
    /// The URL of the request.
    pub fn url(&self) -> &str {
        match self {
            Self::Http(request) => &request.url,
            Self::Webhook(request) => &request.url,
        }
    }
}

/// A call on its way to the other system.
#[derive(Clone, Debug)]
pub struct OutgoingCall {
    /// The number of the record that placed or repeated it, which the response names.
    pub number: u64,
    /// The node of the action; `None` for a webhook.
    pub node: Option<Arc<str>>,
    /// The action; `None` for a webhook.
    pub action: Option<Arc<str>>,
    /// The request.
    pub request: HttpCallRequest,
}

/// The outcome of a call.
#[derive(Clone, Debug)]
pub enum CallAnswer {
    /// A response whose status is a success.
    Answered(Response),
    /// No success, and no further attempt.
    Failed {
        /// The kind of failure.
        failure: CallFailure,
        /// The status of the last response, if there was one.
        status: Option<u16>,
        /// "expected …, but …".
        message: String,
    },
}

/// The response of another system.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// The headers as an object: names in lower case, values as texts.
    pub headers: Value,
    /// JSON, a text, or `null` for an empty body; otherwise the reason why it cannot be read.
    pub body: Result<Value, String>,
}

/// The kinds of failure, with one incident each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFailure {
    /// The call was made without success.
    Failed,
    /// The configuration of the server forbids the call.
    Refused,
}

impl CallFailure {
    /// The code of its incident.
    pub fn code(self) -> &'static str {
        match self {
            Self::Failed => "http_request_failed",
            Self::Refused => "http_request_refused",
        }
    }
}

/// The idempotency key of the request made by record `number` of an instance: the same for every
/// repetition, and for no other request. A server restored from an earlier backup may make another
/// request from the same number, so the key depends on the request.
fn repeat_key(instance: InstanceKey, number: u64, sent: &impl Serialize) -> String {
    format!("{instance}-{number}-{}", content_hash(sent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn idempotency_keys_stay_unique_after_a_restore_from_a_backup() {
        let (one, other) = (
            InstanceKey(Uuid::from_u128(1)),
            InstanceKey(Uuid::from_u128(2)),
        );
        let name = |instance, number, amount: u32| {
            repeat_key(instance, number, &json!({ "amount": amount }))
        };
        assert_eq!(name(one, 6, 5), name(one, 6, 5));
        assert!(name(one, 6, 5).starts_with(&format!("{one}-6-")));
        for another in [name(other, 6, 5), name(one, 7, 5), name(one, 6, 7)] {
            assert_ne!(name(one, 6, 5), another);
        }
    }
}
