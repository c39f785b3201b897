//! Publishing messages and signals: the requests of clients, and the answers.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    client::{FrameId, Payload},
    code::ErrorCode,
    fields::{Fields, Sentence, quoted},
    to_command::{canonical, object, subject},
    wire_error::WireError,
};
use crate::{
    duration,
    engine::{
        Command, access::Caller, command::TakeMessage, correlation::Correlation, record::CommandTag,
    },
    limits::{self, Limit},
    model::ids::{InstanceKey, Time},
    runtime::{
        correlations::publish::{PublishRequest, Published},
        instance_request::InstanceRequest,
        keys::body_hash,
    },
};

/// Publishes a message, or a signal.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Publish {
    /// Correlates the reply; a UUID makes it idempotent.
    #[schema(ignore)]
    pub id: FrameId,
    /// The kind of publication: `message` (the default) or `signal`.
    #[schema(nullable = false, value_type = Option<String>)]
    pub kind: PublishedKind,
    /// Name of the message or signal.
    #[schema(max_length = 256)]
    pub name: String,
    /// Correlation key: only elements that wait for this key receive the message; if absent, those
    /// that wait without a key.
    #[schema(nullable = false, max_length = 256)]
    pub correlation_key: Option<String>,
    /// Business key of the instances that it starts. Of a message also that of the instances that
    /// receive it: if absent, any.
    #[schema(nullable = false, max_length = 256)]
    pub business_key: Option<String>,
    /// Merged into the data of every receiver.
    #[schema(nullable = false)]
    pub data: Option<Payload>,
    /// How long a message is kept for elements that do not wait yet: an ISO 8601 duration of at
    /// most 30 days, by default `PT0S`.
    #[schema(nullable = false)]
    pub ttl: Option<String>,
    /// The instance for which the message is: only elements there receive it.
    #[schema(nullable = false)]
    pub instance: Option<InstanceKey>,
}

/// The kind of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedKind {
    /// To one subscription in each process.
    Message,
    /// To all subscriptions.
    Signal,
}

/// A message to be published; as the frame `publish`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "a shape of the documents only")]
pub struct MessageBody {
    /// Name of the message.
    #[schema(max_length = 256)]
    name: String,
    /// Correlation key: only elements that wait for this key receive it; if absent, those that wait
    /// without a key.
    #[schema(nullable = false, max_length = 256)]
    correlation_key: Option<String>,
    /// Business key of the instances that receive it, and of those that it starts; if absent, it
    /// goes to instances with any.
    #[schema(nullable = false, max_length = 256)]
    business_key: Option<String>,
    /// Merged into the data of every receiver.
    #[schema(nullable = false)]
    data: Option<Payload>,
    /// How long it is kept for elements that do not wait yet: an ISO 8601 duration of at most 30
    /// days, by default `PT0S`.
    #[schema(nullable = false)]
    ttl: Option<String>,
    /// The instance for which it is: only elements there receive it.
    #[schema(nullable = false)]
    instance: Option<InstanceKey>,
}

/// A signal to be published; as the frame `publish`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "a shape of the documents only")]
pub struct SignalBody {
    /// Name of the signal.
    #[schema(max_length = 256)]
    name: String,
    /// Business key of the instances that it starts.
    #[schema(nullable = false, max_length = 256)]
    business_key: Option<String>,
    /// Merged into the data of every receiver.
    #[schema(nullable = false)]
    data: Option<Payload>,
}

/// The receivers of a publication.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishResult {
    /// Instances that received it: at most 100 are named.
    pub instances: Vec<InstanceKey>,
    /// Instances that it started: at most 100 are named.
    pub started: Vec<InstanceKey>,
    /// The number of further instances that have received it or still will; absent if there are
    /// none.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(nullable = false)]
    pub more_instances: u64,
    /// The number of further instances that it started; absent if there are none.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(nullable = false)]
    pub more_started: u64,
    /// Until when it is kept for elements that do not wait yet; absent if it is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub buffered_until: Option<String>,
    /// Instances that it could not start, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedStart>,
}

/// An instance that could not be started.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedStart {
    /// The key it would have had.
    pub instance: InstanceKey,
    /// The reason.
    pub message: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<Published> for PublishResult {
    fn from(published: Published) -> Self {
        let refused = published.refused.into_iter();
        // An instance that waits twice is named once.
        let mut instances = published.outcome.instances;
        let mut named = BTreeSet::new();
        instances.retain(|instance| named.insert(*instance));
        Self {
            instances,
            started: published.outcome.started,
            more_instances: published.outcome.more_instances,
            more_started: published.outcome.more_started,
            buffered_until: published.outcome.until.map(|until| until.to_string()),
            refused: refused
                .map(|(instance, message)| RefusedStart { instance, message })
                .collect(),
        }
    }
}

impl PublishResult {
    /// The answer for a message that one instance took.
    pub fn of(instance: InstanceKey) -> Self {
        Self {
            instances: vec![instance],
            ..Self::default()
        }
    }
}

/// The target of a publication.
pub enum PublishTo {
    /// All that wait for it.
    All(PublishRequest),
    /// One instance.
    Instance(InstanceKey, InstanceRequest),
}

