//! Statements that hold only the conditions that are set, so that the planner can choose an index
//! for them.
//!
//! Not here: what comes of them (`read`), the indexes (`schema/`).

use rusqlite::ToSql;
use uuid::Uuid;

use super::values::{Roles, Seq};
use crate::journal::{
    filter::{ElementCursor, TaskScope},
    listing::{InstanceCursor, InstanceFilter},
};

/// A statement under construction, and the values of its placeholders in their order.
pub(super) struct Narrowing<'a> {
    sql: String,
    values: Vec<&'a dyn ToSql>,
}

impl<'a> Narrowing<'a> {
    /// A selection without a condition of its own.
    pub fn of(select: &str) -> Self {
        Self {
            sql: format!("{select} WHERE true"),
            values: Vec::new(),
        }
    }

    /// The instances that agree with a filter. Those that are searched for are read in the order of
    /// the index of what they are found by.
    pub fn of_instances(columns: &str, filter: &'a InstanceFilter) -> Self {
        let mut statement = match filter.searched.split_first() {
            None => Self::of(&format!("SELECT {columns} FROM instance")),
            Some(((path, text), _)) => {
                let mut searched =
                    Self::of("SELECT instance AS found, created_at AS found_at FROM searched");
                searched.and_given("tenant = ?", filter.tenant.as_ref());
                searched.and("path = ? AND value = ?", &[path, text]);
                let select = format!(
                    "SELECT {columns} FROM ({}) CROSS JOIN instance ON key = found",
                    searched.sql
                );
                Self {
                    values: searched.values,
                    ..Self::of(&select)
                }
            }
        };
        statement.and_given("tenant = ?", filter.tenant.as_ref());
        statement.and_given("process = ?", filter.process.as_ref());
        statement.and_given("version = ?", filter.version.as_ref());
        if !filter.statuses.is_empty() {
            let places = vec!["?"; filter.statuses.len()].join(", ");
            statement.and(
                &format!("status IN ({places})"),
                &filter.statuses.iter().map(value).collect::<Vec<_>>(),
            );
        }
        statement.and_given("origin = ?", filter.origin.as_ref().map(Uuid::as_bytes));
        statement.and_given("business_key = ?", filter.business_key.as_ref());
        statement.and_given("started_by = ?", filter.started_by.as_ref());
        statement.and_given("created_at > ?", filter.created_after.as_ref());
        statement.and_given("created_at < ?", filter.created_before.as_ref());
        let waiting =
            "EXISTS (SELECT 1 FROM task WHERE task.instance = instance.key AND task.node = ?)";
        statement.and_given(waiting, filter.node.as_ref());
        statement.and_given("parent = ?", filter.parent.as_ref());
        statement.and_given("parent IS NOT NULL AND root = ?", filter.root.as_ref());
        for (path, text) in filter.searched.iter().skip(1) {
            let found = "EXISTS (SELECT 1 FROM searched WHERE searched.instance = key AND path = \
                ? AND value = ?)";
            statement.and(found, &[path, text]);
        }
        statement
    }

