//! Business rules and uploads as a websocket client sees them, with the process in BPMN XML.

use serde_json::json;

use super::{
    Client, Server,
    client::id,
    server::{admin, token},
};

const RATING: &str = r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0" id="d" targetNamespace="t">
 <bpmn:process id="rating" isExecutable="true">
  <bpmn:startEvent id="start"/>
  <bpmn:userTask id="desk"><bpmn:extensionElements><stepwire:actions>
   <stepwire:action name="bring" order="1" type="uploadFile" trigger="manual" required="optional" repeatable="true">
    <stepwire:param name="destination">document</stepwire:param>
    <stepwire:param name="maxBytes">1000</stepwire:param>
    <stepwire:param name="types">["application/pdf"]</stepwire:param>
   </stepwire:action>
   <stepwire:action name="rate" order="2" type="businessRule" trigger="manual" repeatable="true" autorunChildren="true">
    <stepwire:param name="script"><![CDATA[
      const { price, count } = input.order;
      if (count < 1) throw new Error('no items');
      output.put('order.total', price * count);
    ]]></stepwire:param>
    <stepwire:param name="language">javascript</stepwire:param>
    <stepwire:key path="order"/>
   </stepwire:action>
   <stepwire:action name="show" parent="rate" type="websocketSend">
    <stepwire:param name="message">{"total": "${order.total}"}</stepwire:param>
   </stepwire:action>
  </stepwire:actions></bpmn:extensionElements></bpmn:userTask>
  <bpmn:endEvent id="end"/>
  <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="desk"/>
  <bpmn:sequenceFlow id="b" sourceRef="desk" targetRef="end"/>
 </bpmn:process>
</bpmn:definitions>"#;

#[tokio::test]
async fn a_rule_computes_pushed_data_and_its_failure_names_the_line() {
    let server = Server::with_process(RATING);
    // The message of a rule is shown to users who may read it.
    let mut client = Client::hello(&server, &admin()).await;
    let instance = client.start("rating", json!({})).await;
    let failed = client
        .run(
            &instance,
            "rate",
            json!({"order": {"price": 5, "count": 0}}),
        )
        .await;
    let incident = &failed["result"]["nodes"][0]["incident"];
    let sentence = incident["message"].as_str().unwrap();
    assert_eq!(incident["code"], "rule_error");
    assert!(
        sentence.contains("line 2") && sentence.contains("no items"),
        "{sentence}"
    );
    let run =
        json!({"type": "run", "id": id(), "instance": instance, "action": "rate", "data": {}});
    assert_eq!(
        client.refused(run, "action_not_available").await["reason"],
        "incident"
    );

    let instance = client.start("rating", json!({})).await;
    let rated = client
        .run(
            &instance,
            "rate",
            json!({"order": {"price": 5, "count": 3}}),
        )
        .await;
    assert_eq!(rated["result"]["status"], "finished");
    assert_eq!(client.latest("data")["body"], json!({"total": 15}));
}

#[tokio::test]
async fn an_upload_over_the_websocket_is_refused_with_the_right_way() {
    let server = Server::with_process(RATING);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("rating", json!({})).await;
    let run =
        json!({"type": "run", "id": id(), "instance": instance, "action": "bring", "data": {}});
    let refused = client.refused(run, "invalid_data").await;
    assert!(
        refused["fields"]["file"]["message"]
            .as_str()
            .is_some_and(|sentence| sentence.contains("/upload?action=")),
        "{refused}"
    );
}
