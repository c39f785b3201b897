//! Reads the source of a deploy: BPMN XML or the JSON form.
//!
//! Not here: the rules of a definition (`compile` checks them with `validate`).

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{bpmn_xml, definition::ProcessDefinition, json, problem::Problem};

/// Largest accepted source, in bytes.
const MAX_SOURCE_BYTES: usize = crate::limits::DEFINITION_BYTES;

/// A definition with the warnings found while reading it.
pub type ReadDefinition = (ProcessDefinition, Vec<Problem>);

/// The format of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SourceFormat {
    /// BPMN 2.0 XML with Stepwire's extension elements; may hold several processes.
    BpmnXml,
    /// One definition in its serde form.
    Json,
}

impl SourceFormat {
    /// The format of a file with this name: JSON if it ends in `.json`, otherwise BPMN XML.
    pub fn of_file(file: &Path) -> Self {
        let ending = file.extension();
        match ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            true => Self::Json,
            false => Self::BpmnXml,
        }
    }
}

/// Reads the executable processes of a source, in document order; at least one.
///
/// # Errors
/// All problems found, at least one of them an error.
pub fn read_source(
    source: &[u8],
    format: SourceFormat,
) -> Result<Vec<ReadDefinition>, Vec<Problem>> {
    read_with(bpmn_xml::read, source, format)
}

/// Reads only their control flow, for which a diagram may be incomplete.
///
/// # Errors
/// As [`read_source`].
pub fn read_control_flow(
    source: &[u8],
    format: SourceFormat,
) -> Result<Vec<ReadDefinition>, Vec<Problem>> {
    read_with(bpmn_xml::read_control_flow, source, format)
}

fn read_with(
    read_xml: impl Fn(&str) -> Result<Vec<ReadDefinition>, Vec<Problem>>,
    source: &[u8],
    format: SourceFormat,
) -> Result<Vec<ReadDefinition>, Vec<Problem>> {
    if source.len() > MAX_SOURCE_BYTES {
        let message = format!(
            "expected at most {MAX_SOURCE_BYTES} bytes, but the source has {}; split it",
            source.len()
        );
        return Err(vec![Problem::error("", "too_large", message)]);
    }
    let unreadable = |found| {
        vec![Problem::error(
            "",
            "invalid_encoding",
            format!("expected text in UTF-8, but {found}"),
        )]
    };
    match format {
        SourceFormat::BpmnXml => read_xml(&crate::text::xml(source).map_err(unreadable)?),
        SourceFormat::Json => json::read(crate::text::utf8(source).map_err(unreadable)?),
    }
}
