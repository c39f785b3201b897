//! Times that come while the server runs.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{
    World, at, deploy, idle, instances, key, process, short_process, started_times, wait_until,
    written,
};
use crate::{
    engine::{Command, access::Caller, record::Status, rejection::RejectionKind},
    limits,
    model::{
        evaluator::{EvaluationError, Evaluator, RuleError},
        field_error::FieldError,
        ids::InstanceKey,
        problem::Severity,
        source::SourceFormat,
        variables::Variables,
    },
    runtime::{
        Runtime, StartRequest,
        definitions::{Deploy, DeployError},
        instance_request::{Envelope, InstanceRequest, InstanceResponse, Refusal, ReplyTo},
    },
};

fn hourly() -> Value {
    json!({"when": {"cycle": "0 * * * *"}})
}

#[test]
fn every_due_time_starts_an_instance_with_the_data_of_the_schedule() {
    let world = World::with(&process(&[
        json!({"when": {"cycle": "R3/PT30S"}, "startData": {"kind": "nightly"}}),
    ]));
    world.live(async |runtime| {
        wait_until(&runtime, "00:00:29").await;
        assert_eq!(started_times(&runtime).await, [""; 0]);
        wait_until(&runtime, "00:00:30").await;
        assert_eq!(started_times(&runtime).await, ["00:00:30"]);
        wait_until(&runtime, "00:05").await;
        let found = instances(&runtime).await;
        let times: Vec<String> = found
            .iter()
            .filter_map(|one| one.head().scheduled_for)
            .map(written)
            .collect();
        assert_eq!(times, ["00:00:30", "00:01", "00:01:30"]);
        for one in &found {
            assert_eq!(
                (one.head().started_by.as_str(), one.head().root()),
                ("schedule:p", one.head().key)
            );
            assert_eq!(
                one.whole.as_ref().map(|whole| &*whole.data),
                Some(&json!({"kind": "nightly"}))
            );
            assert_eq!(one.next.status, Status::Started);
        }
        let schedule = runtime.schedules.get(&key("s0")).unwrap();
        assert_eq!(
            (
                schedule.row.fired,
                schedule.next_run(),
                schedule.row.last_fired
            ),
            (3, None, Some(at("00:05")))
        );
        assert_eq!(schedule.row.last_instance, Some(found[2].head().key));
    });
}

#[test]
fn times_passed_in_one_jump_start_up_to_a_bound() {
    let world = World::with(&short_process(&[json!({"when": {"cycle": "R/PT1S"}})]));
    world.live(async |runtime| {
        wait_until(&runtime, "02-01T00:00").await;
        let times = started_times(&runtime).await;
        assert_eq!(times.len(), limits::SCHEDULE_BACKLOG);
        assert_eq!(
            (times[0].as_str(), times[99].as_str()),
            ("01-31T23:58:21", "02-01T00:00")
        );
        wait_until(&runtime, "02-01T00:00:02").await;
        assert_eq!(
            started_times(&runtime).await.len(),
            limits::SCHEDULE_BACKLOG + 2
        );
    });
}

#[test]
fn the_next_time_survives_a_restart() {
    let world = World::with(&process(&[json!({"when": {"cycle": "R3/PT1H"}})]));
    world.live(async |runtime| wait_until(&runtime, "01:10").await);
    world.live(async |runtime| {
        assert_eq!(started_times(&runtime).await, ["01:00"]);
        wait_until(&runtime, "09:00").await;
        assert_eq!(started_times(&runtime).await, ["01:00", "02:00", "03:00"]);
    });
    assert_eq!(
        (world.row().next_due, world.row().begun_at),
        (None, at("00:00"))
    );
}

