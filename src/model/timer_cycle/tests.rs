use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::schedule::{MisfirePolicy, Overlap};

fn compile(when: When, zone: &str) -> Result<Occurrences, String> {
    let time_zone = Some(zone.to_owned()).filter(|zone| !zone.is_empty());
    let (missed, overlap) = (MisfirePolicy::default(), Overlap::default());
    Occurrences::compile(&Schedule {
        when: vec![when],
        time_zone,
        missed,
        overlap,
        start_data: Default::default(),
    })
}

fn cycle(text: &str, zone: &str) -> Occurrences {
    compile(When::Cycle(text.to_owned()), zone)
        .unwrap_or_else(|sentence| panic!("{text}: {sentence}"))
}

fn at(text: &str) -> Time {
    Time(
        text.parse::<Timestamp>()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .as_millisecond(),
    )
}

/// The times after `begun`, without their seconds' fractions; and each is found again from the
/// other side.
fn times(occurrences: &Occurrences, begun: &str, count: usize) -> Vec<String> {
    let begun = at(begun);
    let next = |time: &Time| occurrences.next(*time, begun);
    let found: Vec<Time> = std::iter::successors(occurrences.first(begun), next)
        .take(count)
        .collect();
    for pair in found.windows(2) {
        assert_eq!(
            occurrences.latest(pair[1].before(), begun),
            Some(pair[0]),
            "{occurrences:?}"
        );
        assert_eq!(
            occurrences.latest(pair[1], begun),
            Some(pair[1]),
            "{occurrences:?}"
        );
    }
    found
        .iter()
        .map(|time| time.to_string().replace(":00.000Z", "Z"))
        .collect()
}

fn check(text: &str, zone: &str, begun: &str, expected: &[&str]) {
    assert_eq!(
        times(&cycle(text, zone), begun, expected.len().max(1)),
        expected,
        "{text} in {zone} from {begun}"
    );
}

#[test]
fn cron_expressions_follow_the_clocks_of_their_zone() {
    check(
        "0 2 * * *",
        "",
        "2026-01-01T00:00:00Z",
        &["2026-01-01T02:00Z", "2026-01-02T02:00Z"],
    );
    check(
        "0 2 * * *",
        "Europe/Berlin",
        "2026-01-01T00:00:00Z",
        &["2026-01-01T01:00Z", "2026-01-02T01:00Z"],
    );
    check(
        "0 2 * * *",
        "Asia/Kolkata",
        "2026-01-01T00:00:00Z",
        &["2026-01-01T20:30Z"],
    );
    check(
        "30 0 9 * * MON-FRI",
        "",
        "2026-01-02T10:00:00Z",
        &["2026-01-05T09:00:30.000Z", "2026-01-06T09:00:30.000Z"],
    );
    // What is due at the very beginning was due before it.
    check(
        "0 2 * * *",
        "",
        "2026-01-01T02:00:00Z",
        &["2026-01-02T02:00Z"],
    );
    check(
        "0 2 * * *",
        "",
        "2026-01-01T01:59:59.999Z",
        &["2026-01-01T02:00Z"],
    );
}

#[test]
fn a_fixed_time_runs_once_at_each_clock_change() {
    // Berlin, 29 March: 02:00 becomes 03:00 (01:00Z). 25 October: 03:00 becomes 02:00 (01:00Z).
    let days = [
        "2026-03-28T01:30Z",
        "2026-03-29T01:00Z",
        "2026-03-30T00:30Z",
    ];
    check("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", &days);
    let days = [
        "2026-10-24T00:30Z",
        "2026-10-25T00:30Z",
        "2026-10-26T01:30Z",
    ];
    check("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", &days);
    // New York, 8 March and 1 November.
    check(
        "30 2 * * *",
        "America/New_York",
        "2026-03-08T00:00:00Z",
        &["2026-03-08T07:00Z", "2026-03-09T06:30Z"],
    );
    check(
        "30 1 * * *",
        "America/New_York",
        "2026-11-01T00:00:00Z",
        &["2026-11-01T05:30Z", "2026-11-02T06:30Z"],
    );
}

