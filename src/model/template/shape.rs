//! The shape of a template's result, as far as it is known without data.

use serde_json::Value;

use super::{Builtin, Placeholder, Template, TemplatePart};

/// A part of the result of a template.
#[derive(Debug)]
pub enum Shape<'a> {
    /// Always this.
    Constant(&'a Value),
    /// A value of the data, of any kind.
    Value,
    /// A text.
    Text,
    /// A text, or `null` when there is none.
    TextOrNull,
    /// A list with these items.
    Array(Vec<Shape<'a>>),
    /// An object with these members.
    Object(Vec<(&'a str, Shape<'a>)>),
}

impl Template {
    /// The result, as far as it is known.
    pub fn shape(&self) -> Shape<'_> {
        shape(&self.root)
    }
}

fn shape(part: &TemplatePart) -> Shape<'_> {
    match part {
        TemplatePart::Constant(value) => Shape::Constant(value),
        TemplatePart::Placeholder(Placeholder::Path(_)) => Shape::Value,
        TemplatePart::Placeholder(Placeholder::Builtin(Builtin::ParentProcessInstanceId)) => {
            Shape::TextOrNull
        }
        TemplatePart::Placeholder(Placeholder::Builtin(_)) | TemplatePart::Text(_) => Shape::Text,
        TemplatePart::Array(items) => Shape::Array(items.iter().map(shape).collect()),
        TemplatePart::Object(members) => Shape::Object(
            members
                .iter()
                .map(|(name, part)| (name.as_str(), shape(part)))
                .collect(),
        ),
    }
}
