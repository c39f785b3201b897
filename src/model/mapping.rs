//! Input and output mappings of an element, and the data objects of a process: everything that
//! declares variables.
//!
//! Not here: which scope owns a variable (`engine::variables`), mappings in XML
//! (`bpmn_xml::mappings`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    computation::Computation, computed_template::ComputedTemplate, path::DataPath,
    template::Builtins, variables::Variables,
};

/// A source value, and the variable that it becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// A path (`customer.name`), a template (`${customer.name}`, `{"a":"${b}"}`), a JSON value, or an
    /// expression in JUEL or FEEL (`${total + 1}`, `= total + 1`).
    pub source: String,
    /// Path of object members for the value.
    pub target: String,
    /// Whether nothing is written when the value is missing or `null`; of outputs only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub if_set: bool,
}

/// A data object: a variable of its process or subprocess.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataObject {
    /// The modeller's id.
    pub id: String,
    /// Name of the variable; by default the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the embedded subprocess that contains it; `None` in the process itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its initial value; if absent, `null` in a subprocess, and none in the process itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// A mapping ready to run.
#[derive(Debug)]
pub struct ExecutableMapping {
    source: ExecutableSource,
    target: DataPath,
    if_set: bool,
}

#[derive(Debug)]
enum ExecutableSource {
    Template(ComputedTemplate),
    Computation(Computation),
}

impl DataObject {
    /// Name of its variable.
    pub fn variable(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

/// Source and target of the output mapping of a call activity that takes all of the child's data.
const ALL: &str = "*";

impl Mapping {
    /// The output mapping of a call activity that takes all of the child's data.
    pub fn all() -> Self {
        Self {
            source: ALL.to_owned(),
            target: ALL.to_owned(),
            if_set: false,
        }
    }

    /// Whether it takes all of a child's data.
    pub fn is_all(&self) -> bool {
        self.source.trim() == ALL && self.target.trim() == ALL
    }

    /// Compiles the mapping.
    ///
    /// # Errors
    /// The mistake in the source or the target, as a sentence.
    pub fn compile(&self) -> Result<ExecutableMapping, String> {
        let target = DataPath::parse_members(&self.target);
        Ok(ExecutableMapping {
            source: source(&self.source)?,
            target: target.map_err(|sentence| format!("target: {sentence}"))?,
            if_set: self.if_set,
        })
    }
}

/// A source is a JSON value, otherwise a path, otherwise a template, otherwise a text with
/// placeholders, otherwise an expression.
fn source(text: &str) -> Result<ExecutableSource, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("source: expected a path or a template, but it is empty; add it".to_owned());
    }
    // A member's name may contain signs, of which all but the minus are operators here.
    match (template(text), Computation::read(text)) {
        (_, Some(Ok(computation))) if Computation::has_operator(text) => {
            Ok(ExecutableSource::Computation(computation))
        }
        (Ok(template), _) => Ok(ExecutableSource::Template(template)),
        (Err(_), Some(Ok(computation))) => Ok(ExecutableSource::Computation(computation)),
        (Err(_), Some(Err(sentence))) => Err(format!("source: {sentence}")),
        (Err(sentence), None) => Err(sentence),
    }
}

fn template(text: &str) -> Result<ComputedTemplate, String> {
    let is_json = serde_json::from_str::<Value>(text).is_ok();
    let is_name = |c: char| c.is_alphanumeric() || "_-.[]".contains(c);
    let is_path = !is_json && text.chars().all(is_name);
    let as_path = || DataPath::parse(text).ok().filter(|_| is_path);
    if let Some(path) = as_path() {
        return ComputedTemplate::compile(&format!("${{{path}}}"));
    }
    let is_written_as_json = text.starts_with(['{', '[', '"']);
    match ComputedTemplate::compile(text) {
        Ok(template) => Ok(template),
        Err(_) if !is_written_as_json && text.contains("${") => {
            ComputedTemplate::compile_text(text).map_err(|sentence| format!("source: {sentence}"))
        }
        Err(error) if is_written_as_json => Err(format!("source, {error}")),
        Err(_) => Err(format!(
            "source: expected a path such as `customer.name` or a template such as \
            `${{customer.name}}`, but got `{text}`; compute it by an action of type businessRule"
        )),
    }
}

