//! Messages and signals of events, compiled: names, correlation keys and data.
//!
//! Not here: which elements wait at run time (`engine::subscription`), correlation
//! (`runtime::correlations`).

use jiff::Span;
use serde_json::Value;

use super::{
    business_key, computed_template::ComputedTemplate, path::DataPath, template::Builtins,
    variables::Variables,
};
use crate::{duration, limits};

/// A message that an event catches or throws.
#[derive(Debug)]
pub struct MessageDefinition {
    /// Its name.
    name: ComputedTemplate,
    /// The correlation key; having none is a key, too.
    correlation_key: Option<ComputedTemplate>,
    /// Its data.
    data: Option<SentData>,
    /// How long it is kept until an element waits for it.
    pub time_to_live: Option<Span>,
}

/// A signal that an event catches or throws.
#[derive(Debug)]
pub struct SignalDefinition {
    name: ComputedTemplate,
    data: Option<SentData>,
    business_key: Option<ComputedTemplate>,
}

/// The data that a message or signal brings.
#[derive(Debug)]
enum SentData {
    /// All variables that the thrower sees.
    All,
    /// What a template of an object gives.
    Rendered(ComputedTemplate),
}

/// The text of `SentData::All`.
pub const ALL: &str = "*";

impl MessageDefinition {
    /// Compiles a message.
    ///
    /// # Errors
    /// The invalid template, name or duration, as a sentence.
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
                .map(ComputedTemplate::compile_text)
                .transpose()
                .map_err(|sentence| format!("the correlation key: {sentence}"))?,
            data: data.map(compile_data).transpose()?,
            time_to_live: time_to_live
                .map_err(|sentence| format!("the time to live: {sentence}"))?,
        })
    }

    /// Its name, if that does not depend on data.
    pub fn fixed_name(&self) -> Option<&str> {
        self.name.constant()?.as_str()
    }

    /// Its name with these data.
    ///
    /// # Errors
    /// The invalid name, as a sentence.
    pub fn name(&self, data: &Variables<'_>, builtins: &Builtins<'_>) -> Result<String, String> {
        text_of("a name of the message", &self.name, data, builtins)
    }

    /// Its correlation key with these data.
    ///
    /// # Errors
    /// The invalid key, as a sentence.
    pub fn correlation_key(
        &self,
        data: &Variables<'_>,
        builtins: &Builtins<'_>,
    ) -> Result<Option<String>, String> {
        let key = self.correlation_key.as_ref();
        key.map(|key| text_of("a correlation key", key, data, builtins))
            .transpose()
    }

    /// Its data.
    ///
    /// # Errors
    /// The data are no object, as a sentence.
    pub fn data(&self, data: &Variables<'_>, builtins: &Builtins<'_>) -> Result<Value, String> {
        render_data(self.data.as_ref(), data, builtins)
    }
}

impl SignalDefinition {
    /// Compiles a signal.
    ///
    /// # Errors
    /// The invalid template or name, as a sentence.
    pub fn compile(
        name: &str,
        data: Option<&str>,
        business_key: Option<&str>,
    ) -> Result<Self, String> {
        Ok(Self {
            name: compile_name(name)?,
            data: data.map(compile_data).transpose()?,
            business_key: business_key
                .map(ComputedTemplate::compile_text)
                .transpose()
                .map_err(|sentence| format!("the business key: {sentence}"))?,
        })
    }

    /// The business key of instances that it starts.
    ///
    /// # Errors
    /// The data give no key, as a sentence.
    pub fn business_key(
        &self,
        data: &Variables<'_>,
        builtins: &Builtins<'_>,
    ) -> Result<Option<String>, String> {
        let template = self.business_key.as_ref();
        let key = template.map(|key| business_key::rendered(key, data, builtins));
        Ok(key.transpose()?.flatten())
    }

    /// Its name, if that does not depend on data.
    pub fn fixed_name(&self) -> Option<&str> {
        self.name.constant()?.as_str()
    }

    /// Its name with these data.
    ///
    /// # Errors
    /// The invalid name, as a sentence.
    pub fn name(&self, data: &Variables<'_>, builtins: &Builtins<'_>) -> Result<String, String> {
        text_of("a name of the signal", &self.name, data, builtins)
    }

    /// Its data.
    ///
    /// # Errors
    /// The data are no object, as a sentence.
    pub fn data(&self, data: &Variables<'_>, builtins: &Builtins<'_>) -> Result<Value, String> {
        render_data(self.data.as_ref(), data, builtins)
    }
}

fn compile_name(name: &str) -> Result<ComputedTemplate, String> {
    if name.trim().is_empty() || name.len() > limits::NAME_BYTES {
        return Err(format!(
            "expected a name of 1 to {} bytes, but this one has {}; correct it",
            limits::NAME_BYTES,
            name.len()
        ));
    }
    ComputedTemplate::compile_text(name).map_err(|sentence| format!("the name: {sentence}"))
}

fn compile_data(text: &str) -> Result<SentData, String> {
    if text.trim() == ALL {
        return Ok(SentData::All);
    }
    let template = ComputedTemplate::compile(text).map_err(|error| format!("the data: {error}"))?;
    if template.is_object() {
        Ok(SentData::Rendered(template))
    } else {
        Err(
            "the data: expected a template of a JSON object, but this one is not; write {\"name\": \
            \"${path}\"}"
                .to_owned(),
        )
    }
}

/// A name or key as text: texts, numbers and booleans are allowed.
fn text_of(
    what: &str,
    template: &ComputedTemplate,
    data: &Variables<'_>,
    builtins: &Builtins<'_>,
) -> Result<String, String> {
    let fix = "correct the data (patch) and retry";
    let is_missing = |path: &&DataPath| data.at(path).is_none_or(Value::is_null);
    if let Some(path) = template.paths().into_iter().find(is_missing) {
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
    sent: Option<&SentData>,
    data: &Variables<'_>,
    builtins: &Builtins<'_>,
) -> Result<Value, String> {
    let template = match sent {
        None => return Ok(Value::Object(serde_json::Map::new())),
        Some(SentData::All) => return Ok(data.merged().into_owned()),
        Some(SentData::Rendered(template)) => template,
    };
    match template.render(data.clone(), builtins)? {
        object @ Value::Object(_) => Ok(object),
        other => Err(format!(
            "expected data that are a JSON object, but the template gives {other}; correct the \
            data (patch) and retry"
        )),
    }
}
