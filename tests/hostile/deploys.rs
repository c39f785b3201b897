//! Definitions that cost more than their length suggests, deployed and checked by a designer.

use std::{fmt::Write, sync::Arc, time::Instant};

use super::{
    Outcome,
    field::{ATTACKER, Field, Tally, sent, swarm},
};

const OPEN: &str =
    r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x""#;

/// The number of tasks in a row whose source still has the maximum size.
const TASKS_AT_MOST: usize = 24_000;

/// A document with many attributes on one element.
fn attributes() -> String {
    let mut text = format!("{OPEN}><process id=\"p\" isExecutable=\"true\"");
    for number in 0..120_000 {
        let _ = write!(text, " a{number}=\"\"");
    }
    text + "/></definitions>"
}

/// Nested elements, each with its own namespace.
fn namespaces() -> String {
    let mut text = format!("{OPEN}>");
    for number in 0..4_000 {
        let _ = write!(text, "<n{number}:e xmlns:n{number}=\"urn:{number}\">");
    }
    for number in (0..4_000).rev() {
        let _ = write!(text, "</n{number}:e>");
    }
    text + "</definitions>"
}

/// A valid process of 8,000 tasks in a row; `number` makes its content different.
fn chain(number: usize) -> String {
    row_of_tasks("chain", 8_000, number)
}

fn row_of_tasks(id: &str, tasks: usize, number: usize) -> String {
    let mut text = format!(
        "{OPEN} id=\"d{number}\"><process id=\"{id}\" isExecutable=\"true\"><startEvent id=\"t0\"/>"
    );
    for task in 1..=tasks {
        let before = task - 1;
        let _ = write!(
            text,
            "<task id=\"t{task}\"/><sequenceFlow id=\"f{task}\" sourceRef=\"t{before}\" targetRef=\"t{task}\"/>"
        );
    }
    let _ = write!(
        text,
        "<endEvent id=\"end\"/><sequenceFlow id=\"last\" sourceRef=\"t{tasks}\" targetRef=\"end\"/>"
    );
    text + "</process></definitions>"
}

/// A valid process whose only task has this many actions, each with a child that runs after it.
fn actions(count: usize) -> String {
    let mut all = String::new();
    for number in 0..count {
        let _ = write!(
            all,
            r#"{}{{"name": "a{number}", "trigger": "manual", "type": "saveData", "autorunChildren": true}},
            {{"name": "c{number}", "parent": "a{number}", "trigger": "automatic", "type": "websocketSend",
            "params": {{"message": "{{}}"}}}}"#,
            if number == 0 { "" } else { "," }
        );
    }
    format!(
        r#"{{"id": "actions", "nodes": [{{"id": "s", "type": "startEvent"}},
        {{"id": "t", "type": "userTask", "actions": [{all}]}}, {{"id": "e", "type": "endEvent"}}],
        "flows": [{{"id": "f", "source": "s", "target": "t"}}, {{"id": "g", "source": "t", "target": "e"}}]}}"#
    )
}

/// A valid process of 1,000 start events, from each of which 6,000 events follow.
fn starts(number: usize) -> String {
    let (mut messages, mut nodes) = (String::new(), String::new());
    for start in 0..1_000 {
        let _ = write!(messages, "<message id=\"m{start}\" name=\"m{start}\"/>");
        let _ = write!(
            nodes,
            "<startEvent id=\"s{start}\"><messageEventDefinition messageRef=\"m{start}\"/></startEvent>\
            <sequenceFlow id=\"f{start}\" sourceRef=\"s{start}\" targetRef=\"n0\"/>"
        );
    }
    for node in 0..6_000 {
        let next = node + 1;
        let _ = write!(
            nodes,
            "<intermediateThrowEvent id=\"n{node}\"/>\
            <sequenceFlow id=\"g{node}\" sourceRef=\"n{node}\" targetRef=\"n{next}\"/>"
        );
    }
    format!(
        "{OPEN} id=\"d{number}\">{messages}<process id=\"starts\" isExecutable=\"true\">{nodes}\
        <endEvent id=\"n6000\"/></process></definitions>"
    )
}

/// A document of 3,000 processes, each of which would keep the whole document.
fn processes() -> String {
    let mut text = format!("{OPEN}>");
    for number in 0..3_000 {
        let _ = write!(
            text,
            "<process id=\"q{number}\" isExecutable=\"true\"><startEvent id=\"s{number}\"/></process>"
        );
    }
    text + "</definitions>"
}

/// Four clients deploy in turn; the first three documents are refused, the others may be deployed.
pub async fn definitions(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, 4, move |field, index| {
        let told = told.clone();
        async move {
            let client = field.client(ATTACKER);
            let token = field.token("mallory", &["designer"]);
            let post = async |path: &str, body: String| {
                let format = if body.starts_with('{') { "json" } else { "xml" };
                let request = client
                    .post(field.url(path))
                    .bearer_auth(&token)
                    .header("content-type", format!("application/{format}"));
                let (status, _) = sent(request.body(body)).await;
                told.add(status);
                status
            };
            let slowed = |status: u16| [0, 429, 503].contains(&status);
            let mut turn = index;
            loop {
                for refused in [attributes(), namespaces(), processes()] {
                    let status = post("/v1/definitions", refused).await;
                    assert!(status == 422 || slowed(status), "{status}");
                }
                for checked in [chain(turn), starts(turn), actions(5_000)] {
                    let status = post("/v1/definition-checks", checked).await;
                    assert!(status == 200 || slowed(status), "{status}");
                }
                let status = post("/v1/definitions", chain(turn)).await;
                assert!(status == 200 || status == 201 || slowed(status), "{status}");
                turn += 4;
                if Instant::now() >= end {
                    break;
                }
            }
        }
    })
    .await;
    Outcome::of(tally)
}

/// Definitions of the maximum size, one after the other, each of which may be started from then on:
/// as many as their memory limit allows.
pub async fn standing(field: Arc<Field>) -> Outcome {
    let tally = Tally::default();
    let client = field.client(ATTACKER);
    let token = field.token("mallory", &["designer"]);
    // These would take far more than the limit.
    for number in 0..100 {
        let source = row_of_tasks(&format!("p{number}"), TASKS_AT_MOST, number);
        let request = client
            .post(field.url("/v1/definitions?publish=true"))
            .bearer_auth(&token)
            .header("content-type", "application/xml");
        let (status, text) = sent(request.body(source)).await;
        tally.add(status);
        if status == 409 {
            assert!(text.contains("MiB of memory"), "{text}");
            break;
        }
        assert!([201, 429, 503].contains(&status), "{status} {text}");
    }
    tally.only(&["201", "409", "429", "503"]);
    assert!(tally.of("409") > 0, "{tally}");
    assert!(field.metric("stepwire_refused_total").await > 0.0);
    Outcome::of(tally)
}
