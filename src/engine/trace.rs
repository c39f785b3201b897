//! W3C trace context: the trace of a command, as its sender names it (Trace Context, level 1:
//! `traceparent` and `tracestate`).
//!
//! It is stored with the rows of the command, and passed on to the work that follows from it
//! (calls, messages, timers). No behaviour depends on it. A malformed value is ignored, as the
//! standard says. If the server sends spans of its own ([`NewSpan`]), the work that follows names
//! the command's span; otherwise both values are passed on unchanged.

use serde::{Deserialize, Serialize};

/// The maximum length of a `tracestate` that is passed on; a longer one is dropped whole.
const STATE_BYTES: usize = 512;
/// The maximum number of members of a `tracestate`.
const STATE_MEMBERS: usize = 32;
/// The length of a `traceparent`: `00-`, the ids of trace and parent, and the flags.
const PARENT_BYTES: usize = 55;

/// The trace of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    /// `00-` and 32, 16 and 2 hexadecimal digits: trace, parent and flags.
    pub parent: String,
    /// The entries of tracing systems, unchanged.
    pub state: Option<String>,
}

/// A span that the server creates for a command, with the trace it starts if the command has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSpan {
    /// The trace's id, not 0.
    pub trace: u128,
    /// The span's id, not 0.
    pub id: u64,
    /// Whether a trace that starts here is recorded.
    pub sampled: bool,
}

impl NewSpan {
    /// The trace context of work inside the span, caused by `cause`. The context of a trace that is
    /// not recorded is unchanged.
    pub fn below(&self, cause: Option<&TraceContext>) -> TraceContext {
        match cause {
            Some(cause) if !cause.is_sampled() => cause.clone(),
            Some(cause) => TraceContext {
                parent: format!("00-{}-{:016x}-{}", cause.trace_id(), self.id, cause.flags()),
                state: cause.state.clone(),
            },
            None => TraceContext {
                parent: format!(
                    "00-{:032x}-{:016x}-{:02x}",
                    self.trace,
                    self.id,
                    u8::from(self.sampled)
                ),
                state: None,
            },
        }
    }
}

impl TraceContext {
    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.parent.get(3..35).unwrap_or_default()
    }

    /// The id of the parent span: 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        self.parent.get(36..52).unwrap_or_default()
    }

    fn flags(&self) -> &str {
        self.parent.get(53..).unwrap_or_default()
    }

    /// Whether its spans are recorded.
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(self.flags(), 16).is_ok_and(|flags| flags & 1 == 1)
    }

    /// Reads both values; `None` when the parent is missing or malformed.
    pub fn read(parent: Option<&str>, state: Option<&str>) -> Option<Self> {
        let parent = parent.map(str::trim).and_then(known_part)?;
        let state = state.map(str::trim).filter(|state| is_state(state));
        Some(Self {
            parent,
            state: state.map(str::to_owned),
        })
    }
}

/// The part of a `traceparent` that version 00 defines; `None` if it is malformed.
fn known_part(text: &str) -> Option<String> {
    let known = text.get(..PARENT_BYTES)?;
    let mut parts = known.split('-');
    let [version, trace, parent, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
    let is_hex = |part: &str, digits: usize| {
        part.len() == digits
            && part
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |part: &str, digits| is_hex(part, digits) && part.bytes().any(|byte| byte != b'0');
    let fits = is_hex(version, 2)
        && version != "ff"
        && is_id(trace, 32)
        && is_id(parent, 16)
        && is_hex(flags, 2)
        && parts.next().is_none();
    // Later versions may append members after a dash, which are ignored.
    let rest = &text[PARENT_BYTES..];
    let ends_well = rest.is_empty() || (version != "00" && rest.starts_with('-'));
    (fits && ends_well).then(|| format!("00-{trace}-{parent}-{flags}"))
}

/// Whether a `tracestate` may be passed on.
fn is_state(text: &str) -> bool {
    let is_member = |member: &str| {
        let member = member.trim_matches([' ', '\t']);
        member.is_empty() || member.split_once('=').is_some_and(|(key, value)| {
            let is_key =
                |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
            !key.is_empty()
                && key.len() <= 256
                && key.bytes().all(is_key)
                && value.len() <= 256
                && value
                    .bytes()
                    .all(|byte| (0x20..=0x7e).contains(&byte) && byte != b'=')
        })
    };
    !text.is_empty()
        && text.len() <= STATE_BYTES
        && text.split(',').count() <= STATE_MEMBERS
        && text.split(',').all(is_member)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn parent(text: &str) -> Option<String> {
        TraceContext::read(Some(text), None).map(|trace| trace.parent)
    }

    #[test]
    fn a_valid_traceparent_is_read() {
        assert_eq!(parent(PARENT).as_deref(), Some(PARENT));
        assert_eq!(parent(&format!(" {PARENT}\t")).as_deref(), Some(PARENT));
        let later = PARENT.replace("00-", "cc-") + "-what-the-future-brings";
        assert_eq!(parent(&later).as_deref(), Some(PARENT), "as version 00");
    }

    #[test]
    fn a_span_is_a_child_of_the_span_that_caused_it() {
        let span = NewSpan {
            trace: 7,
            id: 9,
            sampled: true,
        };
        let came = TraceContext::read(Some(PARENT), Some("a=1")).unwrap();
        let below = span.below(Some(&came));
        assert_eq!(below.trace_id(), came.trace_id());
        assert_eq!(
            (below.span_id(), below.state.clone()),
            ("0000000000000009", came.state.clone())
        );
        assert!(span.below(None).is_sampled());
        assert_eq!(span.below(None).trace_id(), format!("{:032x}", 7));
        let unsampled = TraceContext::read(Some(&PARENT.replace("-01", "-00")), None).unwrap();
        assert_eq!(
            span.below(Some(&unsampled)),
            unsampled,
            "it is handed on as it came"
        );
    }

    #[test]
    fn an_invalid_traceparent_is_ignored() {
        let zeros = |digits: usize| "0".repeat(digits);
        for wrong in [
            String::new(),
            "00".into(),
            PARENT[..54].into(),
            format!("{PARENT}-"),
            format!("{PARENT}0"),
            PARENT.replace("00-", "ff-"),
            PARENT.replace("00-", "cc-") + ".x",
            PARENT.to_uppercase(),
            PARENT.replace("0af7651916cd43dd8448eb211c80319c", &zeros(32)),
            PARENT.replace("b7ad6b7169203331", &zeros(16)),
            PARENT.replace("-01", "-0g"),
            PARENT.replace('-', "_"),
            "é".repeat(40),
        ] {
            assert_eq!(parent(&wrong), None, "{wrong}");
        }
        assert_eq!(TraceContext::read(None, Some("a=1")), None);
    }

    #[test]
    fn a_tracestate_is_kept_with_its_traceparent_or_dropped() {
        let state = |text: &str| TraceContext::read(Some(PARENT), Some(text)).unwrap().state;
        for good in [
            "congo=t61rcWkgMzE",
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
            "fw529a3039@dt=FfD;9, a=b ",
        ] {
            assert_eq!(state(good).as_deref(), Some(good.trim()));
        }
        let long = format!("a={}", "x".repeat(255));
        let many = vec!["a=1"; 33].join(",");
        for bad in [
            "",
            "no-value",
            "UPPER=1",
            "a=b=c",
            "a=\u{7f}",
            "ä=1",
            &format!("{long},{long}"),
            &many,
        ] {
            assert_eq!(state(bad), None, "{bad}");
        }
    }
}
