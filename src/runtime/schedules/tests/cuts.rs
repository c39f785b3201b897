//! Wherever the server is cut off, each time has one instance, and the schedule continues after it.

use serde_json::json;

use super::stage::{World, at, idle, process, started_times, wait_until};

/// One run of the server in which the hour passes, cut off after a number of writes; then one that
/// is not cut off.
fn check(missed: &str, down_until: Option<&str>, expected: &[&str]) {
    let cut_off = (0..).find(|&writes| {
        let world = World::with(&process(&[
            json!({"when": {"cycle": "0 * * * *"}, "missed": missed}),
        ]));
        world.clock.set(down_until.map_or(at("00:30"), at));
        let first = world.live_for(writes, async |runtime| {
            wait_until(&runtime, down_until.unwrap_or("01:00")).await;
            idle(&runtime).await;
        });
        world.clock.set(at(down_until.unwrap_or("01:00")));
        world.live(async |runtime| {
            assert_eq!(
                started_times(&runtime).await,
                expected,
                "{missed}, cut off after {writes} writes"
            )
        });
        let row = world.row();
        let now = world.clock.now();
        assert!(
            row.next_due.is_some_and(|due| due > now),
            "{missed}, cut off after {writes} writes: {row:?}"
        );
        assert_eq!(
            row.fired,
            expected.len() as u64,
            "{missed}, cut off after {writes} writes"
        );
        assert!(row.last_instance.is_some() && row.last_error.is_none());
        first.is_some()
    });
    assert!(
        cut_off.is_some_and(|writes| writes >= 2),
        "a start and what is noted of it are two writes"
    );
}

#[test]
fn a_cut_while_a_due_time_starts_its_instance() {
    check("once", None, &["01:00"]);
    check("skip", None, &["01:00"]);
}

#[test]
fn a_cut_while_missed_times_are_caught_up() {
    check("once", Some("05:30"), &["05:00"]);
    check("all", Some("03:30"), &["01:00", "02:00", "03:00"]);
}

/// Cut off during the start for 01:00, and back when that is missed: its instance is live, so with
/// `overlap="skip"` nothing else is started.
#[test]
fn an_unrecorded_scheduled_start_still_prevents_an_overlapping_one() {
    for missed in ["once", "skip", "all"] {
        let mut unnoted = 0;
        let cut_off = (0..).find(|&writes| {
            let when = json!({"when": {"cycle": "0 * * * *"}, "missed": missed, "overlap": "skip"});
            let world = World::with(&process(&[when]));
            world.clock.set(at("00:30"));
            let first = world.live_for(writes, async |runtime| {
                wait_until(&runtime, "01:00").await;
                idle(&runtime).await;
            });
            unnoted += usize::from(world.row().last_instance.is_none());
            world.clock.set(at("03:30"));
            world.live(async |runtime| {
                wait_until(&runtime, "05:30").await;
                let kept = started_times(&runtime).await;
                assert!(
                    kept.len() == 1,
                    "{missed}, cut off after {writes} writes: {kept:?}"
                );
            });
            assert!(
                world.row().last_instance.is_some(),
                "{missed}, cut off after {writes} writes"
            );
            first.is_some()
        });
        assert!(
            cut_off.is_some_and(|writes| writes >= 2) && unnoted >= 2,
            "{missed}"
        );
    }
}
