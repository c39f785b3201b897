//! Replaces the operators that could silently give a script a wrong number by functions.
//!
//! The script engine orders a negative `BigInt` and a negative number that is not a small whole
//! number the wrong way round (`-5n < -100.5` is true there); equality and arithmetic are right.
//! And arithmetic silently rounds a text of many digits. The functions are those of `guards.js`.
//! Comparisons and operators between two numbers are replaced only where the script can meet a
//! `BigInt` or such a text, as a function is slower than an operator.
//!
//! Not here: where operands begin and end (`structure`). Not replaced: operators that assign (`a *=
//! b`, `a++`).
//!
//! # Rationale
//!
//! **Comparisons of `BigInt`s are rewritten, not left to the script engine**, which orders a
//! negative one and a negative number the wrong way round. Operands are found by tokens; where that
//! is not possible, a script that meets such numbers fails instead of giving a wrong decision. The
//! alternative, a patched engine of our own, would mean maintaining 60,000 lines of C.

use serde_json::Value;

use super::{
    input,
    lexer::{Kind, Token},
    sandbox::{ScriptError, check_syntax},
    structure::Structure,
};

/// The prefix of the functions' names.
const PREFIX: &str = "$stepwire";

/// A script in the forms in which it runs.
#[derive(Debug)]
pub struct Forms {
    /// For data without a `BigInt` and without a text of many digits.
    plain: Form,
    /// For data that contain one.
    exact: Exact,
    /// Whether the script creates such numbers or texts itself.
    has_own: bool,
}

#[derive(Debug)]
enum Exact {
    /// The script neither compares by order nor computes.
    AsPlain,
    /// With functions in place of the operators between two operands.
    Rewritten(Form),
    /// Finding the operands of its comparisons would need a parser.
    Unknown,
}

/// One form of a script.
#[derive(Debug)]
pub struct Form {
    /// The whole source, a function expression.
    pub source: String,
    edits: Vec<Edit>,
}

