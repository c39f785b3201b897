//! Calls to other systems: the request of an `httpRequest` action, its response, and webhooks at
//! the end of an instance.
//!
//! Placing a call records the request as it will be sent in every attempt. The response arrives as
//! a command of its own and is taken once: it names the record that placed or repeated the call.
//! Meanwhile the action is in progress, like one that waits for a child. `request` makes requests,
//! `response` takes responses, `end` notifies webhooks.
//!
//! Not here: how, when and where calls are made (`runtime::http_calls`); what a modeller may write
//! (`model::http_request`).

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

/// Which triggering a call is made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallKey {
    /// Of which element.
    pub element: ElementKey,
    /// Its action.
    pub action: Arc<str>,
    /// Which triggering, from 1.
    pub occurrence: u32,
}

/// What has happened between an instance and the outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HttpCallRecord {
    /// A call is to be made, for the first time.
    #[serde(rename = "placed")]
    CallPlaced {
        /// For what.
        call: CallKey,
        /// As it is sent.
        request: Box<HttpRequest>,
    },
    /// A call that failed is to be made again, as it was.
    #[serde(rename = "repeated")]
    CallRepeated {
        /// For what.
        call: CallKey,
    },
    /// A call was answered, or given up.
    #[serde(rename = "answered")]
    CallAnswered {
        /// For what.
        call: CallKey,
        /// The answer's status; `None` when there was none.
        status: Option<u16>,
    },
    /// A webhook is to learn that the instance has ended.
    #[serde(rename = "webhook")]
    WebhookPlaced {
        /// Where.
        url: String,
    },
}

/// A request as it is sent, but for its secrets, which never leave the server's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// In upper case.
    pub method: String,
    /// Whole, with all values encoded.
    pub url: String,
    /// Besides those the server writes.
    pub headers: Vec<Header>,
    /// JSON.
    pub body: Option<Value>,
    /// What one try may take, in milliseconds.
    pub timeout_ms: u64,
    /// How often a failed try is made again.
    pub retries: u32,
    /// The pause before the first retry, in milliseconds; each next one is twice as long.
    pub backoff_ms: u64,
    /// What is a success.
    pub success: StatusRanges,
    /// What the other side knows a repeat by; the same for every try and every retry.
    pub idempotency_key: String,
}

/// What a webhook gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookRequest {
    /// Where.
    pub url: String,
    /// JSON.
    pub body: Value,
    /// What the other side knows a repeat by.
    pub id: String,
}

/// Something to be sent to the outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HttpCallRequest {
    /// For an `httpRequest` action, which waits for the answer.
    #[serde(rename = "http")]
    Http(HttpRequest),
    /// For a webhook: nobody waits.
    #[serde(rename = "webhook")]
    Webhook(WebhookRequest),
}

impl HttpCallRequest {
    /// Where it goes.
    pub fn url(&self) -> &str {
        match self {
            Self::Http(request) => &request.url,
            Self::Webhook(request) => &request.url,
        }
    }
}

/// A call on its way out.
#[derive(Clone, Debug)]
pub struct OutgoingCall {
    /// The record that placed or repeated it; the answer names it.
    pub number: u64,
    /// The node of the action; `None` for a webhook.
    pub node: Option<Arc<str>>,
    /// The action; `None` for a webhook.
    pub action: Option<Arc<str>>,
    /// What is sent.
    pub request: HttpCallRequest,
}

/// The outcome of a call.
#[derive(Clone, Debug)]
pub enum CallAnswer {
    /// An answer whose status is a success.
    Answered(Response),
    /// Nothing that helps, and it will not be tried again.
    Failed {
        /// Of which kind.
        failure: CallFailure,
        /// The status of the last answer, if there was one.
        status: Option<u16>,
        /// "expected …, but …".
        message: String,
    },
}

/// An answer of the outside.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// An object: names in lower case, values as texts.
    pub headers: Value,
    /// JSON, text, or `null` for nothing; else why it cannot be read.
    pub body: Result<Value, String>,
}

/// Kinds of failure, one incident each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFailure {
    /// It was made, and did not succeed.
    Failed,
    /// The server's settings did not let it go.
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

/// A name for what record `number` of an instance sends: the same however often it is sent, and of
/// nothing else. A server restored from an earlier copy may come to send something else from the
/// same number, so what is sent is part of the name.
fn repeat_key(instance: InstanceKey, number: u64, sent: &impl Serialize) -> String {
    format!("{instance}-{number}-{}", content_hash(sent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_sent_has_a_name_of_its_own_also_after_an_earlier_copy_was_restored() {
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
