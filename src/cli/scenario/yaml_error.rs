//! What is wrong with the YAML of a scenario file, in words.

use crate::text::spelling;

/// An error of the library, which begins with the place and ends with an excerpt, as the second half
/// of a sentence.
pub fn in_words(error: &str) -> String {
    let mut lines = error.trim_end().lines();
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let (place, what) = first.split_once(": ").unwrap_or(("some place", first));
    let unknown = what
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once("`, expected one of "));
    let what = match (unknown, what) {
        (Some((unknown, known)), _) => {
            let near = spelling::nearest(unknown, known.split(", "));
            let advice = near.map_or_else(
                || format!("write one of {known}"),
                |near| format!("write `{near}`"),
            );
            format!("`{unknown}` is unknown: {advice}")
        }
        (None, "expected sequence start") => "a list is missing, such as [a, b]".to_owned(),
        (None, "expected mapping start") => "members are missing, such as `name: a`".to_owned(),
        (None, "unexpected end of input") => "the text ends".to_owned(),
        (None, other) => other.to_owned(),
    };
    // Below the mark of the place the library repeats its message.
    let excerpt = lines.map(|line| line.rfind('^').map_or(line, |mark| &line[..=mark]));
    let excerpt: String = excerpt.map(|line| format!("\n  {line}")).collect();
    format!("at {place} {what}{excerpt}")
}
