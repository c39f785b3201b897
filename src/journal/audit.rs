//! The audit log: what administrators, operators and designers do, when and from where. Rows are
//! added and deleted, but never changed. Not here: which acts are recorded (`runtime::audit`).

use super::store::StoreError;
use crate::model::ids::Time;

/// A recorded act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRow {
    /// Its number, which grows; set when it is added.
    pub id: i64,
    /// The time, by the machine's clock.
    pub at: Time,
    /// The tenant of the subject.
    pub tenant: String,
    /// The subject.
    pub subject: String,
    /// The address of the request; `None` for acts on the machine itself, or by the server.
    pub address: Option<String>,
    /// The name of the act, which never changes: `process deployed`.
    pub act: String,
    /// The objects and values of the act, as a JSON object of texts, numbers and flags.
    pub details: String,
}

/// A filter of rows: every field that is set has to match.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// By this subject.
    pub subject: Option<String>,
    /// With this name.
    pub act: Option<String>,
    /// At this time or later.
    pub since: Option<Time>,
}

impl AuditFilter {
    /// Whether a row matches.
    pub fn accepts(&self, row: &AuditRow) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        is(&self.tenant, &row.tenant)
            && is(&self.subject, &row.subject)
            && is(&self.act, &row.act)
            && self.since.is_none_or(|since| row.at >= since)
    }
}

/// A change of the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuditChange {
    /// Adds these rows, in order, and deletes the oldest if there are more than may be kept.
    Added(Vec<AuditRow>),
    /// Deletes the oldest rows from before this time, at most this many.
    Forgotten(Time, usize),
}

/// The read side.
pub trait AuditReader {
    /// Rows that match, the newest first, with numbers below `before`; at most `limit`.
    fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError>;
}
