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
    /// A message is delivered at most once, and to the instances in the reply.
    Messages,
    /// Each act of an operator has its entry in the audit log, and each entry its act.
    Audit,
    /// Process time never goes back, and continues whatever happens to the machine's clock.
    Clock,
    /// After the last fault every command is answered.
    Liveness,
}

/// A violated invariant.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The invariant.
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

/// Returns a violation unless the condition holds.
///
/// # Errors
/// The violation; `text` has the observation.
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
