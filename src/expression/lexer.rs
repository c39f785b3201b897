//! Splits JavaScript into tokens, for the fast path and for the checks that precede the script
//! engine.
//!
//! It is exact for expressions. In statements, a `/` after `}` may begin a division or a regular
//! expression, which only the engine can know; a caller that reads scripts must try both readings
//! or tolerate the error. Whether the tokens form valid syntax is not checked here.

/// A token and its place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The kind of token.
    pub kind: Kind,
    /// Its text as written.
    pub text: &'a str,
    /// Byte offset of its beginning.
    pub at: usize,
}

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or a keyword.
    Word,
    /// A number without sign: `18`, `.5`, `0x1f`.
    Number,
    /// `18n`
    BigInt,
    /// A string in quotes.
    Text,
    /// A template literal, or a part of one up to `${` or starting at `}`.
    Template {
        /// It ends with `${`: an expression follows.
        opens: bool,
        /// It begins with the `}` of an expression.
        closes: bool,
    },
    /// A regular expression with its flags.
    Regex,
    /// A punctuator.
    Sign,
}

/// The place where a text is no longer JavaScript, and the mistake there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexError {
    /// Byte offset in the text.
    pub at: usize,
    /// The finding, as the second half of a sentence.
    pub found: &'static str,
}

/// Longest first, so that `===` is not read as `==` and `=`.
#[rustfmt::skip]
const SIGNS: [&str; 57] = [
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??=", "=>", "==", "!=", "<=", ">=", "&&", "||", "??",
    "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "**", "{", "}", "(", ")", "[", "]", ";", ",",
    "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "!", "~", "?", ":", "=", ".",
];

/// Words followed by an operand, so that a `/` after them begins a regular expression.
#[rustfmt::skip]
const BEFORE_OPERAND: [&str; 14] = [
    "typeof", "void", "in", "instanceof", "new", "delete", "return", "throw", "case", "else", "do", "await", "yield", "of",
];

/// The tokens of `source`, without comments.
///
/// # Errors
/// The first place where no token can be read.
pub fn tokens(source: &str) -> Result<Vec<Token<'_>>, LexError> {
    read(source, false)
}

/// Like [`tokens`], for statements: a `/` after `}` begins a regular expression.
///
/// # Errors
/// The first place where no token can be read.
pub fn statement_tokens(source: &str) -> Result<Vec<Token<'_>>, LexError> {
    read(source, true)
}

fn read(source: &str, brace_ends_statement: bool) -> Result<Vec<Token<'_>>, LexError> {
    let mut lexer = Lexer {
        brace_ends_statement,
        source,
        at: 0,
        tokens: Vec::new(),
        braces: Vec::new(),
        parentheses: Vec::new(),
        head_closed: false,
    };
    while lexer.skip_blanks()? {
        let at = lexer.at;
        let (kind, length) = lexer.token(&source[at..])?;
        lexer.at += length;
        lexer.push(Token {
            kind,
            text: &source[at..at + length],
            at,
        });
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    /// Whether a closing brace is taken as the end of a block rather than of an object.
    brace_ends_statement: bool,
    source: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
    /// The open braces; `true` for one that belongs to a template.
    braces: Vec<bool>,
    /// The open parentheses; `true` for one that belongs to a statement such as `if (…)`.
    parentheses: Vec<bool>,
    /// Whether the last token closed such a parenthesis, so that a statement follows.
    head_closed: bool,
}

impl<'a> Lexer<'a> {
    /// Skips blanks and comments; `false` at the end.
    fn skip_blanks(&mut self) -> Result<bool, LexError> {
        loop {
            let rest = self.source[self.at..].trim_start_matches(is_space);
            self.at = self.source.len() - rest.len();
            if rest.starts_with("//") {
                self.at += rest.find(is_line_end).unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let length = comment
                    .find("*/")
                    .ok_or_else(|| self.error("the comment does not end"))?;
                self.at += length + 4;
            } else if rest.starts_with("<!--") {
                return Err(self.error("`<!--` begins a comment of HTML"));
            } else {
                return Ok(!rest.is_empty());
            }
        }
    }

