//! Expressions that compute a value from data: arithmetic, comparisons, logic and a choice, in the
//! notations of JUEL (`${total + 1}`) and FEEL (`= total + 1`), as a whole or in a longer text.
//!
//! An expression gives the value that it gives in those languages, or fails where they convert a
//! value of another kind. Parsing: `parser`; where one in a text ends: `placeholder`;
//! numbers: `number`. Not here: conditions and rules (`expression`), arithmetic with numbers only
//! (`arithmetic`), texts around an expression (`computed_template`).

mod number;
mod parser;
mod placeholder;

use std::{borrow::Cow, cmp::Ordering};

use serde_json::Value;

use self::{number::Number, placeholder::outside_texts};
use super::{path::DataPath, template::as_text, variables::Variables};
use crate::limits::TEMPLATE_BYTES;

/// An expression.
#[derive(Debug)]
pub struct Computation {
    root: Term,
    notation: Notation,
}

/// The language of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notation {
    Juel,
    Feel,
}

/// A part of an expression.
#[derive(Debug)]
enum Term {
    Constant(Value),
    Path(DataPath),
    Minus(Box<Term>),
    Not(Box<Term>),
    Empty(Box<Term>),
    InText(Box<Term>),
    Arithmetic(Box<(Term, Operator, Term)>),
    Equal(Box<(Term, Term)>),
    Ordered(Box<(Term, Comparison, Term)>),
    And(Box<(Term, Term)>),
    Or(Box<(Term, Term)>),
    Choice(Box<(Term, Term, Term)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Computation {
    /// The expression of a source: `${…}` in JUEL, `= …` in FEEL. `None` if it is neither.
    ///
    /// # Errors
    /// What is not understood, as a sentence.
    pub fn read(source: &str) -> Option<Result<Self, String>> {
        let source = source.trim();
        if let Some(feel) = source.strip_prefix('=') {
            return Some(Self::parse(feel, Notation::Feel));
        }
        let after = source.strip_prefix("${")?;
        let length = Self::length(after, |_| false)?;
        let (inner, behind) = after.split_at(length);
        let is_one = behind == "}" && !outside_texts(inner).any(|(_, sign)| sign == '{');
        is_one.then(|| Self::parse(inner, Notation::Juel))
    }

    /// The expression of a placeholder, without its braces: in FEEL if it begins with `=`.
    ///
    /// # Errors
    /// What is not understood, as a sentence.
    pub fn in_placeholder(inner: &str) -> Result<Self, String> {
        match inner.trim().strip_prefix('=') {
            Some(feel) => Self::parse(feel, Notation::Feel),
            None => Self::parse(inner, Notation::Juel),
        }
    }

    /// Whether a text has a sign that is an operator. A minus may be part of a name.
    pub fn has_operator(text: &str) -> bool {
        text.contains(|c| "+*/%<>=!&|?:".contains(c))
    }

    /// A source of another engine that is such an expression, with blanks around its operators, so
    /// that none is read as part of a name; `None` if it is no such expression.
    pub fn spaced(source: &str) -> Option<String> {
        Self::read(source)?.ok()?;
        let source = source.trim();
        if let Some(feel) = source.strip_prefix('=') {
            return Some(format!("= {}", parser::spaced(feel, Notation::Feel)?));
        }
        let inner = source.strip_prefix("${")?.strip_suffix('}')?;
        Some(format!("${{{}}}", parser::spaced(inner, Notation::Juel)?))
    }

    fn parse(text: &str, notation: Notation) -> Result<Self, String> {
        let root = parser::parse(text, notation)?;
        Ok(Self { root, notation })
    }

    /// Computes the value.
    ///
    /// # Errors
    /// A value of a kind that the operator does not take, as a sentence.
    pub fn value(&self, variables: &Variables<'_>) -> Result<Value, String> {
        match self.value_of(&self.root, variables)? {
            Cow::Borrowed(value) => Ok(value.clone()),
            Cow::Owned(value) => Ok(number::whole(value)),
        }
    }

    /// The value inside a longer text, as the language writes it there.
    ///
    /// # Errors
    /// As [`Self::value`]; and a number that Java writes with an exponent.
    pub fn text(&self, variables: &Variables<'_>) -> Result<String, String> {
        match &*self.value_of(&self.root, variables)? {
            Value::Number(number) => Number::of(number)?.in_text(),
            other => Ok(as_text(other).into_owned()),
        }
    }

    /// Borrowed as long as nothing is computed: a path may lead to large data.
    fn value_of<'a>(
        &self,
        term: &'a Term,
        variables: &Variables<'a>,
    ) -> Result<Cow<'a, Value>, String> {
        let value = |term: &'a Term| self.value_of(term, variables);
        let is_true = |term: &'a Term, sign: &str| truth(&*value(term)?, sign);
        Ok(Cow::Owned(match term {
            Term::Constant(constant) => return Ok(Cow::Borrowed(constant)),
            Term::Path(path) => {
                let found = variables.at(path);
                return Ok(found.map_or(Cow::Owned(Value::Null), Cow::Borrowed));
            }
            Term::Minus(inner) => number(&*value(inner)?, "-")?.negated()?.into_value()?,
            Term::Not(inner) => (!is_true(inner, "not")?).into(),
            Term::InText(inner) => self.in_text(inner, variables)?,
            Term::Empty(inner) => is_empty(&*value(inner)?).into(),
            Term::Arithmetic(parts) => {
                let (left, operator, right) = &**parts;
                self.computed(&*value(left)?, *operator, &*value(right)?)?
            }
            Term::Equal(parts) => are_equal(&*value(&parts.0)?, &*value(&parts.1)?)?.into(),
            Term::Ordered(parts) => {
                let (left, comparison, right) = &**parts;
                let order = order(&*value(left)?, &*value(right)?, comparison.sign())?;
                comparison.holds(order).into()
            }
            Term::And(parts) => (is_true(&parts.0, "and")? && is_true(&parts.1, "and")?).into(),
            Term::Or(parts) => (is_true(&parts.0, "or")? || is_true(&parts.1, "or")?).into(),
            Term::Choice(parts) => {
                let (condition, yes, no) = &**parts;
                return value(if is_true(condition, "?")? { yes } else { no });
            }
        }))
    }

