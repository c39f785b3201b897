//! The audit log: who did what of what administrators, operators and designers do, when and from
//! where. Rows are added and forgotten, and never changed. Not here: what is noted
//! (`runtime::audit`).

use super::store::StoreError;
use crate::model::ids::Time;

/// Something that was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRow {
    /// Its number, which grows; given when it is added.
    pub id: i64,
    /// When, by the machine's clock.
    pub at: Time,
    /// The tenant of who did it.
    pub tenant: String,
    /// The subject of who did it.
    pub subject: String,
    /// The address it came from; `None` from the machine itself, or by the server.
    pub address: Option<String>,
    /// What was done, in words that never change: `process deployed`.
    pub act: String,
    /// To what, as a JSON object of texts, numbers and flags.
    pub details: String,
}

/// Which rows are asked for: all that is set has to agree.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Done by this subject.
    pub subject: Option<String>,
    /// Of this kind.
    pub act: Option<String>,
    /// Done then or later.
    pub since: Option<Time>,
}

impl AuditFilter {
    /// Whether a row agrees.
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

/// What changes in the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuditChange {
    /// These are added, in order, and the oldest go of those that are more than may be kept.
    Added(Vec<AuditRow>),
    /// The oldest that were done before then go, so many at most.
    Forgotten(Time, usize),
}

/// The read side.
pub trait AuditReader {
    /// Rows that agree, the newest first, with numbers below `before`. At most `limit` rows, and of
    /// so many looked at as the second number says.
    fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError>;
}
