//! The targets: each reads bytes as the server would, and checks what must hold for what it has
//! read.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stepwire::{
    duration,
    engine::{InstanceState, RecordBatch},
    expression::{self, worker},
    journal::{HistorySegment, SnapshotRow, codec, snapshot},
    model::{
        compile, cron,
        definition::ProcessDefinition,
        ids::{InstanceKey, Time},
        schedule::{MisfirePolicy, Overlap, Schedule, When},
        source::{ReadDefinition, SourceFormat, read_source},
        template::{Builtins, Template},
        timer_cycle::Occurrences,
    },
    session::protocol::client::{parse, parse_hello},
    text,
    web::websocket::frame_guard::FrameGuard,
};
use uuid::Uuid;

/// A text message of a client: the first one, and any other.
pub fn frames(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    // Who is told why may read it.
    for refused in [parse(text).err(), parse_hello(text).err()]
        .into_iter()
        .flatten()
    {
        assert!(
            !refused.message.is_empty() && refused.message.len() < 4_096,
            "{refused:?}"
        );
    }
}

/// Bytes of a websocket connection: however they are cut into chunks, the guard says the same.
pub fn websocket(input: &[u8]) {
    let verdict = |size: usize| {
        let mut guard = FrameGuard::new(4_096, 1_024);
        let mut passed = 0;
        for chunk in input.chunks(size.max(1)) {
            let found = guard.inspect(chunk);
            passed += found.pass;
            if found.stop.is_some() {
                return (passed, found.stop);
            }
        }
        (passed, None)
    };
    let whole = verdict(input.len());
    for size in [1, 7] {
        assert_eq!(verdict(size), whole, "in chunks of {size}");
    }
}

/// A deploy of BPMN XML.
pub fn bpmn(input: &[u8]) {
    if let Ok(read) = read_source(input, SourceFormat::BpmnXml) {
        for (definition, _) in read {
            // What one form says the other says, too.
            let text = serde_json::to_vec(&definition).expect("definitions are JSON");
            if text.len() < 64 * 1024
                && let Ok(again) = read_source(&text, SourceFormat::Json)
            {
                let again: Vec<ProcessDefinition> =
                    again.into_iter().map(|(read, _)| read).collect();
                assert_eq!(again, std::slice::from_ref(&definition));
            }
            compiled(definition);
        }
    }
}

/// A deploy of the JSON form.
pub fn definition_json(input: &[u8]) {
    if let Ok(read) = read_source(input, SourceFormat::Json) {
        let definitions = read
            .into_iter()
            .map(|(definition, _): ReadDefinition| definition);
        definitions.for_each(compiled);
    }
}

fn compiled(definition: ProcessDefinition) {
    let told = [
        expression::compile(&definition).err(),
        compile::compile(definition).err(),
    ];
    for problem in told.into_iter().flatten().flatten() {
        assert!(
            problem.message.len() < 64 * 1024,
            "{}",
            problem.message.len()
        );
    }
}

/// A template, and over what it is filled in: behind the first zero byte.
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
        }
    }
}

/// A condition, and data behind the first zero byte.
pub fn condition(input: &[u8]) {
    let (text, data) = halves(input);
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    thread_local! {
        static WORKER: () = worker::give_this_thread(env!("CARGO_BIN_EXE_stepwire").into());
    }
    WORKER.with(|()| ());
    worker::begin_step(worker::Scripting::Runs);
    if let Err(sentence) = expression::decide(text, &parsed(data)) {
        assert!(sentence.len() < 64 * 1024, "{}", sentence.len());
    }
}

/// Cron expressions, intervals, durations and dates.
pub fn times(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    // Whether a text is one of them is asked of all readers.
    let _ = cron::read(text);
    if let Ok(span) = duration::parse(text) {
        let _ = duration::length(&span);
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
            let Ok(times) = Occurrences::compile(&schedule) else {
                continue;
            };
            let begun = Time(1_900_000_000_000);
            let mut last = times.first(begun);
            for _ in 0..4 {
                let Some(time) = last else { break };
                let next = times.next(time, begun);
                assert!(
                    next.is_none_or(|next| next > time),
                    "{text:?}: {time} and {next:?}"
                );
                last = next;
            }
            let until = Time(begun.0 + 86_400_000);
            let latest = times.latest(until, begun);
            assert!(
                latest.is_none_or(|latest| latest <= until),
                "{text:?}: {latest:?}"
            );
        }
    }
}

/// A snapshot whose checksum is right.
pub fn snapshot(input: &[u8]) {
    let _ = text::memory::of_message_pack(input);
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
    let _ = text::memory::of_message_pack(input);
}

/// Packed rows: how long they say they are, and bytes.
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
    let bytes = segment.unpack().ok().into_iter().flatten();
    let bytes: usize = bytes.map(|stored| stored.row.body.len()).sum();
    assert!(bytes <= segment.unpacked as usize);
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
