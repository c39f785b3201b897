//! Patterns of a match, as far as the variants of an enum in them matter.

use super::tokens::{Token, behind};

/// A pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// `_`, `..` or a binding: fits everything.
    Any,
    /// A path, with the patterns in its brackets, by field name or position.
    Path(String, Vec<(String, Pattern)>),
    /// A tuple.
    Tuple(Vec<Pattern>),
    /// One of several.
    Or(Vec<Pattern>),
    /// A literal, a slice, a range.
    Other,
}

impl Pattern {
    /// Parses a pattern.
    pub fn parse(tokens: &[Token]) -> Self {
        let mut parts = split(tokens, "|");
        parts.retain(|part| !part.is_empty());
        match parts[..] {
            [] => Self::Any,
            [only] => Self::single(only),
            _ => Self::Or(parts.into_iter().map(Self::single).collect()),
        }
    }

    fn single(tokens: &[Token]) -> Self {
        let text = |at: usize| tokens.get(at).map_or("", |token| &*token.text);
        match text(0) {
            "&" | "mut" | "ref" => Self::single(&tokens[1..]),
            "_" | ".." | "" => Self::Any,
            "(" if behind(tokens, 0) == tokens.len() => {
                let inner = &tokens[1..tokens.len() - 1];
                let mut parts = split(inner, ",");
                parts.retain(|part| !part.is_empty());
                match parts[..] {
                    [only] => Self::parse(only),
                    _ => Self::Tuple(parts.into_iter().map(Self::parse).collect()),
                }
            }
            _ if text(1) == "@" => Self::parse(&tokens[2..]),
            word if word.starts_with(|letter: char| letter.is_alphabetic()) => Self::path(tokens),
            _ => Self::Other,
        }
    }

    fn path(tokens: &[Token]) -> Self {
        let is_name = |token: &Token| {
            token.text == "::" || token.text.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        let end = tokens
            .iter()
            .position(|token| !is_name(token))
            .unwrap_or(tokens.len());
        let name: String = tokens[..end].iter().map(|token| &*token.text).collect();
        let is_lower = name.starts_with(|letter: char| letter.is_lowercase());
        match tokens.get(end).map(|token| &*token.text) {
            None if is_lower && !name.contains("::") => Self::Any,
            None => Self::Path(name, Vec::new()),
            Some("(") => {
                let parts = split(&tokens[end + 1..tokens.len() - 1], ",")
                    .into_iter()
                    .enumerate();
                let parts = parts.filter(|(_, part)| !part.is_empty());
                Self::Path(
                    name,
                    parts
                        .map(|(nr, part)| (nr.to_string(), Self::parse(part)))
                        .collect(),
                )
            }
            Some("{") => {
                let parts = split(&tokens[end + 1..tokens.len() - 1], ",").into_iter();
                let named = parts.filter_map(|part| {
                    let field = part.first().filter(|field| field.text != "..")?;
                    let is_written = part.get(1).is_some_and(|colon| colon.text == ":");
                    let pattern = if is_written {
                        Self::parse(&part[2..])
                    } else {
                        Self::Any
                    };
                    Some((field.text.clone(), pattern))
                });
                Self::Path(name, named.collect())
            }
            Some(_) => Self::Other,
        }
    }

    /// Whether it names a variant of an enum, at any depth.
    pub fn names(&self, is_variant: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Any | Self::Other => false,
            Self::Path(name, inner) => {
                is_variant(name) || inner.iter().any(|(_, inner)| inner.names(is_variant))
            }
            Self::Tuple(parts) | Self::Or(parts) => parts.iter().any(|part| part.names(is_variant)),
        }
    }

    /// Whether it matches everything.
    fn is_any(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Tuple(parts) => parts.iter().all(Self::is_any),
            Self::Or(parts) => parts.iter().any(Self::is_any),
            Self::Path(..) | Self::Other => false,
        }
    }

    /// Whether it matches every variant at a position where another pattern of the match names one.
    pub fn passes_over(&self, other: &Self, is_variant: &dyn Fn(&str) -> bool) -> bool {
        match (self, other) {
            (Self::Or(parts), _) => parts.iter().any(|part| part.passes_over(other, is_variant)),
            (_, Self::Or(parts)) => parts.iter().any(|part| self.passes_over(part, is_variant)),
            (Self::Any, _) => other.names(is_variant),
            (Self::Tuple(own), Self::Tuple(others)) if own.len() == others.len() => {
                Self::all_pass(own.iter().zip(others), is_variant)
            }
            (Self::Path(own, inner), Self::Path(name, others)) if own == name => {
                let field = |name: &String| {
                    let mut found = inner.iter().filter(|(own, _)| own == name);
                    found.next().map_or(&Self::Any, |(_, pattern)| pattern)
                };
                let pairs = others.iter().map(|(name, other)| (field(name), other));
                Self::all_pass(pairs, is_variant)
            }
            _ => false,
        }
    }

    fn all_pass<'a>(
        pairs: impl Iterator<Item = (&'a Self, &'a Self)>,
        is_variant: &dyn Fn(&str) -> bool,
    ) -> bool {
        let mut passed = false;
        for (own, other) in pairs {
            if other.names(is_variant) {
                if !own.passes_over(other, is_variant) {
                    return false;
                }
                passed = true;
            } else if !own.is_any() && own != other {
                return false;
            }
        }
        passed
    }
}

/// Tokens between separators outside of brackets.
pub fn split<'a>(tokens: &'a [Token], separator: &str) -> Vec<&'a [Token]> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        match &*tokens[at].text {
            "(" | "[" | "{" => at = behind(tokens, at),
            text if text == separator => {
                parts.push(&tokens[from..at]);
                at += 1;
                from = at;
            }
            _ => at += 1,
        }
    }
    parts.push(&tokens[from.min(tokens.len())..]);
    parts
}