#[test]
fn wildcard_times_skip_the_gap_and_run_in_both_hours() {
    let hours = [
        "2026-03-29T00:30Z",
        "2026-03-29T01:30Z",
        "2026-03-29T02:30Z",
    ];
    check(
        "30 * * * *",
        "Europe/Berlin",
        "2026-03-29T00:00:00Z",
        &hours,
    );
    let hours = [
        "2026-10-25T00:00Z",
        "2026-10-25T00:30Z",
        "2026-10-25T01:00Z",
        "2026-10-25T01:30Z",
        "2026-10-25T02:00Z",
    ];
    check(
        "*/30 * * * *",
        "Europe/Berlin",
        "2026-10-24T23:59:00Z",
        &hours,
    );
    check(
        "30 2,3 * * *",
        "Europe/Berlin",
        "2026-03-29T00:00:00Z",
        &["2026-03-29T01:30Z", "2026-03-30T00:30Z"],
    );
    check(
        "30 2,3 * * *",
        "Europe/Berlin",
        "2026-10-25T00:00:00Z",
        &[
            "2026-10-25T00:30Z",
            "2026-10-25T01:30Z",
            "2026-10-25T02:30Z",
        ],
    );
}

#[test]
fn rare_days_fall_only_in_months_and_years_that_have_them() {
    check(
        "0 0 29 2 *",
        "",
        "2026-01-01T00:00:00Z",
        &["2028-02-29T00:00Z", "2032-02-29T00:00Z"],
    );
    check(
        "0 0 31 * *",
        "",
        "2026-01-31T12:00:00Z",
        &["2026-03-31T00:00Z", "2026-05-31T00:00Z"],
    );
    check(
        "0 0 L * *",
        "",
        "2026-01-31T12:00:00Z",
        &["2026-02-28T00:00Z", "2026-03-31T00:00Z"],
    );
    check(
        "0 0 29 2 *",
        "",
        "2097-01-01T00:00:00Z",
        &["2104-02-29T00:00Z"],
    );
}

#[test]
fn intervals_count_from_their_beginning() {
    check(
        "R/PT30M",
        "",
        "2026-01-01T00:10:00Z",
        &[
            "2026-01-01T00:40Z",
            "2026-01-01T01:10Z",
            "2026-01-01T01:40Z",
        ],
    );
    check(
        "R/2026-01-01T00:00:00Z/P1D",
        "",
        "2026-01-05T12:00:00Z",
        &["2026-01-06T00:00Z", "2026-01-07T00:00Z"],
    );
    check(
        "R/2026-01-01T00:00:00Z/P1D",
        "",
        "2025-12-01T00:00:00Z",
        &["2026-01-01T00:00Z", "2026-01-02T00:00Z"],
    );
    check(
        "R/2026-01-01T08:00+01:00/PT12H",
        "",
        "2026-01-01T00:00:00Z",
        &["2026-01-01T07:00Z", "2026-01-01T19:00Z"],
    );
    // Months do not drift by their shortest.
    let ends = [
        "2026-02-28T00:00Z",
        "2026-03-31T00:00Z",
        "2026-04-30T00:00Z",
        "2026-05-31T00:00Z",
    ];
    check(
        "R/2026-01-31T00:00:00Z/P1M",
        "",
        "2026-01-31T00:00:00Z",
        &ends,
    );
    check(
        "R/2024-02-29T00:00:00Z/P1Y",
        "",
        "2026-03-01T00:00:00Z",
        &["2027-02-28T00:00Z", "2028-02-29T00:00Z"],
    );
}

