//! Tasks beside the processes.

use super::{
    others::{problems, says},
    *,
};

fn around(content: &str) -> String {
    format!(
        r#"<definitions xmlns="{BPMN_NAMESPACE}" xmlns:stepwire="{STEPWIRE_NAMESPACE}">{content}</definitions>"#
    )
}

const CALLER: &str = r#"<process id="p" isExecutable="true"><startEvent id="start"/><callActivity id="call" calledElement="ask"/>
    <sequenceFlow id="f" sourceRef="start" targetRef="call"/></process>"#;

#[test]
fn a_global_task_is_a_process_of_that_task() {
    let xml = around(&format!(
        r#"{CALLER}
        <globalUserTask id="ask" name="Ask" stepwire:assignee="${{who}}"><documentation>Asks.</documentation>
          <potentialOwner><resourceAssignmentExpression><formalExpression>clerks</formalExpression></resourceAssignmentExpression></potentialOwner>
          <extensionElements><stepwire:actions>
            <stepwire:action name="save" type="saveData" trigger="manual" required="mandatory"><stepwire:key path="a"/></stepwire:action>
          </stepwire:actions></extensionElements></globalUserTask>
        <globalScriptTask id="rate" scriptLanguage="javascript"><script>output.x = 1</script></globalScriptTask>
        <globalManualTask id="pack"/><globalTask id="any"/>
        <globalBusinessRuleTask id="decide" implementation="x"/>"#
    ));
    let read = read(&xml).unwrap_or_else(|problems| panic!("{problems:?}"));
    let found: Vec<_> = read
        .iter()
        .skip(1)
        .map(|(definition, _)| {
            assert!(definition.is_global_task(), "{definition:?}");
            (definition.id.as_str(), definition.nodes[0].kind)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("ask", ElementType::UserTask),
            ("rate", ElementType::ScriptTask),
            ("pack", ElementType::ManualTask),
            ("any", ElementType::Task),
            ("decide", ElementType::BusinessRuleTask)
        ]
    );
    let ask = &read[1].0;
    assert_eq!(ask.name.as_deref(), Some("Ask"));
    assert_eq!(ask.documentation.as_deref(), Some("Asks."));
    let task = ask.nodes[0].task.as_ref().expect("it has an assignee");
    assert_eq!(task.assignee.as_deref(), Some("${who}"));
    assert_eq!(task.candidate_groups, ["clerks"]);
    assert_eq!(ask.nodes[0].actions[0].name, "save");
    let ActionType::BusinessRule { script, .. } = &read[2].0.nodes[0].actions[0].work else {
        panic!("{:?}", read[2].0);
    };
    assert_eq!(script, "output.x = 1");
    let codes: Vec<_> = problems(&xml)
        .into_iter()
        .map(|problem| (problem.element, problem.code))
        .collect();
    let decide = "decide".to_owned();
    assert_eq!(
        codes,
        [(decide.clone(), "no_effect"), (decide, "calls_nothing")],
        "its implementation, and that it calls nothing"
    );
}

#[test]
fn a_document_may_hold_global_tasks_only() {
    let read = read(&around(r#"<globalTask id="a"/><globalTask id="b"/>"#)).expect("it is read");
    assert_eq!(read.len(), 2);
}

#[test]
fn unsupported_global_tasks_are_named() {
    says(
        &around(r#"<globalTask/>"#),
        "missing_attribute",
        &["globalTask in line 1"],
        &[],
    );
    says(
        &around(r#"<globalTask id="a"/><globalTask id="a"/>"#),
        "duplicate_id",
        &["`a`"],
        &[],
    );
    says(
        &around(r#"<globalTask id="a"><startEvent id="s"/></globalTask>"#),
        "unsupported_element",
        &["startEvent"],
        &[],
    );
}
