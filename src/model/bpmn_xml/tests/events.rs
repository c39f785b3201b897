//! Embedded subprocesses, and events besides errors.

use super::*;
use crate::model::{
    definition::EventGatewayType,
    event_definition::{EventDefinition, TimerValue},
};

#[test]
fn subprocesses_are_read_with_their_elements() {
    let inner = r#"<subProcess id="s" name="Check" triggeredByEvent="false"><incoming>f</incoming>
        <startEvent id="a"/><sequenceFlow id="x" sourceRef="a" targetRef="t"/>
        <subProcess id="t"><startEvent id="b"/></subProcess></subProcess>"#;
    let definitions = read(&document("", inner)).expect("it is sound enough to be read");
    let found: Vec<_> = definitions[0]
        .0
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node.kind, node.scope.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("s", ElementType::SubProcess, None),
            ("a", ElementType::StartEvent, Some("s")),
            ("t", ElementType::SubProcess, Some("s")),
            ("b", ElementType::StartEvent, Some("t")),
        ]
    );
    assert_eq!(definitions[0].0.flows.len(), 1);
    check(
        r#"<subProcess id="s" triggeredByEvent="1"><startEvent id="a"/></subProcess>"#,
        &[("a", "missing_event_definition")],
    );
    check(
        r#"<subProcess id="s"><choreographyTask id="g"/></subProcess>"#,
        &[("g", "unsupported_element")],
    );
}

