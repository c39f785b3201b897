//! Recognises conditions written in another language, FEEL or the unified expression language of
//! Java (JUEL) with its word operators, and gives the JavaScript equivalent, if possible as a
//! rewritten condition.
//!
//! Not here: languages that a document declares (`model::expression_language`).

use super::{
    effects::Fault,
    lexer::{Kind, Token},
    names::is_reserved,
};

/// Binary operators, by their words.
#[rustfmt::skip]
const BETWEEN: [(&str, &str); 12] = [
    ("and", "&&"), ("or", "||"), ("eq", "=="), ("ne", "!="), ("lt", "<"), ("gt", ">"), ("le", "<="), ("ge", ">="), ("mod", "%"),
    ("div", "/"), ("AND", "&&"), ("OR", "||"),
];
/// Prefix operators, by their words.
const BEFORE: [(&str, &str); 3] = [("not", "!"), ("NOT", "!"), ("empty", "!")];

/// The first word of another language at a place where JavaScript allows no word.
pub fn find(tokens: &[Token<'_>]) -> Option<Fault> {
    let found = |(index, place): (usize, TokenPosition)| {
        let token = &tokens[index];
        let is_unequal = token.text == "<"
            && tokens
                .get(index + 1)
                .is_some_and(|next| next.text == ">" && next.at == token.at + 1);
        let found = match (place.sign, token.text) {
            (Some(_), "empty") => {
                "`empty` is no operator of JavaScript; write `list.length == 0`, or `name == \
                null || name == ''`"
                    .to_owned()
            }
            (Some(sign), word) => format!("`{word}` is no operator of JavaScript; write `{sign}`"),
            (None, "then") if place.after_operand => {
                "`if … then … else …` is FEEL, not JavaScript; write `condition ? one : other`"
                    .to_owned()
            }
            (None, "between") if place.after_operand => {
                "`between` is no operator of JavaScript; write `low <= x && x <= high`".to_owned()
            }
            _ if is_unequal => "`<>` is no operator of JavaScript; write `!=`".to_owned(),
            _ => return None,
        };
        Some(Fault {
            at: token.at,
            found,
        })
    };
    places(tokens).into_iter().enumerate().find_map(found)
}

/// The text with JavaScript's signs in place of such words, and `==` in place of a single `=`.
pub fn in_javascript(text: &str, tokens: &[Token<'_>]) -> String {
    let (mut rewritten, mut at) = (String::new(), 0);
    for (token, place) in tokens.iter().zip(places(tokens)) {
        // In `=<` the two signs are swapped.
        let is_reversed = text[token.at..].starts_with("=<");
        let sign = if token.text == "=" {
            Some(if is_reversed { "<=" } else { "==" })
        } else {
            place.sign
        };
        let Some(sign) = sign.filter(|_| token.text != "empty") else {
            continue;
        };
        rewritten.push_str(&text[at..token.at]);
        rewritten.push_str(sign);
        at = token.at + token.text.len() + usize::from(sign == "<=" && is_reversed);
        // `not approved` becomes `!approved`.
        if sign == "!" {
            at += text[at..].len() - text[at..].trim_start().len();
        }
    }
    rewritten + &text[at..]
}

/// The place of a token, and its meaning there.
#[derive(Clone, Copy)]
struct TokenPosition {
    /// Whether an operand ends right before it, so that JavaScript expects an operator.
    after_operand: bool,
    /// JavaScript's sign for it, if it is a word operator of another language.
    sign: Option<&'static str>,
}

fn places(tokens: &[Token<'_>]) -> Vec<TokenPosition> {
    let mut after_operand = false;
    let place = |(index, token): (usize, &Token<'_>)| {
        let is_member = index
            .checked_sub(1)
            .is_some_and(|before| matches!(tokens[before].text, "." | "?."));
        let sign = if is_member {
            None
        } else {
            operator(token, tokens.get(index + 1), after_operand)
        };
        let place = TokenPosition {
            after_operand,
            sign,
        };
        after_operand = match token.kind {
            Kind::Word if is_member || ["true", "false", "null", "this"].contains(&token.text) => {
                true
            }
            Kind::Word => !is_reserved(token.text) && sign.is_none(),
            Kind::Sign => matches!(token.text, ")" | "]" | "}"),
            Kind::Template { opens, .. } => !opens,
            Kind::Number | Kind::BigInt | Kind::Text | Kind::Regex => true,
        };
        place
    };
    tokens.iter().enumerate().map(place).collect()
}

/// The meaning of a word as an operator, if it is at the place of one.
fn operator(
    token: &Token<'_>,
    next: Option<&Token<'_>>,
    after_operand: bool,
) -> Option<&'static str> {
    let of = |words: &[(&str, &'static str)]| {
        words
            .iter()
            .find(|(word, _)| *word == token.text)
            .map(|(_, sign)| *sign)
    };
    if token.kind != Kind::Word {
        return None;
    }
    if after_operand {
        return of(&BETWEEN);
    }
    // A word alone may be a name: an operand must follow.
    let operand_follows = next.is_some_and(|next| match next.kind {
        Kind::Sign => next.text == "(" || (next.text == "!" && token.text != "empty"),
        Kind::Word => {
            !["in", "instanceof"].contains(&next.text)
                && !BETWEEN.iter().any(|(word, _)| *word == next.text)
        }
        Kind::Template { closes, .. } => !closes,
        Kind::Number | Kind::BigInt | Kind::Text | Kind::Regex => true,
    });
    of(&BEFORE).filter(|_| operand_follows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::lexer::tokens;

    #[track_caller]
    fn check(text: &str, part: Option<&str>, javascript: &str) {
        let tokens = tokens(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let found = find(&tokens).map(|fault| fault.found);
        assert_eq!(found.is_some(), part.is_some(), "{text}: {found:?}");
        assert!(
            part.is_none_or(|part| found.as_ref().is_some_and(|found| found.contains(part))),
            "{text}: {found:?}"
        );
        assert_eq!(in_javascript(text, &tokens), javascript);
    }

    #[test]
    fn operator_words_are_reported_with_the_javascript_operator() {
        check(
            "amount gt 100 and approved",
            Some("write `>`"),
            "amount > 100 && approved",
        );
        check("approved and paid", Some("write `&&`"), "approved && paid");
        check("a.b or (c eq 'x')", Some("write `||`"), "a.b || (c == 'x')");
        check("a ne 1 OR b le 2", Some("write `!=`"), "a != 1 || b <= 2");
        check("amount mod 2 == 0", Some("write `%`"), "amount % 2 == 0");
        check("not approved", Some("write `!`"), "!approved");
        check("not(approved)", Some("write `!`"), "!(approved)");
        check("a and not b", Some("write `&&`"), "a && !b");
        check("empty list", Some("list.length == 0"), "empty list");
        check("not empty list", Some("write `!`"), "!empty list");
        check(
            "if a then b else c",
            Some("`condition ? one : other`"),
            "if a then b else c",
        );
        check("x between 1 and 5", Some("low <= x"), "x between 1 && 5");
        check("a <> b", Some("write `!=`"), "a <> b");
        check("approved = true", None, "approved == true");
        check("a =< b and c = 1", Some("write `&&`"), "a <= b && c == 1");
    }

    #[test]
    fn operator_words_used_as_names_are_names() {
        for text in [
            "and == 1",
            "order.not == 1 && not",
            "empty || input.empty",
            "lt < gt",
            "{and: 1}",
            "not in x",
            "a.mod > 1",
            "list.empty(1)",
        ] {
            check(text, None, text);
        }
    }
}
