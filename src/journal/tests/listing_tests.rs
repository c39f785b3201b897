//! Lists with filters, read part by part.

use super::fixtures::{changing, check, instance, key};
use crate::{
    engine::command::TimerKind,
    journal::{
        Assignee, ElementCursor, IncidentRow, InstanceFilter, InstanceRow, Owner, PlaceFilter,
        ReadModelChange, SearchedRow, StoreReader, TaskFilter, TaskRow, TaskScope, TimerRow,
        TimerRowKey,
    },
    model::ids::{ElementKey, Time},
};

fn searched(n: u128, path: &str, value: &str) -> ReadModelChange {
    let row = SearchedRow {
        instance: key(n),
        path: path.into(),
        tenant: instance(n, "", "").tenant,
        value: value.into(),
        created_at: Time(n as i64),
    };
    ReadModelChange::SearchedSet(row)
}

fn found(reader: &dyn StoreReader, filter: &InstanceFilter) -> Vec<i64> {
    let rows = reader.instances(filter, None, 9).unwrap();
    assert_eq!(
        reader.count(filter, 99).unwrap(),
        rows.len() as u64,
        "{filter:?}"
    );
    rows.iter().map(|row| row.created_at.0).collect()
}

#[test]
fn instances_are_found_by_search_attributes() {
    check(|store, reader| {
        let rows = [1, 2, 3]
            .map(|n| instance(n, "order", "started"))
            .map(|row| ReadModelChange::Instance(row, None))
            .to_vec();
        store.commit(&[changing(1, 1, rows)]).unwrap();
        let values = vec![
            searched(1, "client.email", "a"),
            searched(2, "client.email", "a"),
            searched(3, "client.email", "b"),
            searched(1, "number", "7"),
            searched(2, "number", "8"),
        ];
        store.commit(&[changing(1, 2, values)]).unwrap();
        let by = |pairs: &[(&str, &str)]| {
            let searched = pairs
                .iter()
                .map(|&(path, value)| (path.into(), value.into()))
                .collect();
            InstanceFilter {
                tenant: Some("acme".into()),
                searched,
                ..InstanceFilter::default()
            }
        };
        let email = by(&[("client.email", "a")]);
        assert_eq!(found(reader, &email), [2, 1]);
        assert_eq!(found(reader, &by(&[("client.email", "A")])), [0; 0]);
        assert_eq!(
            found(reader, &by(&[("client.email", "a"), ("number", "7")])),
            [1]
        );
        assert_eq!(
            found(reader, &by(&[("client.email", "b"), ("number", "7")])),
            [0; 0]
        );
        assert_eq!(
            found(
                reader,
                &InstanceFilter {
                    tenant: Some("other".into()),
                    ..email.clone()
                }
            ),
            [0; 0]
        );
        assert_eq!(
            found(
                reader,
                &InstanceFilter {
                    statuses: vec!["failed".into()],
                    ..email.clone()
                }
            ),
            [0; 0]
        );
        let first = reader.instances(&email, None, 1).unwrap();
        let second = reader
            .instances(&email, Some(first[0].cursor()), 9)
            .unwrap();
        assert_eq!(
            (first[0].key, second.iter().map(|row| row.key).collect()),
            (key(2), vec![key(1)])
        );

        let changed = vec![
            searched(1, "client.email", "b"),
            ReadModelChange::SearchedCleared(key(2), "client.email".into()),
        ];
        store.commit(&[changing(1, 3, changed)]).unwrap();
        assert_eq!(found(reader, &email), [0; 0]);
        assert_eq!(found(reader, &by(&[("client.email", "b")])), [3, 1]);
        assert_eq!(found(reader, &by(&[("number", "8")])), [2]);
    });
}

#[test]
fn instances_are_filtered_by_version_status_time_and_starter() {
    check(|store, reader| {
        let second = InstanceRow {
            version: 2,
            ..instance(2, "order", "finished")
        };
        let third = InstanceRow {
            started_by: "bob".into(),
            ..instance(3, "order", "failed")
        };
        let rows = [instance(1, "order", "started"), second, third]
            .map(|row| ReadModelChange::Instance(row, None))
            .to_vec();
        store.commit(&[changing(1, 1, rows)]).unwrap();
        let all = InstanceFilter {
            tenant: Some("acme".into()),
            ..InstanceFilter::default()
        };
        assert_eq!(
            found(
                reader,
                &InstanceFilter {
                    version: Some(2),
                    ..all.clone()
                }
            ),
            [2]
        );
        let statuses = ["started", "failed"].map(str::to_owned).to_vec();
        assert_eq!(
            found(
                reader,
                &InstanceFilter {
                    statuses,
                    ..all.clone()
                }
            ),
            [3, 1]
        );
        assert_eq!(
            found(
                reader,
                &InstanceFilter {
                    created_after: Some(Time(1)),
                    ..all.clone()
                }
            ),
            [3, 2]
        );
        assert_eq!(
            found(
                reader,
                &InstanceFilter {
                    created_before: Some(Time(2)),
                    ..all.clone()
                }
            ),
            [1]
        );
        assert_eq!(
            found(
                reader,
                &InstanceFilter {
                    started_by: Some("bob".into()),
                    ..all
                }
            ),
            [3]
        );
    });
}

