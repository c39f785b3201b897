//! Calls to the outside that were not answered yet, and webhooks that were given up: the rows of
//! their table.
//!
//! A call is placed and forgotten with the rows of its instance; only how often it was tried is
//! written beside them. What it asks for is the writer's encoding and opaque here.

use crate::model::ids::{InstanceKey, Time};

/// One call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpCallRow {
    /// The instance that makes it.
    pub instance: InstanceKey,
    /// The record that placed or repeated it; unique within the instance.
    pub seq: u64,
    /// Whose it is.
    pub tenant: String,
    /// The id of the definition.
    pub process: String,
    /// The node of its action; `None` for a webhook.
    pub node: Option<String>,
    /// Its action; `None` for a webhook.
    pub action: Option<String>,
    /// Host and port as written, in lower case: how many calls one host gets at once is counted by
    /// it.
    pub host: String,
    /// The whole address.
    pub url: String,
    /// The encoded request.
    pub body: Vec<u8>,
    /// When it was placed.
    pub placed_at: Time,
    /// How far it is.
    pub tried: CallTries,
}

/// How far a call is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallTries {
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; `None` when it was given up.
    pub due: Option<Time>,
    /// The outcome of the last attempt.
    pub problem: Option<String>,
}

/// What happens to a call beside the rows of its instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallChange {
    /// It was tried once more, or given up. One forgotten meanwhile stays so.
    Tried(CallTries),
    /// Nobody needs it any more; one already gone is fine.
    Forgotten,
}

impl HttpCallRow {
    /// What it is known by.
    pub fn key(&self) -> (InstanceKey, u64) {
        (self.instance, self.seq)
    }
}

/// For which no call may be made now, as they have as many in progress as they may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FullPlaces {
    /// Hosts, with their ports.
    pub hosts: Vec<String>,
    /// Tenants.
    pub tenants: Vec<String>,
    /// Tenants and ids of process definitions.
    pub definitions: Vec<(String, String)>,
}

impl FullPlaces {
    /// Whether a call finds no place.
    pub fn has(&self, row: &HttpCallRow) -> bool {
        let is_its =
            |(tenant, process): &(String, String)| *tenant == row.tenant && *process == row.process;
        self.hosts.contains(&row.host)
            || self.tenants.contains(&row.tenant)
            || self.definitions.iter().any(is_its)
    }
}
