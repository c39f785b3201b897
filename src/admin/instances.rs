//! The list of instances, with its filters and the addresses of its parts.

use serde::{Deserialize, Serialize};

use super::{
    ago::ago,
    assets::Assets,
    instance::href,
    layout::{INSTANCES_URL, Layout},
    percent::encode,
};
use crate::{
    engine::{access::Caller, record::Status},
    journal::{InstanceRow, TaskRow},
    limits,
    model::ids::{InstanceKey, Time},
};

/// The query of the address; empty texts count as absent, because forms send them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancePageFilter {
    /// A key or business key.
    pub q: String,
    /// A status.
    pub status: String,
    /// A process id.
    pub process: String,
    /// The id of a node at which a user task waits.
    pub node: String,
    /// Cursor at which the list continues.
    #[serde(skip_serializing)]
    pub after: String,
}

/// Fields of `admin_instances.hbs`.
#[derive(Serialize)]
pub struct InstancesPage<'a> {
    #[serde(flatten)]
    layout: Layout,
    statuses: Vec<Choice<'a>>,
    processes: Vec<ProcessChoice<'a>>,
    total: FoundInstances,
    instances: Vec<InstanceLine<'a>>,
    newest_url: Option<String>,
    next_url: Option<String>,
    operator: bool,
    filter: &'a InstancePageFilter,
}

#[derive(Serialize)]
struct Choice<'a> {
    value: &'a str,
    selected: bool,
}

#[derive(Serialize)]
struct ProcessChoice<'a> {
    id: &'a str,
    name: &'a str,
    selected: bool,
}

#[derive(Serialize)]
struct InstanceLine<'a> {
    key: InstanceKey,
    href: String,
    process: &'a str,
    process_name: &'a str,
    version: u32,
    status: &'a str,
    incident: bool,
    business_key: &'a str,
    nodes: String,
    started_at: String,
    started_ago: String,
}

/// The number of instances that match a filter, up to a maximum.
#[derive(Clone, Copy, Serialize)]
pub struct FoundInstances {
    /// The number counted.
    number: u64,
    /// Whether there are more.
    or_more: bool,
}

impl FoundInstances {
    /// From the counted number.
    pub fn of(counted: u64) -> Self {
        let maximum = limits::COUNTED_INSTANCES as u64;
        Self {
            number: counted.min(maximum),
            or_more: counted > maximum,
        }
    }
}

/// The content of the page.
pub struct ShownInstances<'a> {
    /// The number of instances that match the filter.
    pub total: FoundInstances,
    /// The current part of them, each with its waiting user tasks.
    pub rows: &'a [(InstanceRow, Vec<TaskRow>)],
    /// Cursor of the next part.
    pub next: Option<String>,
    /// Id and name of each known process.
    pub processes: &'a [(String, String)],
    /// Process time.
    pub now: Time,
}

impl<'a> InstancesPage<'a> {
    /// The page for a user.
    pub fn new(
        assets: &Assets,
        caller: &Caller,
        filter: &'a InstancePageFilter,
        shown: &ShownInstances<'a>,
    ) -> Self {
        let user = Some(&*caller.subject);
        let status = |status: Status| Choice {
            value: status.name(),
            selected: filter.status == status.name(),
        };
        let process = |(id, name): &'a (String, String)| ProcessChoice {
            id,
            name,
            selected: filter.process == *id,
        };
        Self {
            layout: Layout::new(assets, "Instances", "instances", INSTANCES_URL, user),
            operator: caller.operator,
            statuses: Status::ALL
                .into_iter()
                .filter(|found| *found != Status::Created)
                .map(status)
                .collect(),
            processes: shown.processes.iter().map(process).collect(),
            total: shown.total,
            instances: shown
                .rows
                .iter()
                .map(|(row, tasks)| line(row, tasks, shown))
                .collect(),
            newest_url: (!filter.after.is_empty()).then(|| address(filter, None)),
            next_url: shown
                .next
                .as_deref()
                .map(|cursor| address(filter, Some(cursor))),
            filter,
        }
    }
}

fn line<'a>(
    row: &'a InstanceRow,
    tasks: &[TaskRow],
    shown: &ShownInstances<'a>,
) -> InstanceLine<'a> {
    let named = shown.processes.iter().find(|(id, _)| *id == row.process);
    InstanceLine {
        key: row.key,
        href: href(row.key),
        process: &row.process,
        process_name: named.map_or(&row.process, |(_, name)| name),
        version: row.version,
        status: &row.status,
        incident: row.incidents > 0,
        business_key: row.business_key.as_deref().unwrap_or_default(),
        nodes: tasks
            .iter()
            .rev()
            .map(|task| task.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        started_at: row.created_at.to_string(),
        started_ago: ago(row.created_at, shown.now),
    }
}

fn address(filter: &InstancePageFilter, cursor: Option<&str>) -> String {
    let parts = [
        ("q", &*filter.q),
        ("status", &*filter.status),
        ("process", &*filter.process),
        ("node", &*filter.node),
        ("after", cursor.unwrap_or_default()),
    ];
    let mut address = INSTANCES_URL.to_owned();
    for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
        let mark = if address.contains('?') { '&' } else { '?' };
        address.push(mark);
        address.push_str(name);
        address.push('=');
        encode(&mut address, value);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_the_filter() {
        let filter = InstancePageFilter {
            q: "a&b ü".into(),
            status: "started".into(),
            ..InstancePageFilter::default()
        };
        assert_eq!(
            address(&filter, Some("1_2")),
            "/admin/instances?q=a%26b%20%C3%BC&status=started&after=1_2"
        );
        assert_eq!(
            address(&InstancePageFilter::default(), None),
            "/admin/instances"
        );
    }
}
