//! Templates whose placeholders may be computed (`Order ${id + 1}`): what mappings, events, loops,
//! calls and tasks read from the data.
//!
//! A placeholder is a path or a built-in, as in every [`Template`], otherwise an expression: in JUEL,
//! or in FEEL if it begins with `=` (`${= a + b}`). Not here: the expressions (`computation`), and
//! the templates of actions, which compute nothing (`template`).

use serde_json::{Map, Value};

use super::{
    computation::Computation,
    deep_merge::exceeds_depth,
    path::DataPath,
    template::{Builtins, Template, as_text},
    variables::Variables,
};
use crate::{
    limits::{JSON_DEPTH, TEMPLATE_BYTES},
    text::json,
};

/// A compiled template.
#[derive(Debug)]
pub struct ComputedTemplate(Part);

#[derive(Debug)]
enum Part {
    Template(Template),
    /// A text that is exactly one expression: it keeps the type of the value.
    Computation(Computation),
    /// A longer text.
    Text(Vec<Part>),
    Array(Vec<Part>),
    Object(Vec<(String, Part)>),
}

impl ComputedTemplate {
    /// Compiles JSON text with placeholders.
    ///
    /// # Errors
    /// As [`Template::compile`], with the place.
    pub fn compile(text: &str) -> Result<Self, String> {
        let read: Option<Value> = json::from_text(text).ok();
        let fits =
            |value: &Value| text.len() <= TEMPLATE_BYTES && !exceeds_depth(value, JSON_DEPTH);
        let part = read.filter(fits).and_then(|value| part(&value).ok());
        match part.filter(computes) {
            Some(part) => Ok(Self(part)),
            None => match Template::compile(text) {
                Ok(template) => Ok(Self(Part::Template(template))),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Compiles a plain text with placeholders, as in attributes: a text that is exactly one
    /// placeholder keeps the value's type.
    ///
    /// # Errors
    /// The first placeholder that is neither a path nor an expression, as a sentence.
    pub fn compile_text(text: &str) -> Result<Self, String> {
        text_part(text).map(Self)
    }

    /// Renders the template.
    ///
    /// # Errors
    /// A sentence when an expression cannot be computed, or the result exceeds
    /// `limits::TEMPLATE_BYTES` or `limits::JSON_DEPTH`.
    pub fn render<'a>(
        &self,
        variables: impl Into<Variables<'a>>,
        builtins: &Builtins<'_>,
    ) -> Result<Value, String> {
        let variables = variables.into();
        let rendered = rendered(&self.0, &variables, builtins)?;
        let is_structure = matches!(self.0, Part::Array(_) | Part::Object(_));
        match is_structure && exceeds_depth(&rendered, JSON_DEPTH) {
            true => Err(format!(
                "expected at most {JSON_DEPTH} levels, but the rendered template is deeper"
            )),
            false => Ok(rendered),
        }
    }

    /// Whether it renders to an object, as far as is known.
    pub fn is_object(&self) -> bool {
        match &self.0 {
            Part::Template(template) => template.is_object(),
            Part::Computation(_) | Part::Object(_) => true,
            Part::Text(_) | Part::Array(_) => false,
        }
    }

    /// Its constant value, if it has no placeholder and is no list or object.
    pub fn constant(&self) -> Option<&Value> {
        match &self.0 {
            Part::Template(template) => template.constant(),
            Part::Computation(_) | Part::Text(_) | Part::Array(_) | Part::Object(_) => None,
        }
    }

    /// The data paths that are placeholders themselves. Those in an expression may be missing.
    pub fn paths(&self) -> Vec<&DataPath> {
        let mut found = Vec::new();
        collect_paths(&self.0, &mut found);
        found
    }
}

fn collect_paths<'a>(part: &'a Part, found: &mut Vec<&'a DataPath>) {
    match part {
        Part::Template(template) => found.extend(template.paths()),
        Part::Computation(_) => {}
        Part::Text(parts) | Part::Array(parts) => {
            parts.iter().for_each(|part| collect_paths(part, found));
        }
        Part::Object(members) => members
            .iter()
            .for_each(|(_, part)| collect_paths(part, found)),
    }
}

fn part(value: &Value) -> Result<Part, String> {
    Ok(match value {
        Value::String(text) => text_part(text)?,
        Value::Array(items) => Part::Array(items.iter().map(part).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                if name.contains("${") {
                    return Err("expected a fixed member name".to_owned());
                }
                Ok((name.clone(), part(value)?))
            };
            Part::Object(members.iter().map(member).collect::<Result<_, _>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let constant = Template::compile(&value.to_string());
            Part::Template(constant.map_err(|error| error.sentence)?)
        }
    })
}

fn computes(part: &Part) -> bool {
    match part {
        Part::Template(_) => false,
        Part::Computation(_) | Part::Text(_) => true,
        Part::Array(parts) => parts.iter().any(computes),
        Part::Object(members) => members.iter().any(|(_, part)| computes(part)),
    }
}

/// A text: what lies between its expressions are templates.
fn text_part(text: &str) -> Result<Part, String> {
    let template = |text: &str| Template::compile_text(text).map_err(|error| error.sentence);
    let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        let is_path = |inner: &str| template(&format!("${{{inner}}}")).is_ok();
        let is_literal = before.ends_with('\\');
        let length = (!is_literal).then(|| Computation::length(after, is_path));
        let Some(length) = length.flatten() else {
            plain.push_str("${");
            rest = after;
            continue;
        };
        let inner = &after[..length];
        rest = &after[length + 1..];
        let placeholder = format!("${{{inner}}}");
        match (template(&placeholder), Computation::in_placeholder(inner)) {
            (Err(sentence), Err(_)) => return Err(sentence),
            (Err(_), Ok(computation)) => parts.extend(between(&mut plain, computation)?),
            // A member's name may contain signs that are operators in an expression.
            (Ok(read), Ok(computation))
                if Computation::has_operator(inner) && read.constant().is_none() =>
            {
                parts.extend(between(&mut plain, computation)?);
            }
            (Ok(_), _) => plain.push_str(&placeholder),
        }
    }
    plain.push_str(rest);
    if parts.is_empty() || !plain.is_empty() {
        parts.push(Part::Template(template(&plain)?));
    }
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        last => Ok(Part::Text(parts.into_iter().chain(last).collect())),
    }
}

