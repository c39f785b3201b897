//! Lists of instances: which index answers which filter, so that each list is read in its order,
//! beginning at its cursor. Not here: the indexes (`schema/`), statements in general
//! (`sql_filter`).
//!
//! # Rationale
//!
//! **Lists by process or status are merged from groups.** An index in the order of lists for each
//! combination would make every start more expensive. One by status and process serves them all,
//! because a tenant has few groups: the store reads each in its order and merges them.

use rusqlite::params;
use uuid::Uuid;

use super::{
    from_row::instance_row,
    read::{INSTANCE, SqliteReader},
    row_reading,
    sql_filter::{SqlFilter, bounded},
    values::{Seq, StatusNumber},
};
use crate::{
    engine::record::Status,
    journal::{
        listing::{InstanceCursor, InstanceFilter, InstanceRow},
        store::StoreError,
    },
};

/// A status and a process.
type Group = (StatusNumber, String);

/// The most groups that are merged; a list of more is read by time, skipping what does not match.
const MERGED_GROUPS: usize = 100;

/// The index by which instances are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By<'a> {
    Searched,
    BusinessKey,
    Parent,
    Root,
    Origin,
    Starter,
    Group(&'a Group),
    Time,
}

impl<'a> By<'a> {
    /// The index that leaves the fewest instances.
    fn of(filter: &InstanceFilter) -> Self {
        if !filter.searched.is_empty() {
            Self::Searched
        } else if filter.business_key.is_some() {
            Self::BusinessKey
        } else if filter.parent.is_some() {
            Self::Parent
        } else if filter.root.is_some() {
            Self::Root
        } else if filter.origin.is_some() {
            Self::Origin
        } else if filter.started_by.is_some() {
            Self::Starter
        } else {
            Self::Time
        }
    }

    /// The instances that match a filter.
    fn select(self, columns: &str, filter: &'a InstanceFilter) -> SqlFilter<'a> {
        // A sign before a column prevents the planner from using its conditions.
        let sign = |is_free: bool| if is_free { "" } else { "+" };
        let by_group = matches!(self, By::Group(_));
        let mut statement = match (self, filter.searched.split_first()) {
            (By::Searched, Some(((path, text), _))) => {
                let found = "SELECT instance AS found, created_at AS found_at FROM searched";
                let mut found = SqlFilter::of(found);
                found.and_given("tenant = ?", filter.tenant.as_ref());
                found.and("path = ? AND value = ?", &[path, text]);
                found.inside(|found| {
                    format!("SELECT {columns} FROM ({found}) CROSS JOIN instance ON key = found")
                })
            }
            _ => SqlFilter::of(&format!("SELECT {columns} FROM instance")),
        };
        let free = sign(by_group || self == By::Time);
        statement.and_given(&format!("{free}tenant = ?"), filter.tenant.as_ref());
        if let By::Group((status, process)) = self {
            statement.and("status = ? AND process = ?", &[status, process]);
        } else {
            statement.and_given("+process = ?", filter.process.as_ref());
            if !filter.statuses.is_empty() {
                let numbers = filter.statuses.iter();
                let numbers: Vec<String> = numbers
                    .map(|status| StatusNumber::of(status).0.to_string())
                    .collect();
                let free = sign(self == By::Origin);
                statement.and(&format!("{free}status IN ({})", numbers.join(", ")), &[]);
            }
        }
        statement.and_given("version = ?", filter.version.as_ref());
        statement.and_given("origin = ?", filter.origin.as_ref().map(Uuid::as_bytes));
        let free = sign(self == By::BusinessKey);
        statement.and_given(
            &format!("{free}business_key = ?"),
            filter.business_key.as_ref(),
        );
        let free = sign(self == By::Starter);
        statement.and_given(&format!("{free}started_by = ?"), filter.started_by.as_ref());
        let free = sign(self == By::Parent);
        statement.and_given(&format!("{free}parent = ?"), filter.parent.as_ref());
        let free = sign(self == By::Root);
        statement.and_given(
            &format!("parent IS NOT NULL AND {free}root = ?"),
            filter.root.as_ref(),
        );
        statement.and_given("created_at > ?", filter.created_after.as_ref());
        statement.and_given("created_at < ?", filter.created_before.as_ref());
        let waiting =
            "EXISTS (SELECT 1 FROM task WHERE task.instance = instance.key AND task.node = ?)";
        statement.and_given(waiting, filter.node.as_ref());
        for (path, text) in filter.searched.iter().skip(1) {
            let found = "EXISTS (SELECT 1 FROM searched WHERE searched.instance = key AND path = \
                ? AND value = ?)";
            statement.and(found, &[path, text]);
        }
        statement
    }
}

/// The instances of a filter: by the index that leaves the fewest, or group by group.
fn select<'a>(
    columns: &str,
    filter: &'a InstanceFilter,
    groups: Option<&'a [Group]>,
    after: Option<&'a InstanceCursor>,
) -> SqlFilter<'a> {
    let select = |by: By<'a>| {
        let mut statement = by.select(columns, filter);
        if let Some(after) = after {
            let place = match by {
                By::Searched => "(found_at, found) < (?, ?)",
                _ => "(created_at, key) < (?, ?)",
            };
            statement.and(place, &[&after.created_at, &after.key]);
        }
        statement
    };
    match groups {
        Some(groups) => SqlFilter::union(groups.iter().map(By::Group).map(select).collect()),
        None => select(By::of(filter)),
    }
}

