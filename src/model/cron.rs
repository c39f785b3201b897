//! The only parser of cron expressions. It knows two dialects, which it distinguishes by their form
//! alone.
//!
//! Five fields (minute, hour, day, month, weekday) are the cron of Unix: weekdays are 0 or 7 for
//! Sunday to 6 for Saturday. Six or seven fields (with a second before them and a year after them),
//! and any text with a `?`, are Quartz: weekdays are 1 for Sunday to 7 for Saturday. Names (`MON`)
//! mean the same in both, and so do `n/m`, which begins at n, ranges across an end (`22-2`), and
//! `L`, `W` and `#`.
//!
//! Not here: when a schedule is due by it (`timer_cycle`), the fields other than weekdays
//! (`fields`).
//!
//! # Rationale
//!
//! **The form of a cron expression decides its dialect**: its fields and `?`, never its numbers; if
//! dialects with the same form differ, a warning names the days.

mod fields;

use croner::{Cron, parser::CronParser};

/// Names of the weekdays from Sunday.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Expressions by name.
const NICKNAMES: [&str; 6] = [
    "@YEARLY",
    "@ANNUALLY",
    "@MONTHLY",
    "@WEEKLY",
    "@DAILY",
    "@HOURLY",
];

/// A parsed cron expression.
pub struct CronText {
    /// When it is due.
    pub cron: Cron,
    /// How other dialects would read it differently, as a sentence.
    pub warning: Option<String>,
}

/// How a text numbers the days of the week.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    /// 0 and 7 are Sunday.
    Unix,
    /// 1 is Sunday.
    Quartz,
}

/// Reads an expression.
///
/// # Errors
/// The mistake in the text, without the expected format.
pub fn read(text: &str) -> Result<CronText, String> {
    let text = text.trim().to_ascii_uppercase();
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() == 1 && text.starts_with('@') {
        let text = match &*text {
            "@MIDNIGHT" => "@DAILY",
            known if NICKNAMES.contains(&known) => known,
            _ => {
                let names = NICKNAMES.join(", ").to_ascii_lowercase();
                return Err(format!("`{text}` is none of the names {names}"));
            }
        };
        return Ok(CronText {
            cron: parse(text)?,
            warning: None,
        });
    }
    if text.contains("${") || text.contains("#{") {
        return Err("it is an expression, and a schedule is fixed when it is deployed".to_owned());
    }
    if !(5..=7).contains(&fields.len()) {
        return Err(format!("it has {} of 5, 6 or 7 fields", fields.len()));
    }
    let weekday_at = if fields.len() == 5 { 4 } else { 5 };
    let has_mark = text.contains('?');
    let numbering = if has_mark || fields.len() > 5 {
        Numbering::Quartz
    } else {
        Numbering::Unix
    };
    let weekdays = weekdays(fields[weekday_at], numbering)?;
    let others = [
        fields::SECOND,
        fields::MINUTE,
        fields::HOUR,
        fields::DAY,
        fields::MONTH,
    ];
    let mut rewritten = fields[..weekday_at]
        .iter()
        .zip(&others[others.len() - weekday_at..])
        .map(|(text, field)| field.read(text))
        .collect::<Result<Vec<_>, _>>()?;
    rewritten.push(weekdays.clone());
    if let Some(year) = fields.get(weekday_at + 1) {
        rewritten.push(fields::YEAR.read(year)?);
    }
    let cron = parse(&rewritten.join(" "))?;
    let is_numbered = fields[weekday_at]
        .split(['/', '#'])
        .next()
        .is_some_and(has_digit);
    let is_plain = match numbering {
        Numbering::Quartz => has_mark && fields.len() > 5,
        Numbering::Unix => !fields.iter().any(|field| is_started_step(field)),
    };
    let warning = (!is_plain && is_numbered)
        .then(|| weekday_warning(fields[weekday_at], &shown(&cron, &weekdays), numbering));
    Ok(CronText { cron, warning })
}

