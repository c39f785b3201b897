//! The exit status, and errors that end a command early.

use std::process::ExitCode;

use serde_json::{Value, json};

/// The outcome of a command; the number is the exit status and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or the instance finished.
    Done = 0,
    /// The server refused; the message says why.
    Refused = 1,
    /// The command line, a file or data are invalid. The library that parses the command line uses
    /// this status, too.
    Usage = 2,
    /// The instance ended, but failed or expired.
    Failed = 3,
    /// The instance was terminated or dismissed.
    Terminated = 4,
    /// The instance finished, but its last approval was a rejection.
    Rejected = 5,
    /// The instance waits for a user.
    Waiting = 6,
    /// No server, or no access to it.
    Unreachable = 7,
    /// The time is over; the started work continues.
    TimedOut = 124,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl Exit {
    /// The outcome of an instance with this status and outcome; `None` while it is live.
    pub fn of_status(status: &str, outcome: Option<&str>) -> Option<Self> {
        match (status, outcome) {
            ("finished", Some("rejected")) => Some(Self::Rejected),
            ("finished", _) => Some(Self::Done),
            ("failed" | "expired", _) => Some(Self::Failed),
            ("terminated" | "dismissed", _) => Some(Self::Terminated),
            _ => None,
        }
    }

    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Failed => "failed",
            Self::Terminated => "terminated",
            Self::Rejected => "rejected",
            Self::Waiting => "waiting",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timeout",
        }
    }
}

/// Why a command did not complete. Boxed, as every function may return it.
#[derive(Debug)]
pub struct Failure {
    /// The exit status.
    pub exit: Exit,
    /// "expected …, but …".
    pub message: String,
    /// The error of the server, unchanged, for JSON output.
    pub error: Box<Value>,
}

impl Failure {
    /// A failure detected by this program.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            exit,
            error: Box::new(json!({"code": exit.name(), "message": message})),
            message,
        }
    }

    /// A mistake in the command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// An error of the server, as an `error` frame or as a problem over HTTP.
    pub fn from_answer(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str();
        let code = text("code").unwrap_or("internal");
        let exit = if matches!(code, "unauthenticated" | "token_expired") {
            Exit::Unreachable
        } else {
            Exit::Refused
        };
        let mut message = text("message")
            .or(text("detail"))
            .unwrap_or("expected a known answer, but it is not one")
            .to_owned();
        for (path, wrong) in answer["fields"].as_object().into_iter().flatten() {
            message += &format!(
                "\n  {path}: {}",
                wrong["message"].as_str().unwrap_or_default()
            );
        }
        for element in answer["elements"].as_array().into_iter().flatten() {
            message += &format!("\n  --element {}", element.as_str().unwrap_or_default());
        }
        let mut error = json!({"code": code, "message": text("message").or(text("detail")).unwrap_or_default()});
        for name in ["reason", "fields", "elements", "seq", "problems"] {
            if !answer[name].is_null() {
                error[name] = answer[name].clone();
            }
        }
        Self {
            exit,
            message,
            error: Box::new(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_exit_status() {
        let of = |status, outcome| Exit::of_status(status, outcome).map(|exit| exit as u8);
        assert_eq!(of("finished", None), Some(0));
        assert_eq!(of("finished", Some("skipped")), Some(0));
        assert_eq!(of("finished", Some("rejected")), Some(5));
        assert_eq!(
            (of("failed", None), of("expired", None)),
            (Some(3), Some(3))
        );
        assert_eq!(
            (of("terminated", None), of("dismissed", None)),
            (Some(4), Some(4))
        );
        assert_eq!((of("started", None), of("onHold", None)), (None, None));
    }

    #[test]
    fn the_whole_error_of_the_server_is_printed() {
        let frame = json!({"type": "error", "code": "invalid_data", "message": "expected a, but \
            b", "fields": {"x.y": {"code": "type", "message": "expected \
            z", "params": {}}}});
        let failure = Failure::from_answer(&frame);
        assert_eq!(
            (failure.exit, &*failure.message),
            (Exit::Refused, "expected a, but b\n  x.y: expected z")
        );
        assert_eq!(failure.error["fields"]["x.y"]["message"], "expected z");
        let problem = json!({"code": "token_expired", "detail": "expected c", "status": 401});
        let failure = Failure::from_answer(&problem);
        assert_eq!(
            (failure.exit, &*failure.message),
            (Exit::Unreachable, "expected c")
        );
        assert_eq!(failure.error["message"], "expected c");
    }
}
