//! Every frame the server sends, as its exact text.

use super::{super::shared::*, super::step::*, *};
use crate::model::ids::InstanceKey;

const KEY: &str = "0197a1b2-0000-7000-8000-000000000007";

fn key() -> InstanceKey {
    KEY.parse().unwrap()
}

fn raw(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn check(found: ByteString, expected: &str) {
    assert_eq!(&*found, expected.replace("KEY", KEY));
    serde_json::from_str::<serde_json::Value>(&found).unwrap();
}

#[test]
fn frames_of_a_connection() {
    let rate = RateEntry {
        per_second: 20,
        burst: 60,
    };
    let (connection, user, log) = ("c", "alice", "l");
    check(
        Welcome {
            connection,
            user,
            log,
            expires_at: Some("2026-11-21T09:30:00.000Z".into()),
            ping_seconds: 25,
            max_message_bytes: 65_536,
            rate,
        }
        .text(),
        r#"{"type":"welcome","connection":"c","user":"alice","log":"l","expiresAt":"2026-11-21T09:30:00.000Z","pingSeconds":25,"maxMessageBytes":65536,"rate":{"perSecond":20,"burst":60}}"#,
    );
    check(Ping {}.text(), r#"{"type":"ping"}"#);
    check(
        Bye {
            reason: "restart",
            reconnect_after_ms: Some(1830),
        }
        .text(),
        r#"{"type":"bye","reason":"restart","reconnectAfterMs":1830}"#,
    );
    let channel = &Channel::Instance(key());
    check(
        Live { channel, seq: 97 }.text(),
        r#"{"type":"live","channel":"instance/KEY","seq":97}"#,
    );
    check(
        Resync {
            channel,
            reason: ResyncReason::Lag,
        }
        .text(),
        r#"{"type":"resync","channel":"instance/KEY","reason":"lag"}"#,
    );
}

#[test]
fn errors() {
    check(
        ErrorFrame::new(None, ErrorCode::BadRequest, "expected \"x\"").text(),
        r#"{"type":"error","code":"bad_request","message":"expected \"x\"","retryable":false}"#,
    );
    let wrong = FieldError::new("minimum", "too young").with("limit", 18);
    let fields = BTreeMap::from([("a.b".to_owned(), FieldEntry::from(wrong))]);
    let error = ErrorFrame {
        fields: Some(&fields),
        ..ErrorFrame::new(Some("1"), ErrorCode::InvalidData, "m")
    };
    check(
        error.text(),
        r#"{"type":"error","id":"1","code":"invalid_data","message":"m","retryable":false,"fields":{"a.b":{"code":"minimum","message":"too young","params":{"limit":18}}}}"#,
    );
    let error = ErrorFrame {
        after_ms: Some(50),
        ..ErrorFrame::new(Some("1"), ErrorCode::RateLimited, "m")
    };
    check(
        error.text(),
        r#"{"type":"error","id":"1","code":"rate_limited","message":"m","retryable":true,"afterMs":50}"#,
    );
    let error = ErrorFrame {
        reason: Some("not_active"),
        ..ErrorFrame::new(Some("1"), ErrorCode::ActionNotAvailable, "m")
    };
    check(
        error.text(),
        r#"{"type":"error","id":"1","code":"action_not_available","reason":"not_active","message":"m","retryable":false}"#,
    );
}

#[test]
fn replies() {
    check(
        Reply {
            id: "1",
            seq: None,
            duplicate: false,
            result: NoResult {},
        }
        .text(),
        r#"{"type":"reply","id":"1","duplicate":false,"result":{}}"#,
    );
    let result = AuthResult {
        expires_at: Some("2026-11-21T09:30:00.000Z".into()),
    };
    check(
        Reply {
            id: "1",
            seq: None,
            duplicate: false,
            result,
        }
        .text(),
        r#"{"type":"reply","id":"1","duplicate":false,"result":{"expiresAt":"2026-11-21T09:30:00.000Z"}}"#,
    );
    let result = SubscribeResult {
        channel: &Channel::Tasks,
        seq: 3,
        mode: SubscribeMode::Snapshot,
    };
    check(
        Reply {
            id: "1",
            seq: None,
            duplicate: false,
            result,
        }
        .text(),
        r#"{"type":"reply","id":"1","duplicate":false,"result":{"channel":"tasks","seq":3,"mode":"snapshot"}}"#,
    );
    let result = StepResult {
        instance: key(),
        status: "started",
        outcome: None,
        nodes: &to_raw(&[node()]),
        actions: &to_raw(&[(); 0]),
        more: None,
        ignored: vec!["client.age"],
        children: vec![],
        token: None,
    };
    check(
        Reply {
            id: "1",
            seq: Some(97),
            duplicate: true,
            result,
        }
        .text(),
        r#"{"type":"reply","id":"1","seq":97,"duplicate":true,"result":{"instance":"KEY","status":"started","nodes":[{"element":"KEY-9","node":"details","name":"Your details","type":"userTask","readOnly":false}],"actions":[],"ignored":["client.age"],"children":[]}}"#,
    );
}

fn node() -> NodeEntry<'static> {
    NodeEntry {
        element: format!("{KEY}-9"),
        node: "details",
        name: "Your details",
        r#type: "userTask",
        scope: None,
        loop_counter: None,
        read_only: false,
        assignee: None,
        due_at: None,
        reminded_at: None,
        incident: None,
    }
}

fn save() -> ActionEntry<'static> {
    ActionEntry {
        name: "save",
        element: format!("{KEY}-9"),
        node: "details",
        order: 2,
        r#type: "saveData",
        required: "mandatory",
        repeatable: false,
        parent: None,
        back: false,
        keys: vec!["client.email", "client.address"],
        required_keys: vec!["client.email"],
        schema: None,
        activity: None,
        initial: None,
        max_bytes: None,
        types: None,
    }
}

