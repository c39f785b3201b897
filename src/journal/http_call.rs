//! The rows of HTTP calls: calls that are not answered yet, and webhooks that were given up.
//!
//! A call is inserted and deleted with rows of its instance; only its attempts are written
//! separately. The encoded request has no meaning here.

use crate::model::ids::{InstanceKey, Time};

/// One call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpCallRow {
    /// The instance that makes it.
    pub instance: InstanceKey,
    /// The record that placed or repeated it; unique within the instance.
    pub seq: u64,
    /// Its tenant.
    pub tenant: String,
    /// The id of the definition.
    pub process: String,
    /// The node of its action; `None` for a webhook.
    pub node: Option<String>,
    /// Its action; `None` for a webhook.
    pub action: Option<String>,
    /// Host and port as written, in lower case: the calls at once to one host are counted by it.
    pub host: String,
    /// The whole URL.
    pub url: String,
    /// The encoded request.
    pub body: Vec<u8>,
    /// When it was placed.
    pub placed_at: Time,
    /// Its attempts so far.
    pub tried: CallAttempts,
}

/// The attempts of a call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallAttempts {
    /// The number of attempts.
    pub attempts: u32,
    /// When the next attempt is due; `None` if the call was given up.
    pub due: Option<Time>,
    /// The outcome of the last attempt.
    pub problem: Option<String>,
}

/// A change of a call apart from rows of its instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallChange {
    /// An attempt was made, or the call is given up. A call deleted meanwhile stays deleted.
    Attempted(CallAttempts),
    /// The call is no longer needed; one that does not exist is no error.
    Forgotten,
}

impl HttpCallRow {
    /// Its key.
    pub fn key(&self) -> (InstanceKey, u64) {
        (self.instance, self.seq)
    }
}

/// Hosts and owners that have as many calls in progress as they may.
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
    /// Whether there is no place for a call.
    pub fn has(&self, row: &HttpCallRow) -> bool {
        let is_its =
            |(tenant, process): &(String, String)| *tenant == row.tenant && *process == row.process;
        self.hosts.contains(&row.host)
            || self.tenants.contains(&row.tenant)
            || self.definitions.iter().any(is_its)
    }
}
