//! Renders a template, within its limits.

use std::{borrow::Cow, io, io::Write};

use serde_json::{Map, Value};

use super::{
    Builtin, Builtins, MAX_TEMPLATE_BYTES, MAX_TEMPLATE_DEPTH, Piece, Placeholder, Template,
    TemplatePart,
};
use crate::model::{deep_merge::exceeds_depth, variables::Variables};

pub(super) fn render(
    template: &Template,
    variables: &Variables<'_>,
    builtins: &Builtins<'_>,
) -> Result<Value, String> {
    let bytes_left = MAX_TEMPLATE_BYTES.saturating_sub(template.source_bytes);
    Renderer {
        template,
        variables,
        builtins,
        bytes_left,
    }
    .part(&template.root, 0)
}

pub(super) fn outline(part: &TemplatePart) -> Value {
    match part {
        TemplatePart::Constant(value) => value.clone(),
        TemplatePart::Placeholder(_) => Value::Null,
        TemplatePart::Text(pieces) => Value::String(
            pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Literal(literal) => Some(literal.as_str()),
                    Piece::Placeholder(_) => None,
                })
                .collect(),
        ),
        TemplatePart::Array(items) => items.iter().map(outline).collect(),
        TemplatePart::Object(members) => members
            .iter()
            .map(|(name, part)| (name.clone(), outline(part)))
            .collect(),
    }
}

/// A value inside a longer text.
pub(super) fn as_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(string) => Cow::Borrowed(string),
        other => Cow::Owned(other.to_string()),
    }
}

/// The value of a built-in.
pub(super) fn builtin(builtin: Builtin, builtins: &Builtins<'_>) -> Value {
    match builtin {
        Builtin::ProcessInstanceId => builtins.process_instance_id.to_string().into(),
        Builtin::ParentProcessInstanceId => builtins.parent.map(|parent| parent.to_string()).into(),
        Builtin::RootProcessInstanceId => builtins.root.to_string().into(),
        Builtin::ProcessName => builtins.process_name.into(),
        Builtin::StartedBy => builtins.started_by.into(),
        Builtin::ScheduledFor => builtins.scheduled_for.map(|time| time.to_string()).into(),
        Builtin::ProcessBusinessKey => builtins.business_key.into(),
        Builtin::Now => builtins.now.to_string().into(),
    }
}

struct Renderer<'a> {
    template: &'a Template,
    variables: &'a Variables<'a>,
    builtins: &'a Builtins<'a>,
    bytes_left: usize,
}

impl<'a> Renderer<'a> {
    /// `depth` is the number of arrays and objects around the part.
    fn part(&mut self, part: &TemplatePart, depth: usize) -> Result<Value, String> {
        Ok(match part {
            TemplatePart::Constant(value) => value.clone(),
            TemplatePart::Placeholder(placeholder) => {
                let value = self.value(*placeholder);
                self.spend(&value)?;
                if exceeds_depth(&value, MAX_TEMPLATE_DEPTH - depth.min(MAX_TEMPLATE_DEPTH)) {
                    return Err(format!(
                        "expected at most {MAX_TEMPLATE_DEPTH} levels, but the rendered template \
                        is deeper"
                    ));
                }
                value.into_owned()
            }
            TemplatePart::Text(pieces) => Value::String(self.text(pieces)?),
            TemplatePart::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.part(item, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            TemplatePart::Object(members) => {
                let mut object = Map::new();
                for (name, part) in members {
                    object.insert(name.clone(), self.part(part, depth + 1)?);
                }
                Value::Object(object)
            }
        })
    }

    fn text(&mut self, pieces: &[Piece]) -> Result<String, String> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Placeholder(placeholder) => {
                    let value = self.value(*placeholder);
                    self.spend(&value)?;
                    text.push_str(&as_text(&value));
                }
            }
        }
        Ok(text)
    }

    fn value(&self, placeholder: Placeholder) -> Cow<'a, Value> {
        match placeholder {
            Placeholder::Path(index) => self
                .variables
                .at(&self.template.paths[index])
                .map_or(Cow::Owned(Value::Null), Cow::Borrowed),
            Placeholder::Builtin(builtin) => Cow::Owned(self::builtin(builtin, self.builtins)),
        }
    }

    /// Subtracts the length of the value's JSON text from the remaining size, before it is copied
    /// anywhere.
    fn spend(&mut self, value: &Value) -> Result<(), String> {
        let mut meter = Meter {
            left: self.bytes_left,
        };
        serde_json::to_writer(&mut meter, value).map_err(|_| {
            format!(
                "expected at most {MAX_TEMPLATE_BYTES} bytes, but the rendered template is \
                longer; send less data in one message"
            )
        })?;
        self.bytes_left = meter.left;
        Ok(())
    }
}

/// Counts the written bytes and fails if there are too many.
struct Meter {
    left: usize,
}

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
