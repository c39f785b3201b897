//! The log: the format of its lines, and how text from outside is made safe for them.
//!
//! One line for each event, as text for people or as a JSON object for programs. Control characters
//! are always escaped, so nobody outside can forge lines or control a terminal. Names from outside
//! are shortened; payloads, passwords and tokens are not logged at all. All log lines:
//! docs/logging.md.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
    panic,
    sync::{Mutex, PoisonError},
};

use env_logger::{Builder, Env, fmt::Formatter};
use log::{
    Level, Record,
    kv::{self, VisitSource},
};
use serde_json::{Map, Value, json};

/// Actions of administrators and operators, and failed sign-ins.
pub const AUDIT: &str = "stepwire::audit";
/// Incidents of instances.
pub const INCIDENT: &str = "stepwire::incident";
/// Answered requests.
pub const ACCESS: &str = "stepwire::access";
/// Lines on standard output.
const START: &str = "stepwire::start";

/// The longest name from outside in a line, in characters.
const NAME_LENGTH: usize = 64;

/// The filter used without `RUST_LOG`. The HTTP library logs a line for every malformed request,
/// with which anyone could fill the disk.
const USUAL: &str = "info,actix_http::h1::dispatcher=off";

/// Writes a line to standard output. When that is not possible, the log says so: the program goes on.
pub fn print(line: &str) {
    if let Err(error) = writeln!(io::stdout(), "{line}") {
        log::warn!("a line could not be written to the standard output ({error}): {line}");
    }
}

/// Starts logging to standard error, as text or as JSON, with the usual filter or that of
/// `RUST_LOG`.
pub fn start(json: bool) {
    let mut builder = Builder::from_env(Env::default().default_filter_or(USUAL));
    builder.format(if json { write_json } else { write_text });
    builder.init();
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            let why = panic
                .payload_as_str()
                .unwrap_or("something that is no text");
            let thread = std::thread::current();
            log::error!(thread = thread.name().unwrap_or_default(), place = place.as_str(); "a \
                thread panicked: {why}");
        }));
    }
}

/// The value of a field of a line.
#[derive(Clone, Debug)]
pub enum LogField {
    /// A text.
    Text(String),
    /// A count.
    Count(u64),
    /// Any other number.
    Number(f64),
    /// A boolean.
    Flag(bool),
}

impl From<&str> for LogField {
    /// A name from outside, shortened.
    fn from(name: &str) -> Self {
        Self::Text(shortened(name).into_owned())
    }
}

impl From<&String> for LogField {
    /// See above.
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

impl From<u64> for LogField {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for LogField {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<bool> for LogField {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl LogField {
    /// The value as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Count(count) => (*count).into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
        }
    }
}

impl kv::ToValue for LogField {
    fn to_value(&self) -> kv::Value<'_> {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Count(count) => (*count).into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
        }
    }
}

/// Writes an event whose fields are not known at compile time.
pub fn event(level: Level, target: &str, message: &str, fields: &[(&'static str, LogField)]) {
    if level > log::max_level() {
        return;
    }
    let args = format_args!("{message}");
    log::logger().log(
        &Record::builder()
            .level(level)
            .target(target)
            .args(args)
            .key_values(&fields)
            .build(),
    );
}

/// A line for standard output, for the person who starts the program: plain text, or an object as in
/// the log, so that a collector of both streams can read every line.
pub fn output_line(json: bool, time: &str, message: &str) -> String {
    if json {
        json_line(time, "info", START, message, Map::new())
    } else {
        message.to_owned()
    }
}

/// A name from outside, shortened to fit a line.
pub fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(NAME_LENGTH) {
        None => Cow::Borrowed(name),
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
    }
}

fn write_text(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let (time, level) = (out.timestamp_millis(), record.level());
    let style = out.default_level_style(level);
    let message = record.args().to_string();
    let mut line = format!(
        "[{time} {style}{level:<5}{style:#} {}] {}",
        escaped(record.target()),
        escaped(&message)
    );
    // Fields of the log's own macros cannot fail.
    let _ = record.key_values().visit(&mut TextFields(&mut line));
    writeln!(out, "{line}")
}

fn write_json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut fields = JsonFields(Map::new());
    // See above.
    let _ = record.key_values().visit(&mut fields);
    let time = out.timestamp_millis().to_string();
    let level = record.level().as_str().to_lowercase();
    writeln!(
        out,
        "{}",
        json_line(
            &time,
            &level,
            record.target(),
            &record.args().to_string(),
            fields.0
        )
    )
}

