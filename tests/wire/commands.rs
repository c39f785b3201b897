//! The commands one by one, and unknown ones.

use serde_json::json;

use super::{
    Client, Server,
    client::id,
    onboarding::{at_review, details},
    server::token,
};

#[tokio::test]
async fn a_stale_if_seq_is_a_conflict_with_the_current_number() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let position = client
        .run(&instance, "simulate", json!({"loan": {"amount": 1}}))
        .await["seq"]
        .as_u64()
        .unwrap();
    for stale in [0, position - 1, position + 1, u64::MAX] {
        let run = json!({"type": "run", "id": id(), "instance": instance, "action": "simulate", "data": {}, "ifSeq": stale});
        assert_eq!(client.refused(run, "conflict").await["seq"], position);
    }
    client
        .done(json!({"type": "run", "id": id(), "instance": instance, "action": "simulate", "data": {}, "ifSeq": position}))
        .await;
}

#[tokio::test]
async fn a_run_may_name_the_element() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let reply = client
        .done(json!({"type": "start", "id": id(), "process": "onboarding"}))
        .await;
    let (instance, element) = (
        &reply["result"]["instance"],
        &reply["result"]["nodes"][0]["element"],
    );
    let run = |element: &serde_json::Value| json!({"type": "run", "id": id(), "instance": instance, "action": "save", "data": details(), "element": element});
    client
        .refused(run(&json!("elsewhere")), "bad_request")
        .await;
    client
        .refused(
            run(&json!(format!(
                "{}-18446744073709551615",
                instance.as_str().unwrap()
            ))),
            "action_not_available",
        )
        .await;
    client.done(run(element)).await;
}

#[tokio::test]
async fn terminate_ends_the_instance_and_its_actions() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let reply = client
        .done(json!({"type": "terminate", "id": id(), "instance": instance}))
        .await;
    assert_eq!(reply["result"]["status"], "terminated");
    assert_eq!(
        (&reply["result"]["nodes"], &reply["result"]["actions"]),
        (&json!([]), &json!([]))
    );
    let run = json!({"type": "run", "id": id(), "instance": instance, "action": "confirm", "data": {"consent": true}});
    assert_eq!(
        client.refused(run, "action_not_available").await["reason"],
        "ended"
    );
}

#[tokio::test]
async fn retry_without_an_incident_is_refused() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let reply = client
        .done(json!({"type": "start", "id": id(), "process": "onboarding"}))
        .await;
    let (instance, element) = (
        &reply["result"]["instance"],
        &reply["result"]["nodes"][0]["element"],
    );
    let answer = client
        .ask(json!({"type": "retry", "id": id(), "instance": instance, "element": element}))
        .await;
    assert_eq!(answer["type"], "error", "{answer}");
}

#[tokio::test]
async fn unsubscribe_ends_the_frames_and_may_be_repeated() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let before = client.of_channel(&instance).len();
    let unsubscribe =
        json!({"type": "unsubscribe", "id": "u", "channel": format!("instance/{instance}")});
    for _ in 0..2 {
        assert_eq!(client.done(unsubscribe.clone()).await["result"], json!({}));
    }
    client.run(&instance, "save", details()).await;
    assert_eq!(client.of_channel(&instance).len(), before);
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_mistyped_ones_named() {
    let server = Server::start();
    let mut client = Client::hello_with(
        &server,
        json!({"token": token("alice"), "future": {"a": [1]}}),
    )
    .await;
    client.done(json!({"type": "start", "id": id(), "process": "onboarding", "future": true, "data": {}})).await;
    client.send(json!({"type": "pong", "future": 1})).await;
    let mistyped = json!({"type": "start", "id": id(), "process": "onboarding", "dta": {}});
    client.refused(mistyped, "bad_request").await;
    client.start("onboarding", json!({})).await;
}
