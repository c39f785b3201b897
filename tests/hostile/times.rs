//! Very many timers and schedules of one definition, which must not delay those of others.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Outcome,
    field::{ATTACKER, Field, OTHER, PATIENCE, sent},
};

/// The number of timers that fire every second.
const TIMERS: usize = 10_000;
/// The number of definitions, and of the start events in each, that start an instance every second.
const SCHEDULES: (usize, usize) = (10, 100);

/// Very many timers of one user fire every second; another user waits repeatedly for one of another
/// definition.
pub async fn timers(field: Arc<Field>) -> Outcome {
    let event = json!({"type": "timer", "when": {"cycle": "R/PT1S"}});
    field
        .publish(json!({
            "id": "clocks",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
                {"id": "each", "type": "subProcess", "loop": {"type": "multiInstance", "collection": "items"}},
                {"id": "begin", "type": "startEvent", "scope": "each"}, {"id": "wait", "type": "userTask", "scope": "each"},
                {"id": "tick", "type": "boundaryEvent", "scope": "each", "attachedTo": "wait", "interrupting": false, "event": event},
                {"id": "done", "type": "endEvent", "scope": "each"}, {"id": "noted", "type": "endEvent", "scope": "each"}],
            "flows": [{"id": "f1", "source": "start", "target": "each"}, {"id": "f2", "source": "each", "target": "end"},
                {"id": "f3", "source": "begin", "target": "wait"}, {"id": "f4", "source": "wait", "target": "done"},
                {"id": "f5", "source": "tick", "target": "noted"}],
        }))
        .await;
    let event = json!({"type": "timer", "when": {"duration": "PT0.1S"}});
    field
        .publish(json!({
            "id": "egg",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "boil", "type": "intermediateCatchEvent", "event": event},
                {"id": "end", "type": "endEvent"}],
            "flows": [{"id": "f1", "source": "start", "target": "boil"}, {"id": "f2", "source": "boil", "target": "end"}],
        }))
        .await;
    let (client, token) = (field.client(ATTACKER), field.token("mallory", &[]));
    let many = if field.long { TIMERS } else { TIMERS / 10 };
    let items: Vec<u32> = (0..500).collect();
    for _ in 0..many / items.len() {
        let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
        let request = request.json(&json!({"process": "clocks", "data": {"items": items}}));
        let (status, text) = sent(request).await;
        assert_eq!(status, 201, "{text}");
    }
    let end = field.end();
    let mut late = Vec::new();
    while Instant::now() < end || late.is_empty() {
        late.push(boiled(&field).await);
    }
    late.sort_unstable();
    let told = |at: usize| late[at].as_millis();
    let due = field.metric("stepwire_timers_due").await;
    Outcome::of(format!(
        "{due} timers overdue; those of another definition late by {}, at most {} ms",
        told(late.len() / 2),
        told(late.len() - 1)
    ))
}

/// The delay of a timer of 100 ms.
async fn boiled(field: &Field) -> Duration {
    let (client, token) = (field.client(OTHER), field.token("otto", &[]));
    let since = Instant::now();
    let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
    let (status, text) = sent(request.json(&json!({"process": "egg"}))).await;
    assert_eq!(status, 201, "{text}");
    let started: Value = serde_json::from_str(&text).expect("an answer");
    let key = started["instance"].as_str().unwrap_or_default().to_owned();
    loop {
        let request = client.get(field.url(&format!("/v1/instances/{key}")));
        let (_, text) = sent(request.bearer_auth(&token)).await;
        if text.contains(r#""status":"finished""#) {
            return since.elapsed().saturating_sub(Duration::from_millis(100));
        }
        assert!(
            since.elapsed() < PATIENCE,
            "the timer has not fired: {text}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Very many schedules start an instance every second, and so does one of another definition.
pub async fn schedules(field: Arc<Field>) -> Outcome {
    let every_second = || json!({"when": {"cycle": "R/PT1S"}});
    let of = |id: &str, starts: usize| {
        let mut nodes = vec![json!({"id": "end", "type": "endEvent"})];
        let mut flows = Vec::new();
        for number in 0..starts {
            let start = format!("s{number}");
            flows.push(json!({"id": format!("f{number}"), "source": start, "target": "end"}));
            nodes.push(json!({"id": start, "type": "startEvent", "schedule": every_second()}));
        }
        json!({"id": id, "nodes": nodes, "flows": flows})
    };
    let (definitions, starts) = SCHEDULES;
    for number in 0..definitions {
        field.publish(of(&format!("many{number}"), starts)).await;
    }
    field.publish(of("one", 1)).await;
    let fired = async |process: &str| {
        let path = format!("/v1/schedules?process={process}");
        let (status, text) = field.owner(Method::GET, &path, json!(null)).await;
        assert_eq!(status, 200, "{text}");
        let listed: Value = serde_json::from_str(&text).expect("an answer");
        let all = listed["schedules"].as_array().expect("a list").iter();
        all.map(|one| one["runs"].as_u64().unwrap_or_default())
            .sum::<u64>()
    };
    let before = fired("one").await;
    let since = Instant::now();
    while since.elapsed() < field.seconds.max(Duration::from_secs(2))
        || fired("one").await == before
    {
        assert!(
            since.elapsed() < PATIENCE,
            "the schedule of another has not started anything"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let of_one = fired("one").await - before;
    let mut of_many = 0;
    for number in 0..definitions {
        of_many += fired(&format!("many{number}")).await;
    }
    Outcome::of(format!(
        "{} schedules started {of_many} instances; the one of another definition {of_one} in {} s",
        definitions * starts,
        since.elapsed().as_secs()
    ))
}
