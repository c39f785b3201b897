//! Children started by the engine: one per item, one by a message, one that fails; read from BPMN
//! as a modeller draws it.

use serde_json::{Value, json};

use super::{Client, Server, client::id, server::token};

/// Grades people by a child each, and one more by a message.
pub const GRADING: &str = r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0" id="d" targetNamespace="t">
 <bpmn:error id="unknown" name="Unknown person" errorCode="UNKNOWN"/>
 <bpmn:process id="grading" isExecutable="true">
  <bpmn:startEvent id="start"/>
  <bpmn:callActivity id="gradeEach" calledElement="grade" stepwire:paramsToCopy="[]" stepwire:collection="people"
    stepwire:outputKey="grades" stepwire:output='{"name":"${item.name}"}'>
   <bpmn:multiInstanceLoopCharacteristics/>
  </bpmn:callActivity>
  <bpmn:boundaryEvent id="caught" attachedToRef="gradeEach"><bpmn:errorEventDefinition errorRef="unknown"/></bpmn:boundaryEvent>
  <bpmn:userTask id="show"><bpmn:extensionElements><stepwire:actions>
   <stepwire:action name="tell" order="1" type="websocketSend">
    <stepwire:param name="message">{"grades":"${grades}"}</stepwire:param>
   </stepwire:action>
   <stepwire:action name="next" order="2" type="websocketSend">
    <stepwire:param name="messageType">action</stepwire:param>
    <stepwire:param name="message">{"processName":"grade","params":{"startOn":"server","paramsToCopy":[]}}</stepwire:param>
   </stepwire:action>
   <stepwire:action name="go" order="3" type="saveData" trigger="manual"/>
  </stepwire:actions></bpmn:extensionElements></bpmn:userTask>
  <bpmn:userTask id="mend"/>
  <bpmn:endEvent id="end"/>
  <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="gradeEach"/>
  <bpmn:sequenceFlow id="b" sourceRef="gradeEach" targetRef="show"/>
  <bpmn:sequenceFlow id="c" sourceRef="show" targetRef="end"/>
  <bpmn:sequenceFlow id="e" sourceRef="caught" targetRef="mend"/>
  <bpmn:sequenceFlow id="f" sourceRef="mend" targetRef="end"/>
 </bpmn:process>
 <bpmn:process id="grade" isExecutable="true">
  <bpmn:startEvent id="begin"/>
  <bpmn:exclusiveGateway id="which" default="known"/>
  <bpmn:endEvent id="done"/>
  <bpmn:endEvent id="failed"><bpmn:errorEventDefinition errorRef="unknown"/></bpmn:endEvent>
  <bpmn:sequenceFlow id="g" sourceRef="begin" targetRef="which"/>
  <bpmn:sequenceFlow id="known" sourceRef="which" targetRef="done"/>
  <bpmn:sequenceFlow id="not" sourceRef="which" targetRef="failed">
   <bpmn:conditionExpression>${input.item != null &amp;&amp; input.item.name == null}</bpmn:conditionExpression></bpmn:sequenceFlow>
 </bpmn:process>
</bpmn:definitions>"#;

fn statuses(client: &Client) -> Vec<Value> {
    let mut statuses: Vec<Value> = client
        .frames
        .iter()
        .filter(|frame| frame["type"] == "child")
        .map(|frame| frame["child"]["status"].clone())
        .collect();
    statuses.sort_by_key(Value::to_string);
    statuses
}

async fn at(client: &mut Client, instance: &str, node: &str) {
    let channel = format!("instance/{instance}");
    let is_there =
        |frame: &Value| frame["channel"] == channel.as_str() && frame["nodes"][0]["node"] == node;
    if !client.frames.iter().any(is_there) {
        client.expect_that(is_there).await;
    }
}

#[tokio::test]
async fn children_per_item_and_by_a_message_are_followed() {
    let server = Server::with_process(GRADING);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client
        .start(
            "grading",
            json!({"people": [{"name": "Ada"}, {"name": "Bob"}]}),
        )
        .await;
    at(&mut client, &instance, "show").await;
    assert_eq!(
        client.latest("data")["body"],
        json!({"grades": [{"name": "Ada"}, {"name": "Bob"}]})
    );
    let message = client.latest("action").clone();
    let child = message["body"]["processInstanceKey"].clone();
    let announced = client
        .frames
        .iter()
        .position(|frame| frame["child"]["instance"] == child)
        .unwrap();
    let reported = client
        .frames
        .iter()
        .position(|frame| frame["type"] == "action")
        .unwrap();
    assert!(
        announced < reported,
        "the message names a child that is announced"
    );
    let ended = |frame: &Value| {
        frame["child"]["instance"] == child && frame["child"]["status"] == "finished"
    };
    if !client.frames.iter().any(ended) {
        client.expect_that(ended).await;
    }
    let inherit = json!({"instance": instance, "seq": message["seq"]});
    client
        .refused(
            json!({"type": "start", "id": id(), "inheritFrom": inherit}),
            "conflict",
        )
        .await;
    client.subscribe(&instance).await;
    assert_eq!(client.latest("snapshot")["open"], json!([]));
}

#[tokio::test]
async fn a_failed_child_is_shown_and_its_error_caught() {
    let server = Server::with_process(GRADING);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("grading", json!({"people": [{}]})).await;
    at(&mut client, &instance, "mend").await;
    assert_eq!(statuses(&client), [json!("failed"), json!("started")]);
}
