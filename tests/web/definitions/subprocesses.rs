//! A process with an embedded subprocess and a timer, as a client sees it over REST.

use super::*;

const SOURCE: &str = r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL">
  <bpmn:process id="nested" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="check"/>
    <bpmn:subProcess id="check" name="Check">
      <bpmn:startEvent id="begin"/>
      <bpmn:sequenceFlow id="g1" sourceRef="begin" targetRef="ask"/>
      <bpmn:userTask id="ask"/>
      <bpmn:sequenceFlow id="g2" sourceRef="ask" targetRef="done"/>
      <bpmn:endEvent id="done"/>
    </bpmn:subProcess>
    <bpmn:boundaryEvent id="late" attachedToRef="check" cancelActivity="false">
      <bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f2" sourceRef="late" targetRef="end"/>
    <bpmn:sequenceFlow id="f3" sourceRef="check" targetRef="end"/>
    <bpmn:endEvent id="end"/>
  </bpmn:process>
</bpmn:definitions>"#;

#[actix_web::test]
async fn nodes_name_the_subprocess_they_are_in() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer", "operator"]);
    let deployed = deploy(
        &designer,
        "/v1/definitions?publish=true",
        "application/xml",
        SOURCE,
    )
    .await;
    assert_eq!(deployed.status, 201, "{}", deployed.json());
    let started = designer
        .post("/v1/instances", json!({"process": "nested"}))
        .await
        .json();
    let instance = started["instance"].as_str().expect("a key").to_owned();
    let nodes = started["nodes"].as_array().expect("a list");
    assert_eq!(
        (&nodes[0]["node"], &nodes[1]["node"]),
        (&json!("check"), &json!("ask"))
    );
    assert_eq!(nodes[0]["type"], "subProcess");
    assert_eq!(nodes[0].get("scope"), None);
    assert_eq!(nodes[1]["scope"], nodes[0]["element"]);
    let timers = designer
        .get(&format!("/v1/timers?instance={instance}"))
        .await
        .json();
    assert_eq!(
        (&timers["timers"][0]["kind"], &timers["timers"][0]["node"]),
        (&json!("event"), &json!("late"))
    );
    server.stop().await;
}
