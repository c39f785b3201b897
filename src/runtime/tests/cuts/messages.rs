//! Messages and signals under the same cuts: none is lost, none is taken twice.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Last, TreeOutcome, World, alice, answer, done, idle, standing};
use crate::{
    engine::{Command, command::RunAction, correlation::Correlation, record::CommandTag},
    journal::{InstanceFilter, StoreReader},
    model::ids::{InstanceKey, Time},
    runtime::{
        Runtime, StartRequest,
        correlations::{
            Outcome,
            publish::{PublishRequest, Published},
        },
        instance_request::{Envelope, InstanceRequest, Refusal},
    },
};

fn flow(source: &str, target: &str) -> Value {
    json!({"id": format!("{source}-{target}"), "source": source, "target": target})
}

fn message(name: &str, key: Option<&str>) -> Value {
    let mut event = json!({"type": "message", "name": name});
    if let Some(key) = key {
        event["correlationKey"] = json!(key);
    }
    event
}

fn processes() -> Vec<Value> {
    let push = |text: &str| json!([{"name": "tell", "type": "websocketSend", "trigger": "automatic", "params": {"message": text}}]);
    let signal = json!({"type": "signal", "name": "go"});
    let mut sent = message("paid", Some("${k}"));
    sent["data"] = json!("{\"paid\": \"${k}\"}");
    sent["timeToLive"] = json!("PT1H");
    vec![
        json!({"id": "waiter",
            "nodes": [{"id": "start", "type": "startEvent"},
                {"id": "c", "type": "intermediateCatchEvent", "event": message("paid", Some("${k}"))},
                {"id": "t", "type": "userTask"},
                {"id": "b", "type": "boundaryEvent", "attachedTo": "t", "interrupting": false, "event": signal},
                {"id": "told", "type": "task", "actions": push("{\"went\": \"${n}\"}")},
                {"id": "e", "type": "endEvent"}, {"id": "end", "type": "endEvent"}],
            "flows": [flow("start", "c"), flow("c", "t"), flow("t", "end"), flow("b", "told"), flow("told", "e")]}),
        json!({"id": "payer",
            "nodes": [{"id": "start", "type": "startEvent"},
                {"id": "t", "type": "intermediateThrowEvent", "event": sent}, {"id": "end", "type": "endEvent"}],
            "flows": [flow("start", "t"), flow("t", "end")]}),
        json!({"id": "ordered",
            "nodes": [{"id": "s", "type": "startEvent", "event": message("order", None)},
                {"id": "t", "type": "userTask"}, {"id": "end", "type": "endEvent"}],
            "flows": [flow("s", "t"), flow("t", "end")]}),
    ]
}

async fn begin(runtime: &Arc<Runtime>, process: &str, id: u128) -> InstanceKey {
    let request = StartRequest {
        test: false,
        process: Some(process.into()),
        data: json!({"k": "7"}),
        business_key: None,
        start_condition: None,
        inherit: None,
        caller: alice(),
        anonymous: false,
        stranger: Default::default(),
        command: Uuid::from_u128(id),
        hash: 0,
    };
    done(answer(|reply| runtime.start_instance(request, reply)).await).await
}

/// Publishes as a client that resends under the same id; a client without an answer waits: the
/// server was cut off.
async fn publish(runtime: &Arc<Runtime>, to: Correlation, data: Value, id: u128) -> Published {
    let request = PublishRequest {
        by: None,
        tenant: "default".into(),
        correlation: to,
        data,
        until: Some(Time(3_600_000)),
        business_key: None,
        tag: CommandTag {
            id: Uuid::from_u128(id),
            subject: "ops".into(),
            hash: 0,
        },
    };
    let (sender, answered) = tokio::sync::oneshot::channel();
    runtime.publish(request, Box::new(move |answer| drop(sender.send(answer))));
    match answered.await {
        Ok(Ok(published)) => published,
        Ok(Err(Refusal::Internal | Refusal::Unknown)) | Err(_) => std::future::pending().await,
        Ok(Err(other)) => panic!("{other:?}"),
    }
}

fn order() -> Correlation {
    Correlation::Message {
        name: "order".into(),
        key: Some("a".into()),
    }
}

async fn play(runtime: Arc<Runtime>) -> TreeOutcome {
    let waiter = begin(&runtime, "waiter", 1).await;
    begin(&runtime, "payer", 3).await;
    idle(&runtime).await;
    for n in [1, 2] {
        let go = Correlation::Signal { name: "go".into() };
        publish(&runtime, go, json!({"n": n}), 10 + n).await;
        idle(&runtime).await;
    }
    let first = publish(&runtime, order(), json!({"n": 1}), 20).await;
    publish(&runtime, order(), json!({"n": 2}), 21).await;
    idle(&runtime).await;
    let complete = Command::Run(RunAction {
        action: "complete".into(),
        element: None,
        data: json!({}),
        file: None,
    });
    // Only the server itself may see it, because an event has started it.
    let request = InstanceRequest::Apply {
        command: Box::new(complete),
        tag: Some(CommandTag {
            id: Uuid::from_u128(30),
            subject: "ops".into(),
            hash: 0,
        }),
        if_seq: None,
    };
    let started = first.outcome.started[0];
    let envelope = |reply| Envelope {
        caller: None,
        request,
        reply,
    };
    done(answer(|reply| runtime.dispatch(started, envelope(reply))).await).await;
    idle(&runtime).await;
    standing::of(&runtime, waiter).await
}

