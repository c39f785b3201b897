//! How an activity runs more than once: the notations of BPMN, Stepwire, and other engines.

use serde_json::{Value, json};

use super::*;
use crate::model::{event_definition::EventDefinition, validate::validate};

const OTHERS: &str = r#"xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0""#;

/// The loop of the only activity, in its JSON form.
fn looping(content: &str) -> Value {
    let xml = document(OTHERS, content);
    let (definition, problems) = read(&xml)
        .unwrap_or_else(|problems| panic!("{content}: {problems:?}"))
        .remove(0);
    assert_eq!(problems, [], "{content}");
    serde_json::to_value(&definition.nodes[0].looping).expect("a loop is JSON")
}

fn task(attributes: &str, marker: &str) -> String {
    format!(r#"<userTask id="t" {attributes}>{marker}</userTask>"#)
}

fn multiple(attributes: &str, content: &str) -> String {
    task(
        "",
        &format!(
            "<multiInstanceLoopCharacteristics {attributes}>{content}</multiInstanceLoopCharacteristics>"
        ),
    )
}

#[test]
fn an_expression_that_is_no_path_is_an_error() {
    for computed in ["${svc.list()}", "#{a + b}", "${a+b}", "${a-b}"] {
        let attributes = format!(r#"camunda:collection="{computed}""#);
        let xml = document(OTHERS, &multiple(&attributes, ""));
        let definitions = read(&xml).expect("it can be read");
        let problems = validate(&definitions[0].0);
        let codes: Vec<&str> = problems.iter().map(|it| it.code).collect();
        assert!(codes.contains(&"invalid_path"), "{computed}: {codes:?}");
        let advice = problems.iter().find(|it| it.message.contains("; write"));
        assert!(advice.is_none(), "{computed}: {advice:?}");
    }
}

#[test]
fn every_spelling_of_a_collection_is_read() {
    let expected = json!({"type": "multiInstance", "collection": "people", "item": "person"});
    for content in [
        task(r#"stepwire:collection="people" stepwire:item="person""#, ""),
        task(
            r#"stepwire:collection="people" stepwire:item="person""#,
            "<multiInstanceLoopCharacteristics/>",
        ),
        multiple(
            r#"stepwire:collection="people" stepwire:item="person" behavior="All""#,
            "",
        ),
        multiple(
            "",
            r#"<loopDataInputRef>people</loopDataInputRef><inputDataItem id="i" name="person"/>"#,
        ),
        multiple(
            r#"camunda:collection="people" camunda:elementVariable="person""#,
            "",
        ),
        multiple(
            r#"camunda:collection="${people}" camunda:elementVariable="person""#,
            "",
        ),
        multiple(
            r#"isSequential="false""#,
            r#"<extensionElements><zeebe:loopCharacteristics inputCollection="= people" inputElement="person"/></extensionElements>"#,
        ),
    ] {
        assert_eq!(looping(&content), expected, "{content}");
    }
}

#[test]
fn a_data_reference_means_the_name_of_the_data() {
    let loops = r#"<multiInstanceLoopCharacteristics><loopDataInputRef>in</loopDataInputRef><inputDataItem id="person"/></multiInstanceLoopCharacteristics>"#;
    let xml = document(
        OTHERS,
        &format!(
            r#"<userTask id="t"><ioSpecification><dataInput id="in"/></ioSpecification><dataInputAssociation><sourceRef>ref</sourceRef><targetRef>in</targetRef></dataInputAssociation>{loops}</userTask><dataObject id="object" name="people"/><dataObjectReference id="ref" dataObjectRef="object"/>"#
        ),
    );
    let (definition, _) = read(&xml).expect("it can be read").remove(0);
    let found = serde_json::to_value(&definition.nodes[0].looping).expect("a loop is JSON");
    assert_eq!(
        found,
        json!({"type": "multiInstance", "collection": "people", "item": "person"})
    );
}

#[test]
fn cardinality_completion_and_results_are_read() {
    let whole = json!({"type": "multiInstance", "sequential": true, "cardinality": "3",
        "completionCondition": "${numberOfCompletedInstances/numberOfInstances >= 0.5}", "outputKey": "votes", "output": "${vote}"});
    for content in [
        r#"<loopCardinality>3</loopCardinality><loopDataOutputRef>votes</loopDataOutputRef><outputDataItem id="o" name="vote"/>
           <completionCondition>${numberOfCompletedInstances/numberOfInstances &gt;= 0.5}</completionCondition>"#,
        r#"<loopCardinality>${3}</loopCardinality><completionCondition>${nrOfCompletedInstances/nrOfInstances &gt;= 0.5}</completionCondition>
           <extensionElements><zeebe:loopCharacteristics outputCollection="votes" outputElement="=vote"/></extensionElements>"#,
    ] {
        assert_eq!(
            looping(&multiple(r#"isSequential="true""#, content)),
            whole,
            "{content}"
        );
    }
    assert_eq!(
        looping(&multiple("", "<loopCardinality>#{count}</loopCardinality>")),
        json!({"type": "multiInstance", "cardinality": "${count}"})
    );
    let labelled = r#"<loopDataInputRef>people</loopDataInputRef><inputDataItem id="person" name="A person"/>"#;
    assert_eq!(
        looping(&multiple("", labelled)),
        json!({"type": "multiInstance", "collection": "people", "item": "person"})
    );
    for (written, expected) in [("#{n-1}", "${n - 1}"), ("= n + 1", "${= n + 1}")] {
        let content = format!("<loopCardinality>{written}</loopCardinality>");
        let expected = json!({"type": "multiInstance", "cardinality": expected});
        assert_eq!(looping(&multiple("", &content)), expected);
    }
}

#[test]
fn standard_loops_are_read_on_every_activity() {
    let marker = r#"<standardLoopCharacteristics id="m" testBefore="1" loopMaximum="5"><loopCondition>${n &lt; 3}</loopCondition></standardLoopCharacteristics>"#;
    let expected =
        json!({"type": "standard", "condition": "${n < 3}", "testBefore": true, "maximum": 5});
    for kind in ["task", "userTask", "manualTask", "subProcess"] {
        assert_eq!(
            looping(&format!(r#"<{kind} id="t">{marker}</{kind}>"#)),
            expected,
            "{kind}"
        );
    }
    assert_eq!(
        looping(&task("", "<standardLoopCharacteristics/>")),
        json!({"type": "standard"})
    );
}

#[test]
fn unsupported_loops_are_named() {
    check(
        &multiple(r#"behavior="Odd""#, ""),
        &[("t", "unsupported_attribute"), ("t", "missing_collection")],
    );
    check(
        &multiple(
            r#"stepwire:collection="a" behavior="None" noneBehaviorEventRef="e""#,
            "",
        ),
        &[("t", "unknown_event_definition")],
    );
    // BPMN's default signal has no name.
    for behavior in ["None", "One"] {
        check(
            &multiple(
                &format!(r#"stepwire:collection="a" behavior="{behavior}""#),
                "",
            ),
            &[("t", "no_effect")],
        );
    }
    check(
        &multiple(
            r#"stepwire:collection="a""#,
            "<loopDataInputRef>b</loopDataInputRef>",
        ),
        &[("t", "ambiguous_loop")],
    );
    check(
        &multiple(
            r#"stepwire:collection="a" oneBehaviorEventRef="e""#,
            "<complexBehaviorDefinition/>",
        ),
        &[("t", "no_effect"), ("t", "no_effect")],
    );
    check(
        &task(
            r#"stepwire:collection="a""#,
            "<multiInstanceLoopCharacteristics/><standardLoopCharacteristics/>",
        ),
        &[("t", "unsupported_element")],
    );
    check(
        r#"<exclusiveGateway id="t"><standardLoopCharacteristics/></exclusiveGateway>"#,
        &[("t", "unsupported_element")],
    );
    check(
        r#"<startEvent id="t" stepwire:collection="list"/>"#,
        &[("t", "unknown_name")],
    );
}

#[test]
fn counters_of_other_engines_are_read_wherever_they_are_visible() {
    let read = |multiple: &str| {
        let flow = r#"<conditionExpression>${nrOfInstances &gt; 1}</conditionExpression>"#;
        let xml = document(
            r#"xmlns:camunda="http://camunda.org/schema/1.0/bpmn""#,
            &format!(
                r#"<subProcess id="s"><extensionElements><camunda:inputOutput><camunda:outputParameter name="n">${{nrOfCompletedInstances}}</camunda:outputParameter></camunda:inputOutput></extensionElements>
                {multiple}<startEvent id="a"/><task id="b"/><sequenceFlow id="f" sourceRef="a" targetRef="b">{flow}</sequenceFlow></subProcess>
                <boundaryEvent id="e" attachedToRef="s"><conditionalEventDefinition><condition>${{nrOfActiveInstances == 1}}</condition></conditionalEventDefinition></boundaryEvent>"#
            ),
        );
        let (definition, _) = super::read(&xml).expect("it can be read").remove(0);
        let event = definition.nodes.iter().find(|node| node.id == "e").unwrap();
        let condition = match &event.events[..] {
            [EventDefinition::Conditional { condition }] => condition.clone(),
            other => panic!("{other:?}"),
        };
        [
            definition.nodes[0].outputs[0].source.clone(),
            definition.flows[0].condition.clone().unwrap(),
            condition,
        ]
    };
    assert_eq!(
        read(
            "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
        ),
        [
            r#""${numberOfCompletedInstances}""#,
            "${numberOfInstances > 1}",
            "${numberOfActiveInstances == 1}"
        ]
    );
    assert_eq!(
        read(""),
        [
            r#""${nrOfCompletedInstances}""#,
            "${nrOfInstances > 1}",
            "${nrOfActiveInstances == 1}"
        ],
        "elsewhere it is another variable"
    );
}

#[test]
fn a_counter_that_begins_elsewhere_in_another_engine_is_a_warning() {
    let content = r#"<userTask id="t" camunda:assignee="a_${loopCounter}" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
        <multiInstanceLoopCharacteristics><loopCardinality>${5 - 2}</loopCardinality></multiInstanceLoopCharacteristics></userTask>"#;
    let of = |xml: &str| {
        let (definition, problems) = super::read(xml).expect("it can be read").remove(0);
        let codes: Vec<String> = problems.iter().map(|it| it.code.to_string()).collect();
        let found = serde_json::to_value(&definition.nodes[0].looping).expect("a loop is JSON");
        assert_eq!(found, json!({"type": "multiInstance", "cardinality": "3"}));
        codes
    };
    let xml = document("", content);
    assert_eq!(of(&xml), ["loop_counter"]);
    // The document itself is for no other engine.
    let camunda = r#" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">"#;
    assert_eq!(of(&xml.replacen(camunda, ">", 1)), [""; 0]);
}
