//! JSON templates with `${path}` placeholders, compiled once at deploy.
//!
//! A template is JSON text in which
//! - a string that is *exactly* one placeholder, or a bare placeholder outside quotes, becomes the
//!   value with its type; a missing path becomes `null`;
//! - a placeholder inside a longer string becomes text: strings as they are, objects and arrays as
//!   JSON, `null` and a missing path as nothing;
//! - `\${` (in JSON `"\\${x}"`, or raw `"\${x}"`) is the literal `${`.
//!
//! Placeholders are searched after JSON unescaping and name a [`DataPath`] or a built-in (see
//! [`Builtins`]). Member names contain none. Nothing is evaluated as code.
//!
//! `parser` parses, `renderer` renders, `shape` computes what is known without data. Templates of
//! text that is not JSON (URLs, header values): `text`.

mod parser;
mod renderer;
mod shape;
mod text;

use std::fmt;

use serde_json::Value;
pub use shape::Shape;

use super::{
    ids::{InstanceKey, Time},
    path::DataPath,
    variables::Variables,
};

pub use text::{Filled, TextTemplate, as_text};

/// Largest template and largest rendered value, in bytes of JSON text. The rendered size is
/// computed as the template's length plus those of the inserted values.
const MAX_TEMPLATE_BYTES: usize = crate::limits::TEMPLATE_BYTES;
/// Maximum nesting of arrays and objects in a template and in its result.
const MAX_TEMPLATE_DEPTH: usize = crate::limits::JSON_DEPTH;

/// A compiled template.
#[derive(Clone, Debug)]
pub struct Template {
    root: TemplatePart,
    paths: Vec<DataPath>,
    source_bytes: usize,
}

#[derive(Clone, Debug)]
enum TemplatePart {
    Constant(Value),
    Placeholder(Placeholder),
    Text(Vec<Piece>),
    Array(Vec<TemplatePart>),
    Object(Vec<(String, TemplatePart)>),
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    Placeholder(Placeholder),
}

#[derive(Clone, Copy, Debug)]
enum Placeholder {
    /// Index into the template's paths.
    Path(usize),
    Builtin(Builtin),
}

#[derive(Clone, Copy, Debug)]
enum Builtin {
    ProcessInstanceId,
    ParentProcessInstanceId,
    RootProcessInstanceId,
    ProcessName,
    StartedBy,
    ScheduledFor,
    ProcessBusinessKey,
    Now,
}

/// The values that every template may use by name: `processInstanceId`, `parentProcessInstanceId`,
/// `rootProcessInstanceId`, `processName`, `processBusinessKey`, `startedBy`, `scheduledFor`, `now`.
///
/// A built-in hides a member of the data with the same name; members below it (`processName.x`) are
/// looked up in the data.
#[derive(Clone, Copy, Debug)]
pub struct Builtins<'a> {
    /// `processInstanceId`.
    pub process_instance_id: InstanceKey,
    /// `parentProcessInstanceId`; `null` without parent.
    pub parent: Option<InstanceKey>,
    /// `rootProcessInstanceId`; the instance itself without parent.
    pub root: InstanceKey,
    /// `processName`.
    pub process_name: &'a str,
    /// `processBusinessKey`; `null` without one.
    pub business_key: Option<&'a str>,
    /// `startedBy`.
    pub started_by: &'a str,
    /// `scheduledFor`, as RFC 3339 text in UTC; `null` if no schedule started the instance.
    pub scheduled_for: Option<Time>,
    /// `now`, as RFC 3339 text in UTC.
    pub now: Time,
}

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The expected text.
    pub sentence: String,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// The first place that cannot be parsed.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        parser::parse(text)
    }

    /// Compiles a plain text with placeholders, as in attributes: a text that is exactly one
    /// placeholder keeps the value's type.
    ///
    /// # Errors
    /// As [`Self::compile`]; the place counts one column more.
    pub fn compile_text(text: &str) -> Result<Self, TemplateError> {
        Self::compile(&Value::from(text).to_string())
    }

    /// Renders the template.
    ///
    /// # Errors
    /// A sentence when the result exceeds `limits::TEMPLATE_BYTES` or `limits::JSON_DEPTH`.
    pub fn render<'a>(
        &self,
        variables: impl Into<Variables<'a>>,
        builtins: &Builtins<'_>,
    ) -> Result<Value, String> {
        renderer::render(self, &variables.into(), builtins)
    }

    /// Whether it renders to an object, as far as is known: a template that is one placeholder may.
    pub fn is_object(&self) -> bool {
        matches!(
            self.root,
            TemplatePart::Object(_) | TemplatePart::Placeholder(_)
        )
    }

    /// Its constant value, if it has no placeholder and is no list or object.
    pub fn constant(&self) -> Option<&Value> {
        if let TemplatePart::Constant(value) = &self.root {
            Some(value)
        } else {
            None
        }
    }

    /// The path, if it is exactly one placeholder for data.
    pub fn single_path(&self) -> Option<&DataPath> {
        match self.root {
            TemplatePart::Placeholder(Placeholder::Path(index)) => self.paths.get(index),
            _ => None,
        }
    }

    /// The data paths that it uses, in the order of their placeholders, without built-ins.
    pub fn paths(&self) -> impl Iterator<Item = &DataPath> {
        self.paths.iter()
    }

    /// What is known of the result without data: every exact placeholder is `null`, and one inside
    /// a text is empty.
    pub(super) fn outline(&self) -> Value {
        renderer::outline(&self.root)
    }
}

impl Builtin {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "processInstanceId" => Self::ProcessInstanceId,
            "parentProcessInstanceId" => Self::ParentProcessInstanceId,
            "rootProcessInstanceId" => Self::RootProcessInstanceId,
            "processName" => Self::ProcessName,
            "startedBy" => Self::StartedBy,
            "scheduledFor" => Self::ScheduledFor,
            "processBusinessKey" => Self::ProcessBusinessKey,
            "now" => Self::Now,
            _ => return None,
        })
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.sentence
        )
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests;