/// The newest instances first.
fn newest<'a>(
    filter: &'a InstanceFilter,
    groups: Option<&'a [Group]>,
    after: Option<&'a InstanceCursor>,
    limit: &'a i64,
) -> SqlFilter<'a> {
    let mut statement = select(INSTANCE, filter, groups, after);
    statement.push(match (groups, By::of(filter)) {
        (None, By::Searched) => " ORDER BY found_at DESC, found DESC",
        (None, By::Root) => "/*sorts: a tree*/ ORDER BY created_at DESC, key DESC",
        (None, By::Origin) => "/*sorts: an origin's*/ ORDER BY created_at DESC, key DESC",
        _ => " ORDER BY created_at DESC, key DESC",
    });
    statement.limit(limit);
    statement
}

impl SqliteReader {
    /// See `StoreReader::instances`.
    pub(super) fn newest_instances(
        &self,
        filter: &InstanceFilter,
        after: Option<InstanceCursor>,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let (groups, limit) = (self.groups(filter)?, bounded(limit));
        if groups.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let statement = newest(filter, groups.as_deref(), after.as_ref(), &limit);
        self.listed(
            &row_reading::INSTANCES,
            statement.sql(),
            statement.values(),
            instance_row,
        )
    }

    /// See `StoreReader::count`.
    pub(super) fn count_instances(
        &self,
        filter: &InstanceFilter,
        maximum: usize,
    ) -> Result<u64, StoreError> {
        let (groups, maximum) = (self.groups(filter)?, bounded(maximum));
        if groups.as_ref().is_some_and(Vec::is_empty) {
            return Ok(0);
        }
        let statement = select("1", filter, groups.as_deref(), None).counted(&maximum);
        let count = self.one(statement.sql(), statement.values(), |row| row.get(0))?;
        Ok(count.map_or(0, |Seq(count)| count))
    }

    /// The groups that a list is merged from; `None` if another index answers it.
    fn groups(&self, filter: &InstanceFilter) -> Result<Option<Vec<Group>>, StoreError> {
        let narrows =
            filter.process.is_some() || !filter.statuses.is_empty() || filter.node.is_some();
        let (By::Time, true, Some(tenant)) = (By::of(filter), narrows, &filter.tenant) else {
            return Ok(None);
        };
        let statuses = Status::ALL
            .into_iter()
            // Only live instances have tasks.
            .filter(|status| status.is_live() || filter.node.is_none())
            .map(Status::name)
            .filter(|status| {
                filter.statuses.is_empty() || filter.statuses.iter().any(|it| it == status)
            })
            .map(StatusNumber::of);
        let mut groups = Vec::new();
        for status in statuses {
            match &filter.process {
                Some(process) => groups.push((status, process.clone())),
                None => {
                    let left = MERGED_GROUPS.saturating_sub(groups.len());
                    let processes = self.processes_with(tenant, status, left + 1)?;
                    groups.extend(processes.into_iter().map(|it| (status, it)));
                }
            }
            if groups.len() > MERGED_GROUPS {
                return Ok(None);
            }
        }
        Ok(Some(groups))
    }

