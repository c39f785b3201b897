//! Reads the JSON form of a process definition: the serde form of [`ProcessDefinition`].

use super::{definition::ProcessDefinition, problem::Problem, source::ReadDefinition};
use crate::text::json::{self, JsonError};

/// Reads one definition.
///
/// # Errors
/// The place where the text is no longer a definition; later problems cannot be found.
pub fn read(text: &str) -> Result<Vec<ReadDefinition>, Vec<Problem>> {
    json::from_text::<ProcessDefinition>(text)
        .map(|definition| vec![(definition, Vec::new())])
        .map_err(|error| {
            let message =
                format!("expected a process definition, but {error}; correct the JSON there");
            let code = match error {
                JsonError::Repeated { .. } => error.problem_code(),
                _ => "invalid_json",
            };
            vec![Problem::error("", code, message)]
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_definition_and_names_the_place_of_errors() {
        let json = r#"{"id": "p", "nodes": [{"id": "s", "type": "startEvent"}, {"id": "e", "type": "endEvent"}],
            "flows": [{"id": "f", "source": "s", "target": "e"}]}"#;
        let read_back = read(json).expect("the definition is valid");
        let again = serde_json::to_string(&read_back[0].0).expect("definitions are JSON");
        assert_eq!(read(&again), Ok(read_back));

        let problems =
            read("{\"id\": \"p\",\n \"nodes\": [], \"odd\": 1}").expect_err("odd is unknown");
        assert_eq!(problems[0].code, "invalid_json");
        assert!(
            problems[0].message.contains("`odd`") && problems[0].message.contains("line 2"),
            "{}",
            problems[0].message
        );
    }
}