#[test]
fn a_new_version_keeps_unchanged_schedules_and_restarts_the_others() {
    let every = |minutes: u32| json!({"when": {"cycle": format!("R/PT{minutes}M")}});
    let world = World::with(&process(&[every(60), every(60), every(60)]));
    world.live(async |runtime| {
        wait_until(&runtime, "00:30").await;
        runtime.schedules.switch(&key("s1"), false).await.unwrap();
        let mut changed = every(60);
        changed["missed"] = json!("all");
        changed["startData"] = json!({"version": 2});
        assert_eq!(
            deploy(&runtime, &process(&[changed, every(40)]))
                .await
                .unwrap(),
            2
        );
        let schedule = runtime.schedules.list("default", Some("p"));
        let next: Vec<_> = schedule
            .iter()
            .map(|one| {
                (
                    one.row.key.node.as_str(),
                    one.row.next_due.map(written),
                    one.row.enabled,
                )
            })
            .collect();
        assert_eq!(
            next,
            [
                ("s0", Some("01:00".into()), true),
                ("s1", Some("01:10".into()), false)
            ]
        );
        wait_until(&runtime, "01:30").await;
        let found = instances(&runtime).await;
        assert_eq!(
            found
                .iter()
                .map(|one| one.head().process.version)
                .collect::<Vec<_>>(),
            [2]
        );
        assert_eq!(
            found[0].whole.as_ref().map(|whole| &*whole.data),
            Some(&json!({"version": 2}))
        );
        // A draft changes nothing.
        let rows = runtime.schedules.list("default", None);
        let mut draft = process(&[every(5)]);
        draft["name"] = json!("draft");
        let source = draft.to_string();
        let (source, format, now) = (source.as_bytes(), SourceFormat::Json, at("01:30"));
        let draft = Deploy {
            tenant: "default",
            source,
            format,
            publish: false,
            by: "test",
            now,
        };
        runtime.definitions.deploy(draft).await.unwrap();
        let after = runtime.schedules.list("default", None);
        assert!(
            rows.iter()
                .map(|one| &one.row)
                .eq(after.iter().map(|one| &one.row))
        );
        assert_eq!(runtime.schedules.list("other", None).len(), 0);
    });
    world.live(async |runtime| {
        let nodes: Vec<String> = runtime
            .schedules
            .list("default", None)
            .into_iter()
            .map(|one| one.row.key.node)
            .collect();
        assert_eq!(nodes, ["s0", "s1"]);
    });
}

#[test]
fn a_deprecated_process_has_no_schedules_until_published_again() {
    let world = World::with(&process(&[json!({"when": {"duration": "PT1H"}})]));
    world.live(async |runtime| {
        runtime
            .definitions
            .deprecate("default", "p", 1)
            .await
            .unwrap();
        assert_eq!(runtime.schedules.list("default", None).len(), 0);
        wait_until(&runtime, "02:00").await;
        assert_eq!(started_times(&runtime).await, [""; 0]);
        runtime
            .definitions
            .publish("default", "p", 1)
            .await
            .unwrap();
        wait_until(&runtime, "09:00").await;
        assert_eq!(started_times(&runtime).await, ["03:00"]);
        // A schedule that has been due once stays so with a new version.
        let mut next = process(&[json!({"when": {"duration": "PT1H"}})]);
        next["name"] = json!("again");
        deploy(&runtime, &next).await.unwrap();
        wait_until(&runtime, "19:00").await;
        assert_eq!(started_times(&runtime).await, ["03:00"]);
    });
}

#[test]
fn a_skipping_schedule_waits_for_the_end_of_its_instance() {
    let world = World::with(&process(&[
        json!({"when": {"cycle": "0 * * * *"}, "overlap": "skip"}),
    ]));
    world.live(async |runtime| {
        wait_until(&runtime, "03:30").await;
        assert_eq!(started_times(&runtime).await, ["01:00"]);
        let row = runtime.schedules.get(&key("s0")).unwrap().row;
        assert_eq!((row.fired, row.last_skipped, row.next_due), (1, Some(at("03:00")), Some(at("04:00"))));
        let refused = runtime.run_schedule(&key("s0"), Uuid::from_u128(1)).await.unwrap_err();
        assert!(matches!(refused, Refusal::Rejected(rejection) if rejection.kind == RejectionKind::Conflict));
        end(&runtime, row.last_instance.unwrap()).await;
        let by_hand = runtime.run_schedule(&key("s0"), Uuid::from_u128(1)).await.unwrap();
        end(&runtime, by_hand).await;
        wait_until(&runtime, "04:00").await;
        assert_eq!(started_times(&runtime).await, ["01:00", "03:30", "04:00"]);
        // A repeat finds its instance, although another one is live.
        assert_eq!(runtime.run_schedule(&key("s0"), Uuid::from_u128(1)).await.unwrap(), by_hand);
    });
}

