//! Start events with schedules.

use serde_json::json;

use super::*;
use crate::model::schedule::{MisfirePolicy, Overlap, Schedule, When};

/// A start event with these attributes, this timer and these extensions.
fn start(attributes: &str, timer: &str, extensions: &str) -> String {
    let timer = if timer.is_empty() {
        String::new()
    } else {
        format!("<timerEventDefinition>{timer}</timerEventDefinition>")
    };
    format!(
        r#"<startEvent id="s" {attributes}><extensionElements>{extensions}</extensionElements>{timer}</startEvent>"#
    )
}

fn read_schedule(content: &str) -> Schedule {
    let (definition, warnings) = read_one(content);
    assert_eq!(warnings, [], "{content}");
    definition.nodes[0]
        .schedule
        .clone()
        .unwrap_or_else(|| panic!("{content}"))
}

#[test]
fn schedules_by_timer_and_at_server_start_are_read() {
    let all = r#"stepwire:timeZone="Europe/Berlin" stepwire:missed="all" stepwire:overlap="skip""#;
    let data = r#"<stepwire:startData> {"kind": "nightly"} </stepwire:startData>"#;
    let xsi = r#"<timeCycle xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="tFormalExpression"> 0 2 * * * </timeCycle>"#;
    let schedule = read_schedule(&start(all, xsi, data));
    assert_eq!(
        (schedule.missed, schedule.overlap),
        (MisfirePolicy::All, Overlap::Skip)
    );
    let written = json!({"when": {"cycle": "0 2 * * *"}, "timeZone": "Europe/Berlin", "missed": "all", "overlap": "skip",
        "startData": {"kind": "nightly"}});
    assert_eq!(
        serde_json::to_value(&schedule).expect("schedules are JSON"),
        written
    );

    let date = read_schedule(&start("", "<timeDate>2026-01-01T08:00:00Z</timeDate>", ""));
    assert_eq!(date.when, [When::Date("2026-01-01T08:00:00Z".into())]);
    assert_eq!(
        serde_json::to_value(&date).expect("schedules are JSON"),
        json!({"when": {"date": "2026-01-01T08:00:00Z"}})
    );
    assert_eq!(
        read_schedule(&start("", "<timeDuration>PT5M</timeDuration>", "")).when,
        [When::Duration("PT5M".into())]
    );
    let startup = read_schedule(&start(r#"stepwire:onStartup="true""#, "", data));
    assert_eq!(
        (startup.when, startup.start_data["kind"].as_str()),
        (vec![When::Startup], Some("nightly"))
    );
    assert_eq!(
        read_one(&start(r#"stepwire:onStartup="false""#, "", ""))
            .0
            .nodes[0]
            .schedule,
        None
    );
}

#[test]
fn contradictory_schedules_are_reported() {
    let cycle = "<timeCycle>R/PT1H</timeCycle>";
    let both = start(r#"stepwire:onStartup="true""#, cycle, "");
    check(&both, &[("s", "several_triggers")]);
    check(
        &start("", "<documentation/>", ""),
        &[("s", "invalid_schedule")],
    );
    check(
        &start("", &format!("{cycle}{cycle}"), ""),
        &[("s", "invalid_schedule")],
    );
    check(
        &start(
            "",
            &format!("{cycle}<timeDate>2026-01-01T08:00:00Z</timeDate>"),
            "",
        ),
        &[("s", "invalid_schedule")],
    );
    check(
        &start(r#"stepwire:missed="some""#, cycle, ""),
        &[("s", "invalid_value")],
    );
    check(
        &start(r#"stepwire:overlap="queue""#, cycle, ""),
        &[("s", "invalid_value")],
    );
    check(
        &start("", cycle, "<stepwire:startData>[1]</stepwire:startData>"),
        &[("s", "invalid_value")],
    );
    check(
        &start("", cycle, "<stepwire:startData>{</stepwire:startData>"),
        &[("s", "invalid_value")],
    );
    check(
        &start(
            r#"stepwire:timeZone="Europe/Berlin" stepwire:missed="all""#,
            "",
            "",
        ),
        &[("s", "no_effect"), ("s", "no_effect")],
    );
    check(
        &start("", "", "<stepwire:startData>{}</stepwire:startData>"),
        &[("s", "unknown_name")],
    );
    check(
        &start(
            "",
            "<timeCycle>every day</timeCycle>",
            "<stepwire:actions/><stepwire:unknown/>",
        ),
        &[("s", "unknown_name")],
    );
    check(
        r#"<userTask id="t" stepwire:onStartup="true"/>"#,
        &[("t", "unknown_name")],
    );
}

#[test]
fn expressions_of_other_engines_are_read_as_times() {
    for (written, expected) in [
        ("${'2036-11-14T11:12:22'}", "2036-11-14T11:12:22"),
        ("#{ \"PT1H\" }", "PT1H"),
        ("= \"PT1H\"", "PT1H"),
        ("=duration(\"PT1H\")", "PT1H"),
        (
            "= duration(\"PT\" + string(n) + \"H\")",
            "${= \"PT\" + string ( n ) + \"H\"}",
        ),
        ("PT#{n-1}H", "PT${n - 1}H"),
        ("'P14D'", "P14D"),
        (
            "= date and time(\"2036-11-14T11:12:22Z\")",
            "2036-11-14T11:12:22Z",
        ),
        ("= order.wait", "${order.wait}"),
        ("#{order.wait}", "${order.wait}"),
        (
            "= now() + duration(\"PT1H\")",
            "= now() + duration(\"PT1H\")",
        ),
        ("R3/PT10S", "R3/PT10S"),
    ] {
        assert_eq!(
            super::super::schedules::time(written),
            expected,
            "{written}"
        );
    }
}
