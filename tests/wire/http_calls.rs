//! A process of these tests: it sends an Action message and waits, and its gateway fails until its
//! data are corrected.

use serde_json::{Value, json};

use super::{Client, Server, client::id, server::token};

const ERRANDS: &str = r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0" id="d" targetNamespace="t">
 <bpmn:process id="errands" isExecutable="true">
  <bpmn:startEvent id="start"/>
  <bpmn:userTask id="desk"><bpmn:extensionElements><stepwire:actions>
   <stepwire:action name="offer" order="1" type="websocketSend" trigger="automatic" required="mandatory">
    <stepwire:param name="messageType">action</stepwire:param>
    <stepwire:param name="message">{"processName":"errands","params":{"paramsToCopy":[]}}</stepwire:param>
   </stepwire:action>
   <stepwire:action name="note" order="2" type="saveData" trigger="manual" required="optional" repeatable="true">
    <stepwire:key path="price"/>
   </stepwire:action>
   <stepwire:action name="go" order="3" type="saveData" trigger="manual" required="mandatory">
    <stepwire:key path="price"/>
   </stepwire:action>
  </stepwire:actions></bpmn:extensionElements></bpmn:userTask>
  <bpmn:exclusiveGateway id="dear" default="no"/>
  <bpmn:endEvent id="end"/>
  <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="desk"/>
  <bpmn:sequenceFlow id="b" sourceRef="desk" targetRef="dear"/>
  <bpmn:sequenceFlow id="yes" sourceRef="dear" targetRef="end">
   <bpmn:conditionExpression>${price.amount.toFixed(0) == "7"}</bpmn:conditionExpression></bpmn:sequenceFlow>
  <bpmn:sequenceFlow id="no" sourceRef="dear" targetRef="end"/>
 </bpmn:process>
</bpmn:definitions>"#;

async fn open_messages(client: &mut Client, instance: &str) -> Value {
    client.subscribe(instance).await;
    client.latest("snapshot")["open"].clone()
}

#[tokio::test]
async fn a_message_is_open_until_done() {
    let server = Server::with_process(ERRANDS);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("errands", json!({})).await;
    let offer = client.latest("action").clone();
    assert_eq!(
        open_messages(&mut client, &instance).await,
        json!([{"seq": offer["seq"], "body": offer["body"], "until": offer["until"]}])
    );
    let done = json!({"type": "done", "id": id(), "instance": instance, "seq": offer["seq"]});
    let first = client.done(done.clone()).await;
    assert_eq!(
        client.done(done.clone()).await["seq"],
        first["seq"],
        "a repeat gets the first answer"
    );
    assert_eq!(open_messages(&mut client, &instance).await, json!([]));
    let mut again = done;
    again["id"] = json!(id());
    client.refused(again.clone(), "conflict").await;
    again["seq"] = json!(u64::MAX);
    client.refused(again, "conflict").await;
}

#[tokio::test]
async fn a_message_is_open_until_its_process_is_started() {
    let server = Server::with_process(ERRANDS);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("errands", json!({})).await;
    let offer = client.latest("action").clone();
    let inherit = json!({"instance": instance, "seq": offer["seq"]});
    let start = json!({"type": "start", "id": id(), "inheritFrom": inherit});
    let child = client.done(start.clone()).await["result"]["instance"].clone();
    if !client
        .frames
        .iter()
        .any(|frame| frame["child"]["instance"] == child)
    {
        client
            .expect_that(|frame| frame["child"]["instance"] == child)
            .await;
    }
    assert_eq!(open_messages(&mut client, &instance).await, json!([]));
    assert_eq!(client.done(start).await["duplicate"], true);
}

#[tokio::test]
async fn an_incident_is_shown_and_a_retry_continues() {
    let server = Server::with_process(ERRANDS);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("errands", json!({})).await;
    let reply = client.run(&instance, "go", json!({})).await;
    let node = &reply["result"]["nodes"][0];
    assert_eq!(
        (&node["node"], &reply["result"]["status"]),
        (&json!("dear"), &json!("started")),
        "{reply}"
    );
    assert!(
        node["incident"]["code"].is_string() && node["incident"]["message"].is_string(),
        "{reply}"
    );
    assert_eq!(client.latest("progress")["nodes"], reply["result"]["nodes"]);
    let retry = |element: &Value| json!({"type": "retry", "id": id(), "instance": instance, "element": element});
    let again = client.done(retry(&node["element"])).await;
    assert_eq!(
        again["result"]["nodes"][0]["node"], "dear",
        "it fails as before"
    );
    let answer = client.ask(retry(&json!(format!("{instance}-1")))).await;
    assert_eq!(answer["type"], "error", "{answer}");
    client
        .done(json!({"type": "terminate", "id": id(), "instance": instance}))
        .await;
}

#[tokio::test]
async fn a_step_with_scripts_keeps_the_order_of_commands() {
    let server = Server::with_process(ERRANDS);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("errands", json!({})).await;
    for number in 0..50 {
        let note = json!({"price": {"amount": number}});
        client
            .send(json!({"type": "run", "id": format!("n{number}"), "instance": instance, "action": "note", "data": note}))
            .await;
    }
    client.send(json!({"type": "run", "id": "go", "instance": instance, "action": "go", "data": {"price": {"amount": 7}}})).await;
    let mut last = 0;
    for number in 0..50 {
        let reply = client.expect("reply").await;
        assert_eq!(reply["id"], format!("n{number}"));
        assert!(reply["seq"].as_u64().unwrap() > last);
        last = reply["seq"].as_u64().unwrap();
    }
    assert_eq!(client.answer("go").await["result"]["status"], "finished");
}
