//! Relative times on pages. Not here: the exact time, which the script of a page adds.

use crate::model::ids::Time;

/// How long ago, in the words of a person.
pub fn ago(then: Time, now: Time) -> String {
    let seconds = now.0.saturating_sub(then.0) / 1000;
    match seconds {
        ..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_roughly() {
        let check =
            |seconds: i64, words: &str| assert_eq!(ago(Time(0), Time(seconds * 1000)), words);
        check(59, "just now");
        check(60, "1 min ago");
        check(7_200, "2 h ago");
        check(200_000, "2 d ago");
    }
}
