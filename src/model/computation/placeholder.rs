//! Where the expression of a placeholder in a text ends. Not here: what it says (`parser`).

use super::Computation;

/// The signs of an expression that are not in its texts, with their positions. A text with a
/// backslash is refused, so none hides a quote.
pub(super) fn outside_texts(source: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut quote = None;
    source.char_indices().filter(move |&(_, sign)| {
        let Some(open) = quote else {
            quote = ['"', '\''].contains(&sign).then_some(sign);
            return quote.is_none();
        };
        if sign == open {
            quote = None;
        }
        false
    })
}

impl Computation {
    /// The length of what a placeholder begins with, up to the brace that closes it: a brace within
    /// a text of the expression does not. What `is_path` accepts up to the first brace is no
    /// expression. `None` without a closing brace.
    pub fn length(after: &str, is_path: impl Fn(&str) -> bool) -> Option<usize> {
        let first = after.find('}')?;
        if is_path(&after[..first]) {
            return Some(first);
        }
        let mut closing = outside_texts(after).filter(|&(_, sign)| sign == '}');
        Some(closing.next().map_or(first, |(at, _)| at))
    }
}
