//! Lists of waiting user tasks: each task is in one of the partial indexes, and each index has the
//! order of the list. Not here: the permissions (`journal::listing`), the indexes (`schema/`).

use rusqlite::{Row, ToSql};

use super::{
    from_row::task_row,
    read::{SqliteReader, TASK},
    row_reading,
    sql_filter::{SqlFilter, bounded},
    values::Roles,
};
use crate::journal::{
    filter::{Assignee, ElementCursor, TaskFilter, TaskScope},
    listing::{TaskAudience, TaskRow},
    store::StoreError,
};

/// The most lists of candidates that are merged; there are about as many different ones as lanes.
/// More are sorted.
const MERGED_LISTS: usize = 100;

/// The newest tasks first.
fn newest<'a>(
    filter: &'a TaskFilter,
    candidates: &'a [Roles],
    after: Option<&'a ElementCursor>,
    limit: &'a i64,
) -> SqlFilter<'a> {
    let of_few = filter.instance.is_some() || filter.business_key.is_some();
    let mut branches = match (&filter.scope, of_few) {
        (TaskScope::All(tenant), true) => {
            let mut all = tasks(filter);
            all.and("+tenant = ?", &[tenant]);
            vec![all]
        }
        (TaskScope::All(tenant), false) => {
            let mut all = tasks(filter);
            let is_by_assignee = matches!(filter.assignee, Some(Assignee::User(_)));
            all.and(
                if is_by_assignee {
                    "+tenant = ?"
                } else {
                    "tenant = ?"
                },
                &[tenant],
            );
            vec![all]
        }
        (TaskScope::Of(audience), _) => of_audience(audience, filter, candidates),
    };
    let sign = sign(filter);
    for branch in &mut branches {
        branch.and_given("instance = ?", filter.instance.as_ref());
        branch.and_given("+process = ?", filter.process.as_ref());
        match (&filter.assignee, &filter.scope) {
            (Some(Assignee::User(user)), TaskScope::All(_)) => {
                branch.and(&format!("{sign}assignee = ?"), &[user]);
            }
            (Some(Assignee::User(user)), TaskScope::Of(_)) => {
                branch.and("+assignee = ?", &[user]);
            }
            (Some(Assignee::Unassigned), _) => branch.and("+assignee IS NULL", &[]),
            (None, _) => {}
        }
        if let Some(after) = after {
            branch.and(
                &format!("({sign}created_at, instance, element) < (?, ?, ?)"),
                &[&after.at, &after.instance, &after.element],
            );
        }
    }
    let mut statement = SqlFilter::union(branches);
    if of_few {
        statement.push("/*sorts: those of few instances*/");
    } else if candidates.len() > MERGED_LISTS {
        statement.push("/*sorts: more lists of roles than are merged*/");
    }
    statement.push(" ORDER BY created_at DESC, instance DESC, element DESC");
    statement.limit(limit);
    statement
}

/// All tasks, or those of the instances with a business key, which an index finds.
fn tasks(filter: &TaskFilter) -> SqlFilter<'_> {
    let Some(key) = &filter.business_key else {
        return SqlFilter::of(&format!("SELECT {TASK} FROM task"));
    };
    let mut named = SqlFilter::of("SELECT key AS found FROM instance");
    named.and("business_key = ?", &[key]);
    named.inside(|named| {
        format!("SELECT {TASK} FROM ({named}) CROSS JOIN task ON task.instance = found")
    })
}

/// A sign before a column prevents the planner from using its indexes: those of a business key are
/// found by their instances.
fn sign(filter: &TaskFilter) -> &'static str {
    match filter.business_key {
        Some(_) => "+",
        None => "",
    }
}

/// One part for each index that has tasks of a user's list.
fn of_audience<'a>(
    audience: &'a TaskAudience,
    filter: &'a TaskFilter,
    candidates: &'a [Roles],
) -> Vec<SqlFilter<'a>> {
    let branch = |condition: &str, values: &[&'a dyn ToSql]| {
        let mut branch = tasks(filter);
        branch.and(condition, values);
        branch.and("+tenant = ?", &[&audience.tenant]);
        branch
    };
    let (subject, sign) = (&audience.subject, sign(filter));
    let assigned = branch(&format!("{sign}assignee = ?"), &[subject]);
    let mut nobodys = vec![
        branch(
            &format!("assignee IS NULL AND candidates IS NULL AND {sign}started_by = ?"),
            &[subject],
        ),
        branch(
            &format!(
                "assignee IS NULL AND candidates IS NULL AND root_started_by IS NOT NULL AND \
                {sign}root_started_by = ?"
            ),
            &[subject],
        ),
    ];
    if candidates.len() > MERGED_LISTS {
        let places = vec!["?"; candidates.len()].join(", ");
        let values: Vec<&dyn ToSql> = candidates.iter().map(|it| it as _).collect();
        nobodys.push(branch(
            &format!(
                "assignee IS NULL AND candidates IS NOT NULL AND {sign}candidates IN ({places})"
            ),
            &values,
        ));
    } else {
        nobodys.extend(candidates.iter().map(|list| {
            branch(
                &format!("assignee IS NULL AND candidates IS NOT NULL AND {sign}candidates = ?"),
                &[list],
            )
        }));
    }
    match &filter.assignee {
        None => [vec![assigned], nobodys].concat(),
        Some(Assignee::Unassigned) => nobodys,
        Some(Assignee::User(_)) => vec![assigned],
    }
}