    fn token(&self, rest: &str) -> Result<(Kind, usize), LexError> {
        let first = rest.chars().next().unwrap_or_default();
        let digit_follows = rest[first.len_utf8()..].starts_with(|c: char| c.is_ascii_digit());
        match first {
            '0'..='9' => self.number(rest),
            '.' if digit_follows => self.number(rest),
            '\'' | '"' => Ok((Kind::Text, self.text(rest, first)?)),
            '`' => self.template(rest, false),
            '}' if self.braces.last() == Some(&true) => self.template(rest, true),
            '/' if self.expects_operand() => Ok((Kind::Regex, self.regex(rest)?)),
            _ if is_word_part(first) => Ok((
                Kind::Word,
                rest.find(|c| !is_word_part(c)).unwrap_or(rest.len()),
            )),
            // In `a?.5:1` there is no optional access.
            '?' if rest.starts_with("?.")
                && rest[2..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                Ok((Kind::Sign, 1))
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => Ok((Kind::Sign, sign.len())),
                None if rest.starts_with("#{") => {
                    Err(self.error("`#{…}` is not supported, names stand as they are, in one ${…}"))
                }
                None => Err(self.error("this character means nothing there")),
            },
        }
    }

    fn number(&self, rest: &str) -> Result<(Kind, usize), LexError> {
        let run = |from: usize, fits: fn(char) -> bool| {
            rest[from..]
                .find(|c| !fits(c))
                .map_or(rest.len(), |n| from + n)
        };
        let digits = |from| run(from, |c| c.is_ascii_digit() || c == '_');
        let other_base =
            rest.starts_with('0') && rest[1..].starts_with(['x', 'X', 'o', 'O', 'b', 'B']);
        let mut end = if other_base {
            run(2, |c| c.is_ascii_hexdigit() || c == '_')
        } else {
            digits(0)
        };
        if !other_base {
            if rest[end..].starts_with('.') {
                end = digits(end + 1);
            }
            if rest[end..].starts_with(['e', 'E']) {
                end = digits(end + 1 + usize::from(rest[end + 1..].starts_with(['+', '-'])));
            }
        }
        let kind = if rest[end..].starts_with('n') {
            Kind::BigInt
        } else {
            Kind::Number
        };
        end += usize::from(kind == Kind::BigInt);
        if rest[end..].starts_with(is_word_part) {
            return Err(self.error("a number is followed by letters"));
        }
        Ok((kind, end))
    }

    fn text(&self, rest: &str, quote: char) -> Result<usize, LexError> {
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => return Ok(at + 1),
                '\n' | '\r' | '\0' => break,
                '\\' => drop(chars.next()),
                _ => {}
            }
        }
        Err(self.error("the text does not end"))
    }

    fn template(&self, rest: &str, closes: bool) -> Result<(Kind, usize), LexError> {
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '`' => {
                    return Ok((
                        Kind::Template {
                            opens: false,
                            closes,
                        },
                        at + 1,
                    ));
                }
                '$' if rest[at + 1..].starts_with('{') => {
                    return Ok((
                        Kind::Template {
                            opens: true,
                            closes,
                        },
                        at + 2,
                    ));
                }
                '\\' => drop(chars.next()),
                _ => {}
            }
        }
        Err(self.error("the template does not end"))
    }

    fn regex(&self, rest: &str) -> Result<usize, LexError> {
        let mut in_class = false;
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                _ if is_line_end(c) => break,
                '/' if !in_class => {
                    let flags = &rest[at + 1..];
                    return Ok(at + 1 + flags.find(|c| !is_word_part(c)).unwrap_or(flags.len()));
                }
                '[' => in_class = true,
                ']' => in_class = false,
                '\\' => drop(chars.next()),
                _ => {}
            }
        }
        Err(self.error("the regular expression does not end"))
    }

    /// Whether an operand is expected, so that a `/` is not a division.
    fn expects_operand(&self) -> bool {
        let Some(last) = self.tokens.last() else {
            return true;
        };
        match last.kind {
            Kind::Word => {
                let is_member = self
                    .tokens
                    .iter()
                    .rev()
                    .nth(1)
                    .is_some_and(|before| matches!(before.text, "." | "?."));
                !is_member && BEFORE_OPERAND.contains(&last.text)
            }
            Kind::Sign if last.text == "}" => self.brace_ends_statement,
            Kind::Sign => self.head_closed || !matches!(last.text, ")" | "]" | "}" | "++" | "--"),
            Kind::Template { opens, .. } => opens,
            Kind::Number | Kind::BigInt | Kind::Text | Kind::Regex => false,
        }
    }

    fn push(&mut self, token: Token<'a>) {
        self.head_closed = false;
        match (token.kind, token.text) {
            (Kind::Sign, "{") => self.braces.push(false),
            (Kind::Sign, "}") => drop(self.braces.pop()),
            (Kind::Template { opens, closes }, _) => {
                if closes {
                    self.braces.pop();
                }
                if opens {
                    self.braces.push(true);
                }
            }
            (Kind::Sign, "(") => {
                let statement =
                    |last: &Token<'_>| matches!(last.text, "if" | "while" | "for" | "with");
                self.parentheses
                    .push(self.tokens.last().is_some_and(statement));
            }
            (Kind::Sign, ")") => self.head_closed = self.parentheses.pop() == Some(true),
            _ => {}
        }
        self.tokens.push(token);
    }

    fn error(&self, found: &'static str) -> LexError {
        LexError { at: self.at, found }
    }
}

