//! Parses template text: JSON with bare placeholders as values and `\$` in strings.

use serde_json::{Number, Value};

use super::{
    Builtin, DataPath, MAX_TEMPLATE_BYTES, MAX_TEMPLATE_DEPTH, Piece, Placeholder, Template,
    TemplateError, TemplatePart, TextTemplate, as_text,
};

use crate::text::number::is_exact;

/// A byte offset into the template and the text expected there.
type Fault = (usize, String);

/// A character of a string after unescaping, with the offset it was written at.
type StringChar = (usize, char);

pub(super) fn parse(text: &str) -> Result<Template, TemplateError> {
    let mut parser = TemplateParser {
        text,
        at: 0,
        paths: Vec::new(),
    };
    let root = parser.template().map_err(|fault| error_at(text, fault))?;
    Ok(Template {
        root,
        paths: parser.paths,
        source_bytes: text.len(),
    })
}

/// Reads plain text with placeholders.
pub(super) fn parse_text(text: &str) -> Result<TextTemplate, TemplateError> {
    let mut parser = TemplateParser {
        text,
        at: 0,
        paths: Vec::new(),
    };
    let chars: Vec<StringChar> = text.char_indices().collect();
    let part = parser
        .text_part(&chars)
        .map_err(|fault| error_at(text, fault))?;
    Ok(TextTemplate {
        pieces: pieces_of(part).unwrap_or_default(),
        paths: parser.paths,
    })
}

/// The pieces of a text; `None` when it is a list or an object.
pub(super) fn pieces_of(part: TemplatePart) -> Option<Vec<Piece>> {
    match part {
        TemplatePart::Constant(Value::String(text)) => Some(vec![Piece::Literal(text)]),
        TemplatePart::Constant(value @ (Value::Number(_) | Value::Bool(_))) => {
            Some(vec![Piece::Literal(value.to_string())])
        }
        TemplatePart::Placeholder(placeholder) => Some(vec![Piece::Placeholder(placeholder)]),
        TemplatePart::Text(pieces) => Some(pieces),
        TemplatePart::Constant(_) | TemplatePart::Array(_) | TemplatePart::Object(_) => None,
    }
}

fn error_at(text: &str, (offset, sentence): Fault) -> TemplateError {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    TemplateError {
        line,
        column: before[line_start..].chars().count() + 1,
        sentence,
    }
}

/// The value of a placeholder that is a literal in JavaScript and in the languages of other engines.
fn constant(name: &str) -> Option<Value> {
    let name = name.trim();
    for quote in ['\'', '"'] {
        let inside = name
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inside) = inside.filter(|inside| !inside.contains([quote, '\\'])) {
            return Some(Value::from(inside));
        }
    }
    match name {
        "null" => Some(Value::Null),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        number => Some(number)
            .filter(|number| is_number(number) && is_exact(number))
            .and_then(|number| number.parse().ok())
            .map(Value::Number),
    }
}

/// Whether the text of a placeholder computes something, so that it is no member of the data.
fn is_expression(name: &str) -> bool {
    let is_arithmetic = |c: char| c.is_ascii_digit() || "+-*/%. ".contains(c);
    name.contains([
        '(', ')', '\'', '"', '`', '+', '*', '?', ',', ';', '<', '>', '=', '!', '&', '|', '%', '^',
        '~',
    ]) || (name.contains(['-', '/']) && name.chars().all(is_arithmetic))
}

struct TemplateParser<'a> {
    text: &'a str,
    at: usize,
    paths: Vec<DataPath>,
}

