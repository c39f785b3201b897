//! Spans of the commands that the server applies and the calls that it makes, sent to a collector
//! that the operator names (OpenTelemetry, over OTLP).
//!
//! A command is a span: from its turn at the instance until it is durable and answered. Its parent
//! is what caused it: the sender's span or, for timers, messages and subprocesses, the span of the
//! command that led to them, however long ago. A call to another system is a child span of its
//! command. Nothing ever waits for the collector: there is a bounded queue in between, and spans
//! that find no room in it are counted.
//!
//! Not here: which trace something belongs to (`engine::trace`), the format of spans (`otlp`).

mod otlp;

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use reqwest::{Client, header::HeaderMap};
use tokio::sync::{
    Notify,
    mpsc::{self, Receiver, Sender, error::TrySendError},
};

use super::{
    clock::machine_now,
    http_calls::Failed,
    instance_request::{InstanceResponse, Refusal, ReplyTo},
};
use crate::{
    engine::trace::{NewSpan, TraceContext},
    journal::HttpCallRow,
    limits::{self, Limit},
    meters::meters,
    model::ids::InstanceKey,
};

/// Spans per request.
const SENT_AT_ONCE: usize = 512;
/// How long a span waits for others, at most.
const GATHERED: Duration = Duration::from_secs(1);
/// How long a collector may take to answer.
const COLLECTOR_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before a request that the collector refused for now is sent once more.
const AGAIN: Duration = Duration::from_secs(1);

/// The kind of a span, in the terms of OpenTelemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpanKind {
    /// Work that the server begins without a command from outside.
    Internal = 1,
    /// A command from outside.
    Server = 2,
    /// A call to another system.
    Client = 3,
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub name: String,
    pub kind: SpanKind,
    /// Its trace and its own id.
    pub context: TraceContext,
    /// The parent span, as 16 hexadecimal digits.
    pub parent: Option<String>,
    pub began: SystemTime,
    pub ended: SystemTime,
    /// The error message.
    pub error: Option<String>,
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// The contents of a span.
#[derive(Clone, Debug)]
pub(super) enum Attribute {
    Text(String),
    Number(u64),
}

/// Sends spans to the queue. All clones share it.
#[derive(Clone)]
pub struct Spans {
    queue: Sender<Span>,
    /// This many of 2³² traces that begin here are recorded.
    sampled: u64,
    last: Arc<Notify>,
}

/// The receiving end of the queue, to wait for the last span.
pub struct SpanSender(actix_rt::task::JoinHandle<()>);

impl Spans {
    /// Begins to send to a collector: the address of its traces, the headers of each request, and
    /// the fraction of the traces that begin here to record, from 0 to 1.
    ///
    /// # Errors
    /// A sentence, when no HTTP client can be made.
    pub fn start(url: String, headers: HeaderMap, part: f64) -> Result<(Self, SpanSender), String> {
        let client = Client::builder()
            .default_headers(headers)
            .timeout(COLLECTOR_TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|error| format!("expected a client for spans, but {error}"))?;
        let (queue, spans) = mpsc::channel(limits::SPANS_QUEUED.get());
        let last = Arc::new(Notify::new());
        let sending = actix_rt::spawn(send(client, url, spans, last.clone()));
        let spans = Self {
            queue,
            sampled: (part * 4_294_967_296.0) as u64,
            last,
        };
        Ok((spans, SpanSender(sending)))
    }

    /// Ids for a span that begins now.
    pub(super) fn draw(&self) -> NewSpan {
        let trace = (u128::from(random()) << 64) | u128::from(random());
        NewSpan {
            trace: trace.max(1),
            id: random().max(1),
            sampled: (random() >> 32) < self.sampled,
        }
    }

    /// Queues a span that has ended, unless its trace is not recorded or the queue is full.
    pub(super) fn note(&self, span: Span) {
        if !span.context.is_sampled() {
            return;
        }
        match self.queue.try_send(span) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {
                Limit::Spans.refused();
                meters().spans_dropped.increment(1);
            }
        }
    }

    /// Ends the queue after its spans are sent.
    pub fn end(&self) {
        self.last.notify_one();
    }
}

impl SpanSender {
    /// Waits a short time for the last spans to be sent.
    pub async fn finish(self) {
        let _ = actix_rt::time::timeout(COLLECTOR_TIMEOUT / 2, self.0).await;
    }
}