    /// Processes that have instances with a status: one lookup in the index for each.
    fn processes_with(
        &self,
        tenant: &str,
        status: StatusNumber,
        maximum: usize,
    ) -> Result<Vec<String>, StoreError> {
        let next = "SELECT process FROM instance WHERE tenant = ?1 AND status = ?2 AND process > ?3
             ORDER BY process LIMIT 1";
        let mut processes: Vec<String> = Vec::new();
        while processes.len() < maximum {
            let after = processes.last().map_or("", String::as_str);
            match self.one(next, params![tenant, status, after], |row| row.get(0))? {
                Some(found) => processes.push(found),
                None => break,
            }
        }
        Ok(processes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::sqlite::sql_filter::tests::check,
        model::ids::{InstanceKey, Time},
    };

    const AFTER: InstanceCursor = InstanceCursor {
        created_at: Time(5),
        key: InstanceKey(Uuid::nil()),
    };

    fn of_acme() -> InstanceFilter {
        InstanceFilter {
            tenant: Some("acme".into()),
            ..InstanceFilter::default()
        }
    }

    #[track_caller]
    fn list(filter: &InstanceFilter, groups: Option<&[Group]>, expected: &[&str]) {
        for after in [None, Some(&AFTER)] {
            check(&newest(filter, groups, after, &7), expected);
        }
        check(&select("1", filter, groups, None).counted(&7), expected);
    }

    #[test]
    fn every_list_of_instances_is_read_in_the_order_of_an_index() {
        let all = of_acme();
        list(&all, None, &["instance_created (tenant=?"]);
        let mine = InstanceFilter {
            started_by: Some("ada".into()),
            ..of_acme()
        };
        list(&mine, None, &["instance_starter (started_by=?"]);
        let named = InstanceFilter {
            business_key: Some("k".into()),
            ..mine.clone()
        };
        list(&named, None, &["instance_business_key (business_key=?"]);
        let children = InstanceFilter {
            parent: Some(InstanceKey::default()),
            ..of_acme()
        };
        list(&children, None, &["instance_parent (parent=?"]);
        let below = InstanceFilter {
            root: Some(InstanceKey::default()),
            ..of_acme()
        };
        list(&below, None, &["instance_root (root=?"]);
        let pair = |path: &str| (path.to_owned(), "x".to_owned());
        let searched = InstanceFilter {
            searched: vec![pair("a"), pair("b")],
            statuses: vec!["started".into()],
            ..of_acme()
        };
        let found = [
            "searched_value (tenant=? AND path=? AND value=?",
            "PRIMARY KEY (key=?)",
            "PRIMARY KEY (instance=? AND path=?)",
        ];
        list(&searched, None, &found);
    }

    #[test]
    fn groups_are_merged_in_the_order_of_their_index() {
        let group = |status: &str| (StatusNumber::of(status), "order".to_owned());
        let groups = [group("started"), group("failed"), group("finished")];
        let index = "instance_status (tenant=? AND status=? AND process=?";
        for parts in 1..=3 {
            list(&of_acme(), Some(&groups[..parts]), &vec![index; parts]);
        }
        let waiting = InstanceFilter {
            node: Some("approve".into()),
            ..of_acme()
        };
        let task = "PRIMARY KEY (instance=?)";
        list(&waiting, Some(&groups[..1]), &[index, task]);
    }

    /// Every combination of fields: no field prevents the use of an index.
    #[test]
    fn no_combination_of_filters_sorts_or_reads_a_table() {
        let group = |status: &str| (StatusNumber::of(status), "order".to_owned());
        let groups = [group("started"), group("failed")];
        let pair = |path: &str| (path.to_owned(), "x".to_owned());
        let db = rusqlite::Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("schema/0001_first.sql"))
            .unwrap();
        for bits in 0..1_u32 << 12 {
            let given = |bit: u32| bits & (1 << bit) != 0;
            let text = |bit, text: &str| given(bit).then(|| text.to_owned());
            let time = |bit| given(bit).then_some(Time(5));
            let key = |bit| given(bit).then(InstanceKey::default);
            let filter = InstanceFilter {
                process: text(0, "order"),
                version: given(1).then_some(2),
                statuses: text(2, "failed").into_iter().collect(),
                business_key: text(3, "k"),
                parent: key(4),
                started_by: text(5, "ada"),
                node: text(6, "approve"),
                root: key(7),
                created_after: time(8),
                created_before: time(9),
                searched: text(10, "a")
                    .map(|it| vec![pair(&it), pair("b")])
                    .unwrap_or_default(),
                origin: given(11).then(Uuid::nil),
                ..of_acme()
            };
            let by_group = By::of(&filter) == By::Time && (given(0) || given(2) || given(6));
            let statement = newest(&filter, by_group.then_some(&groups[..]), Some(&AFTER), &7);
            let steps = crate::journal::sqlite::plans::steps(&db, statement.sql()).unwrap();
            assert_eq!(
                crate::journal::sqlite::plans::wrong(statement.sql(), &steps),
                None,
                "{filter:?}"
            );
        }
    }
}
