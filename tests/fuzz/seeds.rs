//! Initial inputs: from the examples, the cases, and the journals of `tests/engine/golden`.

use std::fs;

use stepwire::{
    journal::{Entity, HistorySegment, LogRow, StoredRow},
    model::{
        ids::{InstanceKey, Time},
        source::{SourceFormat, read_source},
    },
};
use uuid::Uuid;

use super::root;
use crate::engine::sketch;

type Inputs = Vec<Vec<u8>>;

fn texts(of: &[&str]) -> Inputs {
    of.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn files(folder: &str, end: &str) -> Inputs {
    let folder = root().join(folder);
    let entries = fs::read_dir(folder).expect("the folder is there").flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let fits = paths
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(end));
    fits.map(|path| fs::read(path).expect("it can be read"))
        .collect()
}

/// One of each frame.
pub fn frames() -> Inputs {
    texts(&[
        r#"{"type":"hello","token":"a.b.c","resume":[{"instance":"0197a1b2-0000-7000-8000-000000000007","after":3}],"schemas":true}"#,
        r#"{"type":"start","id":"1","process":"p","data":{"a":1.50},"businessKey":"k","subscribe":false}"#,
        r#"{"type":"run","id":"0197a1b2-0000-7000-8000-000000000008","instance":"0197a1b2-0000-7000-8000-000000000007","action":"save","element":"e-3","data":{},"ifSeq":9}"#,
        r#"{"type":"subscribe","id":"2","channel":"instance/0197a1b2-0000-7000-8000-000000000007","after":4}"#,
        r#"{"type":"subscribe","id":"2","channel":"tasks"}"#,
        r#"{"type":"publish","id":"3","message":"paid","correlationKey":"7","data":{},"ttl":"PT1H"}"#,
        r#"{"type":"publish","id":"3","signal":"closing","data":{}}"#,
        r#"{"type":"patch","id":"4","instance":"0197a1b2-0000-7000-8000-000000000007","data":{"a":null}}"#,
        r#"{"type":"draft","id":"5","instance":"0197a1b2-0000-7000-8000-000000000007","element":"e-3","action":"save","data":{"x":1}}"#,
        r#"{"type":"clock","id":"6","advance":"P1D"}"#,
        r#"{"type":"assign","id":"7","instance":"0197a1b2-0000-7000-8000-000000000007","element":"e-3","user":"bob"}"#,
        r#"{"type":"pong"}"#,
    ])
}

/// Frames of RFC 6455: text, fragments, control frames, lengths of each size.
pub fn websocket() -> Inputs {
    let mut long = vec![0x81, 0xfe, 0x02, 0x00, 1, 2, 3, 4];
    long.extend(vec![b'a'; 512]);
    let mut huge = vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4];
    huge.extend(vec![0; 300]);
    vec![
        vec![0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        vec![
            0x01, 0x82, 1, 2, 3, 4, 5, 6, 0x89, 0x80, 1, 2, 3, 4, 0x80, 0x81, 1, 2, 3, 4, 5,
        ],
        vec![0x88, 0x82, 0, 0, 0, 0, 3, 232],
        long,
        huge,
    ]
}

/// The examples and the models of the tests.
pub fn bpmn() -> Inputs {
    let mut all = files("examples", ".bpmn");
    for folder in [
        "static/src/designer/templates",
        "tests/browser",
        "tests/cli",
        "tests/crash",
    ] {
        all.extend(files(folder, ".bpmn"));
    }
    all
}

/// The same processes in their JSON form.
pub fn definition_json() -> Inputs {
    let read = bpmn()
        .into_iter()
        .filter_map(|source| read_source(&source, SourceFormat::BpmnXml).ok());
    read.flatten()
        .map(|(definition, _)| serde_json::to_vec(&definition).expect("definitions are JSON"))
        .collect()
}

