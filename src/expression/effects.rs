//! Finds what makes a condition more than one expression without side effects (assignments,
//! statements, calls that change data or do not exist), with the place and what to write instead.
//!
//! It looks at tokens only, and is strict where they are ambiguous. It is not a security boundary:
//! data are frozen (`input`). Text that is not JavaScript at all is reported by the script engine,
//! words of other languages by `other_languages`.
//!
//! # Rationale
//!
//! **A condition is checked by its tokens, not by a second JavaScript parser.** The script engine
//! reports what is not an expression; side effects are recognised by tokens, which a small lexer,
//! used by the fast path too, splits exactly. A parser crate would add megabytes to the program.

mod calls;

use std::ops::Deref;

use super::{
    lexer::{Kind, Token},
    numerals,
    structure::Structure,
};

/// The mistake and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Byte offset in the text.
    pub at: usize,
    /// The finding and its replacement, as the second half of a sentence.
    pub found: String,
}

#[rustfmt::skip]
const ASSIGNMENTS: [&str; 15] =
    ["+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "&&=", "||=", "??="];

/// Words that begin a statement or declare something.
#[rustfmt::skip]
const STATEMENTS: [&str; 26] = [
    "await", "break", "case", "catch", "class", "const", "continue", "debugger", "do", "else", "export", "finally", "for", "function",
    "if", "import", "let", "return", "super", "switch", "throw", "try", "var", "while", "with", "yield",
];

/// The types that `new` may create: values that are not part of the data.
const MADE: [&str; 4] = ["Array", "Map", "RegExp", "Set"];

/// Checks a condition.
///
/// # Errors
/// The first fault of the condition.
pub fn check(tokens: &[Token<'_>]) -> Result<(), Fault> {
    let check = EffectCheck(Structure::of(tokens));
    (0..tokens.len()).try_for_each(|index| match check.fault(index) {
        Some(found) => Err(Fault {
            at: tokens[index].at,
            found,
        }),
        None => Ok(()),
    })
}

/// Checks the numbers of a script: those that JavaScript would round. Other faults do not apply to
/// scripts.
///
/// # Errors
/// The first such number.
pub fn check_numbers(tokens: &[Token<'_>]) -> Result<(), Fault> {
    let fault = |token: &Token<'_>| {
        numerals::mistake(token.text).map(|found| Fault {
            at: token.at,
            found,
        })
    };
    tokens
        .iter()
        .filter(|token| token.kind == Kind::Number)
        .find_map(fault)
        .map_or(Ok(()), Err)
}

struct EffectCheck<'t>(Structure<'t>);

impl<'t> Deref for EffectCheck<'t> {
    type Target = Structure<'t>;

    fn deref(&self) -> &Structure<'t> {
        &self.0
    }
}

impl EffectCheck<'_> {
    fn fault(&self, index: usize) -> Option<String> {
        let token = &self.tokens[index];
        match token.kind {
            Kind::Number => numerals::mistake(token.text).or_else(|| self.never_identical(index)),
            Kind::Sign => self.sign(index).or_else(|| self.called_value(index)),
            Kind::Word if !self.is_name(index) => self.word(index).or_else(|| self.call(index)),
            Kind::Text if token.text.contains("${") => Some(
                "`${` in a text is not filled in; write the name without quotes, or the \
                    text in backquotes"
                    .to_owned(),
            ),
            Kind::Word | Kind::Text => self
                .changing_call(index)
                .or_else(|| self.unrepeatable(index))
                .or_else(|| self.borrowed_method(index))
                .or_else(|| self.unknown_method(index)),
            Kind::Template { closes: false, .. } if self.ends_operand(index) => Some(
                "a text in backquotes right behind a value calls it as a function; write one \
                expression over the data"
                    .to_owned(),
            ),
            Kind::Template { .. } => self
                .changing_call(index)
                .or_else(|| self.unrepeatable(index)),
            Kind::BigInt | Kind::Regex => None,
        }
    }

    fn sign(&self, index: usize) -> Option<String> {
        Some(match self.tokens[index].text {
            "=" if self.text(index + 1) == "<" => {
                "`=<` is no operator of JavaScript; write `<=`".to_owned()
            }
            "=" => "`=` assigns a value; write `==` to compare".to_owned(),
            sign @ ("++" | "--") => format!("`{sign}` changes a value; write + 1 or - 1"),
            sign if ASSIGNMENTS.contains(&sign) => {
                format!("`{sign}` assigns a value; write what it computes, or `==` to compare")
            }
            ";" => "`;` ends a statement; write one expression, joined by && or ||".to_owned(),
            "=>" if self.text(index + 1) == "{" => {
                "a function has statements; write its result, as in x => x.age > 18".to_owned()
            }
            "=>" if self.bracket_around(index).is_none() => {
                "`=>` makes a function, which is neither true nor false; write `>=` to compare"
                    .to_owned()
            }
            "{" if index > 0 && self.text(index - 1) == "$" => {
                "`${` begins something within the condition; write names as they are, in one \
                ${…} around all of it"
                    .to_owned()
            }
            "{" if index > 0 && self.text(index - 1) == ")" => "a function has statements; write \
                one expression"
                .to_owned(),
            "," if self.joins_expressions(index) => "`,` puts one expression after another; join \
                them by && or ||"
                .to_owned(),
            _ => return None,
        })
    }

    /// Whether a comma is JavaScript's comma operator, whose value is only the last part.
    fn joins_expressions(&self, comma: usize) -> bool {
        let Some(open) = self.bracket_around(comma) else {
            return true;
        };
        match self.tokens[open].text {
            "{" => false,
            // The bracket of a call or an index; otherwise that of a list, a group or the
            // parameters of a function.
            "(" if self.ends_operand(open) => false,
            "(" => self
                .partner(open)
                .is_none_or(|close| self.text(close + 1) != "=>"),
            "[" => self.ends_operand(open),
            _ => true,
        }
    }

    fn word(&self, index: usize) -> Option<String> {
        let word = self.tokens[index].text;
        Some(match word {
            "delete" => {
                "`delete` changes the data; write == null to ask whether something is there"
                    .to_owned()
            }
            "this" => "`this` is nothing in a condition; write `input` for all data".to_owned(),
            "async"
                if matches!(self.text(index + 1), "(" | "function")
                    || self.kind(index + 1) == Some(Kind::Word) =>
            {
                "`async` begins a function that answers later; write one expression".to_owned()
            }
            "new" if !MADE.contains(&self.text(index + 1)) => {
                format!(
                    "`new {}` is not there; write one expression over the data",
                    self.text(index + 1)
                )
            }
            word if STATEMENTS.contains(&word) => {
                format!("`{word}` begins a statement; write one expression that is true or false")
            }
            _ => return None,
        })
    }

    /// A number beyond 2^53 compared by `===` with data, where it is a `BigInt`: never equal.
    fn never_identical(&self, index: usize) -> Option<String> {
        let before = index.checked_sub(1).map_or("", |before| self.text(before));
        let is_identity = |sign: &str| matches!(sign, "===" | "!==");
        let numeral = self.text(index);
        (numerals::is_beyond_safe(numeral)
            && (is_identity(before) || is_identity(self.text(index + 1))))
        .then(|| {
            format!(
                "whole numbers of the data from 2^53 on are BigInts, which are never `===` a \
                number; write `==`, or {numeral}n"
            )
        })
    }
}

#[cfg(test)]
mod tests;