#[test]
fn intervals_in_days_follow_the_zone_and_hours_are_exact() {
    let daily = [
        "2026-03-28T07:00Z",
        "2026-03-29T06:00Z",
        "2026-03-30T06:00Z",
    ];
    check(
        "R/2026-03-27T08:00:00/P1D",
        "Europe/Berlin",
        "2026-03-27T12:00:00Z",
        &daily,
    );
    let exact = ["2026-03-28T07:00Z", "2026-03-29T07:00Z"];
    check(
        "R/2026-03-27T08:00:00/PT24H",
        "Europe/Berlin",
        "2026-03-27T12:00:00Z",
        &exact,
    );
    // 02:30 is in the gap on the 29th: as much later.
    let in_gap = [
        "2026-03-28T01:30Z",
        "2026-03-29T01:30Z",
        "2026-03-30T00:30Z",
    ];
    check(
        "R/2026-03-27T02:30:00/P1D",
        "Europe/Berlin",
        "2026-03-27T12:00:00Z",
        &in_gap,
    );
    let daily = ["2026-10-24T06:00Z", "2026-10-25T07:00Z"];
    check(
        "R/2026-10-23T08:00:00/P1D",
        "Europe/Berlin",
        "2026-10-23T12:00:00Z",
        &daily,
    );
}

#[test]
fn missed_times_count_towards_the_repetitions() {
    assert_eq!(
        times(&cycle("R2/PT1H", ""), "2026-01-01T00:00:00Z", 9),
        ["2026-01-01T01:00Z", "2026-01-01T02:00Z"]
    );
    let three = cycle("R3/2026-01-01T00:00:00Z/P1D", "");
    assert_eq!(
        times(&three, "2025-12-31T00:00:00Z", 9),
        [
            "2026-01-01T00:00Z",
            "2026-01-02T00:00Z",
            "2026-01-03T00:00Z"
        ]
    );
    assert_eq!(
        times(&three, "2026-01-02T12:00:00Z", 9),
        ["2026-01-03T00:00Z"]
    );
    assert_eq!(times(&three, "2026-01-03T00:00:00Z", 9), [""; 0]);
    let begun = at("2026-01-01T00:00:00Z");
    assert_eq!(
        three.latest(at("2030-01-01T00:00:00Z"), begun),
        Some(at("2026-01-03T00:00:00Z"))
    );
    assert_eq!(three.latest(at("2025-01-01T00:00:00Z"), begun), None);
}

#[test]
fn single_times_run_once() {
    let begun = "2026-01-01T12:00:00Z";
    let date = |text: &str, zone: &str| {
        times(
            &compile(When::Date(text.to_owned()), zone).unwrap(),
            begun,
            9,
        )
    };
    assert_eq!(date("2026-02-01T08:00:00Z", ""), ["2026-02-01T08:00Z"]);
    assert_eq!(
        date("2026-02-01T08:00:00+02:00", "Europe/Berlin"),
        ["2026-02-01T06:00Z"]
    );
    assert_eq!(
        date("2026-02-01T08:00:00", "Europe/Berlin"),
        ["2026-02-01T07:00Z"]
    );
    assert_eq!(date("2026-02-01", ""), ["2026-02-01T00:00Z"]);
    assert_eq!(date("2026-02", ""), ["2026-02-01T00:00Z"]);
    assert_eq!(date("2027", "Europe/Berlin"), ["2026-12-31T23:00Z"]);
    assert_eq!(date("2025-02-01T08:00:00Z", ""), [""; 0]);
    let after = |text: &str, zone: &str| {
        times(
            &compile(When::Duration(text.to_owned()), zone).unwrap(),
            begun,
            9,
        )
    };
    assert_eq!(after("PT90M", ""), ["2026-01-01T13:30Z"]);
    assert_eq!(after("P1M", ""), ["2026-02-01T12:00Z"]);
    assert_eq!(after("P90D", "Europe/Berlin"), ["2026-04-01T11:00Z"]);
    assert_eq!(after("PT0S", ""), ["2026-01-01T12:00Z"]);
    assert_eq!(
        times(&compile(When::Startup, "").unwrap(), begun, 9),
        [""; 0]
    );
}

