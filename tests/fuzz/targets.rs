//! The targets: each reads bytes as the server would, and checks what must hold for what it has
//! read.

use std::collections::BTreeMap;

use serde_json::{Value, json, value::RawValue};
use sha2::{Digest, Sha256};
use stepwire::{
    duration,
    engine::{InstanceState, RecordBatch},
    explorer::explore,
    expression::{self, worker},
    journal::{HistorySegment, SnapshotRow, codec, snapshot},
    model::{
        compile, cron,
        definition::ProcessDefinition,
        ids::{InstanceKey, Time},
        problem::{Problem, Severity},
        schedule::{MisfirePolicy, Overlap, Schedule, When},
        source::{SourceFormat, read_source},
        template::{Builtins, Template},
        timer_cycle::Occurrences,
    },
    session::protocol::client::{parse, parse_hello},
    text::{json, memory},
    web::websocket::frame_guard::FrameGuard,
};
use uuid::Uuid;

use super::script_worker;

/// The maximum number of explored states of a process.
const EXPLORED: usize = 150;
/// A day in milliseconds.
const DAY: i64 = 86_400_000;
/// The start times of schedules: in 2030, on the days of March and October on which the clocks of
/// Berlin change, and on a leap day.
const BEGINNINGS: [i64; 4] = [
    1_900_000_000_000,
    1_901_142_000_000,
    1_919_282_400_000,
    1_835_395_199_999,
];

/// A text message of a client: the first one, and any other.
pub fn frames(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    // The sender is sent the reason.
    for refused in [parse(text).err(), parse_hello(text).err()]
        .into_iter()
        .flatten()
    {
        assert!(
            !refused.message.is_empty() && refused.message.len() < 4_096,
            "{refused:?}"
        );
    }
    let Ok(frame) = parse(text) else {
        return;
    };
    // White space, the order of members and escapes have no meaning. Only the spelling of the first
    // eight unknown members is checked.
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("frames are JSON objects");
    if members.len() > 8 {
        return;
    }
    let other = serde_json::to_string_pretty(&members).expect("members are JSON");
    let again = parse(&other).unwrap_or_else(|refused| panic!("{other}: {refused:?}"));
    assert_eq!(format!("{frame:?}"), format!("{again:?}"), "{other}");
}

/// Bytes of a websocket connection: the guard's verdict is the same for all chunkings.
pub fn websocket(input: &[u8]) {
    let verdict = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let mut guard = FrameGuard::new(4_096, 1_024);
        let mut passed = 0;
        for chunk in chunks {
            let found = guard.inspect(chunk);
            passed += found.pass;
            if found.stop.is_some() {
                return (passed, found.stop, guard.unfinished());
            }
        }
        (passed, None, guard.unfinished())
    };
    let whole = verdict(&mut std::iter::once(input));
    assert!(whole.0 <= input.len() && (whole.1.is_some() || whole.0 == input.len()));
    assert!(whole.2 <= 4_096, "so much of a message may be unfinished");
    for size in [1, 7, 126] {
        assert_eq!(
            verdict(&mut input.chunks(size)),
            whole,
            "in chunks of {size}"
        );
    }
    // One cut, in the headers of the first frames and at the positions that the input itself gives.
    let places = (1..24).chain(
        input
            .last()
            .map(|byte| usize::from(*byte) * input.len() / 256),
    );
    for at in places.filter(|at| *at <= input.len()) {
        let (first, second) = input.split_at(at);
        assert_eq!(
            verdict(&mut [first, second].into_iter()),
            whole,
            "cut at {at}"
        );
    }
}

/// A deploy of BPMN XML.
pub fn bpmn(input: &[u8]) {
    let read = read_source(input, SourceFormat::BpmnXml);
    assert_eq!(
        read,
        read_source(input, SourceFormat::BpmnXml),
        "read again"
    );
    match read {
        Err(problems) => are_errors(&problems),
        Ok(read) => {
            for (definition, warnings) in read {
                are_bounded(&warnings);
                // Both forms have the same meaning.
                if let Some(again) = written_and_read(&definition) {
                    assert_eq!(again, definition);
                }
                compiled(definition);
            }
        }
    }
}

/// A deploy of the JSON form.
pub fn definition_json(input: &[u8]) {
    match read_source(input, SourceFormat::Json) {
        Err(problems) => are_errors(&problems),
        Ok(read) => {
            for (definition, warnings) in read {
                are_bounded(&warnings);
                let again = written_and_read(&definition);
                assert_eq!(again.as_ref(), Some(&definition));
                compiled(definition);
            }
        }
    }
}