impl ExecutableMapping {
    /// The path for the value.
    pub fn target(&self) -> &DataPath {
        &self.target
    }

    /// Whether this value is not written.
    pub fn leaves_out(&self, value: &Value) -> bool {
        self.if_set && value.is_null()
    }

    /// Computes the value.
    ///
    /// # Errors
    /// As [`ComputedTemplate::render`].
    pub fn read<'a>(
        &self,
        variables: impl Into<Variables<'a>>,
        builtins: &Builtins<'_>,
    ) -> Result<Value, String> {
        let value = match &self.source {
            ExecutableSource::Template(template) => template.render(variables, builtins),
            ExecutableSource::Computation(computation) => computation.value(&variables.into()),
        };
        value.map_err(|error| format!("the mapping to '{}': {error}", self.target))
    }
}

/// The variables that the data objects of one scope declare, with their initial values.
pub fn declared<'a>(objects: impl IntoIterator<Item = &'a DataObject>) -> Map<String, Value> {
    let variables = objects.into_iter().map(|object| {
        let value = object.default.clone().unwrap_or_default();
        (object.variable().to_owned(), value)
    });
    variables.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::model::ids::{InstanceKey, Time};

    fn read(text: &str) -> Result<Value, String> {
        let nobody = InstanceKey(Uuid::nil());
        let builtins = Builtins {
            process_instance_id: nobody,
            parent: None,
            root: nobody,
            process_name: "p",
            business_key: None,
            started_by: "u",
            scheduled_for: None,
            now: Time(0),
        };
        let mapping = Mapping {
            source: text.to_owned(),
            target: "t".to_owned(),
            if_set: false,
        };
        let data = json!({"a": {"b": [1, {"c": 2}]}, "true": 3, "7": 4, "x-1": 5});
        mapping.compile()?.read(&data, &builtins)
    }

    #[test]
    fn a_source_is_a_value_a_path_or_a_template() {
        for (text, expected) in [
            ("a.b[1].c", json!(2)),
            (" ${a.b[0]} ", json!(1)),
            (
                r#"{"x":"${a.b[0]}","y":"n${a.b[0]}"}"#,
                json!({"x": 1, "y": "n1"}),
            ),
            ("nr ${a.b[0]}!", json!("nr 1!")),
            ("true", json!(true)),
            ("7", json!(7)),
            ("-1.5", json!(-1.5)),
            ("null", json!(null)),
            (r#""text""#, json!("text")),
            ("[]", json!([])),
            ("nothing.here", json!(null)),
            ("${a.b[0] + 1}", json!(2)),
            ("${a.b[0]+1}", json!(2)),
            ("${a.b[0] - 1}", json!(0)),
            ("${x-1}", json!(5)),
            ("= if nothing = null then 1 else 2", json!(1)),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_invalid_source_is_described() {
        for (text, part) in [
            ("", "it is empty"),
            ("a + 1", "got `a + 1`"),
            ("a+1", "got `a+1`"),
            ("= count(a)", "got `count(a)`"),
            (r#"{"a":}"#, "line 1"),
            ("${a.size() + 1}", "got `a.size() + 1`"),
        ] {
            let sentence = read(text).expect_err(text);
            assert!(sentence.contains(part), "{text}: {sentence}");
        }
        let target = |text: &str| Mapping {
            source: "a".to_owned(),
            target: text.to_owned(),
            if_set: false,
        };
        assert!(
            target("a[0]")
                .compile()
                .is_err_and(|it| it.starts_with("target: expected"))
        );
    }
}
