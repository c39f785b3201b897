//! The stable list of error codes, the same on the websocket and in REST problems.

use serde::{Serialize, Serializer};

/// Why something was refused. Each code has a page in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request cannot be read, or names something that does not exist in this form.
    BadRequest,
    /// There is no token, or it is not accepted.
    Unauthenticated,
    /// The token has expired.
    TokenExpired,
    /// The user may see the object, but not do this.
    Forbidden,
    /// It does not exist, or the user may not see it; the answer is the same.
    NotFound,
    /// The instance is at another number than the client believes, or the request is ambiguous.
    Conflict,
    /// The action cannot be run now; `reason` says why.
    ActionNotAvailable,
    /// The action is not repeatable and has run in this visit.
    AlreadyExecuted,
    /// The data violate the action's keys; `fields` says where.
    InvalidData,
    /// The id was used for another command.
    IdReused,
    /// Larger than a limit allows.
    TooLarge,
    /// Too many requests; `afterMs` says when to continue.
    RateLimited,
    /// The server has no room at present.
    Busy,
    /// Part of the protocol, but not supported by this server.
    Unsupported,
    /// The server's disk failed: the command may or may not have been applied. Repeated with the
    /// same id, it gets the true answer.
    OutcomeUnknown,
    /// A fault of the server; nothing was done.
    Internal,
}

impl ErrorCode {
    /// All codes, in the order of the documentation.
    pub const ALL: [Self; 16] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::TokenExpired,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::ActionNotAvailable,
        Self::AlreadyExecuted,
        Self::InvalidData,
        Self::IdReused,
        Self::TooLarge,
        Self::RateLimited,
        Self::Busy,
        Self::Unsupported,
        Self::OutcomeUnknown,
        Self::Internal,
    ];

    /// Its name on the wire; its documentation page has the same name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::TokenExpired => "token_expired",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::ActionNotAvailable => "action_not_available",
            Self::AlreadyExecuted => "already_executed",
            Self::InvalidData => "invalid_data",
            Self::IdReused => "id_reused",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
            Self::Unsupported => "unsupported",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Internal => "internal",
        }
    }

    /// Whether the same request, unchanged, may succeed later.
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Busy | Self::OutcomeUnknown | Self::Internal
        )
    }

    /// The status of a REST answer with this code.
    pub fn http_status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated | Self::TokenExpired => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::ActionNotAvailable | Self::AlreadyExecuted => 409,
            Self::InvalidData | Self::IdReused => 422,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::Busy => 503,
            Self::Unsupported => 501,
            Self::OutcomeUnknown | Self::Internal => 500,
        }
    }

    /// Path of its page in the documentation, below the documentation's root.
    pub fn page(self) -> String {
        format!("errors/{}", self.name())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_errors_have_error_statuses() {
        let names: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!((400..600).contains(&code.http_status()));
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }
}
