//! Reads bodies of requests, up to a limit.
//!
//! # Rationale
//!
//! **Memory for a body is taken before the body is read**, by kind of sender: strangers, users and
//! operators fill the same pot up to marks of their own, so that strangers cannot take what the
//! others need.

use std::{sync::LazyLock, time::Instant};

use actix_web::{
    HttpMessage, HttpRequest,
    error::PayloadError,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
    web::{Bytes, Data, Payload},
};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout_at;

use super::{super::body_pace::BodyPace, app::App, problem::HttpProblem};
use crate::{
    limits::{self, Limit, PotPlace, Taker},
    runtime::turn_gate::TurnGate,
    session::protocol::{code::ErrorCode, quoted},
    text::{self, spelling},
    thread_priority::beside_in,
};

/// The body, at most `limit` bytes of it. Its memory is taken from the pot for bodies before
/// anything of it is read, and given back when the request has been answered.
///
/// # Errors
/// 413 if it is longer, 400 if it breaks off, 408 if it arrives too slowly, 503 if bodies take too
/// much memory.
pub async fn bytes(
    request: &HttpRequest,
    body: Payload,
    limit: usize,
) -> Result<Bytes, HttpProblem> {
    if let Some(coding) = compression(request) {
        let sentence = format!(
            "expected a body without compression, but its Content-Encoding is {}: send it as it is",
            quoted(coding)
        );
        return Err(HttpProblem::new(ErrorCode::BadRequest, sentence)
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let announced = length(request).unwrap_or(0);
    if announced > limit as u64 {
        return Err(too_large(limit));
    }
    let app = request.app_data::<Data<App>>();
    let mut held = HeldBody {
        permit: app.map(|app| app.sessions.memory.permit(app.taker(request))),
        bytes: Vec::new(),
    };
    held.make_room(announced as usize)?;
    let pace = BodyPace::new(Instant::now(), limits::BODY_TIME.get());
    held.fill(body, pace, limit).await?;
    request.extensions_mut().insert(held.permit);
    Ok(held.bytes.into())
}

/// The part of a body that was read, and its memory.
struct HeldBody {
    permit: Option<PotPlace>,
    bytes: Vec<u8>,
}

impl HeldBody {
    /// Reads a body to its end.
    async fn fill(
        &mut self,
        mut body: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
        mut pace: BodyPace,
        limit: usize,
    ) -> Result<(), HttpProblem> {
        loop {
            let next = timeout_at(pace.deadline().into(), body.next()).await;
            let piece = match next.map_err(|_| too_slow())? {
                None => return Ok(()),
                Some(piece) => piece.map_err(|error| {
                    let sentence = format!("expected a whole body, but: {error}");
                    HttpProblem::new(ErrorCode::BadRequest, sentence)
                })?,
            };
            pace = pace.after(piece.len());
            let length = self.bytes.len() + piece.len();
            if length > limit {
                return Err(too_large(limit));
            }
            self.make_room(length)?;
            self.bytes.extend_from_slice(&piece);
        }
    }

    /// Makes room for `length` bytes in all: twice as much as before if the final length is not
    /// known.
    fn make_room(&mut self, length: usize) -> Result<(), HttpProblem> {
        if length <= self.bytes.capacity() {
            return Ok(());
        }
        let capacity = length.max(2 * self.bytes.capacity());
        if let Some(permit) = &mut self.permit
            && !permit.resize(capacity)
        {
            return Err(no_room());
        }
        self.bytes.reserve_exact(capacity - self.bytes.len());
        Ok(())
    }
}

/// How a request declares that its body is compressed.
fn compression(request: &HttpRequest) -> Option<&str> {
    let coding = request.headers().get(CONTENT_ENCODING)?;
    let coding = coding.to_str().unwrap_or("unknown").trim();
    (!coding.is_empty() && !coding.eq_ignore_ascii_case("identity")).then_some(coding)
}

/// The length that a request declares for its body.
pub fn length(request: &HttpRequest) -> Option<u64> {
    let value = request.headers().get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> HttpProblem {
    Limit::BodyBytes.refused();
    HttpProblem::new(
        ErrorCode::TooLarge,
        format!("expected a body of at most {limit} bytes, but it is longer"),
    )
}

/// 503: bodies have taken all their memory.
pub fn no_room() -> HttpProblem {
    HttpProblem::new(
        ErrorCode::Busy,
        "expected memory for the body, but too many other bodies are arriving; nothing was \
        changed: send it again in a moment",
    )
}

/// 408: a body arrives too slowly.
pub fn too_slow() -> HttpProblem {
    Limit::SlowBodies.refused();
    let sentence = format!(
        "expected the body to arrive with at least {} bytes per second, after the first {} s, but \
        it is slower; nothing was changed: send it again",
        limits::TRANSFER_BYTES_PER_SECOND.get(),
        limits::TRANSFER_GRACE.get().as_secs()
    );
    HttpProblem::new(ErrorCode::BadRequest, sentence).with_status(StatusCode::REQUEST_TIMEOUT)
}

/// Gives the text of a JSON body to `read`: `{}` if there is none, without a byte order mark. A long
/// text is checked and read on another thread ([`on_pool`]), so everything that looks at all of it
/// belongs into `read`.
///
/// # Errors
/// As [`bytes()`], 415 if it has another type, 400 if it is not UTF-8, 413 and 503 if its values take
/// too much memory.
pub async fn json<T: Send + 'static>(
    request: &HttpRequest,
    body: Payload,
    read: impl FnOnce(&str) -> T + Send + 'static,
) -> Result<T, HttpProblem> {
    let bytes = bytes(request, body, limits::REST_BODY_BYTES.get()).await?;
    if bytes.is_empty() {
        return Ok(read("{}"));
    }
    if media_type(request).is_some_and(|media_type| media_type != "application/json") {
        return Err(HttpProblem::unsupported_media_type("application/json"));
    }
    let memory = request.extensions_mut().remove::<Option<PotPlace>>();
    let mut memory = memory.flatten();
    let (done, memory) = by_length(request, bytes.len(), move || {
        let text = json_text(&bytes, memory.as_mut());
        (text.map(read), memory)
    })
    .await?;
    request.extensions_mut().insert(memory);
    done
}

/// The text of a body, with memory taken for its values beside that of the text.
fn json_text<'a>(bytes: &'a [u8], memory: Option<&mut PotPlace>) -> Result<&'a str, HttpProblem> {
    let refuse = |found| {
        HttpProblem::new(
            ErrorCode::BadRequest,
            format!("expected JSON in UTF-8, but {found}"),
        )
    };
    let text = text::utf8(bytes).map_err(refuse)?;
    let values = text::memory::of_json(text);
    if values > limits::JSON_MEMORY.get() {
        Limit::JsonMemory.refused();
        let sentence = format!(
            "expected JSON that takes at most {} bytes as values, but this takes about {values}: \
            send fewer objects, members and items at a time",
            limits::JSON_MEMORY.get()
        );
        return Err(HttpProblem::new(ErrorCode::TooLarge, sentence));
    }
    match memory {
        Some(memory) if values > limits::JSON_MEMORY_UNCOUNTED => {
            let all = (memory.amount() + values).min(memory.capacity());
            memory.resize(all).then_some(text).ok_or_else(no_room)
        }
        _ => Ok(text),
    }
}

