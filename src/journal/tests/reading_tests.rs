//! Read models and definitions.

use super::fixtures::{changing, check, definition, instance, key};
use crate::{
    journal::{
        Counted, DefinitionRow, DefinitionState, IncidentRow, InstanceFilter, InstanceRow,
        PackedSource, PlaceFilter, ReadModelChange, ScheduleChange, ScheduleKey, ScheduleRow,
        StoreError, TaskAudience, TaskRow, UserRow, WriteOp,
    },
    model::ids::{ElementKey, Time},
};

fn everywhere(tenant: &str) -> PlaceFilter {
    PlaceFilter {
        tenant: tenant.into(),
        instance: None,
        process: None,
    }
}

#[test]
fn instances_are_filtered_and_paged_newest_first() {
    check(|store, reader| {
        let child = |n, parent| InstanceRow {
            parent: Some(key(parent)),
            root: key(1),
            ..instance(n, "leave", "started")
        };
        let named = InstanceRow {
            business_key: Some("order-9".into()),
            ..instance(5, "order", "created")
        };
        let rows = [
            instance(1, "order", "started"),
            child(2, 1),
            child(3, 2),
            instance(4, "order", "finished"),
            named,
        ];
        let changes = rows
            .clone()
            .map(|row| ReadModelChange::Instance(row, None))
            .to_vec();
        store.commit(&[changing(1, 1, changes)]).unwrap();
        let list =
            |filter: &InstanceFilter, after, limit| reader.instances(filter, after, limit).unwrap();
        let all = InstanceFilter {
            tenant: Some("acme".into()),
            ..InstanceFilter::default()
        };
        let by = |filter: InstanceFilter| -> Vec<i64> {
            list(&filter, None, 9)
                .iter()
                .map(|row| row.created_at.0)
                .collect()
        };

        assert_eq!(by(all.clone()), [5, 4, 3, 2, 1]);
        assert_eq!(
            by(InstanceFilter {
                process: Some("order".into()),
                ..all.clone()
            }),
            [5, 4, 1]
        );
        assert_eq!(
            by(InstanceFilter {
                statuses: vec!["started".into()],
                process: Some("order".into()),
                ..all.clone()
            }),
            [1]
        );
        assert_eq!(
            by(InstanceFilter {
                business_key: Some("order-9".into()),
                ..all.clone()
            }),
            [5]
        );
        assert_eq!(
            by(InstanceFilter {
                root: Some(key(1)),
                ..all.clone()
            }),
            [3, 2]
        );
        assert_eq!(
            by(InstanceFilter {
                tenant: Some("other".into()),
                ..all.clone()
            }),
            [0; 0]
        );
        assert_eq!(reader.children(key(1)).unwrap(), [rows[1].clone()]);
        let first = list(&all, None, 2);
        let second = list(&all, Some(first[1].cursor()), 2);
        assert_eq!(
            (first, second),
            (
                vec![rows[4].clone(), rows[3].clone()],
                vec![rows[2].clone(), rows[1].clone()]
            )
        );
    });
}

#[test]
fn an_instance_row_changes_only_in_its_mutable_columns() {
    check(|store, reader| {
        let started = instance(1, "order", "started");
        let ended = InstanceRow {
            status: "finished".into(),
            outcome: Some("skipped".into()),
            version: 2,
            ended_at: Some(Time(9)),
            incidents: 1,
            ..started.clone()
        };
        let counted = Counted::of(&started);
        let tampered = InstanceRow {
            created_at: Time(77),
            tenant: "other".into(),
            ..ended.clone()
        };
        store
            .commit(&[changing(
                1,
                1,
                vec![ReadModelChange::Instance(started, None)],
            )])
            .unwrap();
        store
            .commit(&[changing(
                1,
                2,
                vec![ReadModelChange::Instance(tampered, Some(counted))],
            )])
            .unwrap();
        assert_eq!(reader.instance(key(1)).unwrap(), Some(ended));
        assert_eq!(reader.instance(key(2)).unwrap(), None);
    });
}

