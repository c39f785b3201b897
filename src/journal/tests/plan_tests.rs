//! Every query of a store on an empty database: a reader checks the plan of each statement
//! (`sqlite::plans`) and panics if it would read or sort a whole table.
//!
//! A new query without a line here makes the last test fail. Which index answers which query: the
//! tests beside the statements.

use uuid::Uuid;

use super::fixtures::key;
use crate::{
    engine::{command::TimerKind, job_status::JobStatus},
    journal::{
        AgedCursor, Assignee, AuditFilter, ElementCursor, Entity, FullPlaces, InstanceCursor,
        InstanceFilter, JobFilter, JobOrder, LogLimit, Owner, PlaceFilter, SqliteStore, Store,
        StoreReader, TaskAudience, TaskFilter, TaskScope, TimerRow, TimerRowKey,
    },
    model::ids::{ElementKey, Time},
};

const AFTER: ElementCursor = ElementCursor {
    at: Time(5),
    instance: crate::model::ids::InstanceKey(Uuid::nil()),
    element: ElementKey(7),
};

fn check(ask: impl Fn(&dyn StoreReader)) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    ask(store.reader().unwrap().as_ref());
}

#[test]
fn instances() {
    check(|reader| {
        let all = InstanceFilter {
            tenant: Some("acme".into()),
            ..InstanceFilter::default()
        };
        let failed = InstanceFilter {
            statuses: vec!["failed".into()],
            ..all.clone()
        };
        let after = InstanceCursor {
            created_at: Time(5),
            key: key(1),
        };
        for filter in [&all, &failed] {
            reader.instances(filter, None, 9).unwrap();
            reader.instances(filter, Some(after), 9).unwrap();
            reader.count(filter, 9).unwrap();
        }
        reader.instance(key(1)).unwrap();
        reader.children(key(1)).unwrap();
        reader.live_below(key(1)).unwrap();
        reader.open_below(key(1)).unwrap();
        reader.live_instances(key(1), 9).unwrap();
        reader.started_since("acme", Time(5)).unwrap();
        reader.versions_in_use(None).unwrap();
        reader.versions_in_use(Some("acme")).unwrap();
    });
}

#[test]
fn tasks_incidents_and_timers() {
    check(|reader| {
        let audience = TaskAudience {
            tenant: "acme".into(),
            subject: "ada".into(),
            roles: vec!["clerk".into()],
        };
        reader.tasks_for(&audience, 9).unwrap();
        reader.tasks_of(key(1)).unwrap();
        reader.tasks(Some((key(1), ElementKey(7))), 9).unwrap();
        let places = [None, Some(key(1))].map(|instance| PlaceFilter {
            tenant: "acme".into(),
            instance,
            process: None,
        });
        for instance in [None, Some(key(1))] {
            for scope in [
                TaskScope::Of(audience.clone()),
                TaskScope::All("acme".into()),
            ] {
                for assignee in [
                    None,
                    Some(Assignee::Unassigned),
                    Some(Assignee::User("ada".into())),
                ] {
                    let filter = TaskFilter {
                        instance,
                        assignee,
                        ..TaskFilter::all_of(scope.clone())
                    };
                    reader.task_list(&filter, Some(AFTER), 9).unwrap();
                }
            }
        }
        let timer = TimerRow {
            due: Time(5),
            key: TimerRowKey {
                instance: key(1),
                element: None,
                kind: TimerKind::Expiry,
                occurrence: 1,
            },
        };
        for place in &places {
            reader.incidents(place, Some(AFTER), 9).unwrap();
            reader.timers(place, Some(&timer), 9).unwrap();
        }
        let owner = Owner {
            tenant: "acme".into(),
            process: "order".into(),
        };
        reader.due_timers(&owner, Time(5), 9).unwrap();
        reader.timer_owners().unwrap();
        reader.next_due().unwrap();
    });
}

#[test]
fn jobs_and_calls() {
    check(|reader| {
        let filter = JobFilter {
            tenant: "acme".into(),
            started_by: None,
            processes: vec!["order".into()],
            statuses: JobStatus::ALL.to_vec(),
            from: Time(1),
            to: Time(9),
        };
        for order in [JobOrder::Process, JobOrder::StatusAt { descending: true }] {
            reader.jobs(&filter, order, 0, 9).unwrap();
        }
        reader.count_jobs(&filter).unwrap();
        reader.job(key(1)).unwrap();
        for starter in [None, Some("ada")] {
            reader.newest_jobs("acme", "order", starter, 9).unwrap();
        }
        reader
            .due_calls(Time(5), &FullPlaces::default(), 9)
            .unwrap();
        reader.next_call(Time(5)).unwrap();
        reader.http_calls("acme", Some((key(1), 7)), 9).unwrap();
    });
}

#[test]
fn rows_and_history() {
    check(|reader| {
        let entity = Entity::from(key(1));
        reader.load(entity).unwrap();
        reader.exists(entity).unwrap();
        reader.instance_keys(key(1), 9).unwrap();
        reader.rows(entity, 7, 9).unwrap();
        let limit = LogLimit { rows: 9, bytes: 9 };
        reader.log_part(entity, 7, limit).unwrap();
        reader.newest_time().unwrap();
        let aged = AgedCursor {
            tenant: "acme".into(),
            created_at: Time(5),
            key: key(1),
        };
        reader.aged_instances(Time(9), Some(aged), 9).unwrap();
        reader.unpacked_rows(entity, 9, 99).unwrap();
        reader.is_tree_recent(key(1), Time(5)).unwrap();
        reader.below(key(1), 9).unwrap();
        reader.is_in_use(key(1)).unwrap();
        reader.aged_correlations(Some(entity), 9).unwrap();
        reader.files_to_remove(9).unwrap();
        reader.history_size().unwrap();
        let since = AuditFilter {
            tenant: Some("acme".into()),
            subject: Some("ada".into()),
            act: Some("deploy".into()),
            since: Some(Time(5)),
        };
        reader.audit(&since, Some(7), 9).unwrap();
        reader.audit(&AuditFilter::default(), None, 9).unwrap();
    });
}

#[test]
fn queries_at_the_start_of_the_server() {
    check(|reader| {
        reader.outbox().unwrap();
        reader.each_definition(&mut drop).unwrap();
        reader.definitions().unwrap();
        reader.definition("acme", "order", 1).unwrap();
        reader.definition_numbers().unwrap();
        reader.schedules().unwrap();
        reader.users().unwrap();
        reader.drafts().unwrap();
        reader.kept_messages().unwrap();
        reader.log_incarnation().unwrap();
        reader.damaged();
    });
}

#[test]
fn every_query_has_a_plan_test() {
    let asked = include_str!("plan_tests.rs").split_whitespace();
    let asked: String = asked.collect();
    let traits = [
        (include_str!("../store.rs"), "trait StoreReader"),
        (include_str!("../audit.rs"), "trait AuditReader"),
        (include_str!("../history.rs"), "trait HistoryReader"),
    ];
    for (source, name) in traits {
        let start = source.find(name).unwrap();
        let body = source[start..].split("\n}\n").next().unwrap();
        for question in body.lines().filter_map(|line| line.strip_prefix("    fn ")) {
            let question = question.split('(').next().unwrap();
            assert!(
                asked.contains(&format!("reader.{question}(")),
                "expected '{question}' of {name} to be asked here, so that its plan is looked at"
            );
        }
    }
}