#[test]
fn timers_of_events_are_read() {
    let timer = |time: &str| format!("<timerEventDefinition>{time}</timerEventDefinition>");
    let event = |content: &str| {
        let definitions = read(&document("", content)).expect("it can be read");
        let node = definitions[0].0.nodes[0].clone();
        (node.events.into_iter().next(), node.interrupting)
    };
    let found = event(&format!(
        r#"<intermediateCatchEvent id="c">{}</intermediateCatchEvent>"#,
        timer("<timeDuration> PT5M </timeDuration>")
    ));
    let when = TimerValue::Duration("PT5M".to_owned());
    let time_zone = None;
    let expected = EventDefinition::Timer { when, time_zone };
    assert_eq!(found, (Some(expected), true));
    let found = event(&format!(
        r#"<boundaryEvent id="c" attachedToRef="t" cancelActivity="false" stepwire:timeZone="Europe/Berlin">{}</boundaryEvent>"#,
        timer("<timeCycle>0 9 * * *</timeCycle>")
    ));
    let when = TimerValue::Cycle("0 9 * * *".to_owned());
    let time_zone = Some("Europe/Berlin".to_owned());
    let expected = EventDefinition::Timer { when, time_zone };
    assert_eq!(found, (Some(expected), false));
    let found = event(r#"<endEvent id="e"><terminateEventDefinition/></endEvent>"#);
    assert_eq!(found, (Some(EventDefinition::Terminate), true));
    check(
        r#"<intermediateCatchEvent id="c"/>"#,
        &[("c", "missing_event_definition")],
    );
    check(
        r#"<intermediateThrowEvent id="c"><linkEventDefinition/></intermediateThrowEvent>"#,
        &[("c", "missing_attribute")],
    );
}

#[test]
fn messages_and_signals_are_read() {
    let zeebe = |key: &str| {
        let namespace = r#"xmlns:zeebe="http://camunda.org/schema/zeebe/1.0""#;
        format!(
            r#"<message id="m" name="paid"><extensionElements><zeebe:subscription {namespace}
            correlationKey="{key}"/></extensionElements></message>"#
        )
    };
    let event = |beside: &str, content: &str| {
        let document = document("", content).replace("<process ", &format!("{beside}<process "));
        match read(&document) {
            Ok(definitions) => Ok(definitions[0].0.nodes[0].events.first().cloned()),
            Err(problems) => Err(problems
                .iter()
                .map(|problem| problem.code)
                .collect::<Vec<_>>()),
        }
    };
    let message = |key: Option<&str>, data: Option<&str>, ttl: Option<&str>| {
        Ok(Some(EventDefinition::Message {
            name: "paid".to_owned(),
            correlation_key: key.map(str::to_owned),
            data: data.map(str::to_owned),
            time_to_live: ttl.map(str::to_owned),
        }))
    };
    let plain = r#"<message id="m" name="paid"/>"#;
    let definition = r#"<messageEventDefinition messageRef="m"/>"#;
    let catch = format!(r#"<intermediateCatchEvent id="c">{definition}</intermediateCatchEvent>"#);
    for (key, read) in [
        ("= order.id", Some("${order.id}")),
        ("=&quot;all&quot;", Some("all")),
        ("${order}", Some("${order}")),
        ("#{order}", Some("${order}")),
        ("= a + b", Some("${= a + b}")),
        ("nr-#{n-1}", Some("nr-${n - 1}")),
    ] {
        assert_eq!(
            event(&zeebe(key), &catch),
            message(read, None, None),
            "{key}"
        );
    }
    assert_eq!(
        event(&zeebe("= f(a)"), &catch),
        Err(vec!["unsupported_expression"])
    );
    assert_eq!(event(plain, &catch), message(None, None, None));
    let own = format!(
        r#"<endEvent id="e" stepwire:correlationKey="${{k}}" stepwire:data="{{}}" stepwire:timeToLive="PT1H">{definition}</endEvent>"#
    );
    assert_eq!(
        event(plain, &own),
        message(Some("${k}"), Some("{}"), Some("PT1H"))
    );
    let task = r#"<sendTask id="t" messageRef="m"/>"#;
    assert_eq!(event(plain, task), message(None, None, None));
    let start = format!(r#"<startEvent id="s">{definition}</startEvent>"#);
    assert_eq!(event(&zeebe("=a"), &start), message(None, None, None));
    assert_eq!(event("", &catch), Err(vec!["unknown_message"]));
    let signal = r#"<boundaryEvent id="b" attachedToRef="t"><signalEventDefinition signalRef="s"/></boundaryEvent>"#;
    let named = EventDefinition::Signal {
        name: "stop".to_owned(),
        data: None,
        business_key: None,
    };
    assert_eq!(
        event(r#"<signal id="s" name="stop"/>"#, signal),
        Ok(Some(named))
    );
    check(
        r#"<endEvent id="e"><messageEventDefinition/></endEvent>"#,
        &[("e", "nothing_sent")],
    );
}

#[test]
fn a_script_task_has_its_script_as_first_action() {
    let task = |content: &str| {
        let xml =
            format!(r#"<scriptTask id="t" scriptFormat="text/javascript">{content}</scriptTask>"#);
        let definitions = read(&document("", &xml)).expect("it can be read");
        let node = definitions[0].0.nodes[0].clone();
        let actions = node.actions.iter();
        actions
            .map(|action| (action.name.clone(), action.order, action.work.name()))
            .collect::<Vec<_>>()
    };
    let script = "<script><![CDATA[output.x = 1;]]></script>";
    assert_eq!(
        task(script),
        [("script".to_owned(), Some(0), "businessRule")]
    );
    let push = r#"<extensionElements><stepwire:actions><stepwire:action name="a" order="5" type="saveData"/></stepwire:actions></extensionElements>"#;
    let names: Vec<_> = task(&format!("{push}{script}"))
        .into_iter()
        .map(|(name, order, _)| (name, order))
        .collect();
    assert_eq!(
        names,
        [("a".to_owned(), Some(5)), ("script".to_owned(), Some(4))]
    );
    check(r#"<scriptTask id="t"/>"#, &[("t", "no_script")]);
    check(
        &format!(r#"<scriptTask id="t">{}</scriptTask>"#, script.repeat(2)),
        &[("t", "duplicate_script")],
    );
}

#[test]
fn event_subprocesses_and_conditions_are_read() {
    let inner = r#"<subProcess id="s" triggeredByEvent=" 1 "><startEvent id="a" isInterrupting="false"
        stepwire:timeZone="UTC"><conditionalEventDefinition id="c">
        <condition xsi:type="tFormalExpression"> ${x &gt; 1} </condition></conditionalEventDefinition></startEvent></subProcess>
        <subProcess id="t" triggeredByEvent="true"><startEvent id="b">
        <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></startEvent></subProcess>"#;
    let definitions = read(&document(
        r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#,
        inner,
    ))
    .expect("it is sound enough to be read");
    let nodes = &definitions[0].0.nodes;
    let found: Vec<_> = nodes
        .iter()
        .map(|node| (node.id.as_str(), node.triggered_by_event, node.interrupting))
        .collect();
    assert_eq!(
        found,
        [
            ("s", true, true),
            ("a", false, false),
            ("t", true, true),
            ("b", false, true)
        ]
    );
    let condition = "${x > 1}".to_owned();
    assert_eq!(
        nodes[1].events.first().cloned(),
        Some(EventDefinition::Conditional { condition })
    );
    assert!(nodes[3].schedule.is_none() && !nodes[3].events.is_empty());
    let other_language = r#"<intermediateCatchEvent id="c"><conditionalEventDefinition><condition language="FEEL">if x then y else z</condition></conditionalEventDefinition></intermediateCatchEvent>"#;
    check(other_language, &[("c", "unsupported_expression")]);
}

#[test]
fn receive_tasks_and_instantiating_elements_are_read() {
    let with_message = |content: &str| {
        let message = r#"<message id="m" name="paid" stepwire:correlationKey="${k}"/>"#;
        document("", content).replace("<process", &format!("{message}<process"))
    };
    let nodes = |content: &str| {
        let definitions = read(&with_message(content))
            .unwrap_or_else(|problems| panic!("{content}: {problems:?}"));
        definitions[0].0.nodes.clone()
    };
    let message = |key: Option<&str>| {
        Some(EventDefinition::Message {
            name: "paid".to_owned(),
            correlation_key: key.map(str::to_owned),
            data: None,
            time_to_live: None,
        })
    };
    let read = nodes(r#"<receiveTask id="r" messageRef="m"/>"#);
    assert_eq!(
        (read[0].kind, read[0].instantiate),
        (ElementType::ReceiveTask, false)
    );
    assert_eq!(read[0].events.first().cloned(), message(Some("${k}")));
    let read = nodes(r#"<receiveTask id="r" messageRef="m" stepwire:correlationKey="7"/>"#);
    assert_eq!(read[0].events.first().cloned(), message(Some("7")));
    let read = nodes(r#"<receiveTask id="r" messageRef="m" instantiate="1"/>"#);
    assert_eq!(
        (&read[0].events.first().cloned(), read[0].instantiate),
        (&message(None), true)
    );
    let gateway = |attributes: &str| {
        let read = nodes(&format!(r#"<eventBasedGateway id="g" {attributes}/>"#));
        (read[0].instantiate, read[0].event_gateway_type)
    };
    assert_eq!(gateway(""), (false, EventGatewayType::Exclusive));
    assert_eq!(
        gateway(r#"instantiate="true" eventGatewayType="Parallel""#),
        (true, EventGatewayType::Parallel)
    );
    check(r#"<receiveTask id="r"/>"#, &[("r", "no_message")]);
    check(
        r#"<receiveTask id="r" messageRef="other"/>"#,
        &[("r", "unknown_message")],
    );
    check(
        r#"<eventBasedGateway id="g" eventGatewayType="all"/>"#,
        &[("g", "invalid_value")],
    );
    check(
        r#"<userTask id="t" instantiate="true"/>"#,
        &[("t", "unknown_name")],
    );
}

#[test]
fn complex_gateways() {
    let condition = |content: &str| {
        let (definition, _) = read_one(&format!(
            r#"<complexGateway id="g">{content}</complexGateway>"#
        ));
        definition.nodes[0].activation_condition.clone()
    };
    assert_eq!(condition(""), None);
    assert_eq!(
        condition("<activationCondition>${activationCount &gt;= 2}</activationCondition>")
            .as_deref(),
        Some("${activationCount >= 2}")
    );
    let twice = "<activationCondition>a</activationCondition>".repeat(2);
    check(
        &format!(r#"<complexGateway id="g">{twice}</complexGateway>"#),
        &[("g", "duplicate_condition")],
    );
    check(
        r#"<inclusiveGateway id="g"><activationCondition>a</activationCondition></inclusiveGateway>"#,
        &[("g", "unsupported_element")],
    );
}

#[test]
fn event_definitions_beside_the_process_are_read() {
    let beside = r##"<timerEventDefinition id="soon"><timeDuration>#{wait}</timeDuration></timerEventDefinition>
        <terminateEventDefinition id="all"/>"##;
    let with =
        |content: &str| document("", content).replace("<process", &format!("{beside}<process"));
    let event = |content: &str| {
        let definitions =
            read(&with(content)).unwrap_or_else(|problems| panic!("{content}: {problems:?}"));
        definitions[0].0.nodes[0].events.first().cloned()
    };
    let named = |tag: &str, id: &str| {
        format!(
            r#"<{tag} id="e"><eventDefinitionRef>{id}</eventDefinitionRef><categoryValueRef>c</categoryValueRef></{tag}>"#
        )
    };
    let when = TimerValue::Duration("${wait}".to_owned());
    assert_eq!(
        event(&named("intermediateCatchEvent", "soon")),
        Some(EventDefinition::Timer {
            when,
            time_zone: None
        })
    );
    assert_eq!(
        event(&named("endEvent", "x:all")),
        Some(EventDefinition::Terminate)
    );
    let problem =
        |content: &str| check_document(&with(content), &[("e", "unknown_event_definition")]);
    problem(&named("endEvent", "soon"));
    problem(&named("intermediateCatchEvent", "none"));
    let started = read(&with(&named("startEvent", "soon"))).expect("a timer starts it");
    assert!(started[0].0.nodes[0].schedule.is_some());
}

#[test]
fn an_event_subprocess_may_start_by_compensation() {
    let inner = r#"<subProcess id="o"><startEvent id="i"/><subProcess id="v" triggeredByEvent="true">
        <startEvent id="c"><compensateEventDefinition/></startEvent></subProcess></subProcess>"#;
    let definitions = read(&document("", inner)).expect("it can be read");
    let event = definitions[0].0.nodes.iter().find(|node| node.id == "c");
    let expected = EventDefinition::Compensation {
        activity: None,
        wait_for_completion: true,
    };
    assert_eq!(
        event.and_then(|node| node.events.first().cloned()),
        Some(expected)
    );
    check(
        r#"<startEvent id="c"><compensateEventDefinition/></startEvent>"#,
        &[("c", "unsupported_element")],
    );
}

#[test]
fn the_in_mapping_of_a_signal_is_its_data() {
    let parameters = r#"<camunda:inputOutput><camunda:inputParameter name="b">1</camunda:inputParameter>
        <camunda:inputParameter name="c">${n}</camunda:inputParameter>
        <camunda:inputParameter name="d">${f(n)}</camunda:inputParameter></camunda:inputOutput>"#;
    let thrown_by = |parameters: &str, extensions: &str| {
        let xml = document(
            "",
            &format!(
                r#"<endEvent id="e" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
                  <extensionElements>{parameters}</extensionElements><signalEventDefinition signalRef="stop">
                  <extensionElements>{extensions}</extensionElements></signalEventDefinition></endEvent>"#
            ),
        );
        let xml = xml.replace("<process", r#"<signal id="stop" name="stop"/><process"#);
        let (definition, problems) = read(&xml).expect("it can be read").remove(0);
        let (data, key) = match &definition.nodes[0].events[..] {
            [
                EventDefinition::Signal {
                    data, business_key, ..
                },
            ] => (data.clone(), business_key.clone()),
            other => panic!("{other:?}"),
        };
        let foreign = problems.iter().any(|it| it.code == "foreign_extension");
        (data, foreign, key)
    };
    let key = r##"<camunda:in businessKey="#{execution.processBusinessKey}"/>"##;
    let own_key = Some("${processBusinessKey}".to_owned());
    assert_eq!(thrown_by("", key), (None, false, own_key.clone()));
    let with_data = format!(r#"{key}<camunda:in source="a" target="b"/>"#);
    let data = Some(r#"{"b":"${a}"}"#.to_owned());
    assert_eq!(thrown_by("", &with_data), (data, false, own_key));
    let odd = r#"<camunda:in businessKey="${f(n)}"/>"#;
    assert_eq!(thrown_by("", odd), (None, true, None));
    let thrown_by = |parameters: &str, extensions: &str| {
        let (data, foreign, _) = thrown_by(parameters, extensions);
        (data, foreign)
    };
    let thrown = |extensions: &str| thrown_by("", extensions);
    let plain =
        r#"<camunda:in source="a" target="b"/><camunda:in sourceExpression="nr ${n}" target="t"/>"#;
    let data = r#"{"b":"${a}","t":"nr ${n}"}"#.to_owned();
    assert_eq!(thrown(plain), (Some(data), false));
    let computed = r##"<camunda:in sourceExpression="#{n-1}" target="a"/><camunda:in sourceExpression="nr ${n+1}" target="b"/>"##;
    let data = r#"{"a":"${n - 1}","b":"nr ${n + 1}"}"#.to_owned();
    assert_eq!(thrown(computed), (Some(data), false));
    let all = r#"<camunda:in variables="all"/>"#;
    assert_eq!(thrown(all), (Some("*".to_owned()), false));
    assert_eq!(
        thrown(&format!("{all}{plain}")),
        (Some("*".to_owned()), true)
    );
    let own = r#"<camunda:in variables="all" local="true"/>"#;
    assert_eq!(thrown(own), (None, false));
    let data = r#"{"b":"${b}","c":"${c}"}"#.to_owned();
    assert_eq!(thrown_by(parameters, own), (Some(data), false));
    let data = r#"{"b":"${a}","c":"${c}","t":"nr ${n}"}"#.to_owned();
    assert_eq!(
        thrown_by(parameters, &format!("{own}{plain}")),
        (Some(data), false)
    );
    assert_eq!(thrown_by(parameters, all), (Some("*".to_owned()), false));
    assert_eq!(thrown(""), (None, false));
}

#[test]
fn a_condition_may_start_a_process() {
    let (definition, problems) = read_one(
        r#"<startEvent id="s"><conditionalEventDefinition><condition>${n &gt; 1}</condition></conditionalEventDefinition></startEvent>"#,
    );
    let expected = EventDefinition::Conditional {
        condition: "${n > 1}".to_owned(),
    };
    assert_eq!(definition.nodes[0].events, [expected]);
    assert_eq!(problems, []);
}