#[test]
fn tasks_and_incidents_are_added_and_removed() {
    check(|store, reader| {
        let task = |n, element| TaskRow {
            instance: key(n),
            element: ElementKey(element),
            tenant: "acme".into(),
            process: "order".into(),
            business_key: None,
            node: "approve".into(),
            name: "Approve".into(),
            lane: Some("office".into()),
            assignee: None,
            candidates: None,
            started_by: "ada".into(),
            root_started_by: "ada".into(),
            created_at: Time(4),
            due_at: Some(Time(5)),
            reminded_at: None,
            loop_counter: None,
        };
        let incident = IncidentRow {
            instance: key(1),
            element: ElementKey(8),
            tenant: "acme".into(),
            process: "order".into(),
            node: "call".into(),
            code: "callFailed".into(),
            message: "expected an answer, but none came".into(),
            raised_at: Time(6),
        };
        let opened = [task(1, 2), task(1, 5), task(3, 1)].map(ReadModelChange::TaskOpened);
        store.commit(&[changing(1, 1, opened.to_vec())]).unwrap();
        store
            .commit(&[changing(
                1,
                2,
                vec![ReadModelChange::IncidentRaised(incident.clone())],
            )])
            .unwrap();
        assert_eq!(reader.tasks(None, 2).unwrap(), [task(3, 1), task(1, 5)]);
        assert_eq!(
            reader.tasks(Some((key(1), ElementKey(5))), 2).unwrap(),
            [task(1, 2)]
        );
        assert_eq!(reader.tasks_of(key(1)).unwrap(), [task(1, 5), task(1, 2)]);
        assert_eq!(reader.tasks_of(key(2)).unwrap(), []);
        assert_eq!(
            reader.incidents(&everywhere("acme"), None, 9).unwrap(),
            [incident]
        );
        assert_eq!(reader.incidents(&everywhere("other"), None, 9).unwrap(), []);

        let closed = ReadModelChange::TaskClosed(key(1), ElementKey(5));
        let resolved = ReadModelChange::IncidentResolved(key(1), ElementKey(8));
        store
            .commit(&[changing(1, 3, vec![closed, resolved])])
            .unwrap();
        assert_eq!(reader.tasks(None, 9).unwrap(), [task(3, 1), task(1, 2)]);
        assert_eq!(reader.incidents(&everywhere("acme"), None, 9).unwrap(), []);
    });
}

/// Every combination of tenant, assignee, candidates and starters, with every kind of user.
#[test]
fn tasks_of_a_user_are_those_assigned_or_open_to_its_roles() {
    check(|store, reader| {
        let text = |text: &str| text.to_owned();
        let candidates = [
            None,
            Some(vec![]),
            Some(vec![text("clerk")]),
            Some(vec![text("boss"), text("clerk")]),
        ];
        let mut tasks = Vec::new();
        for tenant in ["acme", "other"] {
            for assignee in [None, Some("ada"), Some("bob")] {
                for roles in &candidates {
                    for (starter, root_starter) in [
                        ("ada", "ada"),
                        ("ada", "bob"),
                        ("bob", "ada"),
                        ("eve", "eve"),
                    ] {
                        let number = tasks.len() as u64;
                        tasks.push(TaskRow {
                            instance: key(u128::from(number % 5)),
                            element: ElementKey(number),
                            tenant: text(tenant),
                            process: text("order"),
                            business_key: None,
                            node: text("approve"),
                            name: text("Approve"),
                            lane: roles.is_some().then(|| text("office")),
                            assignee: assignee.map(text),
                            candidates: roles.clone(),
                            started_by: text(starter),
                            root_started_by: text(root_starter),
                            created_at: Time((number % 3) as i64),
                            due_at: number.is_multiple_of(2).then_some(Time(7)),
                            reminded_at: number.is_multiple_of(5).then_some(Time(6)),
                            loop_counter: number.is_multiple_of(7).then_some(3),
                        });
                    }
                }
            }
        }
        let opened = tasks
            .iter()
            .cloned()
            .map(ReadModelChange::TaskOpened)
            .collect();
        store.commit(&[changing(1, 1, opened)]).unwrap();
        for (subject, roles) in [
            ("ada", vec![]),
            ("ada", vec!["clerk"]),
            ("bob", vec!["boss", "clerk"]),
            ("zoe", vec!["boss"]),
        ] {
            let roles = roles.into_iter().map(str::to_owned).collect();
            let audience = TaskAudience {
                tenant: text("acme"),
                subject: text(subject),
                roles,
            };
            let mut expected: Vec<_> = tasks
                .iter()
                .filter(|task| audience.includes(task))
                .cloned()
                .collect();
            expected.sort_by_key(|task| {
                std::cmp::Reverse((task.created_at, task.instance, task.element))
            });
            assert_eq!(
                reader.tasks_for(&audience, 999).unwrap(),
                expected,
                "{audience:?}"
            );
            assert_eq!(
                reader.tasks_for(&audience, 2).unwrap(),
                expected[..expected.len().min(2)],
                "{audience:?}"
            );
        }
    });
}