#[test]
fn an_invalid_time_is_reported() {
    let wrong = |when: fn(String) -> When, text: &str, zone: &str, part: &str| {
        let sentence = compile(when(text.to_owned()), zone).expect_err(text);
        assert!(
            sentence.starts_with("expected ") && sentence.contains(", but "),
            "{sentence}"
        );
        assert!(
            sentence.contains(part) && sentence.contains("; "),
            "{text}: {sentence}"
        );
    };
    for text in [
        "",
        "x",
        "* * * *",
        "60 * * * *",
        "0 25 * * *",
        "every day",
        "@sometimes",
    ] {
        wrong(When::Cycle, text, "", "a cron expression such as");
    }
    wrong(When::Cycle, "0 0 30 2 *", "", "a time that occurs");
    for text in [
        "R",
        "R/",
        "RR/PT1H",
        "R-1/PT1H",
        "R1.5/PT1H",
        "R99999999999/PT1H",
        "R/PT1H/2026-01-01T00:00:00Z/PT1H",
    ] {
        wrong(When::Cycle, text, "", "; ");
    }
    wrong(When::Cycle, "R0/PT1H", "", "never");
    for text in ["R/PT0S", "R/PT0.5S", "R/-PT1H"] {
        wrong(When::Cycle, text, "", "a second or more");
    }
    wrong(When::Cycle, "R/1h", "", "an ISO 8601 duration");
    wrong(When::Cycle, "R/tomorrow/PT1H", "", "an ISO 8601 time");
    wrong(When::Date, "tomorrow", "", "an ISO 8601 time");
    wrong(When::Date, "2026-02-30T00:00:00Z", "", "an ISO 8601 time");
    wrong(When::Duration, "-PT1H", "", "not negative");
    for when in [When::Duration, When::Date] {
        wrong(when, "R3/PT10S", "", "write it as a cycle (`timeCycle`");
        wrong(when, "0 2 * * *", "", "write it as a cycle (`timeCycle`");
    }
    for text in ["2026-01-01T08:00:00Z", "2026-01-01T08:00:00"] {
        wrong(When::Duration, text, "", "write it as a date (`timeDate`");
        wrong(When::Cycle, text, "", "write it as a date (`timeDate`");
    }
    wrong(
        When::Cycle,
        "PT1H",
        "",
        "write it as a duration (`timeDuration`",
    );
    wrong(When::Duration, "an hour", "", "an ISO 8601 duration");
    wrong(
        When::Cycle,
        "0 2 * * *",
        "Europe/Bielefeld",
        "the IANA name",
    );
    wrong(
        When::Cycle,
        "0 2 * * *",
        "../../etc/passwd",
        "the IANA name",
    );
    wrong(When::Cycle, "0 2 * * *", "Etc/Unknown", "the IANA name");
}

#[test]
fn far_times_are_computed_without_iteration() {
    let (begun, far) = (at("2026-01-01T00:00:00Z"), at("9000-01-01T00:00:00Z"));
    let every_second = cycle("R/PT1S", "");
    assert_eq!(every_second.latest(far, begun), Some(far));
    assert_eq!(every_second.next(far, begun), Some(Time(far.0 + 1000)));
    assert_eq!(every_second.next(Time::last(), begun), None);
}

proptest! {
    #[test]
    fn the_next_time_is_later_and_consistent_with_the_previous_one(
        pattern in prop::sample::select(vec![
            "30 2 * * *", "*/20 * * * *", "0 0 29 2 *", "15 1-3 * * SUN", "R/PT7M", "R/2020-01-31T02:30:00/P1M", "R500/P1D",
            "R/2025-10-20T02:30:00/P1DT1H", "*/7 30 2 * * *",
        ]),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        begun in 1_700_000_000_000_i64..1_800_000_000_000,
        later in 0_i64..40_000_000_000,
    ) {
        let occurrences = cycle(pattern, zone);
        let (begun, after) = (Time(begun), Time(begun + later));
        if let Some(next) = occurrences.next(after, begun) {
            prop_assert!(next > after);
            prop_assert_eq!(occurrences.latest(next, begun), Some(next));
            let between = occurrences.latest(next.before(), begun);
            prop_assert!(between.is_none_or(|latest| latest <= after), "{:?} lies between {:?} \
                and {:?}", between, after, next);
        }
    }
}