#[test]
fn concurrent_runs_of_a_skipping_schedule_start_one_instance() {
    let world = World::with(&process(&[
        json!({"when": {"cycle": "0 * * * *"}, "overlap": "skip"}),
    ]));
    world.live(async |runtime| {
        runtime.clock.set(at("01:00"));
        let key = key("s0");
        let (first, second, ()) = tokio::join!(
            runtime.run_schedule(&key, Uuid::from_u128(1)),
            runtime.run_schedule(&key, Uuid::from_u128(2)),
            idle(&runtime),
        );
        idle(&runtime).await;
        assert_eq!(instances(&runtime).await.len(), 1);
        let started = [first, second].into_iter().filter(Result::is_ok).count();
        assert_eq!(runtime.schedules.get(&key).unwrap().row.fired, 1);
        assert!(started <= 1);
    });
}

async fn end(runtime: &Arc<Runtime>, instance: InstanceKey) {
    let request = InstanceRequest::Apply {
        command: Box::new(Command::Terminate),
        tag: None,
        if_seq: None,
    };
    runtime.dispatch(
        instance,
        Envelope {
            caller: None,
            request,
            reply: ReplyTo::to(drop),
        },
    );
    idle(runtime).await;
}

#[test]
fn a_manual_run_keeps_the_due_time_and_is_applied_once() {
    let world = World::with(&process(&[hourly()]));
    world.live(async |runtime| {
        wait_until(&runtime, "00:20").await;
        runtime.schedules.switch(&key("s0"), false).await.unwrap();
        let first = runtime.run_schedule(&key("s0"), Uuid::from_u128(1)).await.unwrap();
        wait_until(&runtime, "00:25").await;
        assert_eq!(runtime.run_schedule(&key("s0"), Uuid::from_u128(1)).await.unwrap(), first);
        assert_ne!(runtime.run_schedule(&key("s0"), Uuid::from_u128(2)).await.unwrap(), first);
        assert_eq!(started_times(&runtime).await, ["00:20", "00:25"]);
        let row = runtime.schedules.get(&key("s0")).unwrap().row;
        assert_eq!((row.fired, row.next_due, row.enabled), (2, Some(at("01:00")), false));
        runtime.definitions.switch("default", "p", false).await.unwrap();
        let refused = runtime.run_schedule(&key("s0"), Uuid::from_u128(3)).await.unwrap_err();
        assert!(matches!(refused, Refusal::Rejected(rejection) if rejection.kind == RejectionKind::Conflict));
        let unknown = runtime.run_schedule(&key("nowhere"), Uuid::from_u128(3)).await.unwrap_err();
        assert!(matches!(unknown, Refusal::Rejected(rejection) if rejection.kind == RejectionKind::NotFound));
    });
}

#[test]
fn clients_cannot_start_at_scheduled_start_events() {
    let world = World::with(&process(&[hourly()]));
    world.live(async |runtime| {
        let (sender, answer) = tokio::sync::oneshot::channel();
        let caller = Caller {
            subject: "alice".into(),
            tenant: "default".into(),
            roles: [].into(),
            operator: true,
            trees: None,
            address: None,
            trace: None,
        };
        let request = StartRequest {
            process: Some("p".into()),
            data: json!({}),
            business_key: None,
            start_condition: None,
            inherit: None,
            test: false,
            caller,
            anonymous: false,
            stranger: Default::default(),
            command: Uuid::from_u128(1),
            hash: 0,
        };
        runtime.start_instance(
            request,
            ReplyTo::to(move |answer| drop(sender.send(answer))),
        );
        let InstanceResponse::Refused(Refusal::Rejected(rejection)) = answer.await.unwrap() else {
            panic!("expected a refusal")
        };
        assert_eq!(rejection.kind, RejectionKind::BadRequest);
        assert!(
            rejection.message.contains("POST /v1/schedules/p/s0/run"),
            "{}",
            rejection.message
        );
    });
}