fn task(n: u128, element: u64, assignee: Option<&str>) -> TaskRow {
    TaskRow {
        instance: key(n),
        element: ElementKey(element),
        tenant: if n == 9 {
            "other".into()
        } else {
            "acme".into()
        },
        process: if n == 2 {
            "leave".into()
        } else {
            "order".into()
        },
        business_key: (n == 2).then(|| "k-2".into()),
        node: "approve".into(),
        name: "Approve".into(),
        lane: None,
        assignee: assignee.map(str::to_owned),
        candidates: None,
        started_by: "ada".into(),
        root_started_by: "ada".into(),
        created_at: Time(100 - n as i64),
        due_at: None,
        reminded_at: None,
        loop_counter: None,
    }
}

#[test]
fn tasks_are_filtered_and_read_in_pages() {
    check(|store, reader| {
        let rows = vec![
            task(1, 2, None),
            task(1, 5, Some("ada")),
            task(2, 3, Some("bob")),
            task(9, 1, None),
        ];
        let named = InstanceRow {
            business_key: Some("k-2".into()),
            ..instance(2, "leave", "started")
        };
        let changes = rows.into_iter().map(ReadModelChange::TaskOpened);
        let changes = changes.chain([ReadModelChange::Instance(named, None)]);
        store.commit(&[changing(1, 1, changes.collect())]).unwrap();
        let all = TaskFilter::all_of(TaskScope::All("acme".into()));
        let list = |filter: &TaskFilter, after: Option<ElementCursor>, limit| -> Vec<u64> {
            reader
                .task_list(filter, after, limit)
                .unwrap()
                .iter()
                .map(|task| task.element.0)
                .collect()
        };
        assert_eq!(list(&all, None, 9), [5, 2, 3]);
        let first = reader.task_list(&all, None, 1).unwrap();
        assert_eq!(list(&all, Some(first[0].cursor()), 1), [2]);
        // The last row that was seen may be gone: the list continues nevertheless.
        store
            .commit(&[changing(
                1,
                2,
                vec![ReadModelChange::TaskClosed(key(1), ElementKey(5))],
            )])
            .unwrap();
        assert_eq!(list(&all, Some(first[0].cursor()), 9), [2, 3]);
        let by = |assignee| TaskFilter {
            assignee: Some(assignee),
            ..all.clone()
        };
        assert_eq!(list(&by(Assignee::Unassigned), None, 9), [2]);
        assert_eq!(list(&by(Assignee::User("bob".into())), None, 9), [3]);
        assert_eq!(
            list(
                &TaskFilter {
                    process: Some("leave".into()),
                    ..all.clone()
                },
                None,
                9
            ),
            [3]
        );
        assert_eq!(
            list(
                &TaskFilter {
                    instance: Some(key(1)),
                    ..all.clone()
                },
                None,
                9
            ),
            [2]
        );
        assert_eq!(
            list(
                &TaskFilter {
                    instance: Some(key(9)),
                    ..all.clone()
                },
                None,
                9
            ),
            [0; 0]
        );
        let named = |business_key: &str| TaskFilter {
            business_key: Some(business_key.into()),
            ..all.clone()
        };
        assert_eq!(list(&named("k-2"), None, 9), [3]);
        assert_eq!(list(&named("k-3"), None, 9), [0; 0]);
        let keys = reader.task_list(&all, None, 9).unwrap();
        let keys: Vec<_> = keys
            .iter()
            .map(|task| task.business_key.as_deref())
            .collect();
        assert_eq!(keys, [None, Some("k-2")]);
        assert_eq!(
            list(&TaskFilter::all_of(TaskScope::All("other".into())), None, 9),
            [1]
        );
    });
}

