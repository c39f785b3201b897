//! Following an instance: the order of frames and reply, the chain of numbers, replays, snapshots,
//! resumes.

use serde_json::{Value, json};
use stepwire::model::deep_merge::deep_merge;

use super::client::{Client, with_process, with_system};

fn order(amount: u32) -> Value {
    json!({"type": "start", "process": "orderApproval", "data": {"order": {"item": "desk", "amount": amount}}})
}

fn decide(instance: &Value) -> Value {
    json!({"type": "run", "instance": instance, "action": "approve", "data": {"comment": "fine"}})
}

/// Checks that the frames form a chain from `cursor` and returns where it ends.
fn chain(frames: &[Value], mut cursor: u64) -> u64 {
    for frame in frames.iter().filter(|frame| frame.get("prev").is_some()) {
        assert_eq!(frame["prev"], cursor, "in {frame}");
        cursor = frame["seq"].as_u64().expect("a number");
    }
    cursor
}

fn fold(frames: &[Value]) -> Value {
    let mut view = json!({});
    for frame in frames {
        match frame["type"].as_str() {
            Some("data") => deep_merge(&mut view, &frame["body"]),
            Some("view") => view = frame["body"].clone(),
            _ => {}
        }
    }
    view
}

fn pushes(frames: &[Value]) -> Vec<(u64, Value)> {
    let pushed = frames.iter().filter(|frame| {
        frame["type"] == "data" || frame["type"] == "action" || frame["type"] == "child"
    });
    pushed
        .map(|frame| {
            (
                frame["seq"].as_u64().expect("a number"),
                frame["body"].clone(),
            )
        })
        .collect()
}

#[test]
fn frames_of_a_commit_precede_its_reply_in_one_chain() {
    with_system(&["order-approval"], |sessions| async move {
        let mut alice = Client::connect(&sessions, "alice", json!([])).await;
        let started = alice.ask(order(5_000)).await;
        let reply = started.last().expect("an answer");
        assert_eq!(reply["type"], "reply");
        assert_eq!(chain(&started, 0), reply["seq"].as_u64().expect("a number"));
        assert_eq!(reply["result"]["nodes"][0]["node"], "approve");
        let decided = alice.ask(decide(&reply["result"]["instance"])).await;
        let end = decided.last().expect("an answer");
        assert_eq!(end["result"]["status"], "finished");
        assert_eq!(
            chain(&decided, reply["seq"].as_u64().expect("a number")),
            end["seq"].as_u64().expect("a number")
        );
    });
}

#[test]
fn a_replay_repeats_what_was_live_and_a_snapshot_is_its_fold() {
    with_system(&["order-approval"], |sessions| async move {
        let mut alice = Client::connect(&sessions, "alice", json!([])).await;
        let mut live = alice.ask(order(5_000)).await;
        let instance = live.last().expect("an answer")["result"]["instance"].clone();
        live.extend(alice.ask(decide(&instance)).await);

        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        let mut second = Client::connect(&sessions, "alice", json!([])).await;
        let replay = second
            .ask(json!({"type": "subscribe", "channel": channel, "after": 0}))
            .await;
        assert_eq!(
            replay.last().expect("an answer")["result"]["mode"],
            "replay"
        );
        assert_eq!(pushes(&replay), pushes(&live));
        assert_eq!(
            chain(&replay, 0),
            live.last().expect("an answer")["seq"]
                .as_u64()
                .expect("a number")
        );

        let mut third = Client::connect(&sessions, "alice", json!([])).await;
        let snapshot = third
            .ask(json!({"type": "subscribe", "channel": channel}))
            .await;
        assert_eq!(snapshot[0]["type"], "snapshot");
        assert_eq!(snapshot[0]["view"], fold(&live));
    });
}

#[test]
fn a_resume_repeats_what_was_missed_and_ends_with_live() {
    with_system(&["order-approval"], |sessions| async move {
        let mut alice = Client::connect(&sessions, "alice", json!([])).await;
        let started = alice.ask(order(5_000)).await;
        let (instance, seq) = (
            started.last().expect("an answer")["result"]["instance"].clone(),
            chain(&started, 0),
        );
        let missed = alice.ask(decide(&instance)).await;

        let mut back = Client::connect(
            &sessions,
            "alice",
            json!([{"instance": instance, "after": seq}]),
        )
        .await;
        let resumed = back.until("live").await;
        assert_eq!(pushes(&resumed), pushes(&missed));
        assert_eq!(
            chain(&resumed, seq),
            resumed.last().expect("live")["seq"]
                .as_u64()
                .expect("a number")
        );

        let mut ahead = Client::connect(
            &sessions,
            "alice",
            json!([{"instance": instance, "after": 10_000}]),
        )
        .await;
        let frames = ahead.until("live").await;
        assert_eq!(
            (&frames[0]["type"], &frames[0]["reason"]),
            (&json!("resync"), &json!("ahead"))
        );
        assert_eq!(frames[1]["type"], "snapshot");
    });
}

#[test]
fn a_foreign_instance_is_not_found() {
    with_system(&["order-approval"], |sessions| async move {
        let mut alice = Client::connect(&sessions, "alice", json!([])).await;
        let started = alice.ask(order(5_000)).await;
        let instance = &started.last().expect("an answer")["result"]["instance"];
        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        let mut mallory = Client::connect(&sessions, "mallory", json!([])).await;
        let foreign = mallory
            .ask(json!({"type": "subscribe", "channel": channel}))
            .await;
        let unknown = mallory.ask(json!({"type": "subscribe", "channel": "instance/0197a1b2-0000-7000-8000-000000000007"})).await;
        let run = mallory.ask(decide(instance)).await;
        for answer in [&foreign, &unknown, &run] {
            assert_eq!(answer.last().expect("an answer")["code"], "not_found");
        }
        assert_eq!(
            foreign.last().expect("an answer")["message"],
            unknown.last().expect("an answer")["message"]
        );
    });
}

#[test]
fn an_announced_child_that_never_starts_is_reported_as_not_found() {
    // Nothing is deployed under that name, so the parent gets the refusal of the start.
    let parent = json!({"id": "parent", "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "call", "type": "callActivity", "call": {"calledElement": "nowhere"}},
        {"id": "end", "type": "endEvent"},
    ], "flows": [{"id": "f1", "source": "start", "target": "call"}, {"id": "f2", "source": "call", "target": "end"}]});
    with_process(&parent.to_string(), |sessions| async move {
        let mut alice = Client::connect(&sessions, "alice", json!([])).await;
        alice
            .ask(json!({"type": "start", "process": "parent"}))
            .await;
        let child = alice.found("child").await["child"]["instance"].clone();
        let error = alice.until_later("error", 6).await;
        assert_eq!(
            (&error["code"], &error["channel"]),
            (
                &json!("not_found"),
                &json!(format!("instance/{}", child.as_str().expect("a key")))
            ),
            "{error}"
        );
    });
}
