//! Which users may read which parts of a definition, wherever the server shows it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{deploy, send};
use crate::{
    support,
    web::http::{Answer, User},
};

/// A definition with `SECRET` in every place that only designers and operators may read.
const LOAN: &str = r#"<?xml version="1.0"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0"
  targetNamespace="urn:SECRET" id="d">
  <process id="loan" name="Loan" isExecutable="true" stepwire:alias="7">
    <documentation>Lends money.</documentation>
    <extensionElements><stepwire:webhook url="https://SECRET.example/ended"/></extensionElements>
    <startEvent id="start" name="Begin"><extensionElements>
      <stepwire:key path="amount" required="true"><stepwire:schema>{"type":"number"}</stepwire:schema></stepwire:key>
    </extensionElements></startEvent>
    <userTask id="ask" name="Ask">
      <documentation>SECRET</documentation>
      <extensionElements><stepwire:actions>
        <stepwire:action name="show" order="1" type="websocketSend">
          <stepwire:param name="message">{"form":"SECRET-form","n":7}</stepwire:param></stepwire:action>
        <stepwire:action name="rate" order="2" type="businessRule">
          <stepwire:param name="script">const SECRET = 1; return missing.SECRET;</stepwire:param></stepwire:action>
        <stepwire:action name="save" order="3" type="saveData" trigger="manual">
          <stepwire:key path="name" required="true"><stepwire:schema>{"type":"string","maxLength":9}</stepwire:schema></stepwire:key>
        </stepwire:action>
      </stepwire:actions></extensionElements>
    </userTask>
    <exclusiveGateway id="much"/>
    <endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="ask"/>
    <sequenceFlow id="f2" sourceRef="ask" targetRef="much"/>
    <sequenceFlow id="f3" name="yes" sourceRef="much" targetRef="end"><conditionExpression>${SECRET.amount &gt; 7}</conditionExpression></sequenceFlow>
  </process>
</definitions>"#;

async fn xml(user: &User<'_>) -> Answer {
    let request = user.request(Method::GET, "/v1/definitions/loan/1");
    send(request.header("accept", "application/xml")).await
}

/// The messages of the incidents in an answer.
fn messages(answer: &Value) -> Vec<&str> {
    let nodes = answer["nodes"].as_array().into_iter().flatten();
    nodes
        .filter_map(|node| node["incident"]["message"].as_str())
        .collect()
}

#[actix_web::test]
async fn the_source_is_for_designers_and_operators() {
    let server = support::server().await;
    let dora = User::new(&server, "dora", &["designer"]);
    let deployed = deploy(
        &dora,
        "/v1/definitions?publish=true",
        "application/xml",
        LOAN,
    )
    .await;
    assert_eq!(deployed.status, 201, "{deployed:?}");

    let ann = User::new(&server, "ann", &["admin"]);
    let olga = User::new(&server, "olga", &["operator"]);
    for reader in [&dora, &ann, &olga] {
        assert_eq!(xml(reader).await.text, LOAN);
        let reported = reader.get("/v1/definitions/loan/1").await.json();
        assert_eq!(reported["flows"][2]["condition"], "${SECRET.amount > 7}");
        let types = reader.get("/v1/definitions/loan/1/types.d.ts").await.text;
        assert!(types.contains("\"SECRET-form\""), "{types}");
    }

    let alice = User::new(&server, "alice", &["clerk"]);
    let drawing = xml(&alice).await;
    assert_eq!(
        (drawing.status.as_u16(), drawing.header("content-type")),
        (200, "application/xml")
    );
    for part in [
        r#"<bpmn:userTask id="ask" name="Ask">"#,
        r#"<bpmn:sequenceFlow id="f3" name="yes" sourceRef="much" targetRef="end">"#,
    ] {
        assert!(drawing.text.contains(part), "{}", drawing.text);
    }
    let reported = alice.get("/v1/definitions/loan/1").await.json();
    assert_eq!(reported["name"], "Loan");
    assert_eq!(reported["nodes"][0]["keys"][0]["schema"]["type"], "number");
    assert_eq!(
        reported["nodes"][1]["actions"][2]["keys"],
        json!([{"path": "name", "required": true, "schema": {"type": "string", "maxLength": 9}}])
    );
    let types = alice.get("/v1/definitions/loan/1/types.d.ts").await.text;
    assert!(types.contains("\"form\": string;\n"), "{types}");
    for path in [
        "/v1/definitions",
        "/v1/definitions/loan",
        "/v1/definitions/loan/1",
        "/v1/definitions/loan/1/types.d.ts",
        "/api/v1/workflow?w=7",
        "/api/v1/search?s=",
        "/openapi.json",
        "/asyncapi.json",
    ] {
        let answer = alice.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(!answer.text.contains("SECRET"), "{path}: {}", answer.text);
    }
    assert!(!drawing.text.contains("SECRET"), "{}", drawing.text);
    server.stop().await;
}

#[actix_web::test]
async fn incident_messages_are_for_readers_of_the_source() {
    let server = support::server().await;
    let dora = User::new(&server, "dora", &["designer"]);
    deploy(
        &dora,
        "/v1/definitions?publish=true",
        "application/xml",
        LOAN,
    )
    .await;
    let alice = User::new(&server, "alice", &[]);
    let body = json!({"process": "loan", "data": {"amount": 1}});
    let started = alice.post("/v1/instances", body).await.json();
    let key = started["instance"].as_str().unwrap().to_owned();
    let path = format!("/v1/instances/{key}");
    let unexplained = |answer: &Value| {
        let reported = messages(answer);
        assert!(
            reported.len() == 1 && reported[0].contains("designers and operators"),
            "{answer}"
        );
        assert!(!answer.to_string().contains("missing"), "{answer}");
        assert_eq!(answer["nodes"][0]["incident"]["code"], "rule_error");
    };
    unexplained(&started);
    unexplained(&alice.get(&path).await.json());
    alice
        .post(
            &format!("{path}/run"),
            json!({"action": "save", "data": {"name": "a"}}),
        )
        .await
        .is_problem(409, "action_not_available", "after a rule_error");
    let element = started["nodes"][0]["element"].clone();
    let again = alice
        .post(&format!("{path}/retry"), json!({"element": element}))
        .await;
    unexplained(&again.json());
    let reported = alice
        .get(&format!("/api/v1/entry-logs?id={key}"))
        .await
        .text;
    assert!(
        reported.contains("rule_error") && !reported.contains("missing"),
        "{reported}"
    );
    for (name, role) in [("olga", "operator"), ("ann", "admin")] {
        let reader = User::new(&server, name, &[role]);
        let answer = reader.get(&path).await.json();
        assert!(messages(&answer)[0].contains("missing"), "{answer}");
        let reported = reader
            .get(&format!("/api/v1/entry-logs?id={key}"))
            .await
            .text;
        assert!(reported.contains("missing"), "{reported}");
    }
    server.stop().await;
}