    /// FEEL's `string`. A fraction that is computed has digits there that are not known here.
    fn in_text(&self, term: &Term, variables: &Variables<'_>) -> Result<Value, String> {
        match &*self.value_of(term, variables)? {
            Value::Number(number) => {
                let number = Number::of(number)?;
                let is_read = matches!(term, Term::Path(_) | Term::Constant(_));
                let is_whole = matches!(number, Number::Whole(_)) && !has_fraction(term, variables);
                match is_read || is_whole {
                    true => number.in_text().map(Value::from),
                    false => Err(
                        "expected a number that is computed of whole ones, and is whole, in \
                        `string(…)`, but got a fraction"
                            .to_owned(),
                    ),
                }
            }
            text @ (Value::Null | Value::String(_)) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string().into()),
            other => Err(format!(
                "expected a plain value in `string(…)`, but got {}",
                kind(other)
            )),
        }
    }

    fn computed(&self, left: &Value, operator: Operator, right: &Value) -> Result<Value, String> {
        let is_feel = self.notation == Notation::Feel;
        if let (Value::String(left), Operator::Add, Value::String(right)) = (left, operator, right)
            && is_feel
        {
            if left.len() + right.len() > TEMPLATE_BYTES {
                return Err(format!(
                    "expected a text of at most {TEMPLATE_BYTES} bytes, but `+` makes a longer one"
                ));
            }
            return Ok(format!("{left}{right}").into());
        }
        let sign = operator.sign();
        let (left, right) = (number(left, sign)?, number(right, sign)?);
        let computed = match is_feel {
            true => left.in_decimal(operator, right),
            false => left.in_binary(operator, right),
        };
        computed?.into_value()
    }
}