/// The span of a command that is in progress.
pub(super) struct OpenSpan {
    spans: Spans,
    new: NewSpan,
    name: &'static str,
    instance: InstanceKey,
    /// Trace and subject of the caller, if there is one.
    caller: Option<(Option<TraceContext>, String)>,
    began: SystemTime,
}

impl OpenSpan {
    /// Begins the span of a command of this kind, given by a caller with trace and subject, or by
    /// the server itself.
    pub fn begin(
        spans: &Spans,
        name: &'static str,
        instance: InstanceKey,
        caller: Option<(Option<TraceContext>, String)>,
    ) -> Self {
        Self {
            spans: spans.clone(),
            new: spans.draw(),
            name,
            instance,
            caller,
            began: machine_now(),
        }
    }

    /// The ids of the span.
    pub fn new_span(&self) -> NewSpan {
        self.new
    }

    /// Ends the span with the response. A command that changed nothing and was not refused has no
    /// span.
    pub fn until(self, reply: ReplyTo) -> ReplyTo {
        reply.seen_by(move |answer| self.end(answer))
    }

    fn end(self, answer: &InstanceResponse) {
        let (trace, kind) = match &self.caller {
            Some((trace, _)) => (trace.as_ref(), SpanKind::Server),
            None => (None, SpanKind::Internal),
        };
        let mut attributes = vec![(
            "stepwire.instance",
            Attribute::Text(self.instance.to_string()),
        )];
        let (context, parent, error) = match answer {
            InstanceResponse::Applied(committed) => {
                let row = &committed.row;
                let process = &committed.process.row;
                attributes.extend([
                    ("stepwire.process", Attribute::Text(process.id.clone())),
                    (
                        "stepwire.version",
                        Attribute::Number(process.version.into()),
                    ),
                    ("stepwire.seq", Attribute::Number(row.last_seq())),
                ]);
                let Some(context) = row.trace.clone() else {
                    return;
                };
                (context, committed.cause.clone(), None)
            }
            InstanceResponse::Refused(refusal) => (
                self.new.below(trace),
                trace.cloned(),
                Some(word_of(refusal).to_owned()),
            ),
            InstanceResponse::Duplicate(_)
            | InstanceResponse::Published(_)
            | InstanceResponse::Unchanged
            | InstanceResponse::MayUpload(_)
            | InstanceResponse::MayWork(_)
            | InstanceResponse::File(_)
            | InstanceResponse::Migration(_)
            | InstanceResponse::Observed(_) => return,
        };
        if let Some((_, subject)) = self.caller {
            attributes.push(("enduser.id", Attribute::Text(subject)));
        }
        self.spans.note(Span {
            name: self.name.to_owned(),
            kind,
            context,
            parent: parent.map(|parent| parent.span_id().to_owned()),
            began: self.began,
            ended: machine_now(),
            error,
            attributes,
        });
    }
}

/// The kind of a refusal in one word; its sentence may quote data of the sender.
fn word_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Rejected(rejection) => rejection.kind.word(),
        Refusal::Hidden => "hidden",
        Refusal::Stale(_) => "stale",
        Refusal::TooManyLive(_) => "too_many_live",
        Refusal::Busy => "busy",
        Refusal::NoRoom(_) => "no_room",
        Refusal::Unknown => "outcome_unknown",
        Refusal::Damaged(_) => "damaged",
        Refusal::Internal => "internal",
    }
}

/// Sends the queued spans, as long as spans may be added.
async fn send(client: Client, url: String, mut spans: Receiver<Span>, last: Arc<Notify>) {
    let mut gathered = Vec::new();
    let mut has_failed = false;
    loop {
        let is_last = tokio::select! {
            biased;
            count = spans.recv_many(&mut gathered, SENT_AT_ONCE) => count == 0,
            () = last.notified() => {
                spans.close();
                false
            }
        };
        if gathered.len() < SENT_AT_ONCE && !is_last && !spans.is_closed() {
            let more = gather(&mut spans, &mut gathered);
            tokio::select! {
                _ = actix_rt::time::timeout(GATHERED, more) => {}
                () = last.notified() => spans.close(),
            }
        }
        if !gathered.is_empty() {
            let body = otlp::body(&gathered);
            let count = gathered.len() as u64;
            gathered.clear();
            match post(&client, &url, body).await {
                Ok(()) => {
                    meters().spans_sent.increment(count);
                    has_failed = false;
                }
                Err(why) => {
                    meters().spans_dropped.increment(count);
                    if !has_failed {
                        log::warn!("spans cannot be sent to {url}, and are dropped: {why}");
                    }
                    has_failed = true;
                }
            }
        }
        if is_last {
            return;
        }
    }
}

