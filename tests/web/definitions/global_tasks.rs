//! Global tasks, as used by call activities.

use super::*;
use crate::wire::{Client, client::id};

const SOURCE: &str = r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0">
  <bpmn:globalUserTask id="ask" name="Ask" stepwire:assignee="${who}"/>
  <bpmn:process id="office" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:callActivity id="rating" calledElement="rate" stepwire:outputKey="rated"/>
    <bpmn:callActivity id="asking" calledElement="ask" stepwire:outputKey="asked"/>
    <bpmn:endEvent id="end"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="rating"/>
    <bpmn:sequenceFlow id="f2" sourceRef="rating" targetRef="asking"/>
    <bpmn:sequenceFlow id="f3" sourceRef="asking" targetRef="end"/>
    <bpmn:boundaryEvent id="high" attachedToRef="rating"><bpmn:errorEventDefinition errorRef="tooHigh"/></bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f4" sourceRef="high" targetRef="end"/>
  </bpmn:process>
  <bpmn:error id="tooHigh" errorCode="HIGH"/>
  <bpmn:globalScriptTask id="rate" scriptLanguage="javascript">
    <bpmn:script>if (input.amount > 10) throw new BpmnError("HIGH"); output.risk = input.amount * 2</bpmn:script>
  </bpmn:globalScriptTask>
</bpmn:definitions>"#;

#[actix_web::test]
async fn a_call_activity_calls_a_global_task() {
    let server = support::start(support::config(&["--no-examples", "--test-clock"])).await;
    let dora = User::new(&server, "dora", &["designer", "operator"]);
    let ada = User::new(&server, "ada", &[]);
    let mut clock = Client::open_at(server.addresses()[0].port()).await;
    let token = support::token("olga", &["admin"]);
    clock.send(json!({"type": "hello", "token": token})).await;
    clock.expect("welcome").await;
    let path = "/v1/definitions?publish=true";
    let deployed = deploy(&dora, path, "application/xml", SOURCE).await;
    assert_eq!(deployed.status, 201, "{}", deployed.text);
    assert!(!deployed.text.contains("warning"), "{}", deployed.text);

    let instance = dora
        .start("office", json!({"amount": 4, "who": "ada"}))
        .await;
    clock.done(json!({"type": "idle", "id": id()})).await;
    let tasks = ada.get("/v1/tasks").await.json();
    let task = &tasks["tasks"][0];
    let named = (&task["node"], &task["assignee"], &task["process"]);
    assert_eq!(
        named,
        (&json!("ask"), &json!("ada"), &json!("ask")),
        "{tasks}"
    );
    let child = task["instance"].as_str().expect("a key");
    let run = json!({"action": "complete", "data": {"yes": true}});
    let ran = ada.post(&format!("/v1/instances/{child}/run"), run).await;
    assert_eq!(ran.status, 200, "{}", ran.text);
    clock.done(json!({"type": "idle", "id": id()})).await;
    let ended = dora.get(&format!("/v1/instances/{instance}")).await.json();
    assert_eq!(ended["status"], "finished", "{ended}");
    assert_eq!(ended["data"]["rated"]["risk"], 8);
    assert_eq!(ended["data"]["asked"]["yes"], true);

    let caught = dora
        .start("office", json!({"amount": 40, "who": "ada"}))
        .await;
    clock.done(json!({"type": "idle", "id": id()})).await;
    let ended = dora.get(&format!("/v1/instances/{caught}")).await.json();
    assert_eq!(ended["status"], "finished", "its error was caught: {ended}");
    assert_eq!(ended["data"], json!({"amount": 40, "who": "ada"}));
    are_exported_unchanged(&dora).await;
    server.stop().await;
}

/// Each is exported as it was deployed, and its JSON form deploys as the same definition.
async fn are_exported_unchanged(dora: &User<'_>) {
    for task in ["ask", "rate"] {
        let path = format!("/v1/definitions/{task}/1");
        let xml = dora.request(Method::GET, &path);
        let source = send(xml.header("accept", "application/xml")).await;
        assert_eq!(source.text, SOURCE, "{task}");
        let form = dora.get(&path).await.json();
        let json = "application/json";
        let again = deploy(dora, "/v1/definitions", json, form.to_string()).await;
        assert_eq!(again.status, 201, "{task}: {}", again.text);
        let version = format!("/v1/definitions/{task}/{}", again.json()["version"]);
        assert_eq!(dora.get(&version).await.json(), form, "{task}");
    }
}