fn gathering() -> Vec<Value> {
    vec![json!({"id": "claim",
        "nodes": [{"id": "g", "type": "eventBasedGateway", "instantiate": true, "eventGatewayType": "parallel"},
            {"id": "form", "type": "intermediateCatchEvent", "event": message("form", None)},
            {"id": "photo", "type": "intermediateCatchEvent", "event": message("photo", None)},
            {"id": "j", "type": "parallelGateway"}, {"id": "end", "type": "endEvent"}],
        "flows": [flow("g", "form"), flow("g", "photo"), flow("form", "j"), flow("photo", "j"), flow("j", "end")]})]
}

/// Both messages come together at one start event.
fn together() -> Vec<Value> {
    vec![json!({"id": "claim",
        "nodes": [{"id": "s", "type": "startEvent", "parallelMultiple": true,
                "event": [message("form", None), message("photo", None)]},
            {"id": "end", "type": "endEvent"}],
        "flows": [flow("s", "end")]})]
}

/// Publishes both messages at the same time; returns the instances that the answers name.
async fn play_both(runtime: Arc<Runtime>) -> Vec<InstanceKey> {
    let to = |name: &str| Correlation::Message {
        name: name.into(),
        key: Some("a".into()),
    };
    let (form, photo) = tokio::join!(
        publish(&runtime, to("form"), json!({"form": 1}), 1),
        publish(&runtime, to("photo"), json!({"photo": 1}), 2)
    );
    idle(&runtime).await;
    let named = |outcome: &Outcome| [outcome.started.clone(), outcome.instances.clone()].concat();
    let mut named = [named(&form.outcome), named(&photo.outcome)].concat();
    assert_eq!(named.len(), 2, "{form:?} {photo:?}");
    named.dedup();
    named
}

#[test]
fn messages_of_a_gateway_start_one_instance_across_cuts() {
    start_one(&gathering());
}

#[test]
fn messages_of_a_start_event_start_one_instance_across_cuts() {
    start_one(&together());
}

/// Both messages start one instance, wherever the server is cut off.
fn start_one(processes: &[Value]) {
    let cut_off = (0..).find(|&writes| {
        let world = World::new(Last::Confirm, processes);
        let first = world.live(writes, play_both);
        let named = world.live(usize::MAX, play_both).unwrap();
        assert_eq!(named.len(), 1, "cut off after {writes} writes: {named:?}");
        let all = world
            .store
            .instances(&InstanceFilter::default(), None, 9)
            .unwrap();
        let all: Vec<_> = all.iter().map(|row| (row.key, &*row.status)).collect();
        assert_eq!(
            all,
            [(named[0], "finished")],
            "cut off after {writes} writes"
        );
        assert!(
            world.store.outbox().unwrap().is_empty(),
            "messages are left after a cut after {writes} writes"
        );
        first.is_some()
    });
    assert!(cut_off.unwrap() > 8, "it takes some writes");
}

/// A called process throws a signal and ends at once.
fn calling() -> Vec<Value> {
    let signal = json!({"type": "signal", "name": "hail"});
    vec![
        json!({"id": "caller",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "call", "type": "callActivity", "call": {"calledElement": "called"}},
                {"id": "b", "type": "boundaryEvent", "attachedTo": "call", "event": signal},
                {"id": "missed", "type": "userTask"}, {"id": "end", "type": "endEvent"}],
            "flows": [flow("start", "call"), flow("call", "missed"), flow("b", "end")]}),
        json!({"id": "called",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent", "event": signal}],
            "flows": [flow("start", "end")]}),
    ]
}

async fn play_call(runtime: Arc<Runtime>) -> InstanceKey {
    let caller = begin(&runtime, "caller", 1).await;
    idle(&runtime).await;
    caller
}

#[test]
fn a_call_activity_receives_the_last_signal_of_its_child_across_cuts() {
    let cut_off = (0..).find(|&writes| {
        let world = World::new(Last::Confirm, &calling());
        let first = world.live(writes, play_call);
        let caller = world.live(usize::MAX, play_call).unwrap();
        let row = world.store.instance(caller).unwrap().unwrap();
        assert_eq!(row.status, "finished", "cut off after {writes} writes");
        assert!(
            world.store.outbox().unwrap().is_empty(),
            "messages are left after a cut after {writes} writes"
        );
        first.is_some()
    });
    assert!(cut_off.unwrap() > 8, "it takes some writes");
}

#[test]
fn messages_are_received_once_across_cuts() {
    let whole = World::new(Last::Confirm, &processes())
        .live(usize::MAX, play)
        .unwrap();
    assert_eq!(
        whole.data,
        json!({"k": "7", "paid": "7", "n": 2}),
        "the message and both signals came"
    );
    assert_eq!(whole.pushed, [[json!({"went": 1}), json!({"went": 2})]]);
    let cut_off = (0..).find(|&writes| {
        let world = World::new(Last::Confirm, &processes());
        let first = world.live(writes, play);
        let end = world.live(usize::MAX, play).unwrap();
        assert_eq!(end, whole, "cut off after {writes} writes");
        let filter = InstanceFilter {
            tenant: Some("default".into()),
            process: Some("ordered".into()),
            ..InstanceFilter::default()
        };
        let mut ordered: Vec<String> = world
            .store
            .instances(&filter, None, 9)
            .unwrap()
            .into_iter()
            .map(|row| row.status)
            .collect();
        ordered.sort();
        assert_eq!(
            ordered,
            ["finished", "started"],
            "one after the other, after a cut after {writes} writes"
        );
        assert!(
            world.store.outbox().unwrap().is_empty(),
            "messages are left after a cut after {writes} writes"
        );
        first.is_some()
    });
    assert!(cut_off.unwrap() > 20, "it takes some writes");
}
