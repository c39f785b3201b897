//! The name of a user: `sub` of tokens, the name of an account, the assignee of a task.
//!
//! Not here: which users have an account (`runtime::users`).

use crate::limits::NAME_BYTES;

/// The prefix of the subject that starts instances by a schedule. No user has such a name, so these
/// instances have no owner by subject.
pub const SCHEDULED: &str = "schedule:";

/// The prefix of the subject that starts instances by a message or signal.
pub const BY_EVENT: &str = "event:";

/// Checks that a user can have this name.
///
/// # Errors
/// What is expected, and what it is instead; without the name itself, which may be a secret that was
/// put in the wrong place.
pub fn check(name: &str) -> Result<(), String> {
    match fault(name) {
        None => Ok(()),
        Some(fault) => Err(format!(
            "expected the name of a user of 1 to {NAME_BYTES} bytes without control characters, \
            but {fault}"
        )),
    }
}

/// Why no user can have this name, in a few words; `None` for a name that a user can have.
pub fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".into());
    }
    if name.len() > NAME_BYTES {
        return Some(format!("it has {} bytes", name.len()));
    }
    if name.chars().any(char::is_control) {
        return Some("it has a control character".into());
    }
    let mut reserved = [SCHEDULED, BY_EVENT].into_iter();
    let reserved = reserved.find(|prefix| name.starts_with(prefix));
    reserved.map(|prefix| format!("it begins with the reserved `{prefix}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_user_can_have_are_told() {
        let long = "x".repeat(NAME_BYTES + 1);
        for (name, fault) in [
            ("", "it is empty"),
            (&long, "it has 257 bytes"),
            ("a\nb", "it has a control character"),
            ("event:order", "the reserved `event:`"),
            ("schedule:", "the reserved `schedule:`"),
        ] {
            let sentence = check(name).unwrap_err();
            assert!(sentence.contains(fault), "{sentence}");
        }
        for name in ["ada", "events", &long[1..], "ada@example.org"] {
            assert_eq!(check(name), Ok(()));
        }
    }
}
