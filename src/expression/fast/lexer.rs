//! The tokens of the fast grammar, a subset of JavaScript's, with their values.

use super::super::{
    lexer::{self, Kind},
    numerals,
};
use super::expression::{Arithmetic, Comparison};

/// A token of the fast grammar.
#[derive(Clone, Debug, PartialEq)]
pub enum FastToken {
    /// An identifier or a keyword.
    Word(String),
    /// A number without sign.
    Number(f64),
    /// A `BigInt` without sign.
    BigInt(i128),
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
    /// `+`, `-`, `*`, `/`, `%`
    Arithmetic(Arithmetic),
    /// `?`
    Question,
    /// `:`
    Colon,
    /// `=`
    Assign,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `{`
    OpenBlock,
    /// `}`
    CloseBlock,
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

/// The tokens of a text; `None` when one is not in the fast grammar.
pub fn tokens(source: &[lexer::Token<'_>]) -> Option<Vec<FastToken>> {
    source.iter().map(token).collect()
}

/// The same for a text without escapes outside of texts: its names may have any letters. In a
/// language with `exact` numbers whole ones may be of any size.
pub fn plain_tokens(source: &[lexer::Token<'_>], exact: bool) -> Option<Vec<FastToken>> {
    let read = |it: &lexer::Token<'_>| match it.kind {
        Kind::Word => Some(FastToken::Word(it.text.to_owned())),
        Kind::Number => token(it).or_else(|| {
            let whole = it.text.parse().ok().filter(|_| exact);
            whole.map(FastToken::BigInt)
        }),
        _ => token(it),
    };
    source.iter().map(read).collect()
}

fn token(token: &lexer::Token<'_>) -> Option<FastToken> {
    match token.kind {
        // Names with other letters, or with escapes of letters, are left to the sandbox.
        Kind::Word => {
            let plain = token
                .text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
            plain.then(|| FastToken::Word(token.text.to_owned()))
        }
        Kind::Number => number(token.text).map(FastToken::Number),
        Kind::BigInt => decimal_bigint(token.text).map(FastToken::BigInt),
        Kind::Text => text(token.text).map(FastToken::Text),
        Kind::Sign => sign(token.text),
        Kind::Template { .. } | Kind::Regex => None,
    }
}

fn sign(text: &str) -> Option<FastToken> {
    Some(match text {
        "===" => FastToken::Comparison(Comparison::StrictlyEqual),
        "!==" => FastToken::Comparison(Comparison::StrictlyNotEqual),
        "==" => FastToken::Comparison(Comparison::Equal),
        "!=" => FastToken::Comparison(Comparison::NotEqual),
        "<=" => FastToken::Comparison(Comparison::LessOrEqual),
        ">=" => FastToken::Comparison(Comparison::GreaterOrEqual),
        "<" => FastToken::Comparison(Comparison::Less),
        ">" => FastToken::Comparison(Comparison::Greater),
        "&&" => FastToken::And,
        "||" => FastToken::Or,
        "!" => FastToken::Not,
        "+" => FastToken::Arithmetic(Arithmetic::Plus),
        "-" => FastToken::Arithmetic(Arithmetic::Minus),
        "*" => FastToken::Arithmetic(Arithmetic::Times),
        "/" => FastToken::Arithmetic(Arithmetic::Over),
        "%" => FastToken::Arithmetic(Arithmetic::Modulo),
        "?" => FastToken::Question,
        ":" => FastToken::Colon,
        "=" => FastToken::Assign,
        "," => FastToken::Comma,
        ";" => FastToken::Semicolon,
        "{" => FastToken::OpenBlock,
        "}" => FastToken::CloseBlock,
        "." => FastToken::Dot,
        "(" => FastToken::Open,
        ")" => FastToken::Close,
        "[" => FastToken::OpenIndex,
        "]" => FastToken::CloseIndex,
        _ => return None,
    })
}

/// Decimal numbers only: `0x1f`, `1_000` and `017` are left to the sandbox, and so are numbers that
/// JavaScript would round or that are never identical with data; the check there rejects them.
fn number(text: &str) -> Option<f64> {
    let is_octal = text.len() > 1 && text.starts_with('0') && text.as_bytes()[1].is_ascii_digit();
    // For these characters, Rust's decimal grammar is the same as JavaScript's.
    let is_decimal = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let is_plain = numerals::mistake(text).is_none() && !numerals::is_beyond_safe(text);
    (is_decimal && !is_octal && is_plain)
        .then(|| text.parse().ok())
        .flatten()
}

fn decimal_bigint(text: &str) -> Option<i128> {
    let digits = text.strip_suffix('n')?;
    let plain = digits == "0"
        || (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
    // Short enough for numbers and texts to be compared exactly.
    (plain && digits.len() <= 30)
        .then(|| digits.parse().ok())
        .flatten()
}

/// Supports the escapes that are common in conditions; others (`\x41`, `\u0041`, octal) are left to
/// the sandbox.
fn text(quoted: &str) -> Option<String> {
    let mut value = String::new();
    let mut chars = quoted[1..quoted.len() - 1].chars();
    while let Some(c) = chars.next() {
        value.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                same @ ('\'' | '"' | '\\' | '/') => same,
                _ => return None,
            },
            _ => c,
        });
    }
    Some(value)
}