impl Forms {
    /// The forms of a script that is syntactically right. `tokens` are those of the lexer, `None`
    /// where it cannot split the script; `wrap` makes a function expression of a script.
    pub fn of(script: &str, tokens: Option<&[Token<'_>]>, wrap: impl Fn(&str) -> String) -> Self {
        let form = |(text, edits): (String, Vec<Edit>)| Form {
            source: wrap(&text),
            edits,
        };
        let is_valid = |form: &Form| check_syntax(std::slice::from_ref(&form.source)).is_ok();
        let as_it_is = || form((script.to_owned(), Vec::new()));
        // After a closing brace the lexer takes a regular expression for a division.
        let tokens = tokens.filter(|tokens| {
            let is_doubtful =
                |pair: &[Token<'_>]| pair[0].text == "}" && pair[1].text.starts_with('/');
            !script.contains(PREFIX) && !tokens.windows(2).any(is_doubtful)
        });
        let Some(tokens) = tokens else {
            return Self {
                plain: as_it_is(),
                exact: if script.contains(['<', '>']) {
                    Exact::Unknown
                } else {
                    Exact::AsPlain
                },
                has_own: true,
            };
        };
        let structure = Structure::of(tokens);
        let plain = edits(&structure, false)
            .map(|edits| form(edited(script, edits)))
            .filter(is_valid)
            .unwrap_or_else(as_it_is);
        let exact = if tokens.iter().any(|token| function_of(token).is_some()) {
            edits(&structure, true)
                .map(|edits| form(edited(script, edits)))
                .filter(is_valid)
                .map_or(Exact::Unknown, Exact::Rewritten)
        } else {
            Exact::AsPlain
        };
        // The result of JSON.parse may contain one.
        let is_own = |token: &Token<'_>| match token.kind {
            Kind::Word => ["BigInt", "JSON"].contains(&token.text),
            Kind::BigInt => true,
            Kind::Text => input::is_long(token.text.trim_matches(['\'', '"'])),
            Kind::Number | Kind::Template { .. } | Kind::Regex | Kind::Sign => false,
        };
        Self {
            plain,
            exact,
            has_own: tokens.iter().any(is_own),
        }
    }

    /// The form to run over these data.
    ///
    /// # Errors
    /// The operands of its comparisons are not known, and the data may contain a `BigInt`.
    pub fn over(&self, data: &Value) -> Result<&Form, ScriptError> {
        match &self.exact {
            Exact::AsPlain => Ok(&self.plain),
            _ if !self.has_own && !input::has_many_digits(data) => Ok(&self.plain),
            Exact::Rewritten(form) => Ok(form),
            Exact::Unknown => Err(ScriptError::new(
                "expected comparisons whose operands can be found, as whole numbers \
                    beyond 2^53 are compared, but they are not plain enough; put each comparison \
                    by < or > into parentheses, and a regular expression into a constant"
                    .to_owned(),
            )),
        }
    }
}

impl Form {
    /// Moves an error of this form to its place in the original script, which begins in line
    /// `first_line` of the source.
    pub fn in_script(&self, mut error: ScriptError, script: &str, first_line: u32) -> ScriptError {
        error.position = error.position.map(|(line, column)| {
            let before = |edit: &&Edit| edit.line + first_line == line + 1 && edit.column < column;
            let added: u32 = self
                .edits
                .iter()
                .filter(before)
                .map(|edit| edit.added)
                .sum();
            (line, column.saturating_sub(added).max(1))
        });
        error.in_text(script, first_line)
    }
}

/// An insertion into a script.
#[derive(Debug)]
struct Edit {
    /// From 1.
    line: u32,
    /// Where the insertion begins in the new text, from 1.
    column: u32,
    /// Number of added characters.
    added: u32,
}

/// A replacement for a part of a script.
struct Replacement {
    /// Byte offset.
    at: usize,
    removed: usize,
    put: String,
    /// Of several at one place, the one with the smallest order comes first.
    order: usize,
}

/// The function for a comparison by order, or for an arithmetic operator.
fn function_of(token: &Token<'_>) -> Option<&'static str> {
    if token.kind != Kind::Sign {
        return None;
    }
    Some(match token.text {
        "<" => "Less",
        "<=" => "AtMost",
        ">" => "More",
        ">=" => "AtLeast",
        "-" => "Minus",
        "*" => "Times",
        "/" => "Over",
        "%" => "Modulo",
        "**" => "Power",
        _ => return None,
    })
}

/// The bracket behind the token that ends an operand.
fn closing(tokens: &[Token<'_>], last: usize) -> Replacement {
    Replacement {
        at: tokens[last].at + tokens[last].text.len(),
        removed: 0,
        put: ")".to_owned(),
        order: 0,
    }
}

/// A prefix operator as a call of a function; `None` when its operand cannot be determined: then it
/// is left as it is.
fn wrapped(structure: &Structure<'_>, index: usize, function: &str) -> Option<[Replacement; 2]> {
    let last = structure.unary_after(index + 1)?;
    let opening = Replacement {
        at: structure.tokens[index].at,
        removed: 1,
        put: format!("{PREFIX}{function}("),
        order: usize::MAX,
    };
    Some([opening, closing(structure.tokens, last)])
}

/// The replacements; `None` when the operands of a comparison are unknown.
fn edits(structure: &Structure<'_>, is_exact: bool) -> Option<Vec<Replacement>> {
    let tokens = structure.tokens;
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.text == "+" && token.kind == Kind::Sign && structure.is_prefix(index) {
            found.extend(wrapped(structure, index, "Number").into_iter().flatten());
        }
        let Some(function) = function_of(token).filter(|_| is_exact) else {
            continue;
        };
        if structure.is_prefix(index) {
            let is_number = matches!(structure.kind(index + 1), Some(Kind::Number | Kind::BigInt));
            if !is_number {
                found.extend(wrapped(structure, index, "Negative").into_iter().flatten());
            }
            continue;
        }
        let operands = || {
            Some((
                structure.left_operand(index)?,
                structure.right_operand(index)?,
            ))
        };
        let is_comparison = matches!(token.text, "<" | "<=" | ">" | ">=");
        let (first, last) = match operands() {
            Some(operands) => operands,
            None if is_comparison => return None,
            // An operand that cannot be determined is left as it is.
            None => continue,
        };
        found.push(Replacement {
            at: tokens[first].at,
            removed: 0,
            put: format!("{PREFIX}{function}("),
            // The replacement that reaches further encloses the others.
            order: usize::MAX - 1 - last,
        });
        found.push(Replacement {
            at: token.at,
            removed: token.text.len(),
            put: if token.text.len() == 1 { "," } else { ", " }.to_owned(),
            order: usize::MAX,
        });
        found.push(closing(tokens, last));
    }
    found.sort_by_key(|replacement| (replacement.at, replacement.order));
    Some(found)
}

/// The script with its replacements, and their places.
fn edited(script: &str, replacements: Vec<Replacement>) -> (String, Vec<Edit>) {
    let (mut text, mut edits, mut at) = (String::new(), Vec::new(), 0);
    for Replacement {
        at: place,
        removed,
        put,
        ..
    } in replacements
    {
        text.push_str(&script[at..place]);
        let line_start = text.rfind('\n').map_or(0, |end| end + 1);
        edits.push(Edit {
            line: text.matches('\n').count() as u32 + 1,
            column: text[line_start..].chars().count() as u32 + 1,
            added: (put.len() - removed) as u32,
        });
        text.push_str(&put);
        at = place + removed;
    }
    text.push_str(&script[at..]);
    (text, edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::lexer;

    fn rewritten(script: &str) -> Option<String> {
        let tokens = lexer::tokens(script).expect(script);
        edits(&Structure::of(&tokens), true)
            .map(|edits| edited(script, edits).0.replace(PREFIX, "$"))
    }

    #[test]
    fn operands_have_the_precedence_of_javascript() {
        for (script, expected) in [
            ("a < b", "$Less(a , b)"),
            ("a<b", "$Less(a,b)"),
            ("a < b < c", "$Less($Less(a , b) , c)"),
            (
                "a + b * 2 >= (-c) ** d && e",
                "$AtLeast(a + $Times(b , 2) ,  $Power(($Negative(c)) ,  d)) && e",
            ),
            (
                "!a.b?.[0]`x${y < 1}`(z) <= 1",
                "$AtMost(!a.b?.[0]`x${$Less(y , 1)}`(z) ,  1)",
            ),
            (
                "a == b > c ? d < e : f",
                "a == $More(b , c) ? $Less(d , e) : f",
            ),
            (
                "list.some(x => x.a < +b)",
                "list.some(x => $Less(x.a , $Number(b)))",
            ),
            (
                "for (let i = 0; i < n.length; i++) x = +y + +z",
                "for (let i = 0; $Less(i , n.length); i++) x = $Number(y) + $Number(z)",
            ),
            ("x = 1\ny < 2", "x = 1\n$Less(y , 2)"),
            ("i++ < typeof a", "$Less(i++ , typeof a)"),
            ("new A(1).b < (c, d)", "$Less(new A(1).b , (c, d))"),
            ("return 'x' in a < /b/.c", "return $Less('x' in a , /b/.c)"),
            ("-+x < 1", "$Less($Negative($Number(x)) , 1)"),
            ("a - b - c", "$Minus($Minus(a , b) , c)"),
            ("a + b - c * d", "$Minus(a + b , $Times(c , d))"),
            ("a - b + c", "$Minus(a , b) + c"),
            (
                "a * b ** c ** d % e",
                "$Modulo($Times(a , $Power(b ,  $Power(c ,  d))) , e)",
            ),
            (
                "f(-x, -1, y - -z)",
                "f($Negative(x), -1, $Minus(y , $Negative(z)))",
            ),
            ("a << b - c", "a << $Minus(b , c)"),
            (
                "x = -a.b[0] * 2; y--",
                "x = $Times($Negative(a.b[0]) , 2); y--",
            ),
            ("a++ - b", "$Minus(a++ , b)"),
            ("a - {}", "a - {}"),
            ("x << 1 > y >>> 2", "$More(x << 1 , y >>> 2)"),
            (
                "if (a) b < c; else d > e",
                "if (a) $Less(b , c); else $More(d , e)",
            ),
        ] {
            assert_eq!(rewritten(script).as_deref(), Some(expected), "{script}");
        }
        for unknown in ["{} < 1", "a < {}", "a < function () {}", "a < b++"] {
            assert_eq!(rewritten(unknown), None, "{unknown}");
        }
    }
}