fn json_line(
    time: &str,
    level: &str,
    target: &str,
    message: &str,
    fields: Map<String, Value>,
) -> String {
    let line = json!({"time": time, "level": level, "target": target, "message": message, "fields": fields}).to_string();
    // JSON itself escapes only the C0 control characters; others can occur only within strings.
    if !line.chars().any(is_unfit) {
        return line;
    }
    let mut safe = String::with_capacity(line.len() + 16);
    for letter in line.chars() {
        if is_unfit(letter) {
            // Writing to a text cannot fail; all of these have four digits.
            let _ = write!(safe, "\\u{:04x}", u32::from(letter));
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// Control characters, and characters that break lines or change the direction of text.
fn is_unfit(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text in which everything is escaped that could break its line or control a terminal.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_unfit(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// Writes ` name=value`, with quotes around a value that is not a single word.
struct TextFields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for TextFields<'_> {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let text = value.to_string();
        let is_word = !text.is_empty() && !text.contains([' ', '"', '=']);
        let value = if is_word {
            escaped(&text).into_owned()
        } else {
            format!("\"{}\"", escaped(&text).replace('"', "\\\""))
        };
        self.0
            .push_str(&format!(" {}={value}", escaped(key.as_str())));
        Ok(())
    }
}

/// Collects the fields: numbers and booleans as such, everything else as text.
struct JsonFields(Map<String, Value>);

impl<'kvs> VisitSource<'kvs> for JsonFields {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let number = || {
            value
                .to_u64()
                .map(Value::from)
                .or_else(|| value.to_i64().map(Value::from))
        };
        let plain = number()
            .or_else(|| value.to_f64().map(Value::from))
            .or_else(|| value.to_bool().map(Value::from));
        self.0.insert(
            key.as_str().to_owned(),
            plain.unwrap_or_else(|| value.to_string().into()),
        );
        Ok(())
    }
}

/// Limits the lines of one kind per minute, so that anonymous callers cannot fill the log. The time
/// is an argument, in milliseconds.
pub struct LineQuota {
    maximum: u32,
    minute: Mutex<Minute>,
}

#[derive(Clone, Copy)]
struct Minute {
    number: i64,
    written: u32,
    left_out: u32,
}

impl LineQuota {
    /// This many lines per minute.
    pub const fn per_minute(maximum: u32) -> Self {
        Self {
            maximum,
            minute: Mutex::new(Minute {
                number: 0,
                written: 0,
                left_out: 0,
            }),
        }
    }

    /// Whether a line may be written now; if so, how many were left out since the last one.
    pub fn take(&self, now_ms: i64) -> Option<u32> {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now_ms.div_euclid(60_000);
        if number != minute.number {
            *minute = Minute {
                number,
                written: 0,
                ..*minute
            };
        }
        if minute.written == self.maximum {
            minute.left_out = minute.left_out.saturating_add(1);
            return None;
        }
        minute.written += 1;
        Some(std::mem::take(&mut minute.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_text_cannot_break_a_log_line() {
        let evil = "ada\r\n[2026 INFO] root signed in\u{1b}[2J\u{9b}31m\u{2028}\u{202e}\0\t";
        for line in [
            escaped(evil).into_owned(),
            json_line(
                "t",
                "info",
                "x",
                evil,
                Map::from_iter([(evil.into(), evil.into())]),
            ),
        ] {
            assert!(!line.chars().any(is_unfit), "{line:?}");
            assert!(
                line.starts_with("ada\\r\\n[2026") || line.contains("ada\\r\\n[2026"),
                "{line}"
            );
        }
        let line: Value =
            serde_json::from_str(&json_line("t", "info", "x", evil, Map::new())).unwrap();
        assert_eq!(
            line,
            json!({"time": "t", "level": "info", "target": "x", "message": evil, "fields": {}})
        );
        assert_eq!(escaped("Zoë's 名前"), "Zoë's 名前");
    }

    #[test]
    fn fields_are_words_or_quoted() {
        let mut line = String::new();
        let fields: &[(&str, &str)] = &[
            ("by", "ada"),
            ("on", "two words"),
            ("odd", "a=\"b\"\n"),
            ("none", ""),
        ];
        kv::Source::visit(&fields, &mut TextFields(&mut line)).unwrap();
        assert_eq!(line, r#" by=ada on="two words" odd="a=\"b\"\n" none="""#);
        let mut json = JsonFields(Map::new());
        kv::Source::visit(&("ms", 12), &mut json).unwrap();
        kv::Source::visit(&("ok", true), &mut json).unwrap();
        assert_eq!(Value::Object(json.0), json!({"ms": 12, "ok": true}));
    }

    #[test]
    fn names_are_shortened_by_letters() {
        assert_eq!(shortened("ada"), "ada");
        let long = "é".repeat(NAME_LENGTH + 1);
        assert_eq!(shortened(&long).chars().count(), NAME_LENGTH + 1);
        assert!(shortened(&long).ends_with("é…"));
    }

    #[test]
    fn a_quota_counts_the_lines_it_drops() {
        let quota = LineQuota::per_minute(2);
        let taken: Vec<_> = [0, 1, 2, 59_999, 60_000, 60_001, 60_002, 200_000]
            .iter()
            .map(|&now| quota.take(now))
            .collect();
        assert_eq!(
            taken,
            [
                Some(0),
                Some(0),
                None,
                None,
                Some(2),
                Some(0),
                None,
                Some(1)
            ]
        );
    }
}
