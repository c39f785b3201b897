//! Things that a document declares twice: each problem names both places.

use super::*;

/// Reads a document and expects a problem with this code and element that contains all of the
/// parts.
fn says(xml: &str, (element, code): (&str, &str), parts: &[&str]) {
    let problems = match read(xml) {
        Ok(definitions) => definitions
            .into_iter()
            .flat_map(|(_, warnings)| warnings)
            .collect(),
        Err(problems) => problems,
    };
    let said = |problem: &Problem| {
        problem.element == element
            && problem.code == code
            && parts.iter().all(|part| problem.message.contains(part))
    };
    assert!(
        problems.iter().any(said),
        "{code} at {element} with {parts:?} in {problems:#?}\n{xml}"
    );
}

#[test]
fn an_id_is_given_once_in_a_document() {
    let beside = |other: &str| {
        document("", r#"<startEvent id="s"/>"#)
            .replace("</definitions>", &format!("\n{other}</definitions>"))
    };
    let places = ["the startEvent in line 2", "in line 3"];
    for other in [
        r#"<process id="q"><startEvent id=" s "/></process>"#,
        r#"<process id="q" isExecutable="false"><task id="s"/></process>"#,
        r#"<process id="q"><subProcess id="x"><sequenceFlow id="s"/></subProcess></process>"#,
        r#"<process id="s"/>"#,
        r#"<error id="s"/>"#,
        r#"<message id="s"/>"#,
        r#"<collaboration id="c"><participant id="s"/></collaboration>"#,
        r#"<process id="q"><laneSet><lane id="s"/></laneSet></process>"#,
        r#"<process id="q"><dataObject id="s"/></process>"#,
    ] {
        says(&beside(other), ("s", "duplicate_id"), &places);
    }
    says(
        &document("", "").replace("</definitions>", "<process id=\"p\"/></definitions>"),
        ("p", "duplicate_id"),
        &["the process"],
    );
    let diagram = |elements: &str| {
        format!(
            r#"<di:BPMNDiagram xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" id="dia">{elements}</di:BPMNDiagram>"#
        )
    };
    for elements in [
        r#"<di:BPMNPlane id="s"/>"#,
        r#"<di:BPMNPlane id="plane"><di:BPMNShape id="s"/></di:BPMNPlane>"#,
        r#"<di:BPMNPlane id="plane"><di:BPMNEdge id="s"/></di:BPMNPlane>"#,
        r#"<di:BPMNLabelStyle id="s"/>"#,
    ] {
        says(&beside(&diagram(elements)), ("s", "duplicate_id"), &places);
    }
    let shapes = r#"<di:BPMNShape id="x"/><di:BPMNShape id="x"/>"#;
    says(
        &beside(&diagram(shapes)),
        ("x", "duplicate_id"),
        &["BPMNShape"],
    );
    let definitions = beside("").replacen("<definitions ", "<definitions id=\"s\" ", 1);
    says(
        &definitions,
        ("s", "duplicate_id"),
        &["the definitions in line 1"],
    );
    let documentation = r#"<startEvent id="s"><documentation id="d"/></startEvent><task id="t"><documentation id="d"/></task>"#;
    says(
        &document("", documentation),
        ("d", "duplicate_id"),
        &["documentation"],
    );
    // The id of another tool's element is not checked.
    let foreign = r#"<startEvent id="s"><extensionElements><camunda:formField id="s"/><camunda:formField id="s"/></extensionElements></startEvent>"#;
    assert!(read(&document("", foreign)).is_ok());
    assert!(
        read(&beside(&diagram(
            r#"<di:BPMNPlane id="plane" bpmnElement="s"/>"#
        )))
        .is_ok()
    );
}

#[test]
fn a_part_that_may_occur_once_occurs_once() {
    let condition = "\n<conditionExpression>a</conditionExpression>";
    let flow = format!(
        r#"<sequenceFlow id="f" sourceRef="a" targetRef="b">{condition}{condition}</sequenceFlow>"#
    );
    let lines = ["line 3", "line 4"];
    says(&document("", &flow), ("f", "duplicate_condition"), &lines);
    let twice = |element: &str| document("", &task_with(&format!("\n{element}\n{element}")));
    says(
        &twice("<stepwire:actions/>"),
        ("t", "duplicate_extension"),
        &lines,
    );
    let schemas = "<stepwire:key \
        path=\"a\">\n<stepwire:schema>{}</stepwire:schema>\n<stepwire:schema>{}</stepwire:schema></stepwire:key>";
    says(
        &document(
            "",
            &action_with("type=\"saveData\" trigger=\"manual\"", schemas),
        ),
        ("t", "duplicate_extension"),
        &lines,
    );
    let params = "\n<stepwire:param name=\"message\">{}</stepwire:param>".repeat(2);
    says(
        &document("", &action_with("type=\"websocketSend\"", &params)),
        ("t", "duplicate_param"),
        &lines,
    );
    let times = "\n<timeCycle>R/PT1H</timeCycle>\n<timeDate>2999-01-01T00:00:00Z</timeDate>";
    let start = format!(
        "<startEvent id=\"s\"><timerEventDefinition>{times}</timerEventDefinition></startEvent>"
    );
    says(
        &document("", &start),
        ("s", "invalid_schedule"),
        &["timeCycle in line 3", "timeDate in line 4"],
    );
    let data = "\n<stepwire:startData>{}</stepwire:startData>".repeat(2);
    let start = format!(
        "<startEvent \
        id=\"s\"><extensionElements>{data}</extensionElements><timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition></startEvent>"
    );
    says(&document("", &start), ("s", "duplicate_extension"), &lines);
}

#[test]
fn a_json_member_occurs_once() {
    let key = r#"<stepwire:key path="a"><stepwire:schema>{"type": "string", "type": "number"}</stepwire:schema></stepwire:key>"#;
    says(
        &document(
            "",
            &action_with("type=\"saveData\" trigger=\"manual\"", key),
        ),
        ("t", "duplicate_member"),
        &["`type`", "line 1"],
    );
    let message = r#"<stepwire:param name="message">{"a": 1, "a": 2}</stepwire:param>"#;
    let (definition, _) = read_one(&action_with("type=\"websocketSend\"", message));
    let problems = validate::validate(&definition);
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.contains("`a` occurs twice")),
        "{problems:?}"
    );
}

#[test]
fn nested_lanes_keep_their_parent() {
    let (definition, warnings) = read_one(
        r#"<laneSet><lane id="a"><flowNodeRef> t </flowNodeRef><childLaneSet><lane id="b"><flowNodeRef>t</flowNodeRef></lane>
             <lane/></childLaneSet></lane></laneSet><task id="t"/>"#,
    );
    assert_eq!(warnings, []);
    let lanes: Vec<_> = definition
        .lanes
        .iter()
        .map(|lane| (&*lane.id, lane.parent.as_deref()))
        .collect();
    assert_eq!(
        lanes,
        [("a", None), ("b", Some("a")), ("lane-1", Some("a"))]
    );
    assert_eq!(definition.lanes[0].nodes, ["t"]);
}
