//! Times that come while nothing can start.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stage::{
    World, at, deploy, instances, key, process, short_process, started_times, wait_until,
};
use crate::{limits, runtime::Runtime};

fn hourly(missed: &str) -> Value {
    json!({"when": {"cycle": "0 * * * *"}, "missed": missed})
}

/// The times that each rule makes up for, and the next time in each case.
const RULES: [(&str, &[&str]); 3] = [
    ("once", &["05:00", "06:00"]),
    ("skip", &["06:00"]),
    (
        "all",
        &["01:00", "02:00", "03:00", "04:00", "05:00", "06:00"],
    ),
];

#[test]
fn times_missed_while_the_server_was_down() {
    for (rule, expected) in RULES {
        let world = World::with(&process(&[hourly(rule)]));
        world.clock.set(at("05:30"));
        world.live(async |runtime| {
            assert_eq!(
                started_times(&runtime).await,
                expected[..expected.len() - 1],
                "{rule}"
            );
            wait_until(&runtime, "06:00").await;
            assert_eq!(started_times(&runtime).await, expected, "{rule}");
        });
        // The second start of the server has nothing to make up for.
        world.live(async |runtime| assert_eq!(started_times(&runtime).await, expected, "{rule}"));
    }
}

async fn switch_schedule(runtime: Arc<Runtime>, on: bool) {
    runtime.schedules.switch(&key("s0"), on).await.unwrap();
    // Doing it twice has no further effect.
    let schedule = runtime.schedules.switch(&key("s0"), on).await.unwrap();
    assert_eq!(
        (schedule.row.enabled, schedule.next_run().is_some()),
        (on, on)
    );
}

async fn switch_process(runtime: Arc<Runtime>, on: bool) {
    runtime
        .definitions
        .switch("default", "p", on)
        .await
        .unwrap();
    let schedule = runtime.schedules.get(&key("s0")).unwrap();
    assert_eq!(
        (schedule.row.enabled, schedule.next_run().is_some()),
        (true, on)
    );
}

#[test]
fn times_missed_while_disabled() {
    for (rule, expected) in RULES {
        check(rule, expected, switch_schedule);
        check(rule, expected, switch_process);
    }
}

fn check<F: Future<Output = ()>>(
    rule: &str,
    expected: &[&str],
    switch: impl Fn(Arc<Runtime>, bool) -> F,
) {
    let world = World::with(&process(&[hourly(rule)]));
    world.live(async |runtime| {
        switch(runtime.clone(), false).await;
        wait_until(&runtime, "02:30").await;
    });
    // It stays disabled over a restart.
    world.live(async |runtime| {
        wait_until(&runtime, "05:30").await;
        assert_eq!(started_times(&runtime).await, [""; 0], "{rule}");
        switch(runtime.clone(), true).await;
        wait_until(&runtime, "05:31").await;
        assert_eq!(
            started_times(&runtime).await,
            expected[..expected.len() - 1],
            "{rule}"
        );
        wait_until(&runtime, "06:00").await;
        assert_eq!(started_times(&runtime).await, expected, "{rule}");
    });
}

#[test]
fn all_missed_times_start_up_to_a_bound() {
    let world = World::with(&short_process(&[
        json!({"when": {"cycle": "R/PT1S"}, "missed": "all"}),
    ]));
    world.clock.set(at("12:00"));
    world.live(async |runtime| {
        let times = started_times(&runtime).await;
        assert_eq!(times.len(), limits::SCHEDULE_BACKLOG);
        assert_eq!(
            (times[0].as_str(), times[99].as_str()),
            ("11:58:21", "12:00")
        );
    });
}

#[test]
fn a_single_missed_time_starts_once() {
    for (rule, expected) in [("once", &["01:00"][..]), ("all", &["01:00"]), ("skip", &[])] {
        let world = World::with(&process(&[
            json!({"when": {"date": "2026-01-01T01:00:00Z"}, "missed": rule}),
        ]));
        world.clock.set(at("05:30"));
        world.live(async |runtime| {
            assert_eq!(started_times(&runtime).await, expected, "{rule}");
            wait_until(&runtime, "02-01T00:00").await;
            assert_eq!(started_times(&runtime).await, expected, "{rule}");
        });
    }
}

#[test]
fn a_startup_schedule_starts_at_each_server_start_only() {
    let world = World::with(&process(&[
        json!({"when": "startup"}),
        json!({"when": "startup", "overlap": "skip"}),
    ]));
    world.live(async |runtime| {
        let found = instances(&runtime).await;
        let starts: Vec<_> = found
            .iter()
            .filter_map(|one| one.head().scheduled_for)
            .collect();
        assert_eq!(starts, [at("00:00"); 2]);
        let mut again = process(&[json!({"when": "startup"})]);
        again["name"] = json!("again");
        deploy(&runtime, &again).await.unwrap();
        wait_until(&runtime, "01:00").await;
        assert_eq!(started_times(&runtime).await.len(), 2);
        deploy(
            &runtime,
            &process(&[
                json!({"when": "startup"}),
                json!({"when": "startup", "overlap": "skip"}),
            ]),
        )
        .await
        .unwrap();
    });
    // The schedule that does not overlap started over, and forgot its last instance.
    world.live(async |runtime| assert_eq!(started_times(&runtime).await.len(), 4));
    world.live(async |runtime| {
        assert_eq!(started_times(&runtime).await.len(), 5);
        runtime.schedules.switch(&key("s0"), false).await.unwrap();
    });
    world.live(async |runtime| assert_eq!(started_times(&runtime).await.len(), 5));
}
