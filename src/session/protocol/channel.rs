//! The name of a channel: what a subscription follows.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use super::quoted;
use crate::model::ids::InstanceKey;

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// `instance/KEY`: the frames of one process instance.
    Instance(InstanceKey),
    /// `tasks`: the user tasks the receiver may act on.
    Tasks,
    /// `changes`: notices that lists have changed which the receiver may read.
    Changes,
    /// `process/ID`: the instances of one process.
    Process(String),
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(key) => write!(f, "instance/{key}"),
            Self::Tasks => f.write_str("tasks"),
            Self::Changes => f.write_str("changes"),
            Self::Process(id) => write!(f, "process/{id}"),
        }
    }
}

impl FromStr for Channel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "expected 'channel' to be instance/KEY, tasks, process/ID or changes, but it is {}",
                quoted(text)
            )
        };
        match text.split_once('/') {
            Some(("instance", key)) => key.parse().map(Self::Instance).map_err(|_| {
                "expected the key in 'channel' to be a UUID, as in the reply to start, but it is not"
                    .into()
            }),
            Some(("process", id)) if !id.is_empty() => Ok(Self::Process(id.into())),
            None if text == "tasks" => Ok(Self::Tasks),
            None if text == "changes" => Ok(Self::Changes),
            _ => Err(unknown()),
        }
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_name_is_parsed_back() {
        for text in [
            "instance/0197a1b2-0000-7000-8000-000000000007",
            "tasks",
            "changes",
            "process/onboarding",
            "process/a/b",
        ] {
            assert_eq!(text.parse::<Channel>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn invalid_channel_names_are_refused() {
        for text in [
            "",
            "task",
            "tasks/",
            "instance",
            "instance/",
            "instance/7",
            "process/",
            "process",
            "Tasks",
        ] {
            assert!(
                text.parse::<Channel>()
                    .unwrap_err()
                    .starts_with("expected "),
                "{text}"
            );
        }
    }
}