/// Large bodies and answers that are parsed and written at the same time; callers take turns.
static LARGE: LazyLock<TurnGate<Taker>> =
    LazyLock::new(|| TurnGate::new(limits::LARGE_BODIES_AT_ONCE));

/// Does work on a body of so many bytes: for a long one on another thread ([`on_pool`]).
///
/// # Errors
/// 503 while the server stops.
pub async fn by_length<T: Send + 'static>(
    request: &HttpRequest,
    length: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, HttpProblem> {
    if length <= limits::LARGE_BODY_BYTES {
        return Ok(work());
    }
    on_pool(request, work).await
}

/// Does work that takes long on another thread, little of it at a time, so that requests that share
/// this thread do not wait for it.
///
/// # Errors
/// 503 while the server stops.
pub async fn on_pool<T: Send + 'static>(
    request: &HttpRequest,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, HttpProblem> {
    let app = request.app_data::<Data<App>>();
    let by = app.map_or(Taker::Stranger(None), |app| app.taker(request));
    let turn = LARGE.turn(by).await;
    beside_in(turn, work).await.ok_or_else(|| {
        let sentence = "expected a thread for a long body or answer, but the server is stopping: \
            try again later";
        HttpProblem::new(ErrorCode::Busy, sentence)
    })
}

/// Parses JSON into a form, which is described in words. Refusals repeat names of members, but no
/// values, because those may be passwords.
///
/// # Errors
/// 400 for other members, and for anything that does not have the form.
pub fn read<T: DeserializeOwned>(text: &str, form: &str) -> Result<T, HttpProblem> {
    let refuse = |wrong: &str| {
        HttpProblem::new(
            ErrorCode::BadRequest,
            format!("expected {form}, but {wrong}"),
        )
    };
    // The library also reads a list, by the order of the members.
    if text.trim_start().starts_with('[') {
        return Err(refuse("there is a list instead of an object"));
    }
    serde_json::from_str(text).map_err(|error| refuse(&wrong(&error)))
}

