//! Actions of operators, and their rows in the audit log.

use serde_json::Value;
use stepwire::{
    engine::{
        RecordBatch,
        record::{Record, Status},
    },
    journal::{AuditFilter, StoreReader},
};

use super::{
    oracle::{Logs, all_rows},
    violation::{Invariant, Violation, hold},
};

/// The audit log has one row for each command of an operator that ended an instance.
///
/// # Errors
/// If one of them is missing.
pub fn check(reader: &dyn StoreReader, logs: &Logs) -> Result<(), Violation> {
    let of_kind = AuditFilter {
        act: Some("terminate".to_owned()),
        ..AuditFilter::default()
    };
    let reported = reader.audit(&of_kind, None, usize::MAX >> 1);
    let mut reported: Vec<String> = reported
        .expect("memory can be read")
        .into_iter()
        .map(|row| {
            let details: Value = serde_json::from_str(&row.details).expect("details are JSON");
            details["instance"].to_string()
        })
        .collect();
    let ends = |record: &Record| {
        matches!(
            record,
            Record::DescendantsEnded
                | Record::Ended {
                    status: Status::Terminated
                }
        )
    };
    let is_act = |row: &RecordBatch| row.command.is_some() && row.records.iter().any(ends);
    let mut done: Vec<String> = all_rows(logs)
        .filter(|(_, row)| is_act(row))
        .map(|(key, _)| Value::from(key.to_string()).to_string())
        .collect();
    reported.sort();
    done.sort();
    hold(Invariant::Audit, reported == done, || {
        format!("of {done:?} that were terminated, the audit log tells of {reported:?}")
    })
}