#[test]
fn a_definition_gets_other_states_and_keeps_its_content() {
    check(|store, reader| {
        let (first, second) = (
            definition("order", 1, DefinitionState::Published),
            definition("order", 2, DefinitionState::Draft),
        );
        store
            .commit(&[WriteOp::Definitions(
                vec![second.clone(), first.clone()],
                Vec::new(),
            )])
            .unwrap();
        assert_eq!(reader.definitions().unwrap(), [first, second]);
        let (first, second) = (
            definition("order", 1, DefinitionState::Replaced),
            definition("order", 2, DefinitionState::Published),
        );
        store
            .commit(&[WriteOp::Definitions(
                vec![first.clone(), second.clone()],
                Vec::new(),
            )])
            .unwrap();
        assert_eq!(
            reader.definitions().unwrap(),
            [first.clone(), second.clone()]
        );
        let other = DefinitionRow {
            revision: "another".into(),
            source: Some(PackedSource::pack(b"another").unwrap()),
            ..first.clone()
        };
        let refused = store
            .commit(&[WriteOp::Definitions(vec![other], Vec::new())])
            .unwrap_err();
        assert!(
            matches!(&refused, StoreError::Overwrite(id, 1) if id == "order"),
            "{refused}"
        );
        let state_alone = DefinitionRow {
            state: DefinitionState::Deleted,
            source: None,
            ..first.clone()
        };
        let of_another = DefinitionRow {
            version: 9,
            ..state_alone.clone()
        };
        store
            .commit(&[WriteOp::Definitions(vec![state_alone], Vec::new())])
            .unwrap();
        let deleted = DefinitionRow {
            state: DefinitionState::Deleted,
            ..first
        };
        assert_eq!(
            reader.definition("acme", "order", 1).unwrap(),
            Some(deleted.clone()),
            "its source stays"
        );
        assert_eq!(reader.definition("acme", "order", 9).unwrap(), None);
        let refused = store.commit(&[WriteOp::Definitions(vec![of_another], Vec::new())]);
        assert!(matches!(refused, Err(StoreError::Overwrite(_, 9))));
        assert_eq!(reader.definitions().unwrap(), [deleted, second]);
    });
}

#[test]
fn schedules_change_when_they_fire_and_on_deploy() {
    check(|store, reader| {
        let place = |node: &str| ScheduleKey {
            tenant: "acme".into(),
            process: "order".into(),
            node: node.into(),
        };
        let row = |node: &str| ScheduleRow {
            key: place(node),
            version: 2,
            expression: "cycle R/PT30S in UTC".into(),
            begun_at: Time(5),
            next_due: Some(Time(30_005)),
            enabled: true,
            fired: 3,
            last_fired: Some(Time(6)),
            last_instance: Some(key(7)),
            last_skipped: Some(Time(8)),
            last_error: Some("expected …".into()),
            failed_at: Some(Time(9)),
        };
        let (a, b) = (row("a"), row("b"));
        let put = |row: &ScheduleRow| ScheduleChange::Put(row.clone());
        let order = definition("order", 1, DefinitionState::Published);
        store
            .commit(&[
                WriteOp::Definitions(vec![order], vec![put(&b)]),
                WriteOp::Definitions(Vec::new(), vec![put(&a)]),
            ])
            .unwrap();
        assert_eq!(reader.schedules().unwrap(), [a, b.clone()]);
        let nothing = (None, None, None);
        let (next_due, last_fired, failed_at) = nothing;
        let b = ScheduleRow {
            next_due,
            last_fired,
            failed_at,
            enabled: false,
            last_instance: None,
            last_error: None,
            ..b
        };
        store
            .commit(&[WriteOp::Definitions(
                Vec::new(),
                vec![put(&b), ScheduleChange::Removed(place("a"))],
            )])
            .unwrap();
        store
            .commit(&[WriteOp::Definitions(
                Vec::new(),
                vec![ScheduleChange::Removed(place("a"))],
            )])
            .unwrap();
        assert_eq!(reader.schedules().unwrap(), [b]);
    });
}

#[test]
fn users_are_replaced_by_tenant_and_name() {
    check(|store, reader| {
        let ada = UserRow {
            tenant: "acme".into(),
            name: "ada".into(),
            password_hash: Some("$argon2id$…".into()),
            roles: vec!["admin".into(), "clerk".into()],
            revoked_at: None,
            created_at: Time(5),
        };
        let other = UserRow {
            tenant: "zoo".into(),
            roles: Vec::new(),
            ..ada.clone()
        };
        store
            .commit(&[WriteOp::User(other.clone()), WriteOp::User(ada.clone())])
            .unwrap();
        assert_eq!(reader.users().unwrap(), [ada.clone(), other.clone()]);
        let removed = UserRow {
            password_hash: None,
            roles: Vec::new(),
            revoked_at: Some(Time(9)),
            ..ada
        };
        store.commit(&[WriteOp::User(removed.clone())]).unwrap();
        assert_eq!(reader.users().unwrap(), [removed, other]);
        assert!(
            !format!("{:?}", reader.users().unwrap()).contains("argon2id"),
            "no hash in a log"
        );
    });
}
