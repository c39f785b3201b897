//! Scripts that the engine cannot interrupt, in the real program: they end at their deadline and do
//! not affect others.

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::id,
    server::{admin, token},
};

/// Two processes, each with a rule that everyone may run; `SCRIPT` is replaced by the script of the
/// first one.
const PROCESSES: &str = r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0" id="d" targetNamespace="t">
 <bpmn:process id="endless" isExecutable="true">
  <bpmn:startEvent id="start"/>
  <bpmn:userTask id="desk"><bpmn:extensionElements><stepwire:actions>
   <stepwire:action name="rate" order="1" type="businessRule" trigger="manual" repeatable="true">
    <stepwire:param name="script">const long = 'İ'.repeat(1e6); for (;;) long.toLowerCase()</stepwire:param>
   </stepwire:action>
  </stepwire:actions></bpmn:extensionElements></bpmn:userTask>
  <bpmn:endEvent id="end"/>
  <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="desk"/>
  <bpmn:sequenceFlow id="b" sourceRef="desk" targetRef="end"/>
 </bpmn:process>
 <bpmn:process id="honest" isExecutable="true">
  <bpmn:startEvent id="start2"/>
  <bpmn:userTask id="desk2"><bpmn:extensionElements><stepwire:actions>
   <stepwire:action name="rate" order="1" type="businessRule" trigger="manual" repeatable="true">
    <stepwire:param name="script">output.total = 2 + 3</stepwire:param>
   </stepwire:action>
  </stepwire:actions></bpmn:extensionElements></bpmn:userTask>
  <bpmn:endEvent id="end2"/>
  <bpmn:sequenceFlow id="c" sourceRef="start2" targetRef="desk2"/>
  <bpmn:sequenceFlow id="d2" sourceRef="desk2" targetRef="end2"/>
 </bpmn:process>
</bpmn:definitions>"#;

fn run(instance: &str) -> Value {
    json!({"type": "run", "id": id(), "instance": instance, "action": "rate", "data": {}})
}

#[tokio::test]
async fn a_script_ends_at_its_deadline_and_its_definition_is_paused_on_repetition() {
    let server = Server::with_process(PROCESSES);
    // The failure of a script is shown to users who may read it.
    let mut attacker = Client::hello(&server, &admin()).await;
    let mut alice = Client::hello(&server, &token("alice")).await;
    let mut endless = Vec::new();
    for _ in 0..8 {
        endless.push(attacker.start("endless", json!({})).await);
    }
    let runs: Vec<Value> = endless.iter().map(|instance| run(instance)).collect();
    for frame in &runs {
        attacker.send(frame.clone()).await;
    }
    // Meanwhile, behind at most one turn of the others.
    for _ in 0..3 {
        let instance = alice.start("honest", json!({})).await;
        let rated = alice.run(&instance, "rate", json!({})).await;
        assert_eq!(rated["result"]["status"], "finished", "{rated}");
    }
    let mut sentences = Vec::new();
    // The frames of different instances arrive in any order.
    while sentences.len() < runs.len() {
        let reply = attacker
            .expect_that(|frame| runs.iter().any(|run| run["id"] == frame["id"]))
            .await;
        let incident = &reply["result"]["nodes"][0]["incident"];
        assert_eq!(incident["code"], "rule_error", "{reply}");
        sentences.push(incident["message"].as_str().unwrap().to_owned());
    }
    let (killed, stopped): (Vec<_>, Vec<_>) = sentences
        .iter()
        .partition(|sentence| sentence.contains("had to be killed to end"));
    assert!(killed.len() >= 5 && !stopped.is_empty(), "{sentences:?}");
    assert!(
        stopped
            .iter()
            .all(|sentence| sentence.contains("not run for a minute")),
        "{sentences:?}"
    );
    Client::assert_healthy(&server).await;
}
