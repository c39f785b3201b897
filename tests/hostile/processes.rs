//! Processes that cost more than their starts.

use std::{sync::Arc, time::Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Outcome,
    field::{ATTACKER, Field, OTHER, Tally, sent, swarm},
};

/// The maximum number of live instances of a tree in `docs/limits.md`, and some others.
const LIVE: f64 = 10_100.0;

/// A process whose task runs a rule automatically.
fn ruled(id: &str, script: &str) -> Value {
    let rule = json!({"name": "work", "type": "businessRule", "params": {"script": script}});
    json!({
        "id": id,
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "rule", "type": "task", "actions": [rule]}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "rule"}, {"id": "f2", "source": "rule", "target": "end"}],
    })
}

/// A rule that calls slow built-in functions forever: its own instances have an incident, those of
/// another definition finish.
pub async fn native_calls(field: Arc<Field>) -> Outcome {
    let endless = "const s = 'İ'.repeat(1e6); for (;;) s.toLowerCase();";
    field.publish(ruled("late", endless)).await;
    field.publish(ruled("prompt", "output.a = 1 + 1;")).await;
    let (tally, others) = (Arc::<Tally>::default(), Arc::<Tally>::default());
    let (told, told_others, end) = (tally.clone(), others.clone(), field.end());
    swarm(&field, 5, move |field, index| {
        let (told, told_others) = (told.clone(), told_others.clone());
        async move {
            let (from, user, process) = match index {
                0 => (OTHER, "otto", "prompt"),
                _ => (ATTACKER, "mallory", "late"),
            };
            let client = field.client(from);
            let token = field.token(user, &[]);
            loop {
                let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
                let (status, text) = sent(request.json(&json!({"process": process}))).await;
                let told = if index == 0 { &told_others } else { &told };
                if text.contains("rule_error") {
                    told.add("rule_error");
                } else if text.contains(r#""status":"finished""#) {
                    told.add("finished");
                } else {
                    told.add(status);
                }
                if Instant::now() >= end {
                    break;
                }
            }
        }
    })
    .await;
    tally.only(&["rule_error", "429", "503"]);
    others.only(&["finished", "429"]);
    assert!(others.of("finished") > 0, "{others}");
    Outcome::of(format!("{tally}; another definition: {others}"))
}

/// A process that calls itself grows up to the limits of a tree.
pub async fn calls_itself(field: Arc<Field>) -> Outcome {
    let twice =
        |id: &str| json!({"id": id, "type": "callActivity", "call": {"calledElement": "again"}});
    field
        .publish(json!({
            "id": "again",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "fork", "type": "parallelGateway"},
                twice("one"), twice("two"), {"id": "join", "type": "parallelGateway"}, {"id": "end", "type": "endEvent"}],
            "flows": [{"id": "f1", "source": "start", "target": "fork"}, {"id": "f2", "source": "fork", "target": "one"},
                {"id": "f3", "source": "fork", "target": "two"}, {"id": "f4", "source": "one", "target": "join"},
                {"id": "f5", "source": "two", "target": "join"}, {"id": "f6", "source": "join", "target": "end"}],
        }))
        .await;
    let client = field.client(ATTACKER);
    let token = field.token("mallory", &[]);
    let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
    let (status, text) = sent(request.json(&json!({"process": "again"}))).await;
    assert_eq!(status, 201, "{text}");
    tokio::time::sleep(field.seconds).await;
    let live = field.metric("stepwire_live_instances").await;
    assert!(live <= LIVE, "{live} live instances");
    let started: Value = serde_json::from_str(&text).expect("an answer");
    let key = started["instance"].as_str().unwrap_or_default();
    let terminate = format!("/v1/instances/{key}/terminate");
    let (status, text) = field.owner(Method::POST, &terminate, json!({})).await;
    assert_eq!(status, 200, "{text}");
    Outcome::of(format!("{live} live instances, ended by one command"))
}

/// The number of instances of this process that wait for a signal.
const WAITING: usize = 300;

/// Hundreds of instances of one user wait for a signal, which an operator publishes repeatedly,
/// each time with the maximum size of data. Larger data are refused.
pub async fn signals(field: Arc<Field>) -> Outcome {
    let event = json!({"type": "signal", "name": "all"});
    field
        .publish(json!({
            "id": "crowd",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "wait", "type": "userTask"},
                {"id": "heard", "type": "boundaryEvent", "attachedTo": "wait", "interrupting": false, "event": event},
                {"id": "end", "type": "endEvent"}, {"id": "noted", "type": "endEvent"}],
            "flows": [{"id": "f1", "source": "start", "target": "wait"}, {"id": "f2", "source": "wait", "target": "end"},
                {"id": "f3", "source": "heard", "target": "noted"}],
        }))
        .await;
    let (client, token) = (field.client(ATTACKER), field.token("mallory", &[]));
    let waiting = if field.long { WAITING } else { WAITING / 10 };
    for _ in 0..waiting {
        let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
        let (status, text) = sent(request.json(&json!({"process": "crowd"}))).await;
        assert!([201, 429].contains(&status), "{text}");
    }
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, 4, move |field, index| {
        let told = told.clone();
        async move {
            let client = field.client(ATTACKER);
            let token = field.token("olga", &["operator"]);
            // Some publications exceed the maximum size.
            let bytes = if index == 0 { 100_000 } else { 60_000 };
            let signal = json!({"name": "all", "data": {"x": "x".repeat(bytes)}});
            loop {
                let request = client.post(field.url("/v1/signals")).bearer_auth(&token);
                told.add(sent(request.json(&signal)).await.0);
                if Instant::now() >= end {
                    break;
                }
            }
        }
    })
    .await;
    tally.only(&["200", "413", "429", "503", "0"]);
    assert!(tally.of("413") > 0, "{tally}");
    Outcome::of(tally)
}

/// Loops with the maximum number of items, one after the other.
pub async fn loops(field: Arc<Field>) -> Outcome {
    field
        .publish(json!({
            "id": "each",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
                {"id": "task", "type": "userTask", "loop": {"type": "multiInstance", "collection": "items"}}],
            "flows": [{"id": "f1", "source": "start", "target": "task"}, {"id": "f2", "source": "task", "target": "end"}],
        }))
        .await;
    let items: Vec<u32> = (0..1_000).collect();
    let body = Arc::new(json!({"process": "each", "data": {"items": items}}));
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, 8, move |field, _| {
        let (told, body) = (told.clone(), body.clone());
        async move {
            let client = field.client(ATTACKER);
            let token = field.token("mallory", &[]);
            while Instant::now() < end {
                let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
                told.add(sent(request.json(&*body)).await.0);
            }
        }
    })
    .await;
    tally.only(&["201", "429", "503", "0"]);
    Outcome::of(tally)
}
