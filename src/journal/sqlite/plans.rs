//! Checks the query plan of each statement once, in debug builds, so that a query that reads or
//! sorts a whole table is found by the first test that runs it.
//!
//! A statement that may read a whole table, because it runs once or the table is small, says so:
//! `/*whole: why*/`; one that may sort, because it sorts few rows, says `/*sorts: why*/`. Not here:
//! the statements, and the indexes (`schema/`).

use rusqlite::Connection;

/// Precedes the reason why a statement may read a whole table.
const WHOLE: &str = "/*whole:";
/// Precedes the reason why a statement may sort.
const SORTS: &str = "/*sorts:";

/// Tables with few rows, however many instances there are.
const SMALL: [&str; 6] = [
    "definition",
    "schedule",
    "user",
    "meta",
    "version_in_use",
    "json_each",
];

/// The steps of a statement's plan.
pub(super) fn steps(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let mut rows = explained.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(row.get(3)?);
    }
    Ok(steps)
}

/// The fault of a plan, if it has one.
pub(super) fn wrong(sql: &str, steps: &[String]) -> Option<String> {
    let reads_all = |step: &&String| {
        let table = step.strip_prefix("SCAN ").map(|rest| {
            let end = rest.find(' ').unwrap_or(rest.len());
            &rest[..end]
        });
        table.is_some_and(|table| {
            !SMALL.contains(&table) && !table.starts_with('(') && table != "CONSTANT"
        })
    };
    let sorts = |step: &&String| step.contains("USE TEMP B-TREE");
    let found = steps.iter().find(|step| {
        (reads_all(step) && !sql.contains(WHOLE)) || (sorts(step) && !sql.contains(SORTS))
    })?;
    Some(format!(
        "expected a statement that an index answers, but '{found}' is a step of its plan: add an index, \
         or say in the statement why it may ({WHOLE} …*/ or {SORTS} …*/)\n{sql}\n{steps:#?}"
    ))
}

/// Statements that were checked.
#[cfg(debug_assertions)]
#[derive(Default)]
pub(super) struct CheckedPlans(std::cell::RefCell<std::collections::HashSet<String>>);

#[cfg(debug_assertions)]
impl CheckedPlans {
    /// Checks a statement, unless it was checked before.
    ///
    /// # Panics
    /// If its plan has a fault.
    pub fn check(&self, connection: &Connection, sql: &str) {
        if !self.0.borrow_mut().insert(sql.to_owned()) {
            return;
        }
        // Damage is reported when the statement itself runs.
        let steps = steps(connection, sql).ok();
        if let Some(wrong) = steps.and_then(|steps| wrong(sql, &steps)) {
            panic!("{wrong}");
        }
    }
}