/// The processes of the engine's cases in their JSON form: small ones with every kind of element.
pub fn exploration() -> Inputs {
    let text = files("tests/engine/cases", ".case").concat();
    let text = String::from_utf8(text).expect("it is text");
    let cases = text.split("\n# ").filter_map(|case| case.split_once('\n'));
    let sketches = cases.filter_map(|(_, case)| case.split("\n---").next());
    // Of a case with several versions only the first.
    let first = sketches.filter_map(|sketch| sketch.split("\n=>\n").next());
    first
        .map(|sketch| serde_json::to_vec(&sketch::definition(sketch)).expect("they are JSON"))
        .collect()
}

/// Texts and JSON with placeholders.
pub fn templates() -> Inputs {
    texts(&[
        r#"{"hello":"${s}","list":["${a.b[1]}","${n}"],"now":"${now}"}"#,
        "${a.b}",
        "Dear ${s}, $${n} ${items[0].a}",
        "{\"deep\":\"${a}\"}\0{\"a\":{\"a\":{\"a\":[1,2,3]}}}",
        "${processInstanceId} ${scheduledFor}",
    ])
}

/// JavaScript, and expressions of other engines.
pub fn conditions() -> Inputs {
    texts(&[
        "n > 0 && s === 'text'",
        "items.some(i => i.a === 1) || a?.b?.length >= 3",
        "n * 1.10 + a.b[1] < 7 ? true : !s",
        "typeof x === 'undefined' || `${n}`.startsWith('1')",
        "= n > 0 and s != null",
        "${n gt 0 and not empty s}",
        "new Date(s).getTime() > 0 || /t.x/.test(s)",
        "n == 9007199254740993\0{\"n\":9007199254740993}",
        "Object.keys(a).length == JSON.parse('{\"a\":1}').a",
    ])
}

/// Cron expressions with five to seven fields, intervals, durations, dates.
pub fn times() -> Inputs {
    texts(&[
        "*/5 * * * *",
        "0 0 12 ? * MON-FRI",
        "0 0 0 L * ? 2030-2040",
        "0 15 10 ? * 6#3",
        "@daily",
        "R5/PT10S",
        "R/2030-01-01T00:00:00Z/P1M",
        "R3/2030-01-31T09:00:00[Europe/Berlin]/P1M",
        "PT1H30M",
        "P1Y2M3DT4H5M6.789S",
        "2030-03-31T02:30:00[Europe/Berlin]",
        "2030-01-31T09:00:00+01:00",
        "P2W",
    ])
}

/// The lines of the golden journals that begin with a word.
fn golden(word: &str) -> Vec<Vec<String>> {
    let text = files("tests/engine/golden", ".journal").concat();
    let text = String::from_utf8(text).expect("it is text");
    let lines = text.lines().filter_map(|line| line.strip_prefix(word));
    lines
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("two digits of a byte")
        })
        .collect()
}

/// Rows of every type of record.
pub fn rows() -> Inputs {
    golden("row ")
        .iter()
        .map(|words| bytes(&words[0]))
        .collect()
}

/// Snapshots: the bytes behind version and checksum.
pub fn snapshots() -> Inputs {
    let snapshots = golden("snapshot ").into_iter();
    snapshots
        .map(|words| bytes(&words[1])[10..].to_vec())
        .collect()
}

/// Segments of some rows.
pub fn packed_history() -> Inputs {
    let stored = |n: usize, body: Vec<u8>| StoredRow {
        pos: n as i64,
        epoch: 1,
        row: LogRow {
            entity: Entity::from(InstanceKey(Uuid::from_u128(7))),
            tenant: "default".into(),
            first_seq: n as u64,
            last_seq: n as u64,
            time: Time(1_900_000_000_000),
            body,
        },
    };
    let all = rows();
    let segments = all.chunks(7).take(40).map(|part| {
        let rows = part
            .iter()
            .enumerate()
            .map(|(n, body)| stored(n + 1, body.clone()));
        let segment = HistorySegment::pack(rows.collect()).expect("rows can be packed");
        let segment = segment.expect("there are some");
        let mut input = segment.unpacked.to_be_bytes().to_vec();
        input.extend(segment.body);
        input
    });
    segments.collect()
}