#[test]
fn a_snapshot() {
    let (view, body) = (raw(r#"{"a":1}"#), raw(r#"{"processName":"p"}"#));
    let snapshot = Snapshot {
        channel: &Channel::Instance(key()),
        seq: 94,
        process: "onboarding",
        parent: None,
        status: "started",
        outcome: None,
        view: &view,
        nodes: &to_raw(&[(); 0]),
        actions: &to_raw(&[save()]),
        more: None,
        open: &[OpenAction {
            seq: 90,
            body: &body,
            until: "2026-11-28T09:30:00Z".to_owned(),
        }],
        children: &[ChildEntry {
            instance: key(),
            process: "p",
            element: None,
            status: "started",
        }],
    };
    check(
        snapshot.text(),
        r#"{"type":"snapshot","channel":"instance/KEY","seq":94,"process":"onboarding","parent":null,"status":"started","view":{"a":1},"nodes":[],"actions":[{"name":"save","element":"KEY-9","node":"details","order":2,"type":"saveData","required":"mandatory","repeatable":false,"back":false,"keys":["client.email","client.address"],"requiredKeys":["client.email"]}],"open":[{"seq":90,"body":{"processName":"p"},"until":"2026-11-28T09:30:00Z"}],"children":[{"instance":"KEY","process":"p","element":null,"status":"started"}]}"#,
    );
}

#[test]
fn frames_of_an_instance() {
    let body = raw(r#"{"a":1}"#);
    let instance = key();
    check(
        shared_frame(
            instance,
            95,
            94,
            &DataTail {
                instance,
                node: "details",
                action: "showForm",
                body: &body,
                origin: None,
                cause: Some("1"),
            },
        )
        .for_cursor(94),
        r#"{"type":"data","channel":"instance/KEY","seq":95,"prev":94,"instance":"KEY","node":"details","action":"showForm","body":{"a":1},"origin":null,"cause":"1"}"#,
    );
    check(
        shared_frame(
            instance,
            96,
            95,
            &ActionTail {
                instance,
                node: "n",
                body: &body,
                until: None,
            },
        )
        .for_cursor(90),
        r#"{"type":"action","channel":"instance/KEY","seq":96,"prev":90,"instance":"KEY","node":"n","body":{"a":1}}"#,
    );
    let child = ChildEntry {
        instance,
        process: "p",
        element: Some(format!("{KEY}-3")),
        status: "started",
    };
    check(
        shared_frame(instance, 96, 95, &ChildTail { child }).for_cursor(95),
        r#"{"type":"child","channel":"instance/KEY","seq":96,"prev":95,"child":{"instance":"KEY","process":"p","element":"KEY-3","status":"started"}}"#,
    );
    let progress = ProgressTail {
        status: "started",
        outcome: None,
        nodes: &to_raw(&[node()]),
        actions: &to_raw(&[(); 0]),
        more: None,
        cause: None,
    };
    check(
        shared_frame(instance, 97, 96, &progress).for_cursor(96),
        r#"{"type":"progress","channel":"instance/KEY","seq":97,"prev":96,"status":"started","nodes":[{"element":"KEY-9","node":"details","name":"Your details","type":"userTask","readOnly":false}],"actions":[],"cause":null}"#,
    );
}
