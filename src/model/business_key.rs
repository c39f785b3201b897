//! The business key that an element gives to an instance that it starts.

use serde_json::Value;

use super::{computed_template::ComputedTemplate, template::Builtins, variables::Variables};
use crate::limits;

/// The key; an empty text is none.
///
/// # Errors
/// The data give no key, as a sentence.
pub fn rendered(
    template: &ComputedTemplate,
    variables: &Variables<'_>,
    builtins: &Builtins<'_>,
) -> Result<Option<String>, String> {
    let text = match template.render(variables, builtins)? {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        value @ (Value::Number(_) | Value::Bool(_)) => value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            let sentence = "expected a business key as a text, but the data give a list or an \
                object; correct the data (patch) and retry";
            return Err(sentence.to_owned());
        }
    };
    if text.len() > limits::NAME_BYTES {
        return Err(format!(
            "expected a business key of at most {} bytes, but the data give {}; correct the data \
            (patch) and retry",
            limits::NAME_BYTES,
            text.len()
        ));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}
