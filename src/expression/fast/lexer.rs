//! Splits a condition into the tokens of the fast grammar.

use super::expression::Comparison;

/// A token of the fast grammar.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// An identifier or a keyword.
    Word(String),
    /// A number without sign.
    Number(f64),
    /// A string without its quotes, escapes resolved.
    Text(String),
    /// A comparison operator.
    Comparison(Comparison),
    /// `&&`
    And,
    /// `||`
    Or,
    /// `!`
    Not,
    /// `-`
    Minus,
    /// `.`
    Dot,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenIndex,
    /// `]`
    CloseIndex,
}

/// Longest first, so that `===` is not read as `==` and `=`.
const OPERATORS: [(&str, Token); 17] = [
    ("===", Token::Comparison(Comparison::StrictlyEqual)),
    ("!==", Token::Comparison(Comparison::StrictlyNotEqual)),
    ("==", Token::Comparison(Comparison::Equal)),
    ("!=", Token::Comparison(Comparison::NotEqual)),
    ("<=", Token::Comparison(Comparison::LessOrEqual)),
    (">=", Token::Comparison(Comparison::GreaterOrEqual)),
    ("&&", Token::And),
    ("||", Token::Or),
    ("<", Token::Comparison(Comparison::Less)),
    (">", Token::Comparison(Comparison::Greater)),
    ("!", Token::Not),
    ("-", Token::Minus),
    (".", Token::Dot),
    ("(", Token::Open),
    (")", Token::Close),
    ("[", Token::OpenIndex),
    ("]", Token::CloseIndex),
];

/// JavaScript text that begins like tokens above but means something else: comments, shifts, decrements, HTML comments.
const FOREIGN: [&str; 4] = ["<<", ">>", "--", "<!--"];

/// The tokens of `source`; `None` when it holds anything else.
pub fn tokens(source: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let Some(first) = rest.chars().next() else { return Some(tokens) };
        let (token, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' | '$' => word(rest),
            '0'..='9' => number(rest)?,
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest)?,
            '\'' | '"' => text(rest, first)?,
            _ => operator(rest)?,
        };
        tokens.push(token);
        rest = &rest[length..];
    }
}

fn operator(rest: &str) -> Option<(Token, usize)> {
    if FOREIGN.iter().any(|foreign| rest.starts_with(foreign)) {
        return None;
    }
    OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)).map(|(sign, token)| (token.clone(), sign.len()))
}

fn word(rest: &str) -> (Token, usize) {
    let length = rest.find(|c: char| !is_word_part(c)).unwrap_or(rest.len());
    (Token::Word(rest[..length].to_owned()), length)
}

fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// Decimal numbers only: `0x1f`, `1_000`, `017` and `1n` are left to the sandbox.
fn number(rest: &str) -> Option<(Token, usize)> {
    let digits = |from: usize| rest[from..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| from + n);
    let mut end = digits(0);
    if end > 1 && rest.starts_with('0') {
        return None;
    }
    if rest[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let exponent = end + 1 + sign;
        end = digits(exponent);
        if end == exponent {
            return None;
        }
    }
    if rest[end..].starts_with(|c: char| is_word_part(c) || c == '\\' || !c.is_ascii()) {
        return None;
    }
    Some((Token::Number(rest[..end].parse().ok()?), end))
}

/// Knows the escapes that are common in conditions; others (`\x41`, `\u0041`, octal) are left to the sandbox.
fn text(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((Token::Text(value), at + 1)),
            // The sandbox takes no NUL characters either.
            '\n' | '\r' | '\0' => return None,
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                same @ ('\'' | '"' | '\\' | '/') => same,
                _ => return None,
            }),
            _ => value.push(c),
        }
    }
    None
}
