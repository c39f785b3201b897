mod ad_hoc;
mod contradictions;
mod errors;
mod events;
mod flow_order;
mod global_tasks;
mod languages;
mod loops;
mod mappings;
mod others;
mod processes;
mod reading;
mod schedules;
mod several;

use serde_json::json;

use super::*;
use crate::model::{
    action::ActionType,
    definition::{ElementType, ProcessDefinition},
    task_settings::UserTask,
};

/// Wraps process content into a document; `attributes` go on the process.
fn document(attributes: &str, content: &str) -> String {
    format!(
        r#"<definitions xmlns="{BPMN_NAMESPACE}" xmlns:stepwire="{STEPWIRE_NAMESPACE}" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
           <process id="p" isExecutable="true" {attributes}>{content}</process></definitions>"#
    )
}

fn read_one(content: &str) -> (ProcessDefinition, Vec<Problem>) {
    let mut found =
        read(&document("", content)).unwrap_or_else(|problems| panic!("{content}: {problems:?}"));
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Reads process content and expects exactly these `(element, code)`, errors or warnings.
fn check(content: &str, expected: &[(&str, &str)]) {
    check_document(&document("", content), expected);
}

fn check_document(xml: &str, expected: &[(&str, &str)]) {
    let problems = match read(xml) {
        Ok(definitions) => definitions
            .into_iter()
            .flat_map(|(_, warnings)| warnings)
            .collect(),
        Err(problems) => problems,
    };
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.element.as_str(), problem.code))
        .collect();
    assert_eq!(found, expected, "{xml}\n{problems:#?}");
}

fn task_with(extensions: &str) -> String {
    format!(r#"<userTask id="t"><extensionElements>{extensions}</extensionElements></userTask>"#)
}

fn action_with(attributes: &str, content: &str) -> String {
    task_with(&format!(
        r#"<stepwire:actions><stepwire:action name="a" {attributes}>{content}</stepwire:action></stepwire:actions>"#
    ))
}

#[test]
fn documents_that_are_not_bpmn_are_refused() {
    let namespace = BPMN_NAMESPACE;
    check_document("", &[("", "invalid_xml")]);
    check_document("<definitions/>", &[("", "not_bpmn")]);
    check_document(
        "<!DOCTYPE d [<!ENTITY e 'x'>]><d>&e;</d>",
        &[("", "dtd_refused")],
    );
    check_document("<d>&unknown;</d>", &[("", "invalid_xml")]);
    check_document(
        &format!(r#"<definitions xmlns="{namespace}"/>"#),
        &[("", "no_process")],
    );
    let deep = format!(
        "{}{}",
        "<a>".repeat(MAX_XML_DEPTH),
        "</a>".repeat(MAX_XML_DEPTH)
    );
    check_document(
        &format!(r#"<definitions xmlns="{namespace}">{deep}</definitions>"#),
        &[("", "too_deep")],
    );
}

#[test]
fn elements_without_runtime_meaning_are_ignored() {
    let xml = format!(
        r#"<definitions xmlns="{BPMN_NAMESPACE}" xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI">
           <collaboration id="c"><participant id="pool" processRef="p"/><messageFlow id="m" sourceRef="pool" targetRef="other"/></collaboration>
           <process id="p"><documentation>Text.</documentation><startEvent id="s"/>
             <textAnnotation id="a"><text>Note</text></textAnnotation><association id="b" sourceRef="a" targetRef="s"/><group id="g"/></process>
           <process id="other" isExecutable="false"><subProcess id="x"/></process><di:BPMNDiagram id="d"/></definitions>"#
    );
    check_document(&xml, &[("other", "process_not_deployed")]);
}

#[test]
fn unsupported_elements_are_named() {
    for element in ["choreographyTask", "subChoreography"] {
        check(
            &format!(r#"<{element} id="x"/>"#),
            &[("x", "unsupported_element")],
        );
    }
    check(
        r#"<startEvent id="s"><linkEventDefinition name="x"/></startEvent>"#,
        &[("s", "unsupported_element")],
    );
    check(
        r#"<endEvent id="e"><escalationEventDefinition/></endEvent>"#,
        &[("e", "missing_attribute")],
    );
}

#[test]
fn unsupported_attributes_are_named() {
    check(
        r#"<task id="t" isForCompensation="false" startQuantity="1"/>"#,
        &[],
    );
    check(
        r#"<sequenceFlow id="f" sourceRef="a" targetRef="b"><conditionExpression language="FEEL">x()</conditionExpression></sequenceFlow>"#,
        &[("f", "unsupported_expression")],
    );
}

#[test]
fn unsupported_action_types_are_named() {
    check(
        &action_with(r#"type="odd""#, ""),
        &[("t", "unsupported_action_type")],
    );
    check(&action_with("", ""), &[("t", "missing_attribute")]);
}

#[test]
fn unknown_and_foreign_names_are_warnings() {
    check(
        r#"<task id="t" stepwire:odd="1" canGoBack="true"/>"#,
        &[("t", "unknown_name"), ("t", "unknown_name")],
    );
    check(
        r#"<userTask id="t" camunda:formKey="f"/>"#,
        &[("t", "foreign_extension")],
    );
    check(
        &task_with("<camunda:taskDefinition type='job'/><stepwire:odd/>"),
        &[("t", "unknown_name"), ("t", "foreign_extension")],
    );
    check(
        &action_with(
            r#"type="saveData" odd="1""#,
            r#"<stepwire:param name="message">x</stepwire:param>"#,
        ),
        &[("t", "unknown_name"), ("t", "unknown_name")],
    );
    check_document(
        &document(r#"stepwire:odd="1""#, ""),
        &[("p", "unknown_name")],
    );
}

#[test]
fn invalid_values_are_named() {
    check(
        r#"<task id="t" stepwire:canGoBack="maybe"/>"#,
        &[("t", "invalid_value")],
    );
    check_document(
        &document(r#"stepwire:alias="x""#, ""),
        &[("p", "invalid_value")],
    );
    check_document(
        &document(r#"stepwire:searchKeys="client""#, ""),
        &[("p", "invalid_value")],
    );
    check(
        &action_with(r#"type="saveData" order="1.5" trigger="odd""#, ""),
        &[("t", "invalid_value"), ("t", "invalid_value")],
    );
    check(
        &action_with(
            r#"type="saveData" trigger="manual""#,
            r#"<stepwire:key path="a"><stepwire:schema>{</stepwire:schema></stepwire:key>"#,
        ),
        &[("t", "invalid_value")],
    );
    check(
        r#"<callActivity id="c" calledElement="x" stepwire:paramsToCopy="client"/>"#,
        &[("c", "invalid_value")],
    );
    check_document(
        &document("", "").replace("id=\"p\"", ""),
        &[("", "missing_attribute")],
    );
    let twice = r#"<stepwire:param name="message">{}</stepwire:param><stepwire:param name="message">{}</stepwire:param>"#;
    check(
        &action_with(r#"type="websocketSend""#, twice),
        &[("t", "duplicate_param")],
    );
}

#[test]
fn node_rules_are_reported_beside_reading_errors() {
    check(
        &format!(
            r#"<choreographyTask id="x"/>{}"#,
            action_with(r#"type="websocketSend" timer="soon""#, "")
        ),
        &[
            ("x", "unsupported_element"),
            ("t", "invalid_timer"),
            ("t", "missing_param"),
        ],
    );
}
