//! Input and output mappings and data objects: in the notations of Stepwire, BPMN, and other
//! engines.

use serde_json::Value;

use super::{
    others::{problems, says},
    *,
};
use crate::model::mapping::Mapping;

/// Mappings as `target=source`.
fn shown(mappings: &[Mapping]) -> Vec<String> {
    let shown = mappings
        .iter()
        .map(|it| format!("{}={}", it.target, it.source));
    shown.collect()
}

fn check_mappings(content: &str, inputs: &[&str], outputs: &[&str]) {
    let (definition, problems) = read_one(content);
    let node = definition.nodes.iter().find(|node| node.id == "t");
    let node = node.unwrap_or_else(|| panic!("no node: {content}"));
    assert_eq!(
        (shown(&node.inputs), shown(&node.outputs)),
        (
            inputs.iter().map(|it| (*it).to_owned()).collect(),
            outputs.iter().map(|it| (*it).to_owned()).collect()
        ),
        "{content}"
    );
    assert_eq!(problems, [], "{content}");
}

#[test]
fn own_mappings_have_a_source_as_attribute_or_text() {
    let content = r#"<stepwire:input source="${client.name}" target="name"/><stepwire:input target="box">{"n": ${n}}</stepwire:input>
        <stepwire:output source="name" target="client.name"/>"#;
    check_mappings(
        &task_with(content),
        &["name=${client.name}", r#"box={"n": ${n}}"#],
        &["client.name=name"],
    );
    check(
        &task_with(r#"<stepwire:input source="a" target="b">c</stepwire:input>"#),
        &[("t", "duplicate_source")],
    );
    check(
        &task_with(r#"<stepwire:output from="a" target="b"/>"#),
        &[("t", "unknown_name")],
    );
}

#[test]
fn mappings_of_other_engines_are_read_if_equivalent() {
    let zeebe = |content: &str| {
        format!(
            r#"<task id="t" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><extensionElements><zeebe:ioMapping>{content}</zeebe:ioMapping></extensionElements></task>"#
        )
    };
    check_mappings(
        &zeebe(
            r#"<zeebe:input source="= client.name" target="name"/><zeebe:input source="=5" target="n"/><zeebe:input source="text" target="t"/>
               <zeebe:input source="=&quot;a&quot;" target="u"/><zeebe:input source="=if a&gt;1 then a-1 else &quot;no&quot;" target="v"/>
               <zeebe:output source="=name" target="client.name"/>"#,
        ),
        &[
            "name=client.name",
            "n=5",
            r#"t="text""#,
            r#"u="a""#,
            r#"v== if a > 1 then a - 1 else "no""#,
        ],
        &["client.name=name"],
    );
    for feel in ["= count(a) + 1", "= list[1]", "= now", "= now + 1"] {
        let xml = document(
            "",
            &zeebe(&format!(r#"<zeebe:input source="{feel}" target="x"/>"#)),
        );
        says(&xml, "no_effect", &[feel, "stepwire:input"], &[]);
    }
    let camunda = |content: &str| {
        task_with(&format!(
            "<camunda:inputOutput>{content}</camunda:inputOutput>"
        ))
    };
    check_mappings(
        &camunda(
            r#"<camunda:inputParameter name="a">${client.name}</camunda:inputParameter>
               <camunda:inputParameter name="b">for #{client.name}</camunda:inputParameter>
               <camunda:inputParameter name="c"><camunda:list><camunda:value>1</camunda:value><camunda:value>${x}</camunda:value></camunda:list></camunda:inputParameter>
               <camunda:inputParameter name="d"><camunda:map><camunda:entry key="k">v</camunda:entry></camunda:map></camunda:inputParameter>
               <camunda:outputParameter name="e">${a}</camunda:outputParameter>"#,
        ),
        &[
            r#"a="${client.name}""#,
            r#"b="for ${client.name}""#,
            r#"c=["1","${x}"]"#,
            r#"d={"k":"v"}"#,
        ],
        &[r#"e="${a}""#],
    );
    let map = r#"<camunda:inputParameter name="x"><camunda:map><camunda:entry key="${k}">v</camunda:entry></camunda:map></camunda:inputParameter>"#;
    says(
        &document("", &camunda(map)),
        "no_effect",
        &["inputParameter"],
        &[],
    );
    for expression in ["${a.b() + 1}", "${execution.id}", "${a.b()}", "${now}"] {
        let parameter =
            format!(r#"<camunda:inputParameter name="x">{expression}</camunda:inputParameter>"#);
        let xml = document("", &camunda(&parameter));
        says(&xml, "no_effect", &[expression], &[]);
    }
}

#[test]
fn plain_data_associations_are_read_as_mappings() {
    let data = r#"<dataObject id="d" name="order"/><dataObjectReference id="r" dataObjectRef="d"/><property id="q" name="quota"/>"#;
    let task = |inner: &str| {
        format!(
            r#"{data}<userTask id="t"><ioSpecification><dataInput id="i" name="in"/><dataOutput id="o" name="out"/></ioSpecification>{inner}</userTask>"#
        )
    };
    let read = |inner: &str| {
        let (definition, problems) = read_one(&task(inner));
        let node = &definition.nodes[0];
        let codes: Vec<_> = problems.iter().map(|it| it.code).collect();
        (shown(&node.inputs), shown(&node.outputs), codes)
    };
    let (inputs, outputs, _) = read(
        r#"<dataInputAssociation><sourceRef>r</sourceRef><targetRef>i</targetRef></dataInputAssociation>
           <dataOutputAssociation><sourceRef>o</sourceRef><targetRef>d</targetRef></dataOutputAssociation>"#,
    );
    assert_eq!(
        (inputs, outputs),
        (
            vec!["in=order".into(), "out=null".into()],
            vec!["order=out".into()]
        )
    );
    let output = r#"<dataOutputAssociation><sourceRef>o</sourceRef><targetRef>d</targetRef></dataOutputAssociation>"#;
    let (definition, _) = read_one(&task(output));
    assert!(definition.nodes[0].outputs[0].if_set);
    assert!(!definition.nodes[0].inputs[0].if_set);
    let (inputs, _, _) = read(
        r#"<dataInputAssociation><targetRef>i</targetRef><assignment><from>${client.name}</from><to>i</to></assignment></dataInputAssociation>"#,
    );
    assert_eq!(inputs, ["in=client.name"]);
    for odd in [
        r#"<dataInputAssociation><sourceRef>r</sourceRef><targetRef>i</targetRef><transformation>a + 1</transformation></dataInputAssociation>"#,
        r#"<dataInputAssociation><targetRef>i</targetRef><assignment><from>a + 1</from><to>i</to></assignment></dataInputAssociation>"#,
        r#"<dataInputAssociation><sourceRef>nothing</sourceRef><targetRef>i</targetRef></dataInputAssociation>"#,
    ] {
        let (inputs, _, codes) = read(odd);
        assert_eq!(inputs, Vec::<String>::new(), "{odd}");
        assert!(codes.contains(&"no_effect"), "{odd}: {codes:?}");
    }
    check(&task(""), &[("t", "no_effect"), ("q", "no_effect")]);
}

#[test]
fn data_objects_are_variables_of_their_scope() {
    let content = r#"<dataObject id="d1"><extensionElements><stepwire:default>{"total": 0}</stepwire:default></extensionElements></dataObject>
        <dataObjectReference id="r1" name="My order" dataObjectRef="d1"/><dataObjectReference id="r2" name="order" dataObjectRef="d1"/>
        <dataStoreReference id="store"/>
        <subProcess id="s"><dataObject id="note"/><dataObjectReference id="r3" name="a note" dataObjectRef="note">
          <extensionElements><stepwire:default>"new"</stepwire:default></extensionElements></dataObjectReference></subProcess>"#;
    let (definition, _) = read_one(content);
    let found: Vec<_> = definition
        .data_objects
        .iter()
        .map(|it| (it.variable(), it.scope.as_deref(), it.default.clone()))
        .collect();
    assert_eq!(
        found,
        [
            ("order", None, Some(json!({"total": 0}))),
            ("note", Some("s"), Some(Value::from("new")))
        ]
    );
    for (default, parts) in [
        ("<stepwire:default>{</stepwire:default>", "as JSON"),
        (
            "<stepwire:default>1</stepwire:default><stepwire:default>2</stepwire:default>",
            "one default",
        ),
    ] {
        let xml = document(
            "",
            &format!(
                r#"<dataObject id="d"><extensionElements>{default}</extensionElements></dataObject>"#
            ),
        );
        let found = problems(&xml);
        assert!(
            found
                .iter()
                .any(|it| it.element == "d" && it.message.contains(parts)),
            "{found:?}"
        );
    }
}

#[test]
fn mappings_of_call_activities_of_other_engines_are_read() {
    let call = |attributes: &str, extensions: &str| {
        let xml = format!(
            r#"<callActivity id="c" {attributes} xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
              xmlns:operaton="http://operaton.org/schema/1.0/bpmn" xmlns:flowable="http://flowable.org/bpmn"
              xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><extensionElements>{extensions}</extensionElements></callActivity>"#
        );
        let (definition, problems) = read_one(&xml);
        let node = &definition.nodes[0];
        let codes: Vec<_> = problems.iter().map(|it| it.code).collect();
        let call = node.call.clone().expect("a call");
        (call, shown(&node.inputs), shown(&node.outputs), codes)
    };
    for engine in ["camunda", "operaton", "flowable"] {
        let (called, inputs, outputs, codes) = call(
            r#"calledElement="p""#,
            &format!(
                r#"<{engine}:in source="a" target="b"/><{engine}:in sourceExpression="nr ${{n}}" target="t"/>
                <{engine}:out source="x" target="y"/>"#
            ),
        );
        assert_eq!(called.params_to_copy, Some(Vec::new()), "{engine}");
        assert_eq!(inputs, ["b=${a}", r#"t="nr ${n}""#], "{engine}");
        assert_eq!(outputs, ["y=${x}"], "{engine}");
        assert_eq!(codes, Vec::<&str>::new(), "{engine}");
    }
    let all = r#"<camunda:in variables="all"/><camunda:in source="a" target="b"/>"#;
    let (called, inputs, _, codes) = call(r#"calledElement="p""#, all);
    assert_eq!((called.params_to_copy, codes), (None, Vec::new()));
    assert_eq!(inputs, ["b=${a}"]);
    let (_, _, outputs, codes) = call(r#"calledElement="p""#, r#"<camunda:out variables="all"/>"#);
    assert_eq!((outputs, codes), (vec!["*=*".to_owned()], Vec::new()));
    // What it owns is passed anyway.
    let own = r#"<camunda:in variables="all" local="true"/>"#;
    let (called, inputs, _, codes) = call(r#"calledElement="p""#, own);
    assert_eq!(
        (called.params_to_copy, codes),
        (Some(Vec::new()), Vec::new())
    );
    assert_eq!(inputs, Vec::<String>::new());
    for odd in [
        r##"<camunda:in businessKey="#{k()}"/>"##,
        r#"<camunda:out variables="all" local="true"/>"#,
        r#"<camunda:in sourceExpression="${a.size()}" target="b"/>"#,
    ] {
        let (called, inputs, outputs, codes) = call(r#"calledElement="p""#, odd);
        assert_eq!(
            (called.params_to_copy, inputs, outputs),
            (None, vec![], vec![]),
            "{odd}"
        );
        assert_eq!(codes, ["foreign_extension"], "{odd}");
    }
    let computed = r##"<camunda:in sourceExpression="#{a-1}" target="b"/>"##;
    let (called, inputs, _, codes) = call(r#"calledElement="p""#, computed);
    assert_eq!(called.params_to_copy, Some(Vec::new()));
    assert_eq!((inputs, codes), (vec!["b=${a - 1}".to_owned()], Vec::new()));
    let longer = r#"<camunda:in sourceExpression="nr ${a-1} of ${b}" target="b"/>"#;
    let (_, inputs, _, codes) = call(r#"calledElement="p""#, longer);
    assert_eq!(
        (inputs, codes),
        (vec![r#"b="nr ${a - 1} of ${b}""#.to_owned()], Vec::new())
    );
    let zeebe = r#"<zeebe:calledElement processId="q" propagateAllChildVariables="false"/>"#;
    let (called, _, outputs, codes) = call("", zeebe);
    assert_eq!((called.called_element.as_str(), codes), ("q", Vec::new()));
    assert_eq!((called.params_to_copy, outputs), (None, vec![]));
    let zeebe = r#"<zeebe:calledElement processId="q" propagateAllParentVariables="false"/>"#;
    let (called, _, outputs, _) = call("", zeebe);
    assert_eq!(called.params_to_copy, Some(Vec::new()));
    assert_eq!(outputs, ["*=*"]);
}

#[test]
fn a_called_process_may_be_read_from_the_data() {
    let called = |attributes: &str, extensions: &str| {
        let xml = format!(
            r#"<callActivity id="c" {attributes} xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
              <extensionElements>{extensions}</extensionElements></callActivity>"#
        );
        let call = read_one(&xml).0.nodes[0].call.clone();
        call.expect("a call").called_element
    };
    assert_eq!(called(r##"calledElement="#{kind}""##, ""), "${kind}");
    assert_eq!(
        called(r#"calledElement="credit-${a.b}""#, ""),
        "credit-${a.b}"
    );
    let feel = r#"<zeebe:calledElement processId="= a.b"/>"#;
    assert_eq!(called("", feel), "${a.b}");
    let computed = r#"<zeebe:calledElement processId="= a + b"/>"#;
    assert_eq!(called("", computed), "${= a + b}");
    let odd = r#"<zeebe:calledElement processId="= f(a)"/>"#;
    assert_eq!(called("", odd), "");
    assert_eq!(called(r#"calledElement="p-#{n-1}""#, ""), "p-${n - 1}");
}

#[test]
fn an_empty_parameter_is_null() {
    let (definition, _) = read_one(
        r#"<task id="t" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><extensionElements>
          <camunda:inputOutput><camunda:inputParameter name="a"/></camunda:inputOutput>
        </extensionElements></task>"#,
    );
    assert_eq!(shown(&definition.nodes[0].inputs), ["a=null"]);
}

#[test]
fn a_call_passes_a_business_key() {
    let key = |attributes: &str, extension: &str| {
        let content = format!(
            r#"<callActivity id="t" calledElement="q" {attributes} xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><extensionElements>{extension}</extensionElements></callActivity>"#
        );
        let (definition, problems) = read_one(&content);
        let foreign = problems.iter().any(|it| it.code == "foreign_extension");
        let call = definition.nodes[0].call.clone().unwrap();
        (call.business_key, call.params_to_copy, foreign)
    };
    let camunda = |written: &str| format!(r#"<camunda:in businessKey="{written}"/>"#);
    let text = |text: &str| (Some(text.to_owned()), None, false);
    assert_eq!(key(r#"stepwire:businessKey="a-${b}""#, ""), text("a-${b}"));
    assert_eq!(
        key("", &camunda("#{execution.processBusinessKey}")),
        text("${processBusinessKey}")
    );
    assert_eq!(key("", &camunda("${order.id}")), text("${order.id}"));
    assert_eq!(key("", &camunda("nr #{n+1}")), text("nr ${n + 1}"));
    assert_eq!(key("", &camunda("${execution.id}")), (None, None, true));
    assert_eq!(key("", &camunda("${bean.key()}")), (None, None, true));
}

#[test]
fn literals_and_arithmetic_of_other_engines_are_values() {
    let parameter = |written: &str| {
        let content = format!(
            r#"<task id="t" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><extensionElements><camunda:inputOutput>
              <camunda:inputParameter name="a">{written}</camunda:inputParameter></camunda:inputOutput></extensionElements></task>"#
        );
        let (definition, _) = read_one(&content);
        definition.nodes[0]
            .inputs
            .first()
            .map(|it| it.source.clone())
    };
    for (written, expected) in [
        ("${'val'}", r#""val""#),
        ("#{43}", "43"),
        ("${1+1}", "2"),
        ("${true}", "true"),
        ("${null}", "null"),
        ("#{x-1}", "${x - 1}"),
        ("${empty x &amp;&amp; !y}", "${empty x && ! y}"),
        ("${x == 1 ? 'a' : 'b'}", r#"${x == 1 ? "a" : "b"}"#),
        ("#{x-1} of #{y} ${'!'}", r#""${x - 1} of ${y} ${\"!\"}""#),
    ] {
        assert_eq!(parameter(written).as_deref(), Some(expected), "{written}");
    }
    let list = "<camunda:list><camunda:value>a</camunda:value><camunda:list><camunda:value>${b}</camunda:value></camunda:list></camunda:list>";
    assert_eq!(parameter(list).as_deref(), Some(r#"["a",["${b}"]]"#));
    let computed = "<camunda:list><camunda:value>${x+1}</camunda:value></camunda:list>";
    assert_eq!(parameter(computed).as_deref(), Some(r#"["${x + 1}"]"#));
    for written in [
        "${x.f()} of ${y}",
        "${execution.id} of ${y}",
        "<camunda:list><camunda:value>${x.f()}</camunda:value></camunda:list>",
        r#"<camunda:script scriptFormat="javascript">1</camunda:script>"#,
        r#"<camunda:list><camunda:script scriptFormat="javascript">1</camunda:script></camunda:list>"#,
    ] {
        assert_eq!(parameter(written), None, "{written}");
    }
}

#[test]
fn a_call_passes_of_its_input_parameters_what_it_names() {
    let parameters = "<camunda:inputOutput><camunda:inputParameter name='a'>1</camunda:inputParameter><camunda:inputParameter name='b'>2</camunda:inputParameter></camunda:inputOutput>";
    let without = |others: &str| {
        let (definition, _) = read_one(&format!(
            r#"<callActivity id="t" calledElement="q"><extensionElements>{parameters}{others}</extensionElements></callActivity>"#
        ));
        let call = definition.nodes[0].call.clone().expect("a call");
        assert_eq!(definition.nodes[0].inputs[..2].len(), 2);
        call.without_params
    };
    assert_eq!(
        without(r#"<camunda:in source="a" target="c"/>"#),
        ["a", "b"]
    );
    assert_eq!(without(r#"<camunda:in source="a" target="a"/>"#), ["b"]);
    for all in [
        "",
        r#"<camunda:in variables="all"/>"#,
        r#"<camunda:in variables="all" local="true"/>"#,
    ] {
        assert_eq!(without(all), [""; 0], "{all}");
    }
}

#[test]
fn the_initiator_is_an_output_mapping() {
    let engines = [
        "http://camunda.org/schema/1.0/bpmn",
        "http://activiti.org/bpmn",
        "http://flowable.org/bpmn",
    ];
    for engine in engines {
        let start = format!(r#"<startEvent id="s" xmlns:e="{engine}" e:initiator="who"/>"#);
        let (definition, problems) = read_one(&start);
        let expected = Mapping {
            source: "${startedBy}".to_owned(),
            target: "who".to_owned(),
            if_set: false,
        };
        assert_eq!(definition.nodes[0].outputs, [expected]);
        assert_eq!(problems, []);
    }
    let task = r#"<task id="t" xmlns:e="http://activiti.org/bpmn" e:initiator="who"/>"#;
    check(task, &[("t", "foreign_extension")]);
}

#[test]
fn a_called_case_is_named() {
    let call = r#"<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="c"/>
        <callActivity id="c" camunda:caseRef="claim" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"/>"#;
    let problems = problems(&document("", call));
    let errors = problems.iter().filter(|it| it.severity == Severity::Error);
    let [error] = errors.collect::<Vec<_>>()[..] else {
        panic!("expected one error, but got {problems:#?}")
    };
    assert_eq!(error.code, "missing_called_element");
    assert!(
        error
            .message
            .contains("`caseRef` names the CMMN case `claim`")
    );
}