impl Operator {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Comparison {
    fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// Whether a term contains a number with a fraction.
fn has_fraction(term: &Term, variables: &Variables<'_>) -> bool {
    let is_fraction = |value: &Value| value.is_f64();
    let has = |term: &Term| has_fraction(term, variables);
    match term {
        Term::Constant(value) => is_fraction(value),
        Term::Path(path) => variables.at(path).is_some_and(is_fraction),
        Term::Minus(inner) | Term::Not(inner) | Term::Empty(inner) | Term::InText(inner) => {
            has(inner)
        }
        Term::Arithmetic(parts) => has(&parts.0) || has(&parts.2),
        Term::Ordered(parts) => has(&parts.0) || has(&parts.2),
        Term::Equal(parts) | Term::And(parts) | Term::Or(parts) => has(&parts.0) || has(&parts.1),
        Term::Choice(parts) => has(&parts.0) || has(&parts.1) || has(&parts.2),
    }
}

fn number(value: &Value, sign: &str) -> Result<Number, String> {
    let number = value.as_number().ok_or_else(|| {
        let kind = kind(value);
        format!("expected a number beside `{sign}`, but got {kind}")
    })?;
    Number::of(number)
}

fn truth(value: &Value, sign: &str) -> Result<bool, String> {
    let kind = kind(value);
    value
        .as_bool()
        .ok_or_else(|| format!("expected true or false beside `{sign}`, but got {kind}"))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn are_equal(left: &Value, right: &Value) -> Result<bool, String> {
    match (left, right) {
        (Value::Null, other) | (other, Value::Null) => Ok(other.is_null()),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        _ => order(left, right, "==").map(Ordering::is_eq),
    }
}

/// The order of two numbers or of two texts, which is that of their UTF-16 units.
fn order(left: &Value, right: &Value, sign: &str) -> Result<Ordering, String> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            Ok(Number::of(left)?.order(Number::of(right)?))
        }
        (Value::String(left), Value::String(right)) => {
            Ok(left.encode_utf16().cmp(right.encode_utf16()))
        }
        _ => Err(format!(
            "expected two numbers or two texts beside `{sign}`, but got {} and {}",
            kind(left),
            kind(right)
        )),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing (null)",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(source: &str) -> Result<Value, String> {
        let data = json!({"x": 5, "y": 2.5, "t": "ab", "five": "5", "yes": true, "no": false, "list": [],
            "o": {"n": -1, "l": [7]}, "z": null, "nrOfItems": 3, "most": i64::MAX});
        Computation::read(source)
            .ok_or("no expression")??
            .value(&Variables::from(&data))
    }

