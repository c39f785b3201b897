//! The structure of a JavaScript text as far as its tokens show it: matching brackets, ends of
//! operands, and the extent of an operator's operands.
//!
//! It is not a parser: it answers for expressions, and gives `None` where a parser would be needed.

use super::lexer::{Kind, Token};

/// Words that are followed by an operand.
const BEFORE_OPERAND: [&str; 13] = [
    "typeof",
    "void",
    "in",
    "instanceof",
    "new",
    "delete",
    "return",
    "await",
    "yield",
    "case",
    "throw",
    "else",
    "do",
];
/// Operators with one operand, which follows them.
const PREFIXES: [&str; 10] = [
    "!", "~", "+", "-", "++", "--", "typeof", "void", "delete", "new",
];

/// Precedence of a binary operator: the higher binds first. `None` for one that binds less than a
/// comparison by order, or is not a binary operator.
fn closeness(operator: &str) -> Option<u8> {
    Some(match operator {
        "**" => 5,
        "*" | "/" | "%" => 4,
        "+" | "-" => 3,
        "<<" | ">>" | ">>>" => 2,
        "<" | "<=" | ">" | ">=" | "in" | "instanceof" => 1,
        _ => return None,
    })
}

/// The right-associative operator: `a ** b ** c` is `a ** (b ** c)`.
const POWER: &str = "**";

/// The tokens of a text with their brackets.
pub struct Structure<'t> {
    /// All of them, in order.
    pub tokens: &'t [Token<'t>],
    /// For a closing bracket, the opening one.
    openers: Vec<Option<usize>>,
    /// For an opening bracket, the closing one.
    closers: Vec<Option<usize>>,
    /// For every token, the bracket it is in.
    around: Vec<Option<usize>>,
}

