//! Statements that contain only the conditions that are set, and name the index that answers them:
//! a sign before a column prevents the planner from using other indexes.
//!
//! Not here: the conversion of rows (`read`), the lists (`instance_list`, `task_list`, `timers`),
//! the indexes (`schema/`).

use rusqlite::ToSql;

use super::values::Seq;

/// A statement under construction, with the values of its placeholders in order.
#[derive(Clone)]
pub(super) struct SqlFilter<'a> {
    sql: String,
    values: Vec<&'a dyn ToSql>,
}

impl<'a> SqlFilter<'a> {
    /// The rows of all branches, which have no row in common. If the whole is ordered, each branch
    /// is read in its order.
    pub fn union(branches: Vec<Self>) -> Self {
        let mut union = Self {
            sql: String::new(),
            values: Vec::new(),
        };
        for branch in branches {
            if !union.sql.is_empty() {
                union.sql.push_str(" UNION ALL ");
            }
            union.sql.push_str(&branch.sql);
            union.values.extend(branch.values);
        }
        union
    }

    /// A selection around this one, without a condition of its own.
    pub fn inside(self, select: impl Fn(&str) -> String) -> Self {
        Self {
            values: self.values,
            ..Self::of(&select(&self.sql))
        }
    }

    /// The number of its rows, counted up to `maximum`.
    pub fn counted(mut self, maximum: &'a i64) -> Self {
        self.limit(maximum);
        Self {
            sql: format!("SELECT count(*) FROM ({})", self.sql),
            values: self.values,
        }
    }

    /// A selection without a condition of its own.
    pub fn of(select: &str) -> Self {
        Self {
            sql: format!("{select} WHERE true"),
            values: Vec::new(),
        }
    }

    /// Adds a condition.
    pub fn and(&mut self, condition: &str, values: &[&'a dyn ToSql]) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
    }

    /// Adds a condition on a value, if there is one.
    pub fn and_given<T: ToSql>(&mut self, condition: &str, value: Option<&'a T>) {
        if let Some(value) = value {
            self.and(condition, &[value]);
        }
    }

    /// At most `limit` rows; the number is a value, so that the statement stays the same.
    pub fn limit(&mut self, limit: &'a i64) {
        self.push(" LIMIT ?");
        self.values.push(limit);
    }

    /// Without the first `offset` rows.
    pub fn offset(&mut self, offset: &'a Seq) {
        self.push(" OFFSET ?");
        self.values.push(offset);
    }

    /// Adds SQL that is not a condition.
    pub fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    pub fn sql(&self) -> &str {
        &self.sql
    }

    pub fn values(&self) -> &[&'a dyn ToSql] {
        &self.values
    }
}

/// A limit as a value.
pub(super) fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::journal::sqlite::plans;

    /// Checks how a statement is carried out: the indexes it reads, in order. Nothing else may be
    /// read, and nothing sorted.
    #[track_caller]
    pub fn check(statement: &SqlFilter<'_>, expected: &[&str]) {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("schema/0001_first.sql"))
            .unwrap();
        let steps = plans::steps(&db, statement.sql()).unwrap();
        assert_eq!(plans::wrong(statement.sql(), &steps), None);
        let reads = |step: &&String| step.starts_with("SCAN ") || step.starts_with("SEARCH ");
        let found: Vec<&String> = steps
            .iter()
            .filter(reads)
            .filter(|step| !step.starts_with("SCAN (subquery"))
            .collect();
        let agrees = |(step, part): (&&String, &&str)| step.contains(part);
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(agrees),
            "{}\n{steps:#?}",
            statement.sql()
        );
    }
}