/// The same definition in its JSON form, read again; `None` when that is refused.
fn written_and_read(definition: &ProcessDefinition) -> Option<ProcessDefinition> {
    let text = serde_json::to_vec(definition).expect("definitions are JSON");
    let read = read_source(&text, SourceFormat::Json).ok()?;
    let mut definitions = read.into_iter().map(|(read, _)| read);
    let only = definitions.next();
    assert_eq!(definitions.next(), None, "one definition is written as one");
    only
}

fn compiled(definition: ProcessDefinition) {
    let problems = |definition: ProcessDefinition| {
        let of_scripts = expression::compile(&definition).err();
        [of_scripts, compile::compile(definition).err()]
    };
    let found = problems(definition.clone());
    assert_eq!(problems(definition), found, "compiled again");
    for problems in found.into_iter().flatten() {
        are_errors(&problems);
    }
}

/// Checks the reasons of a refusal: at least one error, in complete sentences.
fn are_errors(problems: &[Problem]) {
    let is_error = |problem: &Problem| problem.severity == Severity::Error;
    assert!(problems.iter().any(is_error), "{problems:?}");
    are_bounded(problems);
}

fn are_bounded(problems: &[Problem]) {
    for problem in problems {
        let length = problem.message.len();
        assert!(length > 0 && length < 64 * 1024, "{length}: {problem:?}");
    }
}

/// Explores the control flow of a definition in its JSON form, in every order.
pub fn exploration(input: &[u8]) {
    let Ok(read) = read_source(input, SourceFormat::Json) else {
        return;
    };
    for (definition, _) in read {
        match explore(&definition, EXPLORED) {
            Err(problems) => are_errors(&problems),
            Ok(found) => {
                let again = explore(&definition, EXPLORED).expect("it was explored before");
                assert_eq!(again.verdict(), found.verdict());
                assert_eq!(again.faults, found.faults);
            }
        }
    }
}

/// A template and its data, separated by the first zero byte.
pub fn template(input: &[u8]) {
    let (text, data) = halves(input);
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let key = InstanceKey(Uuid::from_u128(7));
    let builtins = Builtins {
        process_instance_id: key,
        parent: None,
        root: key,
        process_name: "p",
        business_key: None,
        started_by: "ada",
        scheduled_for: None,
        now: Time(0),
    };
    let data = parsed(data);
    for template in [Template::compile(text), Template::compile_text(text)]
        .into_iter()
        .flatten()
    {
        if let Ok(rendered) = template.render(&data, &builtins) {
            let size = rendered.to_string().len();
            assert!(size <= 2 * stepwire::limits::TEMPLATE_BYTES, "{size} bytes");
            assert_eq!(template.render(&data, &builtins), Ok(rendered));
        }
    }
    // A template without placeholders renders to itself: as JSON, and as a text.
    if !text.contains("${")
        && let (Ok(template), Ok(value)) = (Template::compile(text), json::from_text::<Value>(text))
        && let Ok(rendered) = template.render(&data, &builtins)
        && !text.contains("\\u0024")
    {
        assert_eq!(rendered, value);
    }
    if !text.contains('\\')
        && let Ok(template) = Template::compile_text(&text.replace("${", "\\${"))
        && let Ok(rendered) = template.render(&data, &builtins)
    {
        assert_eq!(rendered, text, "escaped");
    }
}

/// A condition and its data, separated by the first zero byte.
pub fn condition(input: &[u8]) {
    let (text, data) = halves(input);
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    thread_local! {
        static WORKER: () = worker::give_this_thread(script_worker());
    }
    WORKER.with(|()| ());
    let decide = |text: &str| {
        worker::begin_step(worker::Scripting::Runs);
        expression::decide(text, &parsed(data))
    };
    match decide(text) {
        Err(sentence) => assert!(sentence.len() < 64 * 1024, "{}", sentence.len()),
        Ok(holds) => {
            // The fast path decides as the script engine does.
            let scripted = decide(&format!("[({text}\n)][0]"));
            assert!(
                scripted.as_ref().is_ok_and(|other| *other == holds) || scripted.is_err(),
                "{holds}, but as a script {scripted:?}"
            );
        }
    }
}