impl SqliteReader {
    /// See `StoreReader::task_list`.
    pub(super) fn newest_tasks(
        &self,
        filter: &TaskFilter,
        after: Option<ElementCursor>,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        let limit = bounded(limit);
        let candidates = match &filter.scope {
            TaskScope::Of(audience) => self.candidates_for(audience)?,
            TaskScope::All(_) => Vec::new(),
        };
        let statement = newest(filter, &candidates, after.as_ref(), &limit);
        self.listed(
            &row_reading::TASKS,
            statement.sql(),
            statement.values(),
            task_row,
        )
    }

    /// The lists of candidates that include a user: one lookup in the index for each list.
    fn candidates_for(&self, audience: &TaskAudience) -> Result<Vec<Roles>, StoreError> {
        let next = "SELECT candidates FROM task WHERE assignee IS NULL AND candidates IS NOT NULL
             AND candidates > ?1 ORDER BY candidates LIMIT 1";
        let (mut found, mut after) = (Vec::new(), String::new());
        let list = |row: &Row<'_>| Ok((row.get(0)?, row.get(0)?));
        while let Some((roles, text)) = self.one::<(Roles, String)>(next, [&after], list)? {
            if audience.has_any(&roles.0) {
                found.push(roles);
            }
            after = text;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::sqlite::sql_filter::tests::check,
        model::ids::{ElementKey, InstanceKey, Time},
    };

    const AFTER: ElementCursor = ElementCursor {
        at: Time(5),
        instance: InstanceKey(uuid::Uuid::nil()),
        element: ElementKey(7),
    };

    fn filter(scope: TaskScope, assignee: Option<Assignee>) -> TaskFilter {
        TaskFilter {
            assignee,
            process: Some("order".into()),
            ..TaskFilter::all_of(scope)
        }
    }

    #[track_caller]
    fn list(filter: &TaskFilter, candidates: &[Roles], expected: &[&str]) {
        // Each task's business key is looked up in its instance.
        let with_keys = expected
            .iter()
            .flat_map(|&step| match step.contains("business_key") {
                true => vec![step],
                false => vec![step, "instance USING PRIMARY KEY (key=?)"],
            });
        for after in [None, Some(&AFTER)] {
            let statement = newest(filter, candidates, after, &7);
            check(&statement, &with_keys.clone().collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_list_of_tasks_is_read_in_the_order_of_an_index() {
        let list_of = |role: &str| Roles(vec![role.to_owned()]);
        let lists = [list_of("clerk"), list_of("chief")];
        let mine = || {
            TaskScope::Of(TaskAudience {
                tenant: "acme".into(),
                subject: "ada".into(),
                roles: vec!["clerk".into(), "chief".into()],
            })
        };
        let nobodys = [
            "task_owner (started_by=?",
            "task_root_owner (root_started_by=?",
            "task_candidates (candidates=?",
            "task_candidates (candidates=?",
        ];
        let assigned = "task_assignee (assignee=?";
        list(
            &filter(mine(), None),
            &lists,
            &[&[assigned][..], &nobodys].concat(),
        );
        list(
            &filter(mine(), Some(Assignee::Unassigned)),
            &lists,
            &nobodys,
        );
        let ada = || Some(Assignee::User("ada".into()));
        list(&filter(mine(), ada()), &lists, &[assigned]);
        let all = || TaskScope::All("acme".into());
        let created = "task_created (tenant=?";
        list(&filter(all(), None), &[], &[created]);
        list(&filter(all(), Some(Assignee::Unassigned)), &[], &[created]);
        list(&filter(all(), ada()), &[], &[assigned]);
        let here = TaskFilter {
            instance: Some(InstanceKey::default()),
            ..filter(all(), None)
        };
        let own = "task USING PRIMARY KEY (instance=?)";
        list(&here, &[], &[own]);
        let named = |scope| TaskFilter {
            business_key: Some("k".into()),
            ..filter(scope, None)
        };
        let by_key = ["instance_business_key (business_key=?", own];
        list(&named(all()), &[], &by_key);
        list(&named(mine()), &lists, &by_key.repeat(5));
        let more = vec![list_of("clerk"); MERGED_LISTS + 1];
        let sorted = [
            assigned,
            "task_owner",
            "task_root_owner",
            "task_candidates (candidates=?",
        ];
        list(&filter(mine(), None), &more, &sorted);
    }
}
