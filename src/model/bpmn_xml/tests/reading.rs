//! Everything written is read.

use super::*;

#[test]
fn absent_and_empty_attributes_have_their_defaults() {
    let (definition, warnings) = read_one(&action_with(
        r#"type="websocketSend" timer="" parent="""#,
        r#"<stepwire:param name="message"><![CDATA[ {"a": "<"} ]]></stepwire:param>"#,
    ));
    assert_eq!(warnings, []);
    let expected = serde_json::json!({
        "name": "a", "type": "websocketSend", "params": {"message": r#"{"a": "<"}"#}
    });
    let expected = serde_json::from_value(expected).expect("the test's action is valid");
    assert_eq!(definition.nodes[0].actions, [expected]);
}

#[test]
fn a_business_rule_is_read() {
    let read = |params: &str| {
        let (definition, warnings) = read_one(&action_with(r#"type="businessRule""#, params));
        (
            definition.nodes[0].actions[0].work.clone(),
            warnings.iter().map(|found| found.code).collect::<Vec<_>>(),
        )
    };
    let script = r#"<stepwire:param name="script"><![CDATA[
        output.adult = input.client.age >= 18 && 1 < 2
    ]]></stepwire:param>"#;
    let rule = |language: &str| ActionType::BusinessRule {
        script: "output.adult = input.client.age >= 18 && 1 < 2".to_owned(),
        language: language.to_owned(),
    };
    assert_eq!(read(script), (rule("javascript"), vec![]));
    let more = r#"<stepwire:param name="language">mvel</stepwire:param><stepwire:param name="odd">1</stepwire:param>"#;
    assert_eq!(
        read(&format!("{script}{more}")),
        (rule("mvel"), vec!["unknown_name"])
    );
}

#[test]
fn an_upload_is_read() {
    let check_upload = |params: &[(&str, &str)],
                        expected: (i64, Option<Vec<String>>),
                        problems: &[(&str, &str)]| {
        let params = params.iter().map(|(name, value)| {
            format!(r#"<stepwire:param name="{name}">{value}</stepwire:param>"#)
        });
        let xml = action_with(
            r#"type="uploadFile" trigger="manual""#,
            &params.collect::<String>(),
        );
        check(&xml, problems);
        let (definition, _) = read_one(&xml);
        let (max_bytes, types) = expected;
        let destination = "application.document".to_owned();
        assert_eq!(
            definition.nodes[0].actions[0].work,
            ActionType::UploadFile {
                destination,
                max_bytes,
                types
            }
        );
    };
    let destination = ("destination", "application.document");
    check_upload(&[destination], (10 << 20, None), &[]);
    let types = Some(vec!["application/pdf".to_owned(), "image/*".to_owned()]);
    let all = [
        destination,
        ("maxBytes", "1000"),
        ("types", r#"["application/pdf", "image/*"]"#),
    ];
    check_upload(&all, (1000, types), &[]);
    check_upload(
        &[destination, ("script", "1")],
        (10 << 20, None),
        &[("t", "unknown_name")],
    );
    check(
        &action_with(
            r#"type="uploadFile""#,
            r#"<stepwire:param name="maxBytes">10 MB</stepwire:param>"#,
        ),
        &[
            ("t", "invalid_value"),
            ("t", "automatic_upload"),
            ("t", "missing_param"),
        ],
    );
}

#[test]
fn everything_written_is_read() {
    let (definition, warnings) = read_one(
        r#"<documentation/><documentation> What it is for. </documentation>
           <laneSet><lane id="l" name="Clerks" stepwire:view="clerk customer" stepwire:execute=" clerk" stepwire:hold=""><flowNodeRef>c</flowNodeRef><childLaneSet><lane id="inner"/></childLaneSet></lane></laneSet>
           <startEvent id="s" stepwire:startCondition="new"><extensionElements><stepwire:key path="x" required="true"/></extensionElements></startEvent>
           <callActivity id="c" name="Call" calledElement="q" stepwire:canGoBack="false" stepwire:paramsToCopy='["a"]'
              stepwire:withoutParams='["a.b"]' stepwire:outputKey="r" stepwire:output='{"x":1}'/>
           <task id="t"><extensionElements><stepwire:actions><stepwire:action name="go" order="3" type="startSubprocess" trigger="manual"
              allowBack="true" restartFromSnapshot="true"><stepwire:param name="process">q</stepwire:param><stepwire:param name="async">false</stepwire:param>
              <stepwire:restartKey path="k"/></stepwire:action></stepwire:actions></extensionElements></task>
           <exclusiveGateway id="g" default="f"/>
           <sequenceFlow id="f" name="else" sourceRef="g" targetRef="c"><conditionExpression> ${a &gt; 1} </conditionExpression></sequenceFlow>"#,
    );
    assert_eq!(warnings, []);
    assert_eq!(definition.documentation.as_deref(), Some("What it is for."));
    let [start, call, task, gateway] = definition.nodes.as_slice() else {
        panic!("expected four nodes")
    };
    assert_eq!(
        (start.start_condition.as_deref(), start.keys[0].required),
        (Some("new"), true)
    );
    let called = call.call.as_ref().expect("a call activity calls");
    assert_eq!(
        (
            called.called_element.as_str(),
            called.output_key.as_deref(),
            call.can_go_back
        ),
        ("q", Some("r"), false)
    );
    assert_eq!(
        (
            called.params_to_copy.as_deref(),
            called.without_params.as_slice()
        ),
        (Some(&["a".to_owned()][..]), &["a.b".to_owned()][..])
    );
    let action = &task.actions[0];
    assert!(
        matches!(&action.work, ActionType::StartSubprocess { process, asynchronous: false, .. } if process == "q")
    );
    assert_eq!(
        (
            action.order,
            action.restart_keys.as_slice(),
            action.restart_from_snapshot
        ),
        (Some(3), &["k".to_owned()][..], true)
    );
    assert_eq!(
        (gateway.kind, gateway.default_flow.as_deref()),
        (ElementType::ExclusiveGateway, Some("f"))
    );
    assert_eq!(definition.flows[0].condition.as_deref(), Some("${a > 1}"));
    assert_eq!(
        definition
            .lanes
            .iter()
            .map(|lane| lane.id.as_str())
            .collect::<Vec<_>>(),
        ["l", "inner"]
    );
    let roles = |list: &Option<Vec<String>>| list.as_ref().map(|roles| roles.join("+"));
    let lane = &definition.lanes[0];
    assert_eq!(roles(&lane.view).as_deref(), Some("clerk+customer"));
    assert_eq!(
        (
            roles(&lane.execute).as_deref(),
            roles(&lane.assign),
            roles(&lane.hold)
        ),
        (Some("clerk"), None, None)
    );
}

#[test]
fn http_calls_and_webhooks_are_read() {
    let (definition, warnings) = read_one(
        r#"<extensionElements><stepwire:webhook url="https://hooks.example.com/a" on="finished  failed" include="data"/>
              <stepwire:webhook url="https://hooks.example.com/b"/></extensionElements>
           <serviceTask id="t"><extensionElements><stepwire:actions>
             <stepwire:action name="a" type="httpRequest"><stepwire:param name="url">https://api.example.com/</stepwire:param></stepwire:action>
             <stepwire:action name="b" order="1" type="httpRequest"><stepwire:param name="method">POST</stepwire:param>
               <stepwire:param name="url">https://api.example.com/${id}</stepwire:param><stepwire:param name="headers">{"A": "1"}</stepwire:param>
               <stepwire:param name="body">${x}</stepwire:param><stepwire:param name="timeout">PT5S</stepwire:param>
               <stepwire:param name="retries">0</stepwire:param><stepwire:param name="backoff">PT2S</stepwire:param>
               <stepwire:param name="success">["2xx", "404"]</stepwire:param><stepwire:param name="outputKey">r</stepwire:param>
               <stepwire:param name="output">${status}</stepwire:param></stepwire:action>
           </stepwire:actions></extensionElements></serviceTask>"#,
    );
    assert_eq!(warnings, []);
    let webhooks = serde_json::to_value(&definition.webhooks).expect("webhooks are JSON");
    let expected = json!([{"url": "https://hooks.example.com/a", "on": ["finished", "failed"], "include": "data"},
        {"url": "https://hooks.example.com/b"}]);
    assert_eq!(webhooks, expected);
    let params = |index: usize| {
        serde_json::to_value(&definition.nodes[0].actions[index].work).expect("actions are JSON")["params"].clone()
    };
    let url = "https://api.example.com/";
    assert_eq!(
        params(0),
        json!({"method": "GET", "url": url, "timeout": "PT10S", "retries": 3, "backoff": "PT1S"})
    );
    let whole = json!({"method": "POST", "url": format!("{url}${{id}}"), "headers": r#"{"A": "1"}"#, "body": "${x}", "timeout": "PT5S",
        "retries": 0, "backoff": "PT2S", "success": ["2xx", "404"], "outputKey": "r", "output": "${status}"});
    assert_eq!(params(1), whole);
}

#[test]
fn search_keys_are_a_list() {
    let xml = document(r#"stepwire:searchKeys='["client.email", "number"]'"#, "");
    let (definition, warnings) = read(&xml).expect("the process can be read").remove(0);
    assert_eq!(
        (definition.search_keys, warnings),
        (vec!["client.email".to_owned(), "number".to_owned()], vec![])
    );
}

#[test]
fn user_tasks_have_assignees_and_due_dates() {
    let (definition, problems) = read_one(
        r#"<userTask id="t" stepwire:assignee="${chief}" stepwire:dueDate="P3D" stepwire:reminder=" PT1H" stepwire:reminderRepeat="P1D"
             stepwire:decisionKey="approval" stepwire:candidateGroups="clerk chief"/><userTask id="u" stepwire:assignee=""/>"#,
    );
    assert_eq!(problems, []);
    let [task, plain] = definition.nodes.as_slice() else {
        panic!("expected two nodes")
    };
    let terms = UserTask {
        assignee: Some("${chief}".to_owned()),
        due_date: Some("P3D".to_owned()),
        reminder: Some("PT1H".to_owned()),
        reminder_repeat: Some("P1D".to_owned()),
        decision_key: Some("approval".to_owned()),
        candidate_groups: vec!["clerk".to_owned(), "chief".to_owned()],
    };
    assert_eq!(
        (task.task.as_ref(), plain.task.as_ref()),
        (Some(&terms), None)
    );
    check(
        r#"<task id="t" stepwire:assignee="bob"/>"#,
        &[("t", "unknown_name")],
    );
}

#[test]
fn user_task_attributes_of_other_engines_are_read_if_equivalent() {
    let read = |attributes: &str, content: &str| {
        let task = format!(r#"<userTask id="t" {attributes}>{content}</userTask>"#);
        let xml = document("", &task).replacen(
            "<definitions",
            r#"<definitions xmlns:zeebe="http://camunda.org/schema/zeebe/1.0""#,
            1,
        );
        let (definition, problems) = super::read(&xml)
            .unwrap_or_else(|problems| panic!("{task}: {problems:?}"))
            .remove(0);
        let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
        (definition.nodes[0].task.clone().unwrap_or_default(), codes)
    };
    let expected = |assignee: &str, groups: &[&str], due: &str| {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let task = UserTask {
            assignee: text(assignee),
            due_date: text(due),
            candidate_groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..UserTask::default()
        };
        (task, Vec::new())
    };
    let camunda = r##"camunda:assignee="#{order.boss}" camunda:candidateGroups="a, b" camunda:dueDate="P3D""##;
    assert_eq!(
        read(camunda, ""),
        expected("${order.boss}", &["a", "b"], "P3D")
    );
    let zeebe = r#"<extensionElements><zeebe:assignmentDefinition assignee="= boss" candidateGroups="=&quot;a&quot;"/>
        <zeebe:taskSchedule dueDate="= due"/></extensionElements>"#;
    assert_eq!(read("", zeebe), expected("${boss}", &["a"], "${due}"));
    let computed = r##"camunda:assignee="#{a ? 'x' : b}" camunda:candidateGroups="a" camunda:dueDate="P${n+1}D""##;
    assert_eq!(
        read(computed, ""),
        expected("${a ? \"x\" : b}", &["a"], "P${n + 1}D")
    );
    let people = |name: &str, text: &str| {
        format!(
            "<{name}><resourceAssignmentExpression><formalExpression>{text}</formalExpression></resourceAssignmentExpression></{name}>"
        )
    };
    let both = people("humanPerformer", "ada") + &people("potentialOwner", "group(a), b");
    assert_eq!(read("", &both), expected("ada", &["a", "b"], ""));
    let own = r#"stepwire:assignee="bob" camunda:assignee="ada""#;
    assert_eq!(
        read(own, ""),
        (expected("bob", &[], "").0, vec!["foreign_extension"])
    );
    for computed in [
        r#"camunda:assignee="${bean.find(x)}""#,
        r#"camunda:candidateGroups="${groups}""#,
        r#"camunda:dueDate="tomorrow""#,
    ] {
        assert_eq!(
            read(computed, ""),
            (UserTask::default(), vec!["foreign_expression"]),
            "{computed}"
        );
    }
    let user = people("potentialOwner", "user(ada)");
    assert_eq!(
        read("", &user),
        (UserTask::default(), vec!["foreign_expression"])
    );
}
