//! Events with several definitions, and how many tokens begin and leave an activity.

use super::*;
use crate::model::{event_definition::EventDefinition, schedule::When};

const MESSAGES: &str = r#"<message id="m" name="paid"/><signal id="g" name="go"/>"#;

fn nodes(content: &str) -> Vec<crate::model::definition::FlowNode> {
    let xml = document("", content).replace("<process", &format!("{MESSAGES}<process"));
    let found = read(&xml).unwrap_or_else(|problems| panic!("{problems:?}"));
    found[0].0.nodes.clone()
}

#[test]
fn every_definition_of_an_event_is_read_in_order() {
    let content = r#"<startEvent id="s"><messageEventDefinition messageRef="m"/><timerEventDefinition>
        <timeCycle>R/PT1H</timeCycle></timerEventDefinition><timerEventDefinition><timeDate>2999-01-01T00:00:00Z</timeDate>
        </timerEventDefinition><signalEventDefinition signalRef="g"/></startEvent>
        <intermediateCatchEvent id="c" parallelMultiple="true" stepwire:correlationKey="${k}"><messageEventDefinition messageRef="m"/>
        <messageEventDefinition messageRef="m" stepwire:correlationKey="7"/><conditionalEventDefinition><condition>x</condition>
        </conditionalEventDefinition></intermediateCatchEvent>
        <endEvent id="e"><signalEventDefinition signalRef="g" stepwire:data="{}"/><terminateEventDefinition/></endEvent>"#;
    let nodes = nodes(content);
    let names = |node: usize| -> Vec<&str> {
        let events = nodes[node].events.iter();
        events.map(EventDefinition::bpmn_name).collect()
    };
    assert_eq!(
        names(0),
        ["messageEventDefinition", "signalEventDefinition"]
    );
    let schedule = nodes[0].schedule.as_ref().expect("it has timers");
    let date = When::Date("2999-01-01T00:00:00Z".to_owned());
    assert_eq!(schedule.when, [When::Cycle("R/PT1H".to_owned()), date]);
    assert!(nodes[1].parallel_multiple && !nodes[0].parallel_multiple);
    let keys: Vec<_> = nodes[1]
        .events
        .iter()
        .map(|event| match event {
            EventDefinition::Message {
                correlation_key, ..
            } => correlation_key.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(keys, [Some("${k}"), Some("7"), None]);
    assert_eq!(
        names(2),
        ["signalEventDefinition", "terminateEventDefinition"]
    );
    let json = serde_json::to_string(&nodes).expect("nodes are JSON");
    let again: Vec<crate::model::definition::FlowNode> =
        serde_json::from_str(&json).expect("what is written can be read");
    assert_eq!(again, nodes);
}

#[test]
fn quantities_are_read() {
    let content = r#"<task id="a" startQuantity="2" completionQuantity=" 03 "/><task id="b" startQuantity="-1"/>"#;
    let nodes = nodes(content);
    let quantities = |node: usize| (nodes[node].start_quantity, nodes[node].completion_quantity);
    assert_eq!((quantities(0), quantities(1)), ((2, 3), (0, 1)));
}
