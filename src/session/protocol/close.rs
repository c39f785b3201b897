//! Close codes: why the server ends a connection, and whether the client should reconnect.
//!
//! # Rationale
//!
//! **A frame before `hello` is a mistake, not a missing token**: close 4400 and the sentence.
//! Clients usually react to 4401 with another token, which does not help here.

use std::borrow::Cow;

use crate::limits;

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// The client closed; its Close is answered.
    Normal,
    /// Broken websocket frames.
    Protocol,
    /// A binary message.
    Binary,
    /// Text that is no UTF-8.
    Utf8,
    /// A message over the limit.
    TooBig,
    /// A fault of the server.
    Internal,
    /// The server restarts; `bye` was sent before.
    Restart,
    /// No room for another connection at present.
    TryAgain,
    /// No frame from the client for too long.
    ClientTimeout,
    /// The client does not read.
    SlowConsumer,
    /// No `hello` in time.
    NoHello,
    /// An operator closed it.
    ByOperator,
    /// The first message was not a valid `hello`; an `error` frame was sent before.
    NoValidHello,
    /// The token is invalid or has expired.
    Token,
    /// The page's origin may not connect; an `error` frame was sent before.
    Forbidden,
    /// The access was revoked.
    Revoked,
    /// Over the rate for too long.
    Flood,
}

/// The reaction of the client to a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconnectPolicy {
    /// Reconnect, with its usual delay.
    Reconnect,
    /// Reconnect once, with a new token.
    NewToken,
    /// Reconnect, after at least this many seconds.
    After(u32),
    /// Not reconnect: the result would be the same.
    Stop,
}

impl CloseCode {
    /// All codes.
    pub const ALL: [Self; 17] = [
        Self::Normal,
        Self::Protocol,
        Self::Binary,
        Self::Utf8,
        Self::TooBig,
        Self::Internal,
        Self::Restart,
        Self::TryAgain,
        Self::ClientTimeout,
        Self::SlowConsumer,
        Self::NoHello,
        Self::ByOperator,
        Self::NoValidHello,
        Self::Token,
        Self::Forbidden,
        Self::Revoked,
        Self::Flood,
    ];

    /// Its number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Protocol => 1002,
            Self::Binary => 1003,
            Self::Utf8 => 1007,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::TryAgain => 1013,
            Self::ClientTimeout => 4000,
            Self::SlowConsumer => 4001,
            Self::NoHello => 4002,
            Self::ByOperator => 4003,
            Self::NoValidHello => 4400,
            Self::Token => 4401,
            Self::Forbidden => 4403,
            Self::Revoked => 4408,
            Self::Flood => 4429,
        }
    }

    /// The reason to send if there is no more specific one, at most [`REASON_BYTES`].
    pub fn reason(self) -> Cow<'static, str> {
        let reason = match self {
            Self::Normal => "",
            Self::Protocol => "expected well-formed websocket frames",
            Self::Binary => "expected text messages, but one is binary",
            Self::Utf8 => "expected text in UTF-8",
            Self::TooBig => "expected messages of at most 65536 bytes, the first of at most 131072",
            Self::Internal => "internal fault",
            Self::Restart => "server restarts",
            Self::TryAgain => "too many connections",
            Self::ClientTimeout => "no frame from the client",
            Self::SlowConsumer => "slow consumer",
            Self::NoHello => {
                let seconds = limits::HELLO.get().as_secs();
                return format!("expected hello within {seconds} s").into();
            }
            Self::ByOperator => "closed by an operator",
            Self::NoValidHello => {
                "expected a valid hello as the first frame: the error frame before says what is \
                wrong"
            }
            Self::Token => {
                "token expired: connect again with a new token, and send auth before it ends"
            }
            Self::Forbidden => {
                "expected a page of an allowed origin: the error frame before says which option \
                allows it"
            }
            Self::Revoked => "token revoked, or its user removed: sign in again",
            Self::Flood => {
                let seconds = limits::FLOOD.get().as_secs();
                return format!("over the rate for {seconds} s").into();
            }
        };
        reason.into()
    }

    /// The reaction of the client.
    pub fn reconnect_policy(self) -> ReconnectPolicy {
        match self.number() {
            4401 => ReconnectPolicy::NewToken,
            4429 => ReconnectPolicy::After(10),
            4000..=4099 | 1011..=1013 => ReconnectPolicy::Reconnect,
            _ => ReconnectPolicy::Stop,
        }
    }
}

/// The longest reason that a Close can contain, in bytes (RFC 6455, 5.5).
pub const REASON_BYTES: usize = 123;

/// Precedes the sentence about a token that is not accepted.
pub const TOKEN_INVALID: &str = "token invalid: ";

/// How a connection is closed: a code and a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The code.
    pub code: CloseCode,
    /// The mistake and its remedy, at most [`REASON_BYTES`].
    pub reason: Cow<'static, str>,
}

impl Close {
    /// With another reason than that of its code.
    pub const fn of(code: CloseCode, reason: &'static str) -> Self {
        assert!(reason.len() <= REASON_BYTES);
        Self {
            code,
            reason: Cow::Borrowed(reason),
        }
    }

    /// With a specific reason; with `otherwise` if that is too long for a Close, so that no
    /// sentence is cut off.
    pub fn because(code: CloseCode, reason: String, otherwise: Cow<'static, str>) -> Self {
        let reason = if reason.len() <= REASON_BYTES {
            reason.into()
        } else {
            otherwise
        };
        Self { code, reason }
    }
}

impl From<CloseCode> for Close {
    fn from(code: CloseCode) -> Self {
        Self {
            code,
            reason: code.reason(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_fits_a_close_frame_and_its_range_decides() {
        for code in CloseCode::ALL {
            assert!(code.reason().len() <= REASON_BYTES);
            let words = code.reason().into_owned();
            assert_eq!(Close::because(code, words, "".into()), Close::from(code));
            let range = code.number() / 100;
            if range == 40 {
                assert_eq!(
                    code.reconnect_policy(),
                    ReconnectPolicy::Reconnect,
                    "{code:?}"
                );
            } else if range == 44 {
                assert_ne!(
                    code.reconnect_policy(),
                    ReconnectPolicy::Reconnect,
                    "{code:?}"
                );
            }
        }
        assert_eq!(
            CloseCode::Restart.reconnect_policy(),
            ReconnectPolicy::Reconnect
        );
        assert_eq!(
            CloseCode::Token.reconnect_policy(),
            ReconnectPolicy::NewToken
        );
        assert_eq!(CloseCode::TooBig.reconnect_policy(), ReconnectPolicy::Stop);
        assert_eq!(
            CloseCode::NoValidHello.reconnect_policy(),
            ReconnectPolicy::Stop
        );
    }

    #[test]
    fn a_close_reason_that_is_too_long_is_replaced() {
        for letter in ["x", "é", "…", "𝄞"] {
            let fitting = letter.repeat(REASON_BYTES / letter.len());
            let close = Close::because(CloseCode::NoValidHello, fitting.clone(), "short".into());
            assert_eq!(close.reason, fitting);
            let close = Close::because(CloseCode::NoValidHello, fitting + letter, "short".into());
            assert_eq!(close.reason, "short");
        }
    }
}
