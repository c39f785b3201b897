//! Frames as clients send them, good and bad: one line each.

use super::*;

const KEY: &str = "0197a1b2-0000-7000-8000-000000000007";

fn read(text: &str) -> Result<ClientFrame, FrameError> {
    parse(&text.replace("KEY", KEY))
}

/// Checks that the debug form of the frame contains each of the parts.
#[track_caller]
fn check(text: &str, parts: &[&str]) {
    let found = format!("{:?}", read(text).unwrap());
    for part in parts {
        assert!(
            found.contains(&part.replace("KEY", KEY)),
            "{part} in {found}"
        );
    }
}

/// Checks that it is refused as `bad_request` with this id and a sentence that contains `part`.
#[track_caller]
fn refused(text: &str, id: Option<&str>, part: &str) {
    let error = read(text).expect_err(text);
    assert_eq!(
        (error.id.as_deref(), error.code),
        (id, ErrorCode::BadRequest),
        "{text}: {}",
        error.message
    );
    assert!(
        error.message.starts_with("expected ") && error.message.contains(", but"),
        "{}",
        error.message
    );
    assert!(error.message.contains(part), "{part} in {}", error.message);
}

#[test]
fn every_frame_is_read() {
    check(
        r#"{"type":"hello"}"#,
        &["Hello", "token: None", "resume: []"],
    );
    check(
        r#"{"type":"hello","token":"t","client":"web/1.4","log":"l","resume":[{"instance":"KEY","after":118}],"lastClose":1006}"#,
        &[
            r#"token: Some("t")"#,
            "[ResumePoint { instance: KEY, after: 118 }]",
            "last_close: Some(1006)",
        ],
    );
    check(
        r#"{"type":"start","id":"1","process":"p","data":{"a":[1]},"businessKey":"b","startCondition":"new","subscribe":false}"#,
        &[
            "Start",
            r#"{"a":[1]}"#,
            r#"business_key: Some("b")"#,
            r#"start_condition: Some("new")"#,
            "subscribe: false",
        ],
    );
    check(
        r#"{"type":"start","id":"1","inheritFrom":{"instance":"KEY","seq":96},"nonce":"n"}"#,
        &[
            "process: None",
            "instance: KEY, seq: Some(96), params_to_copy: None",
            "subscribe: true",
            r#"nonce: Some("n")"#,
        ],
    );
    check(
        r#"{"type":"run","id":"1","instance":"KEY","action":"save","data":{},"element":"KEY-12","ifSeq":96}"#,
        &["Run", "element: Some(ElementKey(12))", "if_seq: Some(96)"],
    );
    check(
        r#"{"type":"run","id":"1","instance":"KEY","action":"save","data":null}"#,
        &["data: None", "element: None", "if_seq: None"],
    );
    check(
        r#"{"type":"subscribe","id":"1","channel":"instance/KEY","after":90}"#,
        &["Instance(KEY)", "Some(90)", "tree: true"],
    );
    check(
        r#"{"type":"subscribe","id":"1","channel":"tasks","tree":false}"#,
        &["Tasks", "after: None", "tree: false"],
    );
    check(
        r#"{"type":"unsubscribe","id":"1","channel":"process/p"}"#,
        &[r#"Process("p")"#],
    );
    check(
        r#"{"type":"auth","id":"1","token":"t"}"#,
        &["Auth", r#""t""#],
    );
    check(
        r#"{"type":"patch","id":"1","instance":"KEY","data":{"a":1},"ifSeq":7}"#,
        &["Patch", "scope: None", "if_seq: Some(7)"],
    );
    check(
        r#"{"type":"patch","id":"1","instance":"KEY","data":{"a":1},"scope":"KEY-4"}"#,
        &["Patch", "scope: Some(ElementKey(4))"],
    );
    check(
        r#"{"type":"done","id":"1","instance":"KEY","seq":96}"#,
        &["Done", "seq: 96"],
    );
    check(r#"{"type":"pong"}"#, &["Pong"]);
    for (name, command) in [
        ("hold", "Hold"),
        ("unhold", "Unhold"),
        ("terminate", "Terminate"),
        ("dismiss", "Dismiss"),
    ] {
        check(
            &format!(r#"{{"type":"{name}","id":"1","instance":"KEY"}}"#),
            &["OnInstance", command],
        );
    }
    for (name, command) in [
        ("retry", "Retry"),
        ("skip", "Skip"),
        ("claim", "Claim"),
        ("release", "Release"),
    ] {
        let frame = format!(r#"{{"type":"{name}","id":"1","instance":"KEY","element":"KEY-3"}}"#);
        check(&frame, &[command, "ElementKey(3)"]);
    }
    check(
        r#"{"type":"assign","id":"1","instance":"KEY","element":"KEY-3","user":"bob"}"#,
        &["Assign", "ElementKey(3)", "bob"],
    );
    check(
        r#"{"type":"clock","id":"1","advance":"PT30S"}"#,
        &["Clock", "Advance(30s)"],
    );
    check(
        r#"{"type":"clock","id":"1","set":"1970-01-01T00:00:01Z"}"#,
        &["Clock", "Set(Time(1000))"],
    );
    check(r#"{"type":"idle","id":"1"}"#, &["Idle"]);
}

#[test]
fn a_payload_keeps_its_digits() {
    let payload = |data: &str| match read(&format!(
        "\u{feff}{{\"type\":\"start\",\"id\":\"1\",\"process\":\"p\",\"data\":{data}}}"
    )) {
        Ok(ClientFrame::Start(start)) => start.data.expect("data").parse().map(Value::Object),
        other => panic!("{other:?}"),
    };
    let exact = r#"{"id":7615917337495251231,"max":18446744073709551615,"x":0.1}"#;
    assert_eq!(
        payload(exact).map(|data| data.to_string()).as_deref(),
        Ok(exact)
    );
    for number in ["18446744073709551616", "0.1000000000000000055", "1e400"] {
        let sentence = payload(&format!(r#"{{"a":[{{"b":{number}}}]}}"#)).expect_err(number);
        assert!(
            sentence.contains("'data'") && sentence.contains(&format!("{number} at `a[0].b`")),
            "{sentence}"
        );
    }
    let sentence = payload(r#"{"a":[{"b":1,"b":2}]}"#).expect_err("b is there twice");
    assert!(
        sentence.contains("'data'")
            && sentence.contains(
                "`b` of `a[0]` is there twice, at line 1 column 8 and at line 1 column 14"
            ),
        "{sentence}"
    );
}

#[test]
fn a_mistyped_field_or_one_of_another_frame_is_named() {
    let id = Some("1");
    refused(
        r#"{"type":"start","id":"1","process":"p","dta":{}}"#,
        id,
        "but there is 'dta': write 'data'",
    );
    refused(
        r#"{"type":"start","id":"1","process":"p","future":1,"dta":{}}"#,
        id,
        "'dta': write 'data'",
    );
    refused(
        r#"{"type":"start","id":"1","proces":"p"}"#,
        id,
        "field 'process', but there is 'proces': write 'process'",
    );
    refused(
        r#"{"type":"start","id":"1","process":"p","ifSeq":3}"#,
        id,
        "but there is 'ifSeq': leave it out",
    );
    refused(
        r#"{"type":"run","id":"1","instance":"KEY","action":"s","seq":1}"#,
        id,
        "id, data, instance, action, element, ifSeq",
    );
    refused(
        r#"{"type":"start","id":"1","inheritFrom":{"instance":"KEY","seq":1,"sec":2}}"#,
        id,
        "'inheritFrom.sec': write",
    );
    refused(
        r#"{"type":"hello","id":"1","tokne":"t"}"#,
        id,
        "'tokne': write 'token'",
    );
    refused(
        r#"{"type":"hello","id":"1","resume":[{"instance":"KEY","after":1,"aftr":1}]}"#,
        id,
        "'resume[0].aftr': write 'after'",
    );
    check(
        r#"{"type":"start","id":"1","process":"p","future":{"a":[1]}}"#,
        &["Start"],
    );
}

#[test]
fn unknown_fields_and_odd_spellings_pass() {
    check(
        r#" {"extra":{"id":5,"id":6},"type":"pong","other":[[]]} "#,
        &["Pong"],
    );
    check(
        r#"{"t\u0079pe":"run","id":"\u0041","instance":"KEY","action":"s"}"#,
        &[r#"FrameId("A")"#],
    );
}

#[test]
fn an_unreadable_frame_has_no_id() {
    for text in [
        "",
        "x",
        "[]",
        "5",
        "null",
        r#"{"type":"pong""#,
        r#"{"type":"pong"}{}"#,
        r#"{"type":"pong","type":"pong"}"#,
    ] {
        refused(text, None, "JSON object");
    }
    refused("{}", None, "'type'");
    refused(
        r#"{"type":5,"id":"1"}"#,
        Some("1"),
        "'type' to be a string, but it is 5",
    );
    refused(
        r#"{"type":"run","id":5}"#,
        None,
        "'id' to be a string, but it is 5",
    );
    refused(r#"{"type":"run","id":""}"#, None, "empty");
    refused(r#"{"type":"run"}"#, None, "'id'");
}

#[test]
fn a_wrong_field_is_named() {
    let id = Some("1");
    refused(r#"{"type":"jump","id":"1"}"#, id, "hello, start, run");
    refused(
        r#"{"type":"run","id":"1","action":"s"}"#,
        id,
        "field 'instance'",
    );
    refused(
        r#"{"type":"run","id":"1","instance":"7","action":"s"}"#,
        id,
        "'instance' to be an instance key (UUID)",
    );
    refused(
        r#"{"type":"run","id":"1","instance":"KEY"}"#,
        id,
        "field 'action'",
    );
    refused(
        r#"{"type":"run","id":"1","instance":"KEY","action":"s","data":[]}"#,
        id,
        "'data' to be an object, but it is a list",
    );
    refused(
        r#"{"type":"run","id":"1","instance":"KEY","action":"s","ifSeq":-1}"#,
        id,
        "'ifSeq' to be a whole number",
    );
    refused(
        r#"{"type":"run","id":"1","instance":"KEY","action":"s","ifSeq":"9"}"#,
        id,
        "but it is a string",
    );
    refused(
        r#"{"type":"run","id":"1","instance":"KEY","action":"s","element":"KEY"}"#,
        id,
        "'element'",
    );
    refused(r#"{"type":"start","id":"1"}"#, id, "field 'process'");
    refused(
        r#"{"type":"start","id":"1","inheritFrom":{"instance":"KEY"}}"#,
        id,
        "field 'process'",
    );
    refused(
        r#"{"type":"start","id":"1","inheritFrom":{"seq":9}}"#,
        id,
        "field 'inheritFrom.instance'",
    );
    refused(
        r#"{"type":"start","id":"1","process":"p","inheritFrom":[]}"#,
        id,
        "'inheritFrom' to be an object",
    );
    refused(
        r#"{"type":"start","id":"1","process":"p","subscribe":"yes"}"#,
        id,
        "'subscribe' to be true or false",
    );
    refused(
        r#"{"type":"subscribe","id":"1","channel":"news"}"#,
        id,
        "instance/KEY, tasks, process/ID or changes",
    );
    refused(
        r#"{"type":"hello","id":"1","resume":[{"instance":"KEY"}]}"#,
        id,
        "'resume[0].after'",
    );
    refused(
        r#"{"type":"hello","id":"1","resume":{}}"#,
        id,
        "'resume' to be a list of objects",
    );
}

#[test]
fn limits_are_kept() {
    let too_large =
        |text: &str| assert_eq!(read(text).expect_err("a limit").code, ErrorCode::TooLarge);
    let nested = |levels: usize| {
        format!(
            r#"{{"type":"start","id":"1","process":"p","data":{{"a":{}{}}}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    assert!(read(&nested(62)).is_ok());
    too_large(&nested(63));
    too_large(&nested(30_000));
    assert!(
        read(&format!(
            r#"{{"type":"terminate","id":"{}","instance":"KEY"}}"#,
            "x".repeat(128)
        ))
        .is_ok()
    );
    too_large(&format!(
        r#"{{"type":"terminate","id":"{}","instance":"KEY"}}"#,
        "x".repeat(129)
    ));
    refused(
        &format!(
            r#"{{"type":"start","id":"1","process":"{}"}}"#,
            "x".repeat(257)
        ),
        Some("1"),
        "'process' to be at most 256",
    );
}

#[test]
fn only_a_hyphenated_uuid_is_an_idempotency_key() {
    let uuid = |id: &str| FrameId(id.into()).uuid().is_some();
    assert!(uuid(KEY) && uuid(&KEY.to_uppercase()));
    assert!(!uuid("1") && !uuid(&KEY.replace('-', "")) && !uuid(&format!("{{{KEY}}}")));
}

#[test]
fn a_payload_is_fully_read_only_when_asked() {
    let data = |text: &str| match read(&format!(
        r#"{{"type":"start","id":"1","process":"p","data":{text}}}"#
    )) {
        Ok(ClientFrame::Start(Start {
            data: Some(payload),
            ..
        })) => payload,
        other => panic!("{other:?}"),
    };
    assert_eq!(data(r#"{"a":1.50}"#).text(), r#"{"a":1.50}"#);
    assert_eq!(data(r#"{"a":1.50}"#).parse().unwrap()["a"], 1.5);
    for half in [r#"{"a":"\ud800"}"#, r#"{"a":1e999}"#] {
        assert!(
            data(half)
                .parse()
                .unwrap_err()
                .starts_with("expected 'data'")
        );
    }
}

#[test]
fn a_traceparent_is_read_and_an_invalid_one_ignored() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let traced = |members: &str| {
        let text =
            format!(r#"{{"type":"run","id":"1","instance":"{KEY}","action":"save"{members}}}"#);
        let (_, trace) = parse_traced(&text).expect(&text);
        trace.map(|trace| (trace.parent, trace.state))
    };
    let named = format!(r#","traceparent":"{parent}","tracestate":"a=1""#);
    assert_eq!(traced(&named), Some((parent.into(), Some("a=1".into()))));
    for none in [
        "",
        r#","traceparent":7"#,
        r#","traceparent":null"#,
        r#","traceparent":"x","tracestate":"a=1""#,
    ] {
        assert_eq!(traced(none), None, "{none}");
    }
}
