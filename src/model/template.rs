//! JSON templates with `${path}` placeholders, compiled once at deploy.
//!
//! A template is JSON text in which
//! - a string that is *exactly* one placeholder, or a bare placeholder outside quotes, becomes the
//!   value with its type; a missing path becomes `null`;
//! - a placeholder inside a longer string becomes text: strings as they are, objects and arrays as
//!   JSON, `null` and a missing path as nothing;
//! - `\${` (in JSON `"\\${x}"`, or raw `"\${x}"`) is the literal `${`.
//!
//! Placeholders are looked for after JSON unescaping and name a [`DataPath`] or a built-in (see
//! [`Builtins`]). Member names hold none. Nothing is evaluated as code.
//!
//! Reading is in `parser`, filling in is in `renderer`, what can be known before is in `shape`.
//! Templates of what is no JSON (addresses, header values): `text`.

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

/// Largest template and largest rendered value, in bytes of JSON text. The rendered size is counted
/// as the template's length plus that of each value filled in.
const MAX_TEMPLATE_BYTES: usize = crate::limits::TEMPLATE_BYTES;
/// Deepest nesting of arrays and objects in a template and in what it renders to.
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
    Now,
}

/// The values every template may use by their own names: `processInstanceId`,
/// `parentProcessInstanceId`, `rootProcessInstanceId`, `processName`, `startedBy`, `scheduledFor`,
/// `now`.
///
/// A built-in hides a data member of the same name; members below it (`processName.x`) are looked
/// up in the data.
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
    /// `startedBy`.
    pub started_by: &'a str,
    /// `scheduledFor`, as RFC 3339 text in UTC; `null` for what no schedule started.
    pub scheduled_for: Option<Time>,
    /// `now`, as RFC 3339 text in UTC.
    pub now: Time,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What was expected.
    pub sentence: String,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// The first place that does not read as a template.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        parser::parse(text)
    }

    /// Compiles a plain text with placeholders, as attributes hold them: one that is exactly one
    /// placeholder keeps the value's type.
    ///
    /// # Errors
    /// As [`Self::compile`]; the place counts one column more.
    pub fn compile_text(text: &str) -> Result<Self, TemplateError> {
        Self::compile(&Value::from(text).to_string())
    }

    /// Fills the template in.
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

    /// Whether it renders to an object, as far as is known: a template that is one placeholder
    /// may.
    pub fn is_object(&self) -> bool {
        matches!(
            self.root,
            TemplatePart::Object(_) | TemplatePart::Placeholder(_)
        )
    }

    /// What it always renders to, when it has no placeholder and is no list or object.
    pub fn constant(&self) -> Option<&Value> {
        if let TemplatePart::Constant(value) = &self.root {
            Some(value)
        } else {
            None
        }
    }

    /// The path whose value it is, when it is exactly one placeholder for data.
    pub fn single_path(&self) -> Option<&DataPath> {
        match self.root {
            TemplatePart::Placeholder(Placeholder::Path(index)) => self.paths.get(index),
            _ => None,
        }
    }

    /// The data paths it reads, in the order of their placeholders; built-ins are not among them.
    pub fn paths(&self) -> impl Iterator<Item = &DataPath> {
        self.paths.iter()
    }

    /// What can be known of the result without data: every exact placeholder is `null`, inside a
    /// text it is nothing.
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
