//! Messages and signals as events know them, compiled: names, correlation keys and data.
//!
//! Not here: who waits for which at run time (`engine::subscription`), how one finds the other
//! (`runtime::correlation`).

use jiff::Span;
use serde_json::Value;

use super::{
    path::DataPath,
    template::{Builtins, Template},
    variables::Variables,
};
use crate::{duration, limits};

/// A message that an event catches or throws.
#[derive(Debug)]
pub struct MessageDefinition {
    /// Its name.
    name: Template,
    /// Which of those that wait for the name it is for; none is a key as well.
    correlation_key: Option<Template>,
    /// What it takes along.
    data: Option<Template>,
    /// How long it is kept when nobody waits for it.
    pub time_to_live: Option<Span>,
}

/// A signal that an event catches or throws.
#[derive(Debug)]
pub struct SignalDefinition {
    name: Template,
    data: Option<Template>,
}

impl MessageDefinition {
    /// Compiles what was written.
    ///
    /// # Errors
    /// A sentence about what is no template, no name or no duration.
    pub fn compile(
        name: &str,
        correlation_key: Option<&str>,
        data: Option<&str>,
        time_to_live: Option<&str>,
    ) -> Result<Self, String> {
        let time_to_live = time_to_live.map(duration::parse).transpose();
        Ok(Self {
            name: compile_name(name)?,
            correlation_key: correlation_key
                .map(compile_text)
                .transpose()
                .map_err(|sentence| format!("the correlation key: {sentence}"))?,
            data: data.map(compile_data).transpose()?,
            time_to_live: time_to_live
                .map_err(|sentence| format!("the time to live: {sentence}"))?,
        })
    }

    /// Its name, when no data are needed to tell.
    pub fn fixed_name(&self) -> Option<&str> {
        self.name.constant()?.as_str()
    }

    /// Its name, by these data.
    ///
    /// # Errors
    /// A sentence about what is no name.
    pub fn name(&self, data: &Variables<'_>, builtins: &Builtins<'_>) -> Result<String, String> {
        text_of("a name of the message", &self.name, data, builtins)
    }

    /// Its correlation key, by these data.
    ///
    /// # Errors
    /// A sentence about what is no key.
    pub fn correlation_key(
        &self,
        data: &Variables<'_>,
        builtins: &Builtins<'_>,
    ) -> Result<Option<String>, String> {
        let key = self.correlation_key.as_ref();
        key.map(|key| text_of("a correlation key", key, data, builtins))
            .transpose()
    }

    /// What it takes along, by these data.
    ///
    /// # Errors
    /// A sentence about what is no object.
    pub fn data(&self, data: &Variables<'_>, builtins: &Builtins<'_>) -> Result<Value, String> {
        render_data(self.data.as_ref(), data, builtins)
    }
}

impl SignalDefinition {
    /// Compiles what was written.
    ///
    /// # Errors
    /// A sentence about what is no template or no name.
    pub fn compile(name: &str, data: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            name: compile_name(name)?,
            data: data.map(compile_data).transpose()?,
        })
    }

    /// Its name, when no data are needed to tell.
    pub fn fixed_name(&self) -> Option<&str> {
        self.name.constant()?.as_str()
    }

    /// Its name, by these data.
    ///
    /// # Errors
    /// A sentence about what is no name.
    pub fn name(&self, data: &Variables<'_>, builtins: &Builtins<'_>) -> Result<String, String> {
        text_of("a name of the signal", &self.name, data, builtins)
    }

    /// What it takes along, by these data.
    ///
    /// # Errors
    /// A sentence about what is no object.
    pub fn data(&self, data: &Variables<'_>, builtins: &Builtins<'_>) -> Result<Value, String> {
        render_data(self.data.as_ref(), data, builtins)
    }
}

fn compile_text(text: &str) -> Result<Template, String> {
    Template::compile_text(text).map_err(|error| error.sentence)
}

fn compile_name(name: &str) -> Result<Template, String> {
    if name.trim().is_empty() || name.len() > limits::NAME_BYTES {
        return Err(format!(
            "expected a name of 1 to {} bytes, but this one has {}; correct it",
            limits::NAME_BYTES,
            name.len()
        ));
    }
    compile_text(name).map_err(|sentence| format!("the name: {sentence}"))
}

fn compile_data(text: &str) -> Result<Template, String> {
    let template = Template::compile(text).map_err(|error| format!("the data: {error}"))?;
    if template.is_object() {
        Ok(template)
    } else {
        Err(
            "the data: expected a template of a JSON object, but this one is not; write {\"name\": \
            \"${path}\"}"
                .to_owned(),
        )
    }
}

/// A name or key as text: texts, numbers and truth values are.
fn text_of(
    what: &str,
    template: &Template,
    data: &Variables<'_>,
    builtins: &Builtins<'_>,
) -> Result<String, String> {
    let fix = "correct the data (patch) and retry";
    let is_missing = |path: &&DataPath| data.at(path).is_none_or(Value::is_null);
    if let Some(path) = template.paths().find(is_missing) {
        return Err(format!(
            "expected {what}, but the data have no `{path}`; {fix}"
        ));
    }
    let text = match template.render(data.clone(), builtins)? {
        Value::String(text) => text,
        value @ (Value::Number(_) | Value::Bool(_)) => value.to_string(),
        other => {
            return Err(format!("expected {what}, but the data give {other}; {fix}"));
        }
    };
    if text.is_empty() || text.len() > limits::NAME_BYTES {
        return Err(format!(
            "expected {what} of 1 to {} bytes, but the data give {}; {fix}",
            limits::NAME_BYTES,
            text.len()
        ));
    }
    Ok(text)
}

fn render_data(
    template: Option<&Template>,
    data: &Variables<'_>,
    builtins: &Builtins<'_>,
) -> Result<Value, String> {
    let Some(template) = template else {
        return Ok(Value::Object(serde_json::Map::new()));
    };
    match template.render(data.clone(), builtins)? {
        object @ Value::Object(_) => Ok(object),
        other => Err(format!(
            "expected data that are a JSON object, but the template gives {other}; correct the \
            data (patch) and retry"
        )),
    }
}
