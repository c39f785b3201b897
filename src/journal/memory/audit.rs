//! The audit log in memory.

use super::{MemoryStore, tables::Tables};
use crate::{
    journal::{
        audit::{AuditChange, AuditFilter, AuditReader, AuditRow},
        store::StoreError,
    },
    limits,
};

impl Tables {
    pub(super) fn change_audit(&mut self, change: &AuditChange) {
        match change {
            AuditChange::Added(rows) => {
                for row in rows {
                    let id = self.audit.back().map_or(1, |last| last.id + 1);
                    self.audit.push_back(AuditRow { id, ..row.clone() });
                }
                let over = self.audit.len().saturating_sub(limits::AUDIT_ROWS.get());
                self.audit.drain(..over);
            }
            AuditChange::Forgotten(before, maximum) => {
                let old = self.audit.iter().take(*maximum);
                let old = old.take_while(|row| row.at < *before).count();
                let but_the_newest = self.audit.len().saturating_sub(1);
                self.audit.drain(..old.min(but_the_newest));
            }
        }
    }
}

impl AuditReader for MemoryStore {
    fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let tables = self.tables();
        let rows = tables.audit.iter().rev();
        let fits =
            |row: &&AuditRow| before.is_none_or(|before| row.id < before) && filter.accepts(row);
        Ok(rows.filter(fits).take(limit).cloned().collect())
    }
}
