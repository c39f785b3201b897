//! Violated conditions, and their report.

use std::fmt;

/// The invariants that must hold in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// Acknowledged commands are applied once, refused ones are not.
    Acknowledged,
    /// The numbers of each instance's log are dense.
    Dense,
    /// Clients have the state of the server.
    View,
    /// A timer fires once and never early.
    Timers,
    /// Subprocesses and parents get each other's messages once.
    Children,
    /// A message is delivered once at most, and to whom the answer says.
    Messages,
    /// Each act of an operator has its entry in the audit log, and each entry its act.
    Audit,
    /// Process time never goes back, and passes whatever is done to the machine's clock.
    Clock,
    /// After the last fault everybody is served.
    Liveness,
}

/// One of them does not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// The observation.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.text)
    }
}

/// A violation with its text.
pub fn violated(invariant: Invariant, text: impl Into<String>) -> Violation {
    Violation {
        invariant,
        text: text.into(),
    }
}

/// Holds that something is so.
///
/// # Errors
/// A violation; `text` has the observation.
pub fn hold(
    invariant: Invariant,
    is_so: bool,
    text: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if is_so {
        Ok(())
    } else {
        Err(violated(invariant, text()))
    }
}
