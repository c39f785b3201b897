//! Parses expressions in JUEL and FEEL.

use serde_json::Value;

use super::{Comparison, Notation, Operator, Term};
use crate::model::{path::DataPath, template::Template};

/// Most parentheses, signs and choices around an operand.
const MAX_DEPTH: usize = 32;
/// Most operators of an expression.
const MAX_OPERATORS: usize = 100;

/// Signs, the longer ones first.
const SIGNS: [&str; 19] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "+", "-", "*", "/", "%", "?", ":",
    "=",
];
/// Words that are no path.
#[rustfmt::skip]
const JUEL_WORDS: [&str; 15] = [
    "and", "or", "not", "eq", "ne", "lt", "gt", "le", "ge", "empty", "instanceof", "mod", "div", "execution", "task",
];
/// Words that are no path.
#[rustfmt::skip]
const FEEL_WORDS: [&str; 14] = [
    "and", "or", "not", "if", "then", "else", "in", "between", "some", "every", "satisfies", "for", "return", "instance",
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    /// A path, an operator in words, or a number.
    Word(&'a str),
    /// A text, without its quotes.
    Text(&'a str),
    Sign(&'a str),
}

/// Parses an expression.
///
/// # Errors
/// What is not understood, as a sentence.
pub(super) fn parse(text: &str, notation: Notation) -> Result<Term, String> {
    let not_read = || {
        let text = text.trim();
        format!(
            "expected a path, or arithmetic, comparisons and logic of paths, numbers and texts, \
            but got `{text}`; compute it by an action of type businessRule"
        )
    };
    let mut parser = Parser {
        tokens: tokens(text, notation).ok_or_else(not_read)?,
        at: 0,
        operators: 0,
        notation,
    };
    let term = parser.choice(0).ok_or_else(not_read)?;
    let is_whole = parser.at == parser.tokens.len() && parser.operators <= MAX_OPERATORS;
    is_whole.then_some(term).ok_or_else(not_read)
}

/// The expression with one blank between its parts.
pub(super) fn spaced(text: &str, notation: Notation) -> Option<String> {
    let tokens = tokens(text, notation)?;
    let parts = tokens.iter().map(|token| match token {
        Token::Word(part) | Token::Sign(part) => (*part).to_owned(),
        Token::Text(text) if text.contains('"') => format!("'{text}'"),
        Token::Text(text) => format!("\"{text}\""),
    });
    Some(parts.collect::<Vec<_>>().join(" "))
}

fn tokens(text: &str, notation: Notation) -> Option<Vec<Token<'_>>> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            let is_index = |c: char| notation == Notation::Juel && "[]".contains(c);
            let is_part = |c: char| c.is_alphanumeric() || "_.".contains(c) || is_index(c);
            let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            found.push(Token::Word(&rest[..length]));
            length
        } else if first == '"' || first == '\'' && notation == Notation::Juel {
            let inside = &rest[1..];
            let length = inside.find(first)?;
            if inside[..length].contains('\\') {
                return None;
            }
            found.push(Token::Text(&inside[..length]));
            length + 2
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
            found.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[length..].trim_start();
    }
    Some(found)
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    operators: usize,
    notation: Notation,
}

impl Parser<'_> {
    fn is_juel(&self) -> bool {
        self.notation == Notation::Juel
    }

    /// Takes one of these words or signs, unless there were too many.
    fn take<T: Copy>(&mut self, known: &[(&str, T)]) -> Option<T> {
        let next = match *self.tokens.get(self.at)? {
            Token::Word(next) | Token::Sign(next) if self.operators <= MAX_OPERATORS => next,
            _ => return None,
        };
        let (_, found) = known.iter().find(|(word, _)| *word == next)?;
        self.at += 1;
        self.operators += 1;
        Some(*found)
    }

    fn takes(&mut self, word: &str) -> bool {
        self.take(&[(word, ())]).is_some()
    }

    fn choice(&mut self, depth: usize) -> Option<Term> {
        if depth > MAX_DEPTH {
            return None;
        }
        if !self.is_juel() && self.takes("if") {
            let condition = self.choice(depth + 1)?;
            let yes = self.takes("then").then(|| self.choice(depth + 1))??;
            let no = self.takes("else").then(|| self.choice(depth + 1))??;
            return Some(Term::Choice(Box::new((condition, yes, no))));
        }
        let condition = self.any(depth)?;
        if self.is_juel() && self.takes("?") {
            let yes = self.choice(depth + 1)?;
            let no = self.takes(":").then(|| self.choice(depth + 1))??;
            return Some(Term::Choice(Box::new((condition, yes, no))));
        }
        Some(condition)
    }

    fn any(&mut self, depth: usize) -> Option<Term> {
        let mut left = self.all(depth)?;
        while self.takes("or") || self.is_juel() && self.takes("||") {
            left = Term::Or(Box::new((left, self.all(depth)?)));
        }
        Some(left)
    }

    fn all(&mut self, depth: usize) -> Option<Term> {
        let mut left = self.equality(depth)?;
        while self.takes("and") || self.is_juel() && self.takes("&&") {
            left = Term::And(Box::new((left, self.equality(depth)?)));
        }
        Some(left)
    }

    fn equality(&mut self, depth: usize) -> Option<Term> {
        let mut left = self.comparison(depth)?;
        let signs: &[(&str, bool)] = match self.notation {
            Notation::Juel => &[("==", true), ("eq", true), ("!=", false), ("ne", false)],
            Notation::Feel => &[("=", true), ("!=", false)],
        };
        while let Some(is_equal) = self.take(signs) {
            let equal = Term::Equal(Box::new((left, self.comparison(depth)?)));
            left = match is_equal {
                true => equal,
                false => Term::Not(Box::new(equal)),
            };
        }
        Some(left)
    }

    fn comparison(&mut self, depth: usize) -> Option<Term> {
        use Comparison::{AtLeast, AtMost, Greater, Less};
        let mut left = self.sum(depth)?;
        let known = [
            ("<=", AtMost),
            (">=", AtLeast),
            ("<", Less),
            (">", Greater),
            ("le", AtMost),
            ("ge", AtLeast),
            ("lt", Less),
            ("gt", Greater),
        ];
        let known = if self.is_juel() {
            &known[..]
        } else {
            &known[..4]
        };
        while let Some(comparison) = self.take(known) {
            left = Term::Ordered(Box::new((left, comparison, self.sum(depth)?)));
        }
        Some(left)
    }

    fn sum(&mut self, depth: usize) -> Option<Term> {
        let mut left = self.product(depth)?;
        let signs = [("+", Operator::Add), ("-", Operator::Subtract)];
        while let Some(operator) = self.take(&signs) {
            left = Term::Arithmetic(Box::new((left, operator, self.product(depth)?)));
        }
        Some(left)
    }

    fn product(&mut self, depth: usize) -> Option<Term> {
        let mut left = self.sign(depth)?;
        let signs: &[(&str, Operator)] = match self.notation {
            Notation::Juel => &[
                ("*", Operator::Multiply),
                ("/", Operator::Divide),
                ("div", Operator::Divide),
                ("%", Operator::Remainder),
                ("mod", Operator::Remainder),
            ],
            Notation::Feel => &[("*", Operator::Multiply), ("/", Operator::Divide)],
        };
        while let Some(operator) = self.take(signs) {
            left = Term::Arithmetic(Box::new((left, operator, self.sign(depth)?)));
        }
        Some(left)
    }

    fn sign(&mut self, depth: usize) -> Option<Term> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.takes("-") {
            return Some(Term::Minus(Box::new(self.sign(depth + 1)?)));
        }
        if self.is_juel() && (self.takes("!") || self.takes("not")) {
            return Some(Term::Not(Box::new(self.sign(depth + 1)?)));
        }
        if self.is_juel() && self.takes("empty") {
            return Some(Term::Empty(Box::new(self.sign(depth + 1)?)));
        }
        if !self.is_juel() && self.takes("not") {
            let inner = self.takes("(").then(|| self.choice(depth + 1))??;
            return self.takes(")").then(|| Term::Not(Box::new(inner)));
        }
        let is_call = self.tokens.get(self.at + 1) == Some(&Token::Sign("("));
        if !self.is_juel() && is_call && self.takes("string") {
            let inner = self.takes("(").then(|| self.choice(depth + 1))??;
            return self.takes(")").then(|| Term::InText(Box::new(inner)));
        }
        self.operand(depth)
    }

    fn operand(&mut self, depth: usize) -> Option<Term> {
        if self.takes("(") {
            let inner = self.choice(depth + 1)?;
            return self.takes(")").then_some(inner);
        }
        let token = *self.tokens.get(self.at)?;
        self.at += 1;
        match token {
            Token::Text(text) => Some(Term::Constant(text.into())),
            Token::Sign(_) => None,
            Token::Word("true") => Some(Term::Constant(true.into())),
            Token::Word("false") => Some(Term::Constant(false.into())),
            Token::Word("null") => Some(Term::Constant(Value::Null)),
            Token::Word(word) if word.starts_with(|c: char| c.is_ascii_digit()) => number(word),
            Token::Word(word) => self.path(word),
        }
    }

    fn path(&self, word: &str) -> Option<Term> {
        let path = DataPath::parse(word).ok()?;
        let words: &[&str] = match self.notation {
            Notation::Juel => &JUEL_WORDS,
            Notation::Feel => &FEEL_WORDS,
        };
        // A name of the engine is no variable of the process.
        let template = Template::compile(&format!("${{{path}}}"));
        let is_data = template.is_ok_and(|it| it.paths().next().is_some());
        (is_data && !words.contains(&path.first())).then_some(Term::Path(path))
    }
}

/// A number without exponent.
fn number(word: &str) -> Option<Term> {
    let is_plain = word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: serde_json::Number = word.parse().ok().filter(|_| is_plain)?;
    Some(Term::Constant(Value::Number(number)))
}
