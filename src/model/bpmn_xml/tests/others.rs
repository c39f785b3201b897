//! Files as other tools write them: what the schema leaves out or writes otherwise, names of other
//! namespaces, parts without effect here.

use super::*;
use crate::model::event_definition::EventDefinition;

pub(super) fn problems(xml: &str) -> Vec<Problem> {
    match read(xml) {
        Ok(definitions) => definitions
            .into_iter()
            .flat_map(|(_, warnings)| warnings)
            .collect(),
        Err(problems) => problems,
    }
}

/// Reads a document and expects one problem with this code, which contains all of the parts and
/// none of the others.
pub(super) fn says(xml: &str, code: &str, parts: &[&str], others: &[&str]) {
    let problems = problems(xml);
    let [problem] = &problems[..] else {
        panic!("expected one problem, but got {problems:#?}\n{xml}")
    };
    let message = &problem.message;
    assert!(
        problem.code == code && message.starts_with("expected ") && message.contains(", but "),
        "{problem:?}"
    );
    assert!(
        parts.iter().all(|part| message.contains(part)),
        "{parts:?} in {message}"
    );
    assert!(
        !others.iter().any(|part| message.contains(part)),
        "{others:?} in {message}"
    );
}

#[test]
fn an_element_without_id_gets_an_id_derived_from_its_content() {
    let flow = |source: &str, target: &str| {
        format!(r#"<sequenceFlow sourceRef="{source}" targetRef="{target}"/>"#)
    };
    let ids = |content: &str| {
        let (definition, warnings) = read_one(content);
        assert_eq!(warnings, [], "{content}");
        let nodes = definition.nodes.iter().map(|node| node.id.clone());
        nodes
            .chain(definition.flows.iter().map(|flow| flow.id.clone()))
            .collect::<Vec<_>>()
    };
    let content = [
        flow("a", "b"),
        flow("a", "b"),
        flow("a-b", "c"),
        flow("a", "b-c"),
    ]
    .concat();
    assert_eq!(
        ids(&content),
        ["flow-a-b", "flow-a-b-2", "flow-a-b-c", "flow-a-b-c-2"]
    );
    let taken =
        r#"<task id="flow-a-b"/><sequenceFlow id="flow-a-b-2" sourceRef="x" targetRef="y"/>"#;
    assert_eq!(
        ids(&format!("{taken}{}", flow("a", "b"))),
        ["flow-a-b", "flow-a-b-2", "flow-a-b-3"]
    );
    assert_eq!(
        ids(r#"<task/><task id="task-2"/><task id=" "/><startEvent/>"#),
        ["task-1", "task-2", "task-3", "startEvent-1"]
    );
    let long = "x".repeat(100);
    let hashed = ids(&flow(&long, &long));
    assert!(
        hashed[0].len() < 30
            && hashed == ids(&flow(&long, &long))
            && hashed != ids(&flow(&long, "y")),
        "{hashed:?}"
    );
}

#[test]
fn booleans_are_those_of_xml_schema() {
    let read_flag = |value: &str| {
        let (definition, warnings) =
            read_one(&format!(r#"<task id="t" stepwire:canGoBack="{value}"/>"#));
        assert_eq!(warnings, [], "{value}");
        definition.nodes[0].can_go_back
    };
    assert_eq!(
        ["true", "1", " true ", "\n1", "false", "0", " 0 "].map(read_flag),
        [true, true, true, true, false, false, false]
    );
    for wrong in ["True", "FALSE", "yes", "2", "\u{a0}1"] {
        let xml = document(
            "",
            &format!(r#"<task id="t" stepwire:canGoBack="{wrong}"/>"#),
        );
        says(
            &xml,
            "invalid_value",
            &[
                "`canGoBack`".trim_matches('`'),
                "`true`, `false`, `1` or `0`",
            ],
            &[],
        );
    }
    for empty in ["", " "] {
        let xml =
            |attribute: &str| document("", &format!(r#"<task id="t" {attribute}="{empty}"/>"#));
        for name in [
            "stepwire:canGoBack",
            "isForCompensation",
            "startQuantity",
            "completionQuantity",
        ] {
            says(&xml(name), "invalid_value", &[name, "it is empty"], &[]);
        }
        let action = action_with(
            &format!(r#"type="saveData" trigger="manual" repeatable="{empty}""#),
            "",
        );
        says(
            &document("", &action),
            "invalid_value",
            &["repeatable", "it is empty"],
            &[],
        );
        let param = format!(
            r#"<stepwire:param name="process">q</stepwire:param><stepwire:param name="async">{empty}</stepwire:param>"#
        );
        says(
            &document("", &action_with(r#"type="startSubprocess""#, &param)),
            "invalid_value",
            &["async", "it is empty"],
            &[],
        );
        for name in ["stepwire:anonymousStart", "stepwire:alias"] {
            says(
                &document(&format!("{name}=\"{empty}\""), ""),
                "invalid_value",
                &[name, "it is empty"],
                &[],
            );
        }
    }
    let executable = |value: &str| {
        document("", "").replace(
            "isExecutable=\"true\"",
            &format!("isExecutable=\"{value}\""),
        )
    };
    for runs in ["1", "true", " true "] {
        assert!(read(&executable(runs)).is_ok(), "{runs}");
    }
    says(
        &executable(""),
        "invalid_value",
        &["isExecutable", "it is empty"],
        &[],
    );
    says(
        &executable("False"),
        "invalid_value",
        &["isExecutable", "`False`"],
        &[],
    );
    let call = |marker: &str| {
        format!(
            r#"<callActivity id="c" calledElement="q" stepwire:collection="l">{marker}</callActivity>"#
        )
    };
    check(
        &call(r#"<multiInstanceLoopCharacteristics isSequential="0"/>"#),
        &[],
    );
    check(
        &call(r#"<multiInstanceLoopCharacteristics isSequential="1"/>"#),
        &[],
    );
    check(
        r#"<task id="t" isForCompensation="0" startQuantity=" 01 "/>"#,
        &[],
    );
    check(
        &action_with(
            r#"type="saveData" trigger="manual" repeatable="1" strictKeys="0""#,
            "",
        ),
        &[],
    );
    let param = r#"<stepwire:param name="process">q</stepwire:param><stepwire:param name="async">0</stepwire:param>"#;
    check(&action_with(r#"type="startSubprocess""#, param), &[]);
}

/// A document whose targetNamespace has the prefix `tns`, and that imports another with `imp`.
fn with_prefixes(content: &str) -> String {
    let namespaces = r#"targetNamespace="http://here" xmlns:tns="http://here" xmlns:imp="http://there" xmlns:stepwire"#;
    document("", content)
        .replacen("xmlns:stepwire", namespaces, 1)
        .replace(
            "<process",
            "<error id=\"poor\" errorCode=\"POOR\"/><process",
        )
}

#[test]
fn references_are_qualified_names() {
    let content = |prefix: &str| {
        format!(
            r#"<laneSet><lane id="l"><flowNodeRef>{prefix}c</flowNodeRef></lane></laneSet>
               <callActivity id="c" calledElement=" {prefix}child "/>
               <boundaryEvent id="b" attachedToRef="{prefix}c"><errorEventDefinition errorRef="{prefix}poor"/></boundaryEvent>
               <exclusiveGateway id="g" default="{prefix}f"/><sequenceFlow id="f" sourceRef="{prefix}g" targetRef="{prefix}c"/>"#
        )
    };
    let read_all = |prefix: &str| {
        read(&with_prefixes(&content(prefix)))
            .unwrap_or_else(|problems| panic!("{prefix}: {problems:?}"))
            .remove(0)
    };
    let (plain, warnings) = read_all("");
    assert_eq!(warnings, []);
    assert_eq!(
        plain.nodes[0]
            .call
            .as_ref()
            .map(|call| call.called_element.as_str()),
        Some("child")
    );
    assert_eq!(
        (
            plain.nodes[1].attached_to.as_deref(),
            plain.nodes[1].events.first()
        ),
        (
            Some("c"),
            Some(&EventDefinition::Error {
                code: Some("POOR".to_owned())
            })
        )
    );
    assert_eq!(read_all("tns:"), (plain.clone(), vec![]));
    for (prefix, part) in [("imp:", "http://there"), ("odd:", "not")] {
        let (definition, warnings) = read_all(prefix);
        assert_eq!(definition, plain);
        let named = |name: &str| {
            warnings
                .iter()
                .any(|warning| warning.message.contains(name) && warning.message.contains(part))
        };
        for name in [
            "flowNodeRef",
            "calledElement",
            "attachedToRef",
            "errorRef",
            "default",
            "sourceRef",
            "targetRef",
        ] {
            assert!(named(name), "{name}: {warnings:?}");
        }
    }
}

#[test]
fn a_document_without_executable_process_is_refused_with_the_reason() {
    let none = document("", "")
        .replace("<process", "<!--")
        .replace("</process>", "-->");
    says(&none, "no_process", &["holds none"], &["isExecutable"]);
    let no_prefix = format!(
        r#"<b:definitions xmlns:b="{BPMN_NAMESPACE}"><process id="p" isExecutable="true"/></b:definitions>"#
    );
    says(
        &no_prefix,
        "wrong_namespace",
        &["`process` in line 1", "in no namespace", "`b:process`"],
        &["isExecutable"],
    );
    let old = "http://schema.omg.org/spec/BPMN/2.0";
    says(
        &document("", "").replace(BPMN_NAMESPACE, old),
        "not_bpmn",
        &[old, BPMN_NAMESPACE, "`definitions`"],
        &[],
    );
    says("<definitions/>", "not_bpmn", &["no namespace"], &[]);
    let old_part = document("", &format!(r#"<o:userTask xmlns:o="{old}" id="t"/>"#));
    let found = problems(&old_part);
    assert!(
        found
            .iter()
            .any(|problem| problem.code == "wrong_namespace" && problem.message.contains(old)),
        "{found:?}"
    );
    let undeclared =
        document("", &task_with("<stepwire:actions/>")).replace("xmlns:stepwire", "xmlns:other");
    says(
        &undeclared,
        "invalid_xml",
        &["`stepwire`", STEPWIRE_NAMESPACE],
        &[],
    );
}

#[test]
fn a_mistyped_stepwire_namespace_is_an_error() {
    let content = task_with("<stepwire:actions/>");
    for wrong in [
        "http://stepwire.dev/schema/bpmn/1.0",
        "https://stepwire.dev/schema/bpmn/1.0/",
        "https://stepwire.dev/schema/bpmn/2.0",
        "https://stepwire.dev/Schema/BPMN/1.0",
        "https://STEPWIRE.dev/schema/bpmn/1.0",
        "http://example.org/other",
    ] {
        for xml in [
            document("", &content),
            document("", r#"<task id="t" stepwire:canGoBack="true"/>"#),
        ] {
            let problems = problems(&xml.replace(STEPWIRE_NAMESPACE, wrong));
            let is_said = |problem: &Problem| {
                problem.code == "wrong_namespace"
                    && problem.severity == Severity::Error
                    && problem.message.contains(wrong)
            };
            assert_eq!(
                problems.iter().filter(|problem| is_said(problem)).count(),
                1,
                "{wrong}: {problems:#?}"
            );
        }
    }
    says(
        &document("", &task_with("<actions/>")),
        "wrong_namespace",
        &["`stepwire:actions`"],
        &[],
    );
    says(
        &document("", &task_with("<actions xmlns=\"\"/>")),
        "wrong_namespace",
        &["in no namespace"],
        &[],
    );
    says(
        &document("", r#"<task id="t" canGoBack="true"/>"#),
        "unknown_name",
        &["write `stepwire:canGoBack`"],
        &[],
    );
}

#[test]
fn stepwire_elements_belong_in_extension_elements() {
    for (content, element) in [
        (
            r#"<userTask id="t"><stepwire:actions><stepwire:action name="a" type="saveData"/></stepwire:actions></userTask>"#,
            "t",
        ),
        (
            r#"<startEvent id="s"><stepwire:key path="a"/></startEvent>"#,
            "s",
        ),
        (r#"<stepwire:webhook url="https://example.com"/>"#, "p"),
        (
            r#"<sequenceFlow id="f" sourceRef="a" targetRef="b"><stepwire:actions/></sequenceFlow>"#,
            "f",
        ),
    ] {
        check(content, &[(element, "misplaced_extension")]);
        says(
            &document("", content),
            "misplaced_extension",
            &["put it into <extensionElements>"],
            &["remove"],
        );
    }
    check(
        r#"<laneSet stepwire:view="clerk"/>"#,
        &[("p", "unknown_name")],
    );
}

#[test]
fn an_unsupported_event_is_reported_by_its_kind() {
    for event in ["terminate"] {
        for interrupting in ["true", "false", "0"] {
            let content = format!(
                r#"<boundaryEvent id="b" attachedToRef="t" cancelActivity="{interrupting}"><{event}EventDefinition/></boundaryEvent>"#
            );
            says(
                &document("", &content),
                "unsupported_element",
                &[event],
                &["cancelActivity", "interrupt"],
            );
        }
    }
}

#[test]
fn ineffective_elements_are_reported_once_per_name() {
    let tasks: String = (0..9)
        .map(|number| {
            format!(
                r#"<userTask id="t{number}" implementation="Java" camunda:assignee="ada" camunda:asyncBefore="true">
                   <ioSpecification/><potentialOwner/><extensionElements><camunda:modeler/></extensionElements></userTask>"#
            )
        })
        .collect();
    let found = problems(&document("", &tasks));
    let messages: Vec<&str> = found
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(found.len(), 5, "{messages:#?}");
    assert!(
        found
            .iter()
            .all(|problem| problem.severity == Severity::Warning && problem.element == "t0"),
        "{found:?}"
    );
    for parts in [
        [
            "`implementation` (at `t0`, `t1`, `t2`, `t3`, `t4` and 4 more)",
            "httpRequest",
        ],
        ["`potentialOwner`", "stepwire:execute"],
        ["`ioSpecification`", "no declaration"],
        [
            "`camunda:modeler` of http://camunda.org/schema/1.0/bpmn",
            "first at `t0`",
        ],
    ] {
        assert!(
            messages
                .iter()
                .any(|message| parts.iter().all(|part| message.contains(part))),
            "{parts:?}: {messages:#?}"
        );
    }
    for quiet in [
        r###"<task id="t" implementation="##unspecified"/>"###,
        r#"<userTask id="t" messageRef=""/>"#,
    ] {
        check(quiet, &[]);
    }
    check(
        r#"<serviceTask id="t" messageRef="m" operationRef="o"/>"#,
        &[
            ("t", "no_effect"),
            ("t", "no_effect"),
            ("t", "calls_nothing"),
        ],
    );
    check(r#"<dataStoreReference id="d"/>"#, &[("d", "no_effect")]);
}