/// JavaScript's white space and line terminators: Unicode's white space without NEXT LINE, plus the
/// byte order mark.
pub fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// Whether a character may be part of a name. Only the engine knows exactly which letters beyond
/// ASCII may be; `\` begins the escape of one.
fn is_word_part(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '\\')
    } else {
        !is_space(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let found = tokens(source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        assert_eq!(
            found.iter().map(|token| token.text).collect::<Vec<_>>(),
            expected,
            "{source}"
        );
        assert!(
            found
                .iter()
                .all(|token| source[token.at..].starts_with(token.text)),
            "{source}"
        );
    }

    #[test]
    fn texts_are_split_as_javascript_splits_them() {
        check(
            "a.b>=18&&!c // end",
            &["a", ".", "b", ">=", "18", "&&", "!", "c"],
        );
        check("a = b === 'x=\\'y'", &["a", "=", "b", "===", "'x=\\'y'"]);
        check(
            "1.5e-3 + .5 + 0x1F + 7n - 1_000",
            &["1.5e-3", "+", ".5", "+", "0x1F", "+", "7n", "-", "1_000"],
        );
        check(
            "a?.b ?? c?.5:1",
            &["a", "?.", "b", "??", "c", "?", ".5", ":", "1"],
        );
        check(
            "`a${ {b: `${c}`}.b }=d` == e",
            &[
                "`a${", "{", "b", ":", "`${", "c", "}`", "}", ".", "b", "}=d`", "==", "e",
            ],
        );
        check(
            "/=[/\"]+/g.test(a) / b / c",
            &["/=[/\"]+/g", ".", "test", "(", "a", ")", "/", "b", "/", "c"],
        );
        check(
            "x.typeof / 2 / y",
            &["x", ".", "typeof", "/", "2", "/", "y"],
        );
        check(
            "if (a) /b/.test(c)",
            &["if", "(", "a", ")", "/b/", ".", "test", "(", "c", ")"],
        );
        check("größe /* == */ < 3", &["größe", "<", "3"]);
        check("", &[]);
    }

    #[test]
    fn invalid_javascript_is_reported_with_its_position() {
        for (source, at) in [
            ("a == 'b", 5),
            ("`${a}", 4),
            ("1 + 2px", 4),
            ("a /* b", 2),
            ("a == #b", 5),
            ("/a", 0),
            ("a <!-- b", 2),
        ] {
            assert_eq!(
                tokens(source).map_err(|error| error.at),
                Err(at),
                "{source}"
            );
        }
    }
}