/// Cron expressions, intervals, durations and dates.
pub fn times(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    // Each reader is tried.
    let _ = cron::read(text);
    if let Ok(span) = duration::parse(text) {
        let again = duration::parse(&span.to_string()).expect("what is written is read");
        assert_eq!(again.fieldwise(), span.fieldwise());
        assert_eq!(duration::length(&again), duration::length(&span));
    }
    for when in [When::Cycle, When::Date, When::Duration] {
        for zone in [None, Some("Europe/Berlin")] {
            let schedule = Schedule {
                when: vec![when(text.to_owned())],
                time_zone: zone.map(str::to_owned),
                missed: MisfirePolicy::default(),
                overlap: Overlap::default(),
                start_data: serde_json::Map::new(),
            };
            if let Ok(times) = Occurrences::compile(&schedule) {
                occur_in_order(text, &times);
            }
        }
    }
}

/// From some times, among them days on which clocks change.
fn occur_in_order(text: &str, times: &Occurrences) {
    for begun in BEGINNINGS.map(Time) {
        let mut last = times.first(begun);
        for _ in 0..4 {
            let Some(time) = last else { break };
            let next = times.next(time, begun);
            assert!(
                next.is_none_or(|next| next > time),
                "{text:?}: {time} and {next:?}"
            );
            if time >= begun {
                let latest = times.latest(time, begun);
                assert_eq!(
                    latest,
                    Some(time),
                    "{text:?}: the latest at one of its times"
                );
            }
            last = next;
        }
        let until = Time(begun.0 + DAY);
        if let Some(latest) = times.latest(until, begun) {
            assert!(latest <= until, "{text:?}: {latest:?} until {until:?}");
            let next = times.next(latest, begun);
            assert!(
                next.is_none_or(|next| next > until),
                "{text:?}: {next:?} lies between {latest:?} and {until:?}"
            );
        }
    }
}

/// A snapshot with a valid checksum.
pub fn snapshot(input: &[u8]) {
    let _ = memory::of_message_pack(input);
    let mut body = snapshot::VERSION.to_be_bytes().to_vec();
    body.extend(&Sha256::digest(input)[..8]);
    body.extend(input);
    let key = codec::decode::<InstanceState>(input).map(|state| (state.key(), state.seq()));
    let (key, seq) = key.unwrap_or((InstanceKey(Uuid::nil()), 1));
    let Ok(state) = snapshot::read(key.into(), &SnapshotRow { seq, body }) else {
        return;
    };
    let again = snapshot::take(&state).expect("a state that was read can be written");
    let state = snapshot::read(key.into(), &again).expect("what was written is read");
    assert_eq!(snapshot::take(&state).expect("it is written"), again);
}

/// A row of the log.
pub fn row(input: &[u8]) {
    if let Ok(row) = codec::decode::<RecordBatch>(input) {
        let again = codec::encode(&row).expect("a row that was read can be written");
        let row: RecordBatch = codec::decode(&again).expect("what was written is read");
        assert_eq!(codec::encode(&row).expect("it is written"), again);
    }
    let _ = memory::of_message_pack(input);
}

/// Packed rows: their declared length, and bytes.
pub fn packed_history(input: &[u8]) {
    let Some((unpacked, body)) = input.split_first_chunk::<4>() else {
        return;
    };
    let segment = HistorySegment {
        entity: InstanceKey(Uuid::from_u128(7)).into(),
        first_seq: 1,
        last_seq: 9,
        rows: 3,
        unpacked: u32::from_be_bytes(*unpacked),
        body: body.to_vec(),
    };
    let Ok(rows) = segment.unpack() else {
        return;
    };
    let bytes: usize = rows.iter().map(|stored| stored.row.body.len()).sum();
    assert!(bytes <= segment.unpacked as usize);
    let packed = HistorySegment::pack(rows.clone()).expect("rows can be packed");
    let again = packed.map(|packed| packed.unpack().expect("what was packed is unpacked"));
    assert_eq!(again.unwrap_or_default(), rows);
}

fn halves(input: &[u8]) -> (&[u8], &[u8]) {
    let at = input.iter().position(|byte| *byte == 0);
    let (first, second) = input.split_at(at.unwrap_or(input.len()));
    (first, second.get(1..).unwrap_or_default())
}

fn parsed(data: &[u8]) -> Value {
    let parsed: Option<Value> = serde_json::from_slice(data).ok();
    parsed.filter(Value::is_object).unwrap_or_else(
        || json!({"a": {"b": [1, 2.5, "x", null, true]}, "n": 1, "s": "text", "items": [{"a": 1}]}),
    )
}
