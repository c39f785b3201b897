//! Errors of the document and the events that name them.

use super::*;
use crate::model::{event_definition::EventDefinition, mapping::Mapping};

/// A document with two errors beside a process of this content.
fn document_with_errors(content: &str) -> String {
    let errors = r#"<error id="poor" name="Poor" errorCode="POOR"/><error id="mute"/>"#;
    document("", content).replace("<process", &format!("{errors}<process"))
}

#[test]
fn escalation_events() {
    let with_escalation = |content: &str| {
        let escalations =
            r#"<escalation id="late" escalationCode="LATE"/><escalation id="mute" name="m"/>"#;
        document("", content).replace("<process", &format!("{escalations}<process"))
    };
    let event = |content: &str| {
        let definitions = read(&with_escalation(content))
            .unwrap_or_else(|problems| panic!("{content}: {problems:?}"));
        definitions[0].0.nodes[0].events.first().cloned()
    };
    let escalation = |code: Option<&str>| {
        Some(EventDefinition::Escalation {
            code: code.map(str::to_owned),
        })
    };
    let named = r#"<escalationEventDefinition escalationRef="late"/>"#;
    for tag in ["endEvent", "intermediateThrowEvent"] {
        let of = |content: &str| format!(r#"<{tag} id="e">{content}</{tag}>"#);
        assert_eq!(event(&of(named)), escalation(Some("LATE")));
        for (wrong, code) in [
            ("<escalationEventDefinition/>", "missing_attribute"),
            (
                r#"<escalationEventDefinition escalationRef="mute"/>"#,
                "unknown_escalation",
            ),
            (
                r#"<escalationEventDefinition escalationRef="none"/>"#,
                "unknown_escalation",
            ),
        ] {
            check_document(&with_escalation(&of(wrong)), &[("e", code)]);
        }
    }
    let caught = |content: &str| {
        event(&format!(
            r#"<boundaryEvent id="b" attachedToRef="c" cancelActivity="false">{content}</boundaryEvent>"#
        ))
    };
    assert_eq!(caught(named), escalation(Some("LATE")));
    assert_eq!(caught("<escalationEventDefinition/>"), escalation(None));
    let mute = r#"<escalationEventDefinition escalationRef="mute"/>"#;
    assert_eq!(caught(mute), escalation(None));
}

#[test]
fn a_code_is_fixed() {
    let with = |code: &str| {
        let event = r#"<endEvent id="e"><errorEventDefinition errorRef="poor"/></endEvent>"#;
        document_with_errors(event).replace("POOR", code)
    };
    for expression in ["= code", "${code}", "#{code}", "E-${code}"] {
        check_document(&with(expression), &[("e", "unsupported_expression")]);
    }
    let definitions = read(&with("= &quot;POOR&quot;")).expect("it can be read");
    let expected = EventDefinition::Error {
        code: Some("POOR".to_owned()),
    };
    assert_eq!(definitions[0].0.nodes[0].events, [expected]);
}

#[test]
fn a_catch_event_without_error_code_catches_every_error() {
    let codes = |content: &str| -> Vec<Option<String>> {
        let text =
            document_with_errors(content).replace("<process", r#"<error id="dumb"/><process"#);
        let definitions = read(&text).unwrap_or_else(|problems| panic!("{content}: {problems:?}"));
        let events = definitions[0].0.nodes.iter().flat_map(|node| &node.events);
        let code = |event: &EventDefinition| match event {
            EventDefinition::Error { code } => code.clone(),
            other => panic!("{other:?}"),
        };
        events.map(code).collect()
    };
    let boundary = |id: &str, reference: &str| {
        let definition = format!(r#"<errorEventDefinition errorRef="{reference}"/>"#);
        format!(r#"<boundaryEvent id="{id}" attachedToRef="a">{definition}</boundaryEvent>"#)
    };
    let on_error = |id: &str, reference: &str| {
        let definition = format!(r#"<errorEventDefinition errorRef="{reference}"/>"#);
        let start = format!(r#"<startEvent id="{id}-s">{definition}</startEvent>"#);
        format!(r#"<subProcess id="{id}" triggeredByEvent="true">{start}</subProcess>"#)
    };
    let some = |code: &str| Some(code.to_owned());
    let task = r#"<task id="a"/>"#.to_owned();
    let alone = task.clone() + &boundary("b", "mute") + &boundary("c", "poor");
    assert_eq!(codes(&alone), [None, some("POOR")]);
    assert_eq!(codes(&on_error("e", "mute")), [None]);
    // Two that would catch everything are distinguished by their references.
    let two = task + &boundary("b", "mute") + &boundary("c", "dumb");
    assert_eq!(codes(&two), [some("mute"), some("dumb")]);
    let two = on_error("e", "mute") + &on_error("f", "dumb");
    assert_eq!(codes(&two), [some("mute"), some("dumb")]);
}

#[test]
fn compensation_and_cancel_events() {
    let content = r###"<task id="a"/><boundaryEvent id="b" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>
        <task id="u" isForCompensation="true"/><textAnnotation id="n"/>
        <association id="x" sourceRef="b" targetRef="u"/><association id="y" sourceRef="b" targetRef="n"/>
        <endEvent id="c"><compensateEventDefinition activityRef="a" waitForCompletion="false"/></endEvent>
        <transaction id="t" method="##Compensate"><startEvent id="i"/><endEvent id="e"><cancelEventDefinition/></endEvent></transaction>"###;
    let definitions = read(&document("", content)).expect("it can be read");
    let nodes = &definitions[0].0.nodes;
    assert_eq!(nodes[1].compensation_handler.as_deref(), Some("u"));
    assert!(nodes[2].for_compensation);
    let event = |activity: Option<&str>, wait_for_completion| {
        Some(EventDefinition::Compensation {
            activity: activity.map(str::to_owned),
            wait_for_completion,
        })
    };
    assert_eq!(nodes[1].events.first().cloned(), event(None, true));
    assert_eq!(nodes[3].events.first().cloned(), event(Some("a"), false));
    assert_eq!(nodes[4].kind, ElementType::Transaction);
    assert_eq!(
        nodes[6].events.first().cloned(),
        Some(EventDefinition::Cancel)
    );
    assert_eq!(nodes[6].scope.as_deref(), Some("t"));
    let two = content.replace("targetRef=\"n\"", "targetRef=\"a\"");
    check(&two, &[("b", "ambiguous_compensation")]);
    let caught = r#"<compensateEventDefinition waitForCompletion="false"/>"#;
    let caught = content.replace("<compensateEventDefinition/>", caught);
    check(&caught, &[("b", "no_effect")]);
    check(
        r###"<transaction id="t" method="##Store"><startEvent id="i"/></transaction>"###,
        &[("t", "no_effect")],
    );
}

#[test]
fn link_events() {
    let of = |tag: &str, link: &str| format!(r#"<{tag} id="l">{link}</{tag}>"#);
    for tag in ["intermediateThrowEvent", "intermediateCatchEvent"] {
        let link = r#"<linkEventDefinition name="on"><source>a</source><target>b</target></linkEventDefinition>"#;
        let definitions = read(&document("", &of(tag, link))).expect("it can be read");
        let name = "on".to_owned();
        let expected = Some(EventDefinition::Link { name });
        assert_eq!(definitions[0].0.nodes[0].events.first().cloned(), expected);
        check(
            &of(tag, "<linkEventDefinition/>"),
            &[("l", "missing_attribute")],
        );
    }
    let named = r#"<intermediateCatchEvent id="l" name="on"><linkEventDefinition/></intermediateCatchEvent>"#;
    let definitions = read(&document("", named)).expect("it has the name of its event");
    assert!(
        matches!(&definitions[0].0.nodes[0].events[..], [EventDefinition::Link { name }] if name == "on")
    );
    check(
        &of("endEvent", r#"<linkEventDefinition name="on"/>"#),
        &[("l", "unsupported_element")],
    );
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
        (node.kind, node.attached_to, node.events.into_iter().next())
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

#[test]
fn code_variables_become_mappings_of_the_catch_event() {
    let read = |content: &str, errors: &str| {
        let xml = document("", content).replace("<process", &format!("{errors}<process"));
        let (definition, problems) = read(&xml).expect("it can be read").remove(0);
        let shown = |mappings: &[Mapping]| -> Vec<String> {
            let shown = mappings
                .iter()
                .map(|it| format!("{}={}", it.target, it.source));
            shown.collect()
        };
        let node = &definition.nodes[0];
        let foreign =
            |problem: &&Problem| ["foreign_extension", "no_effect"].contains(&problem.code);
        let codes = problems.iter().filter(foreign).map(|problem| problem.code);
        (
            shown(&node.inputs),
            shown(&node.outputs),
            codes.collect::<Vec<_>>(),
        )
    };
    let poor = r#"<error id="poor" errorCode="POOR" camunda:errorMessage="${name} is poor"/>"#;
    let boundary = |definition: &str| {
        format!(r#"<boundaryEvent id="b" attachedToRef="c">{definition}</boundaryEvent>"#)
    };
    let caught = r#"<errorEventDefinition errorRef="poor" camunda:errorCodeVariable="code"
        camunda:errorMessageVariable="said"/>"#;
    let outputs = ["code=${errorCode}", "said=${errorMessage}"].map(String::from);
    assert_eq!(
        read(&boundary(caught), poor),
        (vec![], outputs.to_vec(), vec![])
    );
    let caught = r#"<escalationEventDefinition camunda:escalationCodeVariable="code"/>"#;
    let outputs = vec!["code=${escalationCode}".to_owned()];
    assert_eq!(read(&boundary(caught), ""), (vec![], outputs, vec![]));

    let thrown = r#"<endEvent id="e"><errorEventDefinition errorRef="poor"/></endEvent>"#;
    let inputs = vec!["errorMessage=${name} is poor".to_owned()];
    assert_eq!(read(thrown, poor), (inputs, vec![], vec![]));
    let computed = poor.replace("${name} is poor", "${a + b}");
    let inputs = vec!["errorMessage=${a + b}".to_owned()];
    assert_eq!(read(thrown, &computed), (inputs, vec![], vec![]));
    let odd = poor.replace("${name} is poor", "${a.b()}");
    assert_eq!(read(thrown, &odd), (vec![], vec![], vec!["no_effect"]));
}