impl<'t> Structure<'t> {
    /// The structure of a text.
    pub fn of(tokens: &'t [Token<'t>]) -> Self {
        let mut structure = Self {
            tokens,
            openers: vec![None; tokens.len()],
            closers: vec![None; tokens.len()],
            around: Vec::with_capacity(tokens.len()),
        };
        let mut open = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            let (opens, closes) = match (token.kind, token.text) {
                (Kind::Sign, "(" | "[" | "{") => (true, false),
                (Kind::Sign, ")" | "]" | "}") => (false, true),
                (Kind::Template { opens, closes }, _) => (opens, closes),
                _ => (false, false),
            };
            if closes && let Some(opener) = open.pop() {
                structure.openers[index] = Some(opener);
                structure.closers[opener] = Some(index);
            }
            structure.around.push(open.last().copied());
            if opens {
                open.push(index);
            }
        }
        structure
    }

    /// The matching bracket.
    pub fn partner(&self, index: usize) -> Option<usize> {
        let of = |side: &[Option<usize>]| side.get(index).copied().flatten();
        of(&self.openers).or_else(|| of(&self.closers))
    }

    /// The opening bracket that the token is in.
    pub fn bracket_around(&self, index: usize) -> Option<usize> {
        self.around.get(index).copied().flatten()
    }

    /// Whether the token before `index` ends an operand, so that a bracket at `index` is a call or
    /// an index.
    pub fn ends_operand(&self, index: usize) -> bool {
        let Some(before) = index.checked_sub(1) else {
            return false;
        };
        let token = &self.tokens[before];
        match token.kind {
            Kind::Word => self.is_name(before) || !BEFORE_OPERAND.contains(&token.text),
            Kind::Sign => matches!(token.text, ")" | "]" | "}" | "?."),
            Kind::Template { opens, .. } => !opens,
            Kind::Number | Kind::BigInt | Kind::Text | Kind::Regex => true,
        }
    }

    /// Whether a word is the name of a member, which may be any word: `order.new`, `{delete: 1}`.
    pub fn is_name(&self, index: usize) -> bool {
        let before = index.checked_sub(1).map_or("", |before| self.text(before));
        let is_key = || self.text(index + 1) == ":" && matches!(before, "{" | ",");
        matches!(before, "." | "?.") || is_key()
    }

    /// The text of a token; empty after the last one.
    pub fn text(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| token.text)
    }

    /// The kind of a token; `None` after the last one.
    pub fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    /// The first token of the left operand of a binary operator.
    pub fn left_operand(&self, operator: usize) -> Option<usize> {
        let own = closeness(self.text(operator))?;
        let is_power = self.text(operator) == POWER;
        let mut end = operator.checked_sub(1)?;
        loop {
            let start = self.unary_before(end)?;
            let before = start.checked_sub(1).filter(|before| {
                closeness(self.text(*before)).is_some_and(|other| other >= own)
                    && !is_power
                    && !self.is_name(*before)
                    && self.ends_value(*before)
            });
            match before {
                Some(before) => end = before.checked_sub(1)?,
                None => return Some(start),
            }
        }
    }

    /// The last token of the right operand of a binary operator.
    pub fn right_operand(&self, operator: usize) -> Option<usize> {
        let own = closeness(self.text(operator))?;
        let is_power = self.text(operator) == POWER;
        let mut start = operator + 1;
        loop {
            let end = self.unary_after(start)?;
            let belongs = closeness(self.text(end + 1))
                .is_some_and(|other| other > own || (other == own && is_power));
            if !belongs {
                return Some(end);
            }
            start = end + 2;
        }
    }

    /// Whether a sign is a prefix operator instead of a binary one.
    pub fn is_prefix(&self, sign: usize) -> bool {
        !self.ends_value(sign)
    }

    /// Like [`Self::ends_operand`], but a postfix operator also ends a value.
    fn ends_value(&self, index: usize) -> bool {
        let is_postfix =
            |before: usize| matches!(self.text(before), "++" | "--") && self.ends_operand(before);
        self.ends_operand(index) || index.checked_sub(1).is_some_and(is_postfix)
    }

    /// The first token of the operand that ends at `end`, with its prefixes.
    fn unary_before(&self, mut end: usize) -> Option<usize> {
        if matches!(self.text(end), "++" | "--") {
            end = end.checked_sub(1)?;
        }
        let mut start = end;
        loop {
            start = self.primary_start(start)?;
            // Of a member, an index, a call or a tagged template, only the last part was passed so
            // far.
            let is_bracket = matches!(self.text(start), "(" | "[")
                || matches!(self.kind(start), Some(Kind::Template { .. }));
            match start.checked_sub(1) {
                Some(dot) if matches!(self.text(dot), "." | "?.") => start = dot.checked_sub(1)?,
                Some(before) if is_bracket && self.ends_operand(start) => start = before,
                _ => break,
            }
        }
        while let Some(prefix) = start.checked_sub(1) {
            let is_prefix = PREFIXES.contains(&self.text(prefix))
                && !self.is_name(prefix)
                && !self.ends_value(prefix);
            if !is_prefix {
                break;
            }
            start = prefix;
        }
        Some(start)
    }

    /// Where the word, literal or pair of brackets that ends at `end` begins. Braces end blocks as
    /// well as objects.
    fn primary_start(&self, end: usize) -> Option<usize> {
        match self.kind(end)? {
            Kind::Sign if matches!(self.text(end), ")" | "]") => self.openers[end],
            Kind::Sign => None,
            Kind::Template { opens: true, .. } => None,
            Kind::Template { closes: true, .. } => {
                let mut start = end;
                while let Some(opener) = self.openers[start] {
                    start = opener;
                }
                Some(start)
            }
            _ => Some(end),
        }
    }

    /// The last token of the operand that begins at `start`, with its prefixes, calls, indexes and
    /// members.
    pub fn unary_after(&self, mut start: usize) -> Option<usize> {
        while PREFIXES.contains(&self.text(start)) {
            start += 1;
        }
        let mut end = match self.kind(start)? {
            Kind::Sign if matches!(self.text(start), "(" | "[") => self.closers[start]?,
            Kind::Sign => return None,
            Kind::Word if matches!(self.text(start), "function" | "class" | "async") => {
                return None;
            }
            Kind::Template { .. } => self.template_end(start)?,
            _ => start,
        };
        loop {
            let next = end + 1;
            end = match (self.text(next), self.kind(next)) {
                ("." | "?.", _) if self.kind(next + 1) == Some(Kind::Word) => next + 1,
                ("?.", _) => self.closers.get(next + 1).copied().flatten()?,
                ("(" | "[", _) => self.closers[next]?,
                ("++" | "--", _) => return None,
                (_, Some(Kind::Template { closes: false, .. })) => self.template_end(next)?,
                _ => return Some(end),
            };
        }
    }

    fn template_end(&self, start: usize) -> Option<usize> {
        let mut end = start;
        while matches!(self.kind(end), Some(Kind::Template { opens: true, .. })) {
            end = self.closers[end]?;
        }
        Some(end)
    }
}
