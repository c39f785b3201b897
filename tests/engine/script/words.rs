//! The words of a command: messages, answers of calls, files, values.

use super::*;

/// A stored file, from its size and media type.
pub(super) fn file(text: &str) -> StoredFile {
    let (size, media_type) = text.split_once(',').expect("SIZE,TYPE");
    let size = number(size);
    let (name, media_type, sha256) = (
        format!("file{size}"),
        media_type.to_owned(),
        format!("hash{size}"),
    );
    StoredFile {
        id: Uuid::from_u128(size.into()),
        name,
        size,
        media_type,
        sha256,
    }
}

pub(super) fn message(words: &[&str], names: &Names) -> InstanceMessage {
    let (node, action) = ("there".to_owned(), "send".to_owned());
    let push = |kind, body| InstanceMessage::Push {
        kind,
        body,
        node,
        action,
    };
    let ended = |status, result, error| InstanceMessage::Ended {
        status,
        result,
        error,
        carried: Map::new(),
    };
    // The variables that an error or escalation carries, and the child's data: `carrying={…}`,
    // `data={…}`.
    let brought = |name: &str, words: &[&str]| {
        let mut words = words.iter();
        words.find_map(|word| word.strip_prefix(name)).map(value)
    };
    let carried = |words: &[&str]| match brought("carrying=", words) {
        Some(Value::Object(carried)) => carried,
        _ => Map::new(),
    };
    match *words {
        ["ended"] => ended(Status::Finished, None, None),
        ["ended", result] => ended(Status::Finished, Some(value(result)), None),
        ["terminated"] => ended(Status::Terminated, None, None),
        ["dismissed"] => ended(Status::Dismissed, None, None),
        ["failed"] => ended(Status::Failed, None, None),
        ["failed", error, ref rest @ ..] => InstanceMessage::Ended {
            status: Status::Failed,
            result: brought("data=", rest),
            error: Some(error.to_owned()),
            carried: carried(rest),
        },
        ["escalation", code, ref rest @ ..] => InstanceMessage::Escalation {
            code: code.to_owned(),
            carried: carried(rest),
            data: brought("data=", rest),
        },
        ["push", body] => push(MessageType::Default, value(body)),
        ["ask", body] => push(MessageType::Action, value(body)),
        ["append", patch] => InstanceMessage::Append {
            patch: value(patch),
        },
        ["dropped"] => InstanceMessage::StartDropped,
        ["refused"] => InstanceMessage::StartRefused {
            message: "no version is published".to_owned(),
        },
        ["more", element, ref turn @ ..] => InstanceMessage::StartMore {
            turn: turn.first().map_or(1, |turn| number(turn) as u32),
            element: names.find(element),
        },
        ["end"] => InstanceMessage::End {
            status: Status::Terminated,
        },
        ["finished"] => InstanceMessage::ParentFinished,
        _ => panic!("no message: {words:?}"),
    }
}

/// The idempotency key of a call without the hash of the request.
pub(super) fn without_hash(key: &str) -> &str {
    key.rsplit_once('-').map_or(key, |(key, _)| key)
}

pub(super) fn header(header: &Header) -> String {
    let piece = |piece: &HeaderPiece| match piece {
        HeaderPiece::Text(text) => text.clone(),
        HeaderPiece::Secret(name) => format!("<{name}>"),
    };
    format!(
        "{}: {}",
        header.name,
        header.value.iter().map(piece).collect::<String>()
    )
}

pub fn call_answer(words: &[&str]) -> CallAnswer {
    let failed = |failure, status| CallAnswer::Failed {
        failure,
        status,
        message: "expected an answer, but …".to_owned(),
    };
    let headers = json!({"content-type": "application/json", "x-count": "3"});
    match *words {
        ["failed"] => failed(CallFailure::Failed, None),
        ["failed", status] => failed(CallFailure::Failed, Some(number(status) as u16)),
        ["refused"] => failed(CallFailure::Refused, None),
        ["unreadable"] => CallAnswer::Answered(Response {
            status: 200,
            headers,
            body: Err("expected JSON, but …".to_owned()),
        }),
        [status] => CallAnswer::Answered(Response {
            status: number(status) as u16,
            headers,
            body: Ok(Value::Null),
        }),
        [status, body] => CallAnswer::Answered(Response {
            status: number(status) as u16,
            headers,
            body: Ok(value(body)),
        }),
        _ => panic!("no answer: {words:?}"),
    }
}

/// The optional leading JSON object, and the other words.
pub(super) fn split_data<'a>(words: &'a [&'a str]) -> (Value, &'a [&'a str]) {
    match words {
        [data, rest @ ..] if data.starts_with(['{', '[', '"']) || *data == "null" => {
            (value(data), rest)
        }
        rest => (json!({}), rest),
    }
}

pub(super) fn value(text: &str) -> Value {
    serde_json::from_str(text)
        .unwrap_or_else(|error| panic!("expected JSON in a case, but {error}: {text}"))
}

pub(super) fn number(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| panic!("expected a number in a case, but got {text}"))
}

/// An event definition in the notation of cases: `late`, or `late/1` for the second one of the
/// node.
pub(super) fn event_ref(text: &str) -> EventRef {
    let (node, definition) = text.split_once('/').unwrap_or((text, "0"));
    EventRef {
        definition: number(definition) as u8,
        node: node.into(),
    }
}

/// The element of a delivery and its event: `a.@late/1`, or the element alone, with the number of
/// its visit after its name.
pub(super) fn delivered(text: &str) -> (&str, EventRef) {
    match text.split_once(".@") {
        Some((element, event)) => (element, event_ref(event)),
        None => (text, text.split('/').next().unwrap_or_default().into()),
    }
}