async fn gather(spans: &mut Receiver<Span>, gathered: &mut Vec<Span>) {
    while gathered.len() < SENT_AT_ONCE {
        if spans
            .recv_many(gathered, SENT_AT_ONCE - gathered.len())
            .await
            == 0
        {
            return;
        }
    }
}

/// Sends once, and once more when that may help.
async fn post(client: &Client, url: &str, body: String) -> Result<(), String> {
    let mut failure = String::new();
    for turn in 0..2 {
        if turn > 0 {
            actix_rt::time::sleep(AGAIN).await;
        }
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .body(body.clone());
        match request.send().await.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => return Ok(()),
            Ok(status) => {
                failure = format!("it answered {status}");
                if !matches!(status.as_u16(), 429 | 502 | 503 | 504) {
                    break;
                }
            }
            Err(error) => failure = error.without_url().to_string(),
        }
    }
    Err(failure)
}

/// Random numbers (SplitMix64, seeded by the system once per thread).
fn random() -> u64 {
    thread_local! {
        static STATE: Cell<Option<u64>> = const { Cell::new(None) };
    }
    let state = STATE.get().unwrap_or_else(|| {
        let mut seed = [0; 8];
        match getrandom::fill(&mut seed) {
            Ok(()) => u64::from_ne_bytes(seed),
            Err(_) => machine_now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |time| time.as_nanos() as u64),
        }
    });
    let next = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(Some(next));
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The span of a call to another system that is in progress.
pub(super) struct CallSpan {
    spans: Spans,
    context: TraceContext,
    parent: Option<String>,
    began: SystemTime,
}

impl CallSpan {
    /// Begins the span of one attempt of a call that belongs to this trace.
    pub fn begin(spans: &Spans, trace: Option<&TraceContext>) -> Self {
        Self {
            spans: spans.clone(),
            context: spans.draw().below(trace),
            parent: trace.map(|trace| trace.span_id().to_owned()),
            began: machine_now(),
        }
    }

    /// The trace context to send with the call.
    pub fn context(&self) -> &TraceContext {
        &self.context
    }

    /// Ends the span with the result of the attempt.
    pub fn end<T>(self, row: &HttpCallRow, tried: &Result<T, Failed>) {
        let mut attributes = vec![
            ("server.address", Attribute::Text(row.host.clone())),
            (
                "stepwire.instance",
                Attribute::Text(row.instance.to_string()),
            ),
            ("stepwire.process", Attribute::Text(row.process.clone())),
        ];
        let status = tried.as_ref().err().and_then(|failed| failed.status);
        if let Some(status) = status {
            attributes.push((
                "http.response.status_code",
                Attribute::Number(status.into()),
            ));
        }
        self.spans.note(Span {
            name: "call".to_owned(),
            kind: SpanKind::Client,
            context: self.context,
            parent: self.parent,
            began: self.began,
            ended: machine_now(),
            error: tried
                .as_ref()
                .err()
                .map(|failed| failed.failure.code().to_owned()),
            attributes,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_over_the_queue_bound_are_dropped_and_counted() {
        let (queue, mut taken) = mpsc::channel(2);
        let spans = Spans {
            queue,
            sampled: 1 << 32,
            last: Arc::default(),
        };
        let before = Limit::Spans.count();
        let span = || {
            let call = CallSpan::begin(&spans, None);
            Span {
                name: "call".to_owned(),
                kind: SpanKind::Client,
                context: call.context,
                parent: None,
                began: call.began,
                ended: call.began,
                error: None,
                attributes: Vec::new(),
            }
        };
        (0..5).for_each(|_| spans.note(span()));
        assert_eq!(Limit::Spans.count() - before, 3);
        assert!(taken.try_recv().is_ok() && taken.try_recv().is_ok() && taken.try_recv().is_err());
        let none = Spans {
            sampled: 0,
            ..spans.clone()
        };
        assert!(!none.draw().below(None).is_sampled());
        assert!(spans.draw().below(None).is_sampled());
    }
}
