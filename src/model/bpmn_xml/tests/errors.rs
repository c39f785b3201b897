//! Errors of the document and the events that name them.

use super::*;
use crate::model::event_definition::EventDefinition;

/// A document with two errors beside a process of this content.
fn document_with_errors(content: &str) -> String {
    let errors = r#"<error id="poor" name="Poor" errorCode="POOR"/><error id="mute"/>"#;
    document("", content).replace("<process", &format!("{errors}<process"))
}

#[test]
fn error_events() {
    let definition = |reference: &str| format!("<errorEventDefinition id=\"d\" {reference}/>");
    let end = |content: &str| format!(r#"<endEvent id="e">{content}</endEvent>"#);
    let boundary = |attributes: &str, content: &str| {
        format!(r#"<boundaryEvent id="b" attachedToRef="c" {attributes}>{content}</boundaryEvent>"#)
    };
    let code = |content: &str| {
        let definitions = read(&document_with_errors(content))
            .unwrap_or_else(|problems| panic!("{content}: {problems:?}"));
        let node = definitions[0].0.nodes[0].clone();
        (node.kind, node.attached_to, node.event)
    };
    let error = |code: Option<&str>| {
        Some(EventDefinition::Error {
            code: code.map(str::to_owned),
        })
    };
    let (poor, c) = (error(Some("POOR")), Some("c".to_owned()));
    assert_eq!(
        code(&end(&definition("errorRef=\"poor\""))),
        (ElementType::EndEvent, None, poor.clone())
    );
    assert_eq!(code(&end("")), (ElementType::EndEvent, None, None));
    let kind = ElementType::BoundaryEvent;
    assert_eq!(
        code(&boundary("", &definition("errorRef=\"x:poor\""))),
        (kind, c.clone(), poor)
    );
    assert_eq!(
        code(&boundary(r#"cancelActivity="true""#, &definition(""))),
        (kind, c, error(None))
    );

    let check = |content: &str, expected: &[(&str, &str)]| {
        check_document(&document_with_errors(content), expected)
    };
    check(&end(&definition("")), &[("e", "missing_attribute")]);
    check(
        &end(&definition("errorRef=\"none\"")),
        &[("e", "unknown_error")],
    );
    check(
        &end(&definition("errorRef=\"mute\"")),
        &[("e", "unknown_error")],
    );
    check(
        &end("<errorEventDefinition errorRef=\"poor\"/>"
            .repeat(2)
            .as_str()),
        &[("e", "unsupported_element")],
    );
    check(
        &boundary("", "<timerEventDefinition/>"),
        &[("b", "invalid_schedule")],
    );
    check(
        &boundary("", "<signalEventDefinition/>"),
        &[("b", "missing_attribute")],
    );
    check(&boundary("", ""), &[("b", "missing_event_definition")]);
    check(
        r#"<startEvent id="s"><errorEventDefinition/></startEvent>"#,
        &[("s", "unsupported_element")],
    );
}
