//! The definitions of events as the modeller wrote them: BPMN's event definitions.
//!
//! Not here: timers of start events, which are schedules (`schedule`); the compiled form
//! (`node_kind`).

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeTuple};

/// One of the event definitions of a node. Ordered by index first, as timers are stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventRef {
    /// Its index among those of the node, from 0 in document order.
    pub definition: u8,
    /// The id of the node.
    pub node: Arc<str>,
}

impl EventRef {
    /// The only or first one of a node.
    pub fn first(node: &Arc<str>) -> Self {
        Self {
            definition: 0,
            node: node.clone(),
        }
    }

    /// The id of its condition for the evaluator: for the first one, the id of the node.
    pub fn condition_id(&self) -> Cow<'_, str> {
        match self.definition {
            0 => Cow::Borrowed(&self.node),
            place => Cow::Owned(format!("{}/{place}", self.node)),
        }
    }
}

impl From<&str> for EventRef {
    fn from(node: &str) -> Self {
        Self::first(&node.into())
    }
}

/// The node, and from the second definition on its index: `late`, `late/1`.
impl fmt::Display for EventRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.condition_id())
    }
}

/// The text of the node for the first definition, as nearly all are; otherwise node and index.
impl Serialize for EventRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.definition == 0 {
            return serializer.serialize_str(&self.node);
        }
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.node)?;
        pair.serialize_element(&self.definition)?;
        pair.end()
    }
}

impl<'de> Deserialize<'de> for EventRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = EventRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a node, alone or with the place of an event definition")
            }

            fn visit_str<E: de::Error>(self, node: &str) -> Result<EventRef, E> {
                Ok(node.into())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut pair: A) -> Result<EventRef, A::Error> {
                let node = pair.next_element()?;
                let definition = pair.next_element()?;
                let (Some(node), Some(definition)) = (node, definition) else {
                    return Err(de::Error::invalid_length(1, &self));
                };
                Ok(EventRef { definition, node })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The definition of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum EventDefinition {
    /// An error: thrown by an end event, caught by a boundary event.
    Error {
        /// Its code. A boundary event without one catches every failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// An escalation: thrown by an end or intermediate event, caught by a boundary event.
    Escalation {
        /// Its code. A boundary event without one catches every escalation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// A jump within a scope: from every intermediate throw event with this name to the one catch
    /// event with the same name.
    Link {
        /// Its name.
        name: String,
    },
    /// Compensation: thrown by an end or intermediate event; as a boundary event, its node's
    /// `compensationHandler` names the activity that compensates.
    Compensation {
        /// The only activity to compensate; if absent, everything that has completed in the scope.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activity: Option<String>,
        /// Whether the event waits until the compensation has ended.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        wait_for_completion: bool,
    },
    /// The cancellation of a transaction: thrown by an end event in it, caught by a boundary event
    /// of it.
    Cancel,
    /// A condition on the data.
    Conditional {
        /// The condition over the data, as written: `${amount > 100}` or bare.
        condition: String,
    },
    /// A timer, evaluated when the element is activated.
    Timer {
        /// Its time.
        when: TimerValue,
        /// IANA name of the time zone; by default UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_zone: Option<String>,
    },
    /// A message: sent by throwing events and send tasks, caught by its name and correlation key.
    Message {
        /// Its name, in which `${path}` is replaced by a value of the data; that of a start event
        /// is fixed.
        name: String,
        /// A text, in which `${path}` is replaced by a value of the data: a message goes to
        /// elements that wait for the same key. Evaluated when the event begins to wait, or when it
        /// is thrown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation_key: Option<String>,
        /// Throwing: template of its data, or `*` for all data that the event sees; if absent, it
        /// has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
        /// Throwing: ISO 8601 duration for which it is kept until an element waits for it; if
        /// absent, it is not kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_to_live: Option<String>,
    },
    /// A signal: received by all elements that wait for its name.
    Signal {
        /// Its name, in which `${path}` is replaced by a value of the data; that of a start event
        /// is fixed.
        name: String,
        /// Throwing: template of its data, or `*` for all data that the event sees; if absent, it
        /// has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
        /// Throwing: the business key of instances that it starts, a text in which `${path}` is
        /// replaced by a value of the data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        business_key: Option<String>,
    },
    /// Ends everything in the scope of the end event.
    Terminate,
}

/// The time of a timer event: a text, in which `${path}` is replaced by a value of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimerValue {
    /// Repeatedly: a cron expression, or an ISO 8601 repeating interval such as `R3/PT10S`.
    Cycle(String),
    /// Once, at this ISO 8601 time.
    Date(String),
    /// Once, this ISO 8601 duration after the element was activated.
    Duration(String),
}

impl EventDefinition {
    /// Its name in BPMN: `timerEventDefinition`.
    pub fn bpmn_name(&self) -> &'static str {
        match self {
            Self::Error { .. } => "errorEventDefinition",
            Self::Escalation { .. } => "escalationEventDefinition",
            Self::Compensation { .. } => "compensateEventDefinition",
            Self::Cancel => "cancelEventDefinition",
            Self::Link { .. } => "linkEventDefinition",
            Self::Conditional { .. } => "conditionalEventDefinition",
            Self::Timer { .. } => "timerEventDefinition",
            Self::Message { .. } => "messageEventDefinition",
            Self::Signal { .. } => "signalEventDefinition",
            Self::Terminate => "terminateEventDefinition",
        }
    }
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

impl TimerValue {
    /// The text as written.
    pub fn text(&self) -> &str {
        match self {
            Self::Cycle(text) | Self::Date(text) | Self::Duration(text) => text,
        }
    }
}