/// The warning about weekdays in numbers, whose meaning differs between dialects.
fn weekday_warning(written: &str, read: &str, numbering: Numbering) -> String {
    let (dialect, first) = match numbering {
        Numbering::Quartz => (
            "Quartz, in which 1 is Sunday",
            "six or seven fields or a `?` \
                are Quartz's",
        ),
        Numbering::Unix => (
            "Unix, in which 0 and 7 are Sunday",
            "five fields are Unix's",
        ),
    };
    format!(
        "expected names of weekdays where dialects differ, but `{written}` is written in \
            numbers; it is read as {read} by the numbering of {dialect}, as {first}: write the \
            names"
    )
}

fn parse(text: &str) -> Result<Cron, String> {
    CronParser::builder()
        .sloppy_ranges(true)
        .build()
        .parse(text)
        .map_err(|error| error.to_string())
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a field has a step with a start, as in Quartz and Spring: `0/5`.
fn is_started_step(field: &str) -> bool {
    field.split(',').any(|part| {
        part.split_once('/')
            .is_some_and(|(from, _)| from.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// The weekdays by name, as far as they are weekdays and not days of a month.
fn shown(cron: &Cron, field: &str) -> String {
    if cron.pattern.days_of_week.has_modifiers() {
        return field.to_owned();
    }
    let days = cron.pattern.days_of_week.values();
    days.iter()
        .filter_map(|day| WEEKDAYS.get(usize::from(*day % 7)))
        .copied()
        .collect::<Vec<_>>()
        .join(", ")
}

/// A field of weekdays with names instead of numbers, as the library reads it. A step becomes the
/// list of its days, up to the end of the week.
fn weekdays(field: &str, numbering: Numbering) -> Result<String, String> {
    field
        .split(',')
        .map(|part| weekday_part(part, numbering))
        .collect::<Result<Vec<_>, _>>()
        .map(|parts| parts.join(","))
}

fn weekday_part(part: &str, numbering: Numbering) -> Result<String, String> {
    if let Some((range, step)) = part.split_once('/') {
        let step: usize = step
            .parse()
            .ok()
            .filter(|step| *step > 0)
            .ok_or_else(|| format!("`{part}` has no step"))?;
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (day(first, numbering)?, day(last, numbering)?),
            None if range == "*" || range.is_empty() || range == "?" => (0, 6),
            None => (day(range, numbering)?, 6),
        };
        return Ok(span(first, last)
            .step_by(step)
            .map(|day| WEEKDAYS[day])
            .collect::<Vec<_>>()
            .join(","));
    }
    if let Some((first, last)) = part.split_once('-') {
        let (last, suffix) = last.find('#').map_or((last, ""), |at| last.split_at(at));
        let days = span(day(first, numbering)?, day(last, numbering)?);
        return Ok(days
            .map(|day| format!("{}{suffix}", WEEKDAYS[day]))
            .collect::<Vec<_>>()
            .join(","));
    }
    let (name, suffix) = match part.find('#') {
        Some(at) => part.split_at(at),
        None => part
            .strip_suffix('L')
            .filter(|name| !name.is_empty())
            .map_or((part, ""), |name| (name, "L")),
    };
    if let Some(week) = suffix.strip_prefix('#')
        && !matches!(week, "1" | "2" | "3" | "4" | "5" | "L")
    {
        return Err(format!(
            "`{part}` names no week of a month: they are #1 to #5, or L for the last one"
        ));
    }
    match name {
        "*" | "?" => Ok(part.to_owned()),
        // The last day of the week.
        "L" if numbering == Numbering::Quartz => Ok("SAT".to_owned()),
        "L" => Err("`L` alone is no weekday".to_owned()),
        name => Ok(format!("{}{suffix}", WEEKDAYS[day(name, numbering)?])),
    }
}

/// The days from `first` to `last`, across the end of the week if `first` is later.
fn span(first: usize, last: usize) -> impl Iterator<Item = usize> {
    let days = (last + 7 - first) % 7;
    (first..=first + days).map(|day| day % 7)
}

/// The number of a day given by name or number, from 0 for Sunday.
fn day(text: &str, numbering: Numbering) -> Result<usize, String> {
    if let Some(day) = WEEKDAYS.iter().position(|name| *name == text) {
        return Ok(day);
    }
    let number: Option<usize> = text
        .parse()
        .ok()
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    match (numbering, number) {
        (Numbering::Unix, Some(day @ 0..=7)) => Ok(day % 7),
        (Numbering::Quartz, Some(day @ 1..=7)) => Ok(day - 1),
        (Numbering::Unix, _) => Err(format!(
            "`{text}` is no weekday: with five fields they are 0 (Sunday) to 7, or MON"
        )),
        (Numbering::Quartz, _) => Err(format!(
            "`{text}` is no weekday: with six or seven fields, or a `?`, they are 1 (Sunday) to \
            7, or MON"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Time;

    /// The weekdays on which an expression is due, from Sunday.
    fn days(text: &str) -> Vec<&'static str> {
        let reading = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        // The week beginning on Sunday, 4 January 2026.
        let sunday = Time(1_767_484_800_000);
        let due = |day: i64| {
            let begin = Time(sunday.0 + day * 86_400_000 - 1);
            begin
                .next(&reading.cron)
                .is_some_and(|next| next.0 < begin.0 + 86_400_000)
        };
        (0..7)
            .filter(|day| due(*day))
            .map(|day| WEEKDAYS[day as usize])
            .collect()
    }

    #[test]
    fn weekdays_are_numbered_by_the_form_of_the_text() {
        let all = &WEEKDAYS[..];
        for (text, expected) in [
            ("0 9 * * 2-6", &["TUE", "WED", "THU", "FRI", "SAT"][..]),
            ("0 0 9 ? * 2-6", &["MON", "TUE", "WED", "THU", "FRI"]),
            ("0 0 9 ? * 2-6 *", &["MON", "TUE", "WED", "THU", "FRI"]),
            ("0 0 9 * * 2-6", &["MON", "TUE", "WED", "THU", "FRI"]),
            ("0 9 ? * 2-6", &["MON", "TUE", "WED", "THU", "FRI"]),
            ("0 0 9 ? * MON-FRI", &["MON", "TUE", "WED", "THU", "FRI"]),
            ("0 9 * * 0", &["SUN"]),
            ("0 9 * * 7", &["SUN"]),
            ("0 0 9 ? * 1", &["SUN"]),
            ("0 0 9 ? * 7", &["SAT"]),
            ("0 0 9 ? * L", &["SAT"]),
            ("0 9 * * 5-7", &["SUN", "FRI", "SAT"]),
            ("0 9 * * FRI-MON", &["SUN", "MON", "FRI", "SAT"]),
            ("0 0 9 ? * 6-2", &["SUN", "MON", "FRI", "SAT"]),
            ("0 0 9 ? * 2/2", &["MON", "WED", "FRI"]),
            ("0 9 * * 1/2", &["MON", "WED", "FRI"]),
            ("0 9 * * */2", &["SUN", "TUE", "THU", "SAT"]),
            ("0 0 9 ? * 2,MON,7", &["MON", "SAT"]),
            ("0 0 9 ? * mon,wed", &["MON", "WED"]),
            ("0 0/5 9 * * ?", all),
            ("0 0 9 ? * *", all),
            ("0 9 * * *", all),
            ("@midnight", all),
            ("@weekly", &["SUN"]),
        ] {
            assert_eq!(days(text), expected, "{text}");
        }
    }

    #[test]
    fn steps_begin_at_their_number() {
        let minutes = |text: &str| {
            read(text)
                .map(|reading| reading.cron.pattern.minutes.values())
                .unwrap_or_default()
        };
        assert_eq!(minutes("0 0/20 * * * ?"), [0, 20, 40]);
        assert_eq!(minutes("5/20 * * * *"), [5, 25, 45]);
        assert_eq!(minutes("*/20 * * * *"), [0, 20, 40]);
        assert_eq!(minutes("10-40/15 * * * *"), [10, 25, 40]);
        assert_eq!(minutes("50-10/15 * * * *"), [5, 50]);
    }

    #[test]
    fn ranges_may_wrap_around() {
        let pattern = |text: &str| {
            let reading = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            reading.cron.pattern
        };
        assert_eq!(pattern("0 0 22-2 * * ?").hours.values(), [0, 1, 2, 22, 23]);
        assert_eq!(pattern("0 22-2 * * *").hours.values(), [0, 1, 2, 22, 23]);
        assert_eq!(pattern("0 0 0 1 NOV-FEB ?").months.values(), [1, 2, 11, 12]);
        assert_eq!(pattern("0 0 0 30-2 * ?").days.values(), [1, 2, 30, 31]);
        assert_eq!(pattern("58-1 * * * * ?").seconds.values(), [0, 1, 58, 59]);
        assert_eq!(pattern("0 0 22-2/2 * * ?").hours.values(), [0, 2, 22]);
    }

    #[test]
    fn days_of_a_month_are_those_of_quartz() {
        let next = |text: &str| {
            let reading = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            // Thursday, 1 January 2026.
            Time(1_767_225_600_000)
                .next(&reading.cron)
                .map(|time| time.to_string()[..10].to_owned())
                .unwrap_or_default()
        };
        assert_eq!(next("0 0 9 ? * 6#3"), "2026-01-16", "the third Friday");
        assert_eq!(next("0 0 9 ? * 6L"), "2026-01-30", "the last Friday");
        assert_eq!(next("0 9 * * 5#3"), "2026-01-16");
        assert_eq!(next("0 9 * * FRIL"), "2026-01-30");
        assert_eq!(next("0 0 9 L * ?"), "2026-01-31");
        assert_eq!(next("0 0 9 LW * ?"), "2026-01-30");
        assert_eq!(
            next("0 0 9 15W 2 ?"),
            "2026-02-16",
            "15 February is a Sunday"
        );
        assert_eq!(next("0 0 9 1 1 ? 2028"), "2028-01-01");
    }

    #[test]
    fn weekday_numbers_that_differ_between_dialects_are_warnings() {
        for plain in [
            "0 9 * * 1-5",
            "0 0 9 ? * 2-6",
            "0 0 9 ? * 2-6 2030",
            "0 9 ? * MON",
            "0 0 9 * * MON-FRI",
            "0/5 * * * *",
            "0 0 9 * * *",
        ] {
            assert_eq!(
                read(plain).ok().and_then(|reading| reading.warning),
                None,
                "{plain}"
            );
        }
        for (text, named) in [
            ("0 0 9 * * 2-6", "MON, TUE, WED, THU, FRI"),
            ("0 9 ? * 1", "SUN"),
            ("0/5 9 * * 1", "MON"),
            ("0 0 9 * * 6#3", "FRI#3"),
        ] {
            let warning = read(text)
                .ok()
                .and_then(|reading| reading.warning)
                .unwrap_or_default();
            assert!(
                warning.contains(&format!("read as {named} by")),
                "{text}: {warning}"
            );
        }
    }

    #[test]
    fn an_invalid_expression_is_named() {
        for (text, part) in [
            ("", "0 of 5, 6 or 7 fields"),
            ("* * * *", "4 of 5, 6 or 7 fields"),
            ("0 0 0 1 1 ? 2028 x", "8 of 5, 6 or 7 fields"),
            ("0 9 * * 8", "`8` is no weekday"),
            ("0 0 9 ? * 0", "1 (Sunday)"),
            ("0 9 * * L", "`L` alone"),
            ("0 9 * * 1/0", "no step"),
            ("0 0 12 ? * MON#6", "`MON#6` names no week"),
            ("0 0 12 W * ?", "`` is no day of the month"),
            ("${a} * * * *", "expression"),
            ("${cron}", "expression"),
            ("@reboot", "none of the names @yearly"),
            ("60 * * * *", "`60` is no minute: they are 0 to 59"),
            ("* 24 * * *", "`24` is no hour"),
            ("* * 0 * *", "`0` is no day of the month: they are 1 to 31"),
            ("* * * 13 *", "`13` is no month: they are 1 to 12, or JAN"),
            ("* * * FOO *", "`FOO` is no month"),
            ("* ? * * *", "`?` is no hour"),
            ("*/0 * * * *", "`*/0` has no step"),
            ("1-2-3 * * * *", "`2-3` is no minute"),
            ("1, * * * *", "`` is no minute"),
            ("0 0 0 1 1 ? 2030-2028", "the year 2030 comes after 2028"),
            (
                "0 0 9 L-3 * ?",
                "`L-3` counts 3 days back from the end of the month",
            ),
            ("0 0 9 32W * ?", "`32` is no day"),
            ("0 9 ? * 2-6 *", "`?` is no hour"),
        ] {
            let error = read(text).map(|_| ()).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