    /// Waiting user tasks, each of which one of the partial indexes finds.
    pub fn of_tasks(select: &str, scope: &'a TaskScope, candidates: &'a [Roles]) -> Self {
        let audience = match scope {
            TaskScope::Of(audience) => audience,
            TaskScope::All(tenant) => {
                let mut statement = Self::of(select);
                statement.and("tenant = ?", &[tenant]);
                return statement;
            }
        };
        let places = vec!["?"; candidates.len()].join(", ");
        let union = format!(
            "SELECT * FROM ({select} WHERE assignee = ? AND tenant = ?
             UNION ALL {select} WHERE assignee IS NULL AND candidates IS NULL AND started_by = ? AND tenant = ?
             UNION ALL {select} WHERE assignee IS NULL AND candidates IS NULL AND root_started_by <> started_by
                 AND root_started_by = ? AND tenant = ?
             UNION ALL {select} WHERE assignee IS NULL AND candidates IS NOT NULL AND tenant = ? AND candidates IN ({places}))"
        );
        let (subject, tenant) = (value(&audience.subject), value(&audience.tenant));
        let mut statement = Self::of(&union);
        statement.values = vec![subject, tenant, subject, tenant, subject, tenant, tenant];
        statement.values.extend(candidates.iter().map(value));
        statement
    }

    /// Adds a condition.
    pub fn and(&mut self, condition: &str, values: &[&'a dyn ToSql]) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
    }

    /// Adds a condition on a value, when there is one.
    pub fn and_given<T: ToSql>(&mut self, condition: &str, value: Option<&'a T>) {
        if let Some(value) = value {
            self.and(condition, &[value]);
        }
    }

    /// The newest instances first, from a cursor on.
    pub fn newest_instances(&mut self, filter: &InstanceFilter, after: Option<&'a InstanceCursor>) {
        let (at, key) = if filter.searched.is_empty() {
            ("created_at", "key")
        } else {
            ("found_at", "found")
        };
        if let Some(after) = after {
            self.and(
                &format!("({at}, {key}) < (?, ?)"),
                &[&after.created_at, &after.key],
            );
        }
        self.push(&format!(" ORDER BY {at} DESC, {key} DESC"));
    }

    /// The newest elements first, by this column, from a cursor on.
    pub fn newest_elements(&mut self, at: &str, after: Option<&'a ElementCursor>) {
        if let Some(after) = after {
            self.and(
                &format!("({at}, instance, element) < (?, ?, ?)"),
                &[&after.at, &after.instance, &after.element],
            );
        }
        self.push(&format!(" ORDER BY {at} DESC, instance DESC, element DESC"));
    }

    /// At most so many rows; the number is a value, so that the statement stays the same.
    pub fn limit(&mut self, limit: &'a i64) {
        self.push(" LIMIT ?");
        self.values.push(limit);
    }

    /// Without the first so many rows.
    pub fn offset(&mut self, offset: &'a Seq) {
        self.push(" OFFSET ?");
        self.values.push(offset);
    }

    /// Adds what is no condition.
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

fn value<T: ToSql>(value: &T) -> &dyn ToSql {
    value
}

#[cfg(test)]
pub(super) mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::{
        journal::listing::TaskAudience,
        model::ids::{InstanceKey, Time},
    };

    /// How a statement is carried out: the indexes it reads, and whether it sorts.
    #[track_caller]
    pub fn check(statement: &Narrowing<'_>, expected: &[&str]) {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("schema/0001_first.sql"))
            .unwrap();
        let mut plan = db
            .prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql()))
            .unwrap();
        let steps = plan
            .query_map(statement.values(), |row| row.get::<_, String>(3))
            .unwrap()
            .map(Result::unwrap);
        let told = |step: &String| {
            ["INDEX", "SCAN", "B-TREE", "PRIMARY KEY"]
                .iter()
                .any(|word| step.contains(word))
        };
        let found: Vec<String> = steps.filter(told).collect();
        let agrees = |(step, part): (&String, &&str)| step.contains(part);
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(agrees),
            "{}\n{found:#?}",
            statement.sql()
        );
    }

    fn listed<'a>(filter: &'a InstanceFilter, after: Option<&'a InstanceCursor>) -> Narrowing<'a> {
        let mut statement = Narrowing::of_instances("key, status", filter);
        statement.newest_instances(filter, after);
        statement.limit(&7);
        statement
    }

    #[test]
    fn lists_of_instances_are_read_in_the_order_of_an_index() {
        let after = InstanceCursor {
            created_at: Time(5),
            key: InstanceKey::default(),
        };
        let all = InstanceFilter {
            tenant: Some("acme".into()),
            ..InstanceFilter::default()
        };
        let mine = InstanceFilter {
            started_by: Some("ada".into()),
            ..all.clone()
        };
        let pair = |path: &str| (path.to_owned(), "x".to_owned());
        let searched = InstanceFilter {
            searched: vec![pair("a"), pair("b")],
            statuses: vec!["started".into()],
            ..all.clone()
        };
        for after in [None, Some(&after)] {
            check(&listed(&all, after), &["instance_created"]);
            check(&listed(&mine, after), &["instance_starter (started_by=?"]);
            let found = [
                "searched_value (tenant=? AND path=? AND value=?",
                "PRIMARY KEY (key=?)",
                "PRIMARY KEY (instance=? AND path=?)",
            ];
            check(&listed(&searched, after), &found);
        }
    }

    #[test]
    fn tasks_are_found_by_the_index_each_is_in() {
        let roles = [Roles(vec!["clerk".into()])];
        let audience = TaskAudience {
            tenant: "acme".into(),
            subject: "ada".into(),
            roles: vec!["clerk".into()],
        };
        let scope = TaskScope::Of(audience);
        let mut statement = Narrowing::of_tasks(
            "SELECT instance, element, created_at, process FROM task",
            &scope,
            &roles,
        );
        let process = "order".to_owned();
        statement.and_given("process = ?", Some(&process));
        check(
            &statement,
            &[
                "task_assignee",
                "task_owner",
                "task_root_owner",
                "task_candidates",
            ],
        );
    }
}