/// What is wrong, without values of the sender, which the library's own sentence may quote.
fn wrong(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if let Some(named) = unknown_name(&message) {
        return named;
    }
    let place = format!("at line {} column {}", error.line(), error.column());
    if let Some(twice) = message.strip_prefix("duplicate field ") {
        let name = twice.split('`').nth(1).unwrap_or_default();
        return format!("'{}' is there twice, {place}", name.escape_debug());
    }
    match error.classify() {
        Category::Eof => format!("it ends too early, {place}"),
        Category::Data => {
            // The expected kind is a text of this program.
            let kind = message
                .rsplit_once(", expected ")
                .and_then(|(_, rest)| rest.split_once(" at line "))
                .map(|(kind, _)| kind)
                .filter(|kind| !kind.starts_with("struct "));
            match kind {
                Some(kind) => format!("{place} is something else than {kind}"),
                None => format!("what is {place} does not fit"),
            }
        }
        Category::Syntax | Category::Io => format!("it is no JSON {place}"),
    }
}

/// The sentence for a name that the library misses or does not know: the name, and the remedy.
/// Other sentences of the library are not used.
pub fn unknown_name(message: &str) -> Option<String> {
    if let Some(missing) = message
        .strip_prefix("missing field ")
        .and_then(|rest| rest.split('`').nth(1))
    {
        return Some(format!("'{missing}' is missing"));
    }
    let names = message.strip_prefix("unknown field ")?;
    let mut names = names.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    Some(format!(
        "'{}' is none of its names: {}",
        unknown.escape_debug(),
        spelling::advice(unknown, names)
    ))
}

/// The declared media type of a body, in lower case and without parameters.
pub fn media_type(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase(),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::ResponseError;
    use futures_util::stream;

    use super::*;
    use crate::limits::{Pot, Taker};

    const PATIENCE: Duration = Duration::from_secs(30);

    fn pieces(lengths: &[usize]) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        let pieces: Vec<_> = lengths
            .iter()
            .map(|&length| Ok(Bytes::from(vec![b'x'; length])))
            .collect();
        stream::iter(pieces)
    }

    #[actix_web::test]
    async fn a_stalled_body_is_given_up() {
        let mut held = HeldBody {
            permit: None,
            bytes: Vec::new(),
        };
        let body = pieces(&[100]).chain(stream::pending());
        let problem = held.fill(body, BodyPace::new(Instant::now(), Duration::ZERO), 1_000);
        let problem = actix_web::rt::time::timeout(PATIENCE, problem).await;
        let problem = problem.expect("an answer in time").unwrap_err();
        assert_eq!(problem.status_code(), StatusCode::REQUEST_TIMEOUT);
        assert!(
            problem.to_string().contains("bytes per second"),
            "{problem}"
        );
    }

    #[actix_web::test]
    async fn a_body_of_unknown_length_takes_room_as_it_grows() {
        let room = Pot::with_part(10_000, 2_000, Limit::BodyMemory);
        let pace = BodyPace::new(Instant::now(), PATIENCE);
        let held = || HeldBody {
            permit: Some(room.permit(Taker::Stranger(None))),
            bytes: Vec::new(),
        };
        let mut fits = held();
        fits.fill(pieces(&[1; 1_000]), pace, 5_000).await.unwrap();
        assert_eq!(fits.bytes.len(), 1_000);
        assert!((1_000..=2_000).contains(&room.taken()), "{}", room.taken());
        let too_much = held().fill(pieces(&[1_000, 1_000]), pace, 5_000).await;
        let problem = too_much.unwrap_err();
        assert_eq!(problem.status_code(), StatusCode::SERVICE_UNAVAILABLE);
        drop(fits);
        assert_eq!(room.taken(), 0);
        let too_long = held().fill(pieces(&[1_001]), pace, 1_000).await;
        assert_eq!(
            too_long.unwrap_err().status_code(),
            StatusCode::PAYLOAD_TOO_LARGE
        );
    }
}