fn incident(n: u128, tenant: &str, raised_at: i64) -> IncidentRow {
    IncidentRow {
        instance: key(n),
        element: ElementKey(4),
        tenant: tenant.into(),
        process: if n == 2 {
            "leave".into()
        } else {
            "order".into()
        },
        node: "call".into(),
        code: "callFailed".into(),
        message: "expected an answer, but none came".into(),
        raised_at: Time(raised_at),
    }
}

#[test]
fn incidents_of_a_tenant_are_read_in_pages() {
    check(|store, reader| {
        let rows = vec![
            incident(1, "acme", 30),
            incident(2, "acme", 50),
            incident(3, "other", 40),
            incident(4, "acme", 30),
        ];
        store
            .commit(&[changing(
                1,
                1,
                rows.clone()
                    .into_iter()
                    .map(ReadModelChange::IncidentRaised)
                    .collect(),
            )])
            .unwrap();
        let all = PlaceFilter {
            tenant: "acme".into(),
            instance: None,
            process: None,
        };
        assert_eq!(
            reader.incidents(&all, None, 2).unwrap(),
            [rows[1].clone(), rows[3].clone()]
        );
        assert_eq!(
            reader.incidents(&all, Some(rows[3].cursor()), 2).unwrap(),
            [rows[0].clone()]
        );
        let of_one = PlaceFilter {
            instance: Some(key(1)),
            ..all.clone()
        };
        assert_eq!(
            reader.incidents(&of_one, None, 9).unwrap(),
            [rows[0].clone()]
        );
        let of_leave = PlaceFilter {
            process: Some("leave".into()),
            ..all.clone()
        };
        assert_eq!(
            reader.incidents(&of_leave, None, 9).unwrap(),
            [rows[1].clone()]
        );
        assert_eq!(
            reader
                .incidents(
                    &PlaceFilter {
                        tenant: "nobody".into(),
                        ..all
                    },
                    None,
                    9
                )
                .unwrap(),
            []
        );
    });
}

#[test]
fn timers_of_a_tenant_are_read_in_pages() {
    check(|store, reader| {
        let timer = |n, due, occurrence| TimerRow {
            due: Time(due),
            key: TimerRowKey {
                instance: key(n),
                element: Some(ElementKey(3)),
                kind: TimerKind::Action("remind".into()),
                occurrence,
            },
        };
        let other = InstanceRow {
            tenant: "other".into(),
            ..instance(2, "leave", "started")
        };
        let rows = [
            instance(1, "order", "started"),
            other,
            instance(3, "leave", "started"),
        ];
        let timers = [
            timer(1, 20, 1),
            timer(2, 5, 1),
            timer(3, 20, 1),
            timer(1, 20, 2),
            timer(1, 10, 3),
        ];
        let changes = rows
            .clone()
            .map(|row| ReadModelChange::Instance(row, None))
            .into_iter()
            .chain(timers.map(|timer| {
                let of = rows
                    .iter()
                    .find(|row| row.key == timer.key.instance)
                    .unwrap();
                let (tenant, process) = (of.tenant.clone(), of.process.clone());
                ReadModelChange::TimerSet(timer, Owner { tenant, process })
            }));
        store.commit(&[changing(1, 1, changes.collect())]).unwrap();
        let all = PlaceFilter {
            tenant: "acme".into(),
            instance: None,
            process: None,
        };
        let list = |filter: &PlaceFilter, after: Option<&TimerRow>, limit| -> Vec<(String, u32)> {
            let listed = reader.timers(filter, after, limit).unwrap();
            listed
                .into_iter()
                .map(|listed| (listed.process, listed.timer.key.occurrence))
                .collect()
        };
        let visit = |process: &str, occurrence| (process.to_owned(), occurrence);
        assert_eq!(
            list(&all, None, 3),
            [visit("order", 3), visit("order", 1), visit("order", 2)]
        );
        assert_eq!(
            list(&all, Some(&timer(1, 20, 1)), 9),
            [visit("order", 2), visit("leave", 1)]
        );
        assert_eq!(
            list(
                &PlaceFilter {
                    process: Some("leave".into()),
                    ..all.clone()
                },
                None,
                9
            ),
            [visit("leave", 1)]
        );
        assert_eq!(
            list(
                &PlaceFilter {
                    instance: Some(key(3)),
                    ..all.clone()
                },
                None,
                9
            ),
            [visit("leave", 1)]
        );
        assert_eq!(
            list(
                &PlaceFilter {
                    instance: Some(key(2)),
                    ..all.clone()
                },
                None,
                9
            ),
            []
        );
    });
}