/// The text before an expression, which begins again behind it, and the expression.
fn between(plain: &mut String, computation: Computation) -> Result<Vec<Part>, String> {
    let before = std::mem::take(plain);
    let mut parts = Vec::new();
    if !before.is_empty() {
        let template = Template::compile_text(&before).map_err(|error| error.sentence)?;
        parts.push(Part::Template(template));
    }
    parts.push(Part::Computation(computation));
    Ok(parts)
}

fn rendered(
    part: &Part,
    variables: &Variables<'_>,
    builtins: &Builtins<'_>,
) -> Result<Value, String> {
    let mut left = TEMPLATE_BYTES;
    let mut spend = |bytes: usize| {
        left = left.checked_sub(bytes).ok_or_else(|| {
            format!(
                "expected at most {TEMPLATE_BYTES} bytes, but the rendered template is longer; \
                read less data"
            )
        })?;
        Ok::<_, String>(())
    };
    Ok(match part {
        Part::Template(template) => template.render(variables, builtins)?,
        Part::Computation(computation) => computation.value(variables)?,
        Part::Text(parts) => {
            let mut text = String::new();
            for part in parts {
                let piece = match part {
                    Part::Computation(computation) => computation.text(variables)?,
                    other => as_text(&rendered(other, variables, builtins)?).into_owned(),
                };
                spend(piece.len())?;
                text.push_str(&piece);
            }
            Value::String(text)
        }
        Part::Array(items) => {
            let mut list = Vec::new();
            for item in items {
                let value = rendered(item, variables, builtins)?;
                spend(value.to_string().len())?;
                list.push(value);
            }
            Value::Array(list)
        }
        Part::Object(members) => {
            let mut object = Map::new();
            for (name, member) in members {
                let value = rendered(member, variables, builtins)?;
                spend(name.len() + value.to_string().len())?;
                object.insert(name.clone(), value);
            }
            Value::Object(object)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::model::ids::{InstanceKey, Time};

    fn render(template: &ComputedTemplate) -> Result<Value, String> {
        let nobody = InstanceKey(Uuid::nil());
        let builtins = Builtins {
            process_instance_id: nobody,
            parent: None,
            root: nobody,
            process_name: "p",
            business_key: Some("b1"),
            started_by: "u",
            scheduled_for: None,
            now: Time(0),
        };
        let data = json!({"n": 3, "half": 0.5, "big": 2.5e7, "yes": true, "name": "ann", "x-1": 7,
            "nothing": null, "list": [1], "long": "x".repeat(TEMPLATE_BYTES)});
        template.render(&data, &builtins)
    }

    fn text(text: &str) -> Result<Value, String> {
        render(&ComputedTemplate::compile_text(text)?)
    }

    #[test]
    fn a_longer_text_contains_computed_values() {
        for (written, expected) in [
            ("Order ${n + 1} of ${name}", json!("Order 4 of ann")),
            ("${n + 1}", json!(4)),
            ("${n + 1}${n}", json!("43")),
            ("${yes ? 'a' : 'b'}-${nothing}", json!("a-")),
            ("${empty nothing}!", json!("true!")),
            ("${n / 2}, ${n / 1}", json!("1.5, 3.0")),
            ("${half + half}!", json!("1.0!")),
            ("${n}-${x-1}", json!("3-7")),
            ("${n/2} ${'a/b'}", json!("1.5 a/b")),
            ("${n/2}", json!(1.5)),
            ("${n:1}", json!(null)),
            (r"\${n + 1} ${n + 1}", json!("${n + 1} 4")),
            ("${processBusinessKey}/${n + 1}", json!("b1/4")),
            ("${= \"a\" + name}", json!("aann")),
            ("${= \"a\" + string(n)}", json!("a3")),
            ("a ${yes ? '}' : '{'}${n}", json!("a }3")),
            (
                "${name == '}'} ${= if yes then \"{}\" else \"\"}",
                json!("false {}"),
            ),
            ("plain", json!("plain")),
        ] {
            assert_eq!(text(written), Ok(expected), "{written}");
        }
        let constant = ComputedTemplate::compile_text("plain").expect("a text");
        assert_eq!(constant.constant(), Some(&json!("plain")));
        let mixed = ComputedTemplate::compile_text("${n + 1} ${a.b}").expect("a text");
        let paths: Vec<_> = mixed.paths().iter().map(|path| path.to_string()).collect();
        assert_eq!((paths, mixed.constant()), (vec!["a.b".to_owned()], None));
    }

    #[test]
    fn lists_and_objects_contain_computed_values() {
        let written = r#"{"a": ["${n/2}", 2.50], "b": {"c": "nr ${n + 1}", "d": null}}"#;
        let template = ComputedTemplate::compile(written).expect("a template");
        let expected = json!({"a": [1.5, 2.5], "b": {"c": "nr 4", "d": null}});
        assert_eq!(render(&template), Ok(expected));
        assert!(template.is_object());
        for wrong in [
            r#"{"a": "${n + 1}", "a": 1}"#,
            r#"{"${n + 1}": 1}"#,
            r#"{"a": "${n.size()}"}"#,
        ] {
            assert!(ComputedTemplate::compile(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_computed_is_an_error() {
        for (written, part) in [
            ("a ${name.size()}", "`name.size()` is an expression"),
            ("a ${n + 1", "expected `}`"),
            ("a ${n + 1} ${", "expected `}`"),
            ("a ${name + 1}", "but got a text"),
            ("a ${big + 1}", "as a text"),
            ("${n + 1}${long}", "bytes"),
        ] {
            let sentence = text(written).expect_err(written);
            assert!(sentence.contains(part), "{written}: {sentence}");
        }
    }
}
