//! The notation of the constants of limits in the source, and the forms in which the page may state
//! them.

use std::collections::BTreeMap;

/// The value of a constant, in its source notation.
pub struct Written(String);

/// The public constants of a source, and its limits by name.
pub fn limits(source: &str) -> BTreeMap<String, Written> {
    // Those of types are indented.
    let declared = source.split("\npub const ").skip(1);
    let constants = declared.filter_map(|text| {
        let (name, rest) = text.split_once(':')?;
        let (_, value) = rest.split_once(';')?.0.split_once('=')?;
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        Some((name.to_owned(), Written(value)))
    });
    let by_name = source.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("    ")?.split_once(": ")?;
        let (unit, value) = rest.strip_suffix(';')?.split_once(" = ")?;
        let value = match unit {
            "Number" | "Bytes" => value.to_owned(),
            "Seconds" => format!("Duration::from_secs({value})"),
            "Millis" => format!("Duration::from_millis({value})"),
            _ => return None,
        };
        Some((name.to_owned(), Written(value)))
    });
    constants.chain(by_name).collect()
}

impl Written {
    /// The notations in which the page may state it.
    pub fn forms(&self, all: &BTreeMap<String, Written>) -> Vec<String> {
        let within = |begin: &str| self.0.strip_prefix(begin)?.strip_suffix(')');
        if let Some(seconds) = within("Duration::from_secs(") {
            return durations(number(seconds, all));
        }
        if let Some(millis) = within("Duration::from_millis(") {
            let millis = number(millis, all);
            let mut forms = vec![format!("{millis} ms")];
            if millis.is_multiple_of(1_000) {
                forms.extend(durations(millis / 1_000));
            }
            return forms;
        }
        if let Some(micros) = within("Duration::from_micros(") {
            return vec![format!("{} ms", number(micros, all) as f64 / 1_000.0)];
        }
        if let Some((first, second)) = within("Quota::new(").and_then(|both| both.split_once(',')) {
            let (rate, burst) = (number(first, all), number(second, all));
            return vec![format!("{rate} per second, {burst} at once")];
        }
        if let Some((bytes, percent)) =
            within("Watermark::new(").and_then(|both| both.split_once(','))
        {
            let bytes = number(bytes, all);
            let size = if bytes.is_multiple_of(1 << 30) {
                format!("{} GiB", bytes >> 30)
            } else {
                format!("{} MiB", bytes >> 20)
            };
            return vec![format!("{size} or {} %", percent.trim())];
        }
        let value = number(&self.0, all);
        let mut forms = vec![grouped(value), format!("{} s", 2 * value)];
        if value.is_multiple_of(1024) {
            forms.push(format!("{} KiB", grouped(value / 1024)));
        }
        if value.is_multiple_of(1024 * 1024) {
            forms.push(format!("{} MiB", grouped(value / 1024 / 1024)));
        }
        if value == 8 {
            forms.push("an eighth".to_owned());
        }
        forms
    }
}

fn durations(seconds: u64) -> Vec<String> {
    let mut forms = vec![format!("{seconds} s")];
    for (unit, length) in [("min", 60), ("h", 3_600), ("days", 24 * 3_600)] {
        if seconds.is_multiple_of(length) {
            forms.push(format!("{} {unit}", seconds / length));
        }
    }
    if seconds == 60 {
        forms.push("a minute".to_owned());
    }
    forms
}

/// A product of numbers, shifts and other constants.
fn number(text: &str, all: &BTreeMap<String, Written>) -> u64 {
    let factor = |factor: &str| {
        let factor = factor.trim().trim_end_matches(" as u64").replace('_', "");
        if let Some((base, shift)) = factor.split_once(" << ") {
            return base.parse::<u64>().expect("a number")
                << shift.parse::<u32>().expect("a number");
        }
        let named = |name: &str| {
            let own = all.iter().find(|(other, _)| other.replace('_', "") == name);
            let (_, written) = own.expect("a number or another constant");
            number(&written.0, all)
        };
        factor.parse().unwrap_or_else(|_| named(&factor))
    };
    text.split('*').map(factor).product()
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits"))
        .collect();
    groups.join(",")
}

/// Whether a row holds a number, and not only as a part of a longer one.
pub fn holds(row: &str, form: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = row.as_bytes();
    row.match_indices(form).any(|(at, _)| {
        let (before, after) = (&bytes[..at], &bytes[at + form.len()..]);
        let goes_on = is_digit(after.first())
            || (matches!(after.first(), Some(b',' | b'.')) && is_digit(after.get(1)));
        let began = is_digit(before.last())
            || (before.last() == Some(&b',') && is_digit(before.iter().rev().nth(1)));
        !goes_on && !began
    })
}