impl TemplateParser<'_> {
    fn template(&mut self) -> Result<TemplatePart, Fault> {
        if self.text.len() > MAX_TEMPLATE_BYTES {
            let length = self.text.len();
            return Err((
                0,
                format!(
                    "expected at most {MAX_TEMPLATE_BYTES} bytes, but the template has {length}; \
                    shorten it"
                ),
            ));
        }
        let root = self.value(0)?;
        match self.peek() {
            None => Ok(root),
            Some(_) => self.unexpected("the end of the template"),
        }
    }

    fn value(&mut self, depth: usize) -> Result<TemplatePart, Fault> {
        if depth > MAX_TEMPLATE_DEPTH {
            return Err((
                self.at,
                format!(
                    "expected at most {MAX_TEMPLATE_DEPTH} levels, but this lies deeper; flatten it"
                ),
            ));
        }
        match self.peek() {
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some('"') => {
                let chars = self.string_chars()?;
                self.text_part(&chars)
            }
            Some('$') if self.text[self.at..].starts_with("${") => self.bare_placeholder(),
            Some(c) if c.is_ascii_alphanumeric() || c == '-' => self.literal(),
            _ => self.unexpected("a JSON value or a placeholder such as ${client.name}"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<TemplatePart, Fault> {
        self.at += 1;
        let mut members: Vec<(String, TemplatePart)> = Vec::new();
        if self.take('}') {
            return Ok(TemplatePart::Object(members));
        }
        loop {
            if self.peek() != Some('"') {
                return self.unexpected("a member name in double quotes");
            }
            let name_at = self.at;
            let name = self.member_name()?;
            if members.iter().any(|(other, _)| *other == name) {
                return Err((
                    name_at,
                    format!("expected each member once, but `{name}` occurs twice; remove one"),
                ));
            }
            if !self.take(':') {
                return self.unexpected("`:` after the member name");
            }
            members.push((name, self.value(depth + 1)?));
            if self.take('}') {
                return Ok(TemplatePart::Object(members));
            }
            if !self.take(',') {
                return self.unexpected("`,` or `}`");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<TemplatePart, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(']') {
            return Ok(TemplatePart::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(']') {
                return Ok(TemplatePart::Array(items));
            }
            if !self.take(',') {
                return self.unexpected("`,` or `]`");
            }
        }
    }

    fn literal(&mut self) -> Result<TemplatePart, Fault> {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
            .unwrap_or(rest.len());
        let value = match &rest[..end] {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number if is_number(number) && !is_exact(number) => {
                return Err((
                    self.at,
                    format!(
                        "expected a number that keeps its digits, but {number} would not; write \
                        it as a text"
                    ),
                ));
            }
            number => match number.parse::<Number>() {
                Ok(number) => Value::Number(number),
                Err(_) => {
                    let end = number.floor_char_boundary(40);
                    return Err((
                        self.at,
                        format!(
                            "expected a JSON value (texts need double quotes), but got `{}`",
                            &number[..end]
                        ),
                    ));
                }
            },
        };
        self.at += end;
        Ok(TemplatePart::Constant(value))
    }

    fn bare_placeholder(&mut self) -> Result<TemplatePart, Fault> {
        let start = self.at;
        let Some(end) = self.text[start..].find('}') else {
            return Err((start, UNCLOSED.to_owned()));
        };
        let name = &self.text[start + 2..start + end];
        self.at = start + end + 1;
        Ok(match constant(name) {
            Some(value) => TemplatePart::Constant(value),
            None => TemplatePart::Placeholder(self.placeholder(start, name)?),
        })
    }

    fn member_name(&mut self) -> Result<String, Fault> {
        let chars = self.string_chars()?;
        match self.text_part(&chars)? {
            TemplatePart::Constant(Value::String(name)) => Ok(name),
            _ => {
                let offset = chars.first().map_or(self.at, |&(offset, _)| offset);
                Err((
                    offset,
                    "expected a fixed member name, but it holds a placeholder; write \\\\${ for \
                    a literal ${"
                        .to_owned(),
                ))
            }
        }
    }

    /// Reads a quoted string and unescapes it.
    fn string_chars(&mut self) -> Result<Vec<StringChar>, Fault> {
        let start = self.at;
        self.at += 1;
        let mut chars = Vec::new();
        loop {
            let offset = self.at;
            match self.next_char() {
                Some('"') => return Ok(chars),
                Some('\\') if self.text[self.at..].starts_with("${") => chars.push((offset, '\\')),
                Some('\\') => chars.push((offset, self.escaped(offset)?)),
                Some(c) if c < ' ' => {
                    return Err((
                        offset,
                        "expected control characters to be escaped, but got one; write \\n or \\t"
                            .to_owned(),
                    ));
                }
                Some(c) => chars.push((offset, c)),
                None => {
                    return Err((
                        start,
                        "expected a closing quote, but the template ends inside this string"
                            .to_owned(),
                    ));
                }
            }
        }
    }

    fn escaped(&mut self, offset: usize) -> Result<char, Fault> {
        let written = |parser: &Self| {
            let end = parser.at.max(offset + 1);
            parser.text[offset..end].to_owned()
        };
        let bad_escape = |parser: &Self| {
            (
                offset,
                format!(
                    "expected a JSON escape such as \\n or \\\", but got `{}`; write \\\\ for a \
                    backslash",
                    written(parser)
                ),
            )
        };
        let Some(letter) = self.next_char() else {
            return Err(bad_escape(self));
        };
        Ok(match letter {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.hex4().ok_or_else(|| bad_escape(self))?;
                let low = |text: &str| {
                    let low = u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()?;
                    Some(low).filter(|low| (0xDC00..0xE000).contains(low))
                };
                let code = match (unit, low(&self.text[self.at..])) {
                    (0xD800..0xDC00, Some(low)) => {
                        self.at += 6;
                        0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
                    }
                    _ => unit,
                };
                char::from_u32(code).ok_or_else(|| {
                    let half = written(self);
                    let sentence = format!(
                        "expected whole characters, but `{half}` is half of a surrogate pair; \
                        write both halves, or the character itself"
                    );
                    (offset, sentence)
                })?
            }
            _ => return Err(bad_escape(self)),
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    /// Finds the placeholders of an unescaped string.
    fn text_part(&mut self, chars: &[StringChar]) -> Result<TemplatePart, Fault> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = chars;
        loop {
            match rest {
                [] => break,
                [(_, '\\'), (_, '$'), (_, '{'), after @ ..] => {
                    literal.push_str("${");
                    rest = after;
                }
                [(offset, '$'), (_, '{'), after @ ..] => {
                    let end = after
                        .iter()
                        .position(|&(_, c)| c == '}')
                        .ok_or_else(|| (*offset, UNCLOSED.to_owned()))?;
                    let name: String = after[..end].iter().map(|&(_, c)| c).collect();
                    let whole = *offset == chars[0].0 && end + 1 == after.len();
                    rest = &after[end + 1..];
                    match constant(&name) {
                        Some(value) if whole => return Ok(TemplatePart::Constant(value)),
                        Some(Value::Null) => {}
                        Some(value) => literal.push_str(&as_text(&value)),
                        None => {
                            if !literal.is_empty() {
                                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                            }
                            pieces.push(Piece::Placeholder(self.placeholder(*offset, &name)?));
                        }
                    }
                }
                [(_, c), after @ ..] => {
                    literal.push(*c);
                    rest = after;
                }
            }
        }
        if let (true, [Piece::Placeholder(placeholder)]) = (literal.is_empty(), pieces.as_slice()) {
            return Ok(TemplatePart::Placeholder(*placeholder));
        }
        if pieces.is_empty() {
            return Ok(TemplatePart::Constant(Value::String(literal)));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(TemplatePart::Text(pieces))
    }

    fn placeholder(&mut self, offset: usize, name: &str) -> Result<Placeholder, Fault> {
        let name = name.trim();
        if let Some(builtin) = Builtin::named(name) {
            return Ok(Placeholder::Builtin(builtin));
        }
        if is_expression(name) {
            let sentence = format!(
                "expected a path such as `client.phones[0]` in the placeholder, but `{name}` is an \
                expression, which is not computed there; compute it in a script before, and name \
                its result"
            );
            return Err((offset, sentence));
        }
        let path = DataPath::parse(name)
            .map_err(|sentence| (offset, format!("{sentence}; write \\${{ for a literal ${{")))?;
        self.paths.push(path);
        Ok(Placeholder::Path(self.paths.len() - 1))
    }

    /// The next character that is not JSON white space, without consuming it.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.at += rest.len() - trimmed.len();
        trimmed.chars().next()
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    fn next_char(&mut self) -> Option<char> {
        let c = self.text[self.at..].chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn unexpected<T>(&self, expected: &str) -> Result<T, Fault> {
        let found = match self.text[self.at..].chars().next() {
            Some(c) => format!("`{c}`"),
            None => "the end of the template".to_owned(),
        };
        Err((self.at, format!("expected {expected}, but got {found}")))
    }
}

/// Whether a literal is a number in JSON's grammar, of any size.
fn is_number(literal: &str) -> bool {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = literal.strip_prefix('-').unwrap_or(literal);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    all_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(|exponent| {
            all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
        })
}

const UNCLOSED: &str =
    "expected `}` at the end of the placeholder, but there is none; write \\${ for a literal ${";