    #[test]
    fn juel_is_computed() {
        for (source, expected) in [
            ("${x + 1}", json!(6)),
            ("${x - y * 2}", json!(0)),
            ("${(x + 1) % 4}", json!(2)),
            ("${x / 2}", json!(2.5)),
            ("${x div 5}", json!(1)),
            ("${x mod 3}", json!(2)),
            ("${-o.n}", json!(1)),
            ("${o.l[0] + 0.5}", json!(7.5)),
            ("${0.1 + 0.2}", json!(0.30000000000000004)),
            ("${x == 5}", json!(true)),
            ("${yes ? '}' : \"{\"}", json!("}")),
            ("${x eq y}", json!(false)),
            ("${t != 'ab'}", json!(false)),
            ("${z == null}", json!(true)),
            ("${nothing.here == null}", json!(true)),
            ("${t == null}", json!(false)),
            ("${t < 'b' && x ge 5}", json!(true)),
            ("${yes && !no}", json!(true)),
            ("${no or not yes}", json!(false)),
            ("${empty list}", json!(true)),
            ("${not empty t and !empty o}", json!(true)),
            ("${empty nothing ? 'a' : 'b'}", json!("a")),
            ("${yes ? no ? 1 : 2 : 3}", json!(2)),
            ("${no && z}", json!(false)),
            (" ${ yes ? x : t } ", json!(5)),
        ] {
            assert_eq!(value(source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn feel_is_computed() {
        for (source, expected) in [
            ("= x + 1", json!(6)),
            ("=0.1 + 0.2", json!(0.3)),
            ("= 0.3 / 0.1", json!(3)),
            ("= y * y", json!(6.25)),
            ("= 1 / 3", json!(1.0 / 3.0)),
            ("= \"Hello \" + t", json!("Hello ab")),
            ("= x = 5 and not(no)", json!(true)),
            ("= if x > 3 then \"much\" else \"little\"", json!("much")),
            ("= if no then 1 else if yes then 2 else 3", json!(2)),
            ("= -x", json!(-5)),
            ("= \"nr \" + string(x + 1)", json!("nr 6")),
            ("= string(yes) + string(y) + string(t)", json!("true2.5ab")),
            ("= string(z)", json!(null)),
            ("= o.n", json!(-1)),
        ] {
            assert_eq!(value(source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn blanks_are_set_around_operators() {
        for (source, expected) in [
            ("${x-1}", Some("${x - 1}")),
            (
                "${!empty t?\"a\":'b'}",
                Some("${! empty t ? \"a\" : \"b\"}"),
            ),
            ("${t=='\"'}", Some("${t == '\"'}")),
            ("=x+1", Some("= x + 1")),
            ("${x.y()}", None),
            ("x - 1", None),
        ] {
            assert_eq!(Computation::spaced(source).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn what_other_languages_convert_is_an_error() {
        for (source, part) in [
            ("${t + 1}", "beside `+`, but got a text"),
            ("${five + 1}", "but got a text"),
            ("${z + 1}", "but got nothing (null)"),
            ("${t + t}", "but got a text"),
            ("${x == five}", "a number and a text"),
            ("${list == list}", "a list and a list"),
            ("${x && yes}", "beside `and`, but got a number"),
            ("${!z}", "beside `not`"),
            ("${t ? 1 : 2}", "beside `?`"),
            ("${x / 0}", "too large"),
            ("${x % 0}", "zero"),
            ("${most + 1}", "too large"),
            ("= x / 0", "zero"),
            ("= t + 1", "but got a text"),
            ("= string(list)", "but got a list"),
            ("= string(y * 2)", "of whole ones"),
            ("= string(x / 2)", "of whole ones"),
        ] {
            let sentence = value(source).expect_err(source);
            assert!(
                sentence.starts_with("expected ") && sentence.contains(part),
                "{source}: {sentence}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused_at_deploy() {
        for source in [
            "${x +}",
            "${list.size()}",
            "${x ? 1}",
            "${a b}",
            "${x ++ 1}",
            "${'a}",
            "${\"\\n\"}",
            "${x = 5}",
            "${startedBy == 'a'}",
            "${execution.x + 1}",
            "${x == 1 ? (2 : 3}",
            "${}",
            "${empty}",
            "= count(list)",
            "= o.l[1]",
            "= x % 2",
            "= x between 1 and 2",
            "= x && yes",
            "= some y in list satisfies y",
            "= not x",
            &format!("${{{}x{}}}", "(".repeat(100), ")".repeat(100)),
            &format!("${{x{}}}", " + x".repeat(1_000)),
            &format!("${{{}yes}}", "!".repeat(1_000)),
        ] {
            let read = Computation::read(source);
            assert!(
                read.is_some_and(|it| it.is_err_and(|it| it.starts_with("expected "))),
                "{source}"
            );
        }
        for other in ["x", "${a}-${b}", "#{x}", "x = 1"] {
            assert!(Computation::read(other).is_none(), "{other}");
        }
    }
}