#[test]
fn a_thousand_schedules_due_at_once_all_start() {
    let world = World::with(&short_process(&vec![hourly(); 1_000]));
    world.live(async |runtime| {
        runtime.clock.set(at("01:00"));
        // A user is answered meanwhile.
        runtime
            .run_schedule(&key("s7"), Uuid::from_u128(1))
            .await
            .unwrap();
        idle(&runtime).await;
        assert_eq!(started_times(&runtime).await.len(), 1_001);
        assert!(
            runtime
                .schedules
                .list("default", None)
                .iter()
                .all(|one| one.next_run() == Some(at("02:00")))
        );
    });
}

/// Reports a fault in everything.
#[derive(Debug)]
struct Refusing;

impl Evaluator for Refusing {
    fn condition(&self, _: &str, _: &Variables<'_>) -> Result<bool, EvaluationError> {
        Ok(true)
    }

    fn rule(&self, _: &str, _: &str, _: &Variables<'_>, _: &str) -> Result<Value, RuleError> {
        Ok(json!({}))
    }

    fn check_schema(&self, _: &Value, _: &Value) -> Result<(), Vec<(String, FieldError)>> {
        Err(vec![(
            String::new(),
            FieldError::new("const", "expected another value, but it is this one"),
        )])
    }

    fn may_take_long(&self, _: &Value, _: usize) -> bool {
        false
    }
}

#[test]
fn a_failed_scheduled_start_is_reported_and_the_next_time_is_tried() {
    let mut with_keys =
        process(&[json!({"when": {"cycle": "0 * * * *"}, "startData": {"kind": "nightly"}})]);
    with_keys["nodes"][0]["keys"] =
        json!([{"path": "kind", "required": true, "schema": {"type": "string"}}]);
    let world = World::with(&with_keys);
    world.live(async |runtime| {
        let evaluator: Arc<dyn Evaluator> = Arc::new(Refusing);
        runtime.definitions.evaluate_with("p", &evaluator);
        wait_until(&runtime, "01:00").await;
        assert_eq!(started_times(&runtime).await, [""; 0]);
        let row = runtime.schedules.get(&key("s0")).unwrap().row;
        assert!(
            row.last_error
                .is_some_and(|sentence| sentence.contains("expected"))
        );
        assert_eq!(
            (row.failed_at, row.next_due, row.fired),
            (Some(at("01:00")), Some(at("02:00")), 0)
        );
    });
    world.live(async |runtime| {
        wait_until(&runtime, "02:00").await;
        assert_eq!(started_times(&runtime).await, ["02:00"]);
        assert_eq!(
            runtime.schedules.get(&key("s0")).unwrap().row.last_error,
            None
        );
    });
}

#[test]
fn start_data_that_the_keys_refuse_are_a_problem_at_deploy() {
    let world = World::with(&process(&[hourly()]));
    world.live(async |runtime| {
        let refused = async |data: Value, keys: Value| {
            let mut definition = process(&[json!({"when": "startup", "startData": data})]);
            definition["nodes"][0]["keys"] = keys;
            match deploy(&runtime, &definition).await {
                Ok(_) => Vec::new(),
                Err(DeployError::Invalid(problems)) => problems
                    .iter()
                    .map(|one| (one.code, one.severity == Severity::Error))
                    .collect(),
                Err(other) => panic!("{other:?}"),
            }
        };
        let keys = || json!([{"path": "kind", "required": true, "schema": {"type": "string"}}]);
        assert_eq!(
            refused(json!({}), keys()).await,
            [("invalid_start_data", true)]
        );
        assert_eq!(
            refused(json!({"kind": 5}), keys()).await,
            [("invalid_start_data", true)]
        );
        let beside = refused(json!({"kind": null, "other": 1}), keys()).await;
        assert_eq!(beside, [("invalid_start_data", true)]);
        assert_eq!(refused(json!({"kind": "x", "other": 1}), keys()).await, []);
    });
}