/// The members of a publication. `kind` is set if the path of the request already says it.
pub(super) fn read(
    fields: &Fields<'_>,
    id: FrameId,
    kind: Option<PublishedKind>,
) -> Result<Publish, Sentence> {
    let kind = match kind {
        Some(kind) => kind,
        None => match fields.text("kind")?.as_deref() {
            None | Some("message") => PublishedKind::Message,
            Some("signal") => PublishedKind::Signal,
            Some(other) => {
                return Err(format!(
                    "expected 'kind' to be message or signal, but it is {}",
                    quoted(other)
                ));
            }
        },
    };
    let name = fields.required("name", fields.name("name")?)?;
    if name.trim().is_empty() {
        return Err("expected 'name' to name a message or signal, but it is empty".to_owned());
    }
    let data = fields.payload("data")?;
    let (correlation_key, ttl, instance) = match kind {
        PublishedKind::Signal => (None, None, None),
        PublishedKind::Message => (
            fields.name("correlationKey")?,
            fields.text("ttl")?.map(Into::into),
            fields.parsed("instance", "an instance key (UUID)")?,
        ),
    };
    Ok(Publish {
        id,
        kind,
        name,
        correlation_key,
        business_key: fields.name("businessKey")?,
        data,
        ttl,
        instance,
    })
}

/// The request for a publication.
///
/// # Errors
/// `bad_request` for data that are no object, an empty key, or an invalid duration; `forbidden` for
/// users who are no operators and name no instance; `too_large` for large data without an instance.
pub fn to_publish(publish: &Publish, caller: &Caller, now: Time) -> Result<PublishTo, WireError> {
    let refuse = |sentence: String| WireError::new(ErrorCode::BadRequest, sentence);
    let data = object(publish.data.as_ref())?;
    for (member, key, without) in [
        (
            "correlationKey",
            &publish.correlation_key,
            "for events without a key",
        ),
        (
            "businessKey",
            &publish.business_key,
            "for instances with any",
        ),
    ] {
        if key.as_deref() == Some("") {
            return Err(refuse(format!(
                "expected '{member}' to have a character, but it is empty: leave it out {without}"
            )));
        }
    }
    let until = publish.ttl.as_deref().map(|ttl| until(ttl, now));
    let until = until.transpose().map_err(refuse)?.flatten();
    let tag = tag(publish, &data, caller);
    if let Some(instance) = publish.instance {
        if until.is_some() {
            let sentence = "expected no 'ttl' with a message for one instance, but there is one: \
                the message is taken at once or refused";
            return Err(refuse(sentence.to_owned()));
        }
        if publish.business_key.is_some() {
            let sentence = "expected no 'businessKey' with a message for one instance, but there \
                is one: 'instance' says which instance receives it";
            return Err(refuse(sentence.to_owned()));
        }
        let message = TakeMessage {
            name: publish.name.clone(),
            correlation_key: publish.correlation_key.clone(),
            data,
        };
        let request = InstanceRequest::Apply {
            command: Box::new(Command::TakeMessage(message)),
            tag: publish.id.uuid().map(|_| tag),
            if_seq: None,
        };
        return Ok(PublishTo::Instance(instance, request));
    }
    if !caller.operator {
        let sentence = "expected role operator to publish to all instances, but this user does not \
            have it: name in 'instance' an instance that this user may act in";
        return Err(WireError::new(ErrorCode::Forbidden, sentence));
    }
    let bytes = publish.data.as_ref().map_or(0, |data| data.text().len());
    if bytes > limits::PUBLISHED_BYTES.get() {
        Limit::PublishedBytes.refused();
        let sentence = format!(
            "expected 'data' of at most {} bytes for all that wait, because each gets a copy, but \
            they have {bytes}: publish a reference to them, or name one instance in 'instance'",
            limits::PUBLISHED_BYTES.get()
        );
        return Err(WireError::new(ErrorCode::TooLarge, sentence));
    }
    let name = publish.name.as_str().into();
    let correlation = match publish.kind {
        PublishedKind::Message => Correlation::Message {
            name,
            key: publish.correlation_key.as_deref().map(Into::into),
        },
        PublishedKind::Signal => Correlation::Signal { name },
    };
    Ok(PublishTo::All(PublishRequest {
        by: Some(caller.clone()),
        tenant: caller.tenant.clone(),
        correlation,
        data,
        until,
        business_key: publish.business_key.clone(),
        tag,
    }))
}

fn tag(publish: &Publish, data: &Value, caller: &Caller) -> CommandTag {
    let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
    CommandTag {
        id: publish.id.uuid().unwrap_or_else(uuid::Uuid::now_v7),
        subject: subject(caller),
        hash: body_hash(&[
            b"publish",
            publish.name.as_bytes(),
            &text(&publish.correlation_key),
            &text(&publish.business_key),
            &text(&publish.ttl),
            &canonical(data),
        ]),
    }
}

/// Until when a message is kept; `None` if it is not.
fn until(ttl: &str, now: Time) -> Result<Option<Time>, String> {
    let wanted = "expected 'ttl' to be an ISO 8601 duration of at most 30 days, such as PT1H";
    let span = duration::parse(ttl).map_err(|sentence| format!("{wanted}, but: {sentence}"))?;
    let until = now.plus(&span);
    let longest = Time(
        now.0
            .saturating_add(limits::MESSAGE_KEPT.as_millis() as i64),
    );
    match until {
        // None at all is as if none were named.
        Some(until) if until >= now && until <= longest => Ok(Some(until).filter(|at| *at > now)),
        _ => Err(format!("{wanted}, but it is {}", quoted(ttl))),
    }
}
