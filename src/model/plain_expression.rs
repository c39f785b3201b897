//! Plain expressions in languages of process engines (FEEL, JUEL, MVEL, Java, Groovy, …),
//! translated to JavaScript if they mean the same in all of them: paths, texts, numbers,
//! comparisons, `and`, `or` and `not`. Other expressions are not translated.
//!
//! Not here: the language that a document declares (`expression_language`), JavaScript itself
//! (`expression`).

/// Most parentheses and `not`s around an operand.
const MAX_DEPTH: usize = 32;
/// The longest expression that is translated, in bytes.
const MAX_BYTES: usize = 4 << 10;

/// Words that are not paths.
#[rustfmt::skip]
const WORDS: [&str; 22] = [
    "and", "or", "not", "eq", "ne", "lt", "gt", "le", "ge", "AND", "OR", "NOT", "empty", "in", "instanceof", "new", "mod", "div",
    "if", "return", "between", "instance",
];

#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    /// A path, an operator in words, or a number.
    Word(&'a str),
    /// A text, without its quotes.
    Text(&'a str),
    Sign(&'a str),
}

/// The expression in JavaScript; `None` if it is not plain. `return …;` around it is ignored; a
/// single `=` is a comparison only if `single_equals` is set, as in FEEL.
pub fn in_javascript(text: &str, single_equals: bool) -> Option<String> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let text = text.trim();
    let text = match text.strip_prefix("return") {
        Some(rest) if rest.starts_with([' ', '(', '\t', '\n']) => {
            rest.trim().strip_suffix(';').unwrap_or(rest)
        }
        _ => text,
    };
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        single_equals,
    };
    let read = parser.any(0)?;
    (parser.at == parser.tokens.len()).then_some(read)
}

/// The path, if the text is nothing else: `order.total`.
pub fn path(text: &str) -> Option<&str> {
    let text = text.trim();
    matches!(tokens(text)?[..], [Token::Word(word)] if is_path(word)).then_some(text)
}

/// The text, if the expression is nothing but a text in quotes, without escapes and placeholders.
pub fn quoted_text(text: &str) -> Option<&str> {
    let text = text.trim();
    let quote = ['"', '\''].into_iter().find(|it| text.starts_with(*it))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(['"', '\'', '\\', '$', '#'])).then_some(inner)
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            let end = |c: char| !(c.is_alphanumeric() || c == '_' || c == '.');
            let length = rest.find(end).unwrap_or(rest.len());
            found.push(Token::Word(&rest[..length]));
            length
        } else if first == '"' || first == '\'' {
            let inside = &rest[1..];
            let length = inside.find(first)?;
            if inside[..length].contains(['\\', '{']) {
                return None;
            }
            found.push(Token::Text(&inside[..length]));
            length + 2
        } else {
            let signs = [
                "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "=", "-",
            ];
            let sign = signs.into_iter().find(|sign| rest.starts_with(sign))?;
            found.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[length..].trim_start();
    }
    Some(found)
}

fn is_path(word: &str) -> bool {
    let is_name = |name: &str| name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    word.split('.').all(is_name) && !WORDS.contains(&word)
}

fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    word.split_once('.')
        .map_or(digits(word), |(whole, part)| digits(whole) && digits(part))
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    single_equals: bool,
}

impl Parser<'_> {
    fn take(&mut self, words: &[&str]) -> bool {
        let is_it = match self.tokens.get(self.at) {
            Some(Token::Word(word) | Token::Sign(word)) => words.contains(word),
            Some(Token::Text(_)) | None => false,
        };
        self.at += usize::from(is_it);
        is_it
    }

    fn any(&mut self, depth: usize) -> Option<String> {
        let mut read = self.all(depth)?;
        while self.take(&["or", "OR", "||"]) {
            read = format!("{read} || {}", self.all(depth)?);
        }
        Some(read)
    }

    fn all(&mut self, depth: usize) -> Option<String> {
        let mut read = self.not(depth)?;
        while self.take(&["and", "AND", "&&"]) {
            read = format!("{read} && {}", self.not(depth)?);
        }
        Some(read)
    }

    fn not(&mut self, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take(&["not", "NOT", "!"]) {
            return Some(format!("!({})", self.not(depth + 1)?));
        }
        self.comparison(depth)
    }

    fn comparison(&mut self, depth: usize) -> Option<String> {
        let left = self.operand(depth)?;
        let signs: [(&[&str], &str); 6] = [
            (&["==", "eq"], "=="),
            (&["!=", "ne"], "!="),
            (&["<=", "le"], "<="),
            (&[">=", "ge"], ">="),
            (&["<", "lt"], "<"),
            (&[">", "gt"], ">"),
        ];
        let sign = signs
            .into_iter()
            .find(|(words, _)| self.take(words))
            .map(|(_, sign)| sign)
            .or_else(|| (self.single_equals && self.take(&["="])).then_some("=="));
        match sign {
            Some(sign) => Some(format!("{left} {sign} {}", self.operand(depth)?)),
            None => Some(left),
        }
    }

    fn operand(&mut self, depth: usize) -> Option<String> {
        if self.take(&["("]) {
            let inside = self.any(depth + 1)?;
            return self.take(&[")"]).then(|| format!("({inside})"));
        }
        let minus = if self.take(&["-"]) { "-" } else { "" };
        let token = *self.tokens.get(self.at)?;
        self.at += 1;
        match token {
            Token::Word(word) if is_number(word) => Some(format!("{minus}{word}")),
            Token::Word(word) if is_path(word) && minus.is_empty() => Some(word.to_owned()),
            Token::Text(text) if minus.is_empty() => serde_json::to_string(text).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_expressions_mean_the_same_in_all_languages() {
        for (text, javascript) in [
            ("approved", "approved"),
            ("approved = true", "approved == true"),
            ("not(order.paid)", "!((order.paid))"),
            (
                "amount gt 100 and not approved",
                "amount > 100 && !(approved)",
            ),
            ("a == 'x' || b != \"y\"", "a == \"x\" || b != \"y\""),
            ("return score >= -1.5;", "score >= -1.5"),
            ("(a or b) and c = null", "(a || b) && c == null"),
        ] {
            assert_eq!(
                in_javascript(text, true).as_deref(),
                Some(javascript),
                "{text}"
            );
        }
    }

    #[test]
    fn complex_expressions_are_left_to_the_script_engine() {
        for text in [
            "",
            "list.size() > 0",
            "a + 1 > 2",
            "some risk in list satisfies risk = 1",
            "x in [1..5]",
            "empty list",
            "if a then b else c",
            "a = 1 b",
            "(a",
            "x between 1 and 5",
            "${a}",
            "a.get('x') == 1",
            "return a; b",
            "'a\\'",
        ] {
            assert_eq!(in_javascript(text, true), None, "{text}");
        }
        assert_eq!(in_javascript("a = 1", false), None);
        assert_eq!(in_javascript(&"(".repeat(4_000), true), None);
        assert_eq!(path(" order.total "), Some("order.total"));
        assert_eq!(path("bean.name()"), None);
        assert_eq!(path("12"), None);
        assert_eq!(quoted_text(" 'a b' "), Some("a b"));
        for text in ["a", "'a", "'a\"", "'a' + 'b'", "'${a}'", "\"\\n\""] {
            assert_eq!(quoted_text(text), None, "{text}");
        }
    }
}
