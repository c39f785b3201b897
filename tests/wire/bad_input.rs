//! Commands that cannot be executed: the documented code, a helpful message, and no change.

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::id,
    onboarding::{at_review, details},
    server::{token, token_with},
};

const NOBODY: &str = "0197a1b2-0000-7000-8000-000000000007";

fn run(instance: &str, action: &str, data: Value) -> Value {
    json!({"type": "run", "id": id(), "instance": instance, "action": action, "data": data})
}

#[tokio::test]
async fn invalid_starts_are_refused() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let start = |process: &str, condition: Option<&str>| json!({"type": "start", "id": id(), "process": process, "startCondition": condition});
    let error = client.refused(start("nonsense", None), "not_found").await;
    assert!(error["message"].as_str().unwrap().contains("nonsense"));
    client
        .refused(start("onboarding", Some("nonsense")), "bad_request")
        .await;
    client
        .refused(
            json!({"type": "start", "id": id(), "process": "x".repeat(257)}),
            "bad_request",
        )
        .await;
    let mut stranger = Client::hello(
        &server,
        &token_with(
            "alice",
            &[],
            "elsewhere",
            std::time::Duration::from_secs(60),
        ),
    )
    .await;
    stranger
        .refused(start("onboarding", None), "not_found")
        .await;
    Client::assert_healthy(&server).await;
}

#[tokio::test]
async fn refusals_of_an_action_have_the_documented_order_and_no_effect() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let reason = |error: &Value| error["reason"].as_str().map(str::to_owned);
    let unavailable = "action_not_available";
    assert_eq!(
        reason(
            &client
                .refused(run(&instance, "nonsense", json!({})), unavailable)
                .await
        )
        .unwrap(),
        "unknown_action"
    );
    assert_eq!(
        reason(
            &client
                .refused(run(&instance, "showForm", json!({})), unavailable)
                .await
        )
        .unwrap(),
        "not_manual"
    );
    assert_eq!(
        reason(
            &client
                .refused(run(&instance, "confirm", json!({})), unavailable)
                .await
        )
        .unwrap(),
        "not_active"
    );
    let error = client
        .refused(
            run(&instance, "save", json!({"client": {"age": 3}})),
            "invalid_data",
        )
        .await;
    let fields = error["fields"].as_object().unwrap();
    assert_eq!(fields.len(), 4, "{error}");
    let email = &fields["client.email"];
    assert_eq!(
        (&email["code"], &email["params"]),
        (&json!("required"), &json!({"missingProperty": "email"})),
        "{error}"
    );
    assert!(
        email["message"].as_str().unwrap().starts_with("expected "),
        "{error}"
    );
    client
        .refused(run(NOBODY, "save", details()), "not_found")
        .await;
    let seq = client.cursors[&format!("instance/{instance}")];
    let reply = client.run(&instance, "save", details()).await;
    let first = client
        .of_channel(&instance)
        .into_iter()
        .find(|frame| frame["seq"].as_u64().unwrap() > seq)
        .unwrap();
    assert_eq!(first["prev"], seq, "nothing was recorded in between");
    assert_eq!(reply["duplicate"], false);
}

#[tokio::test]
async fn an_action_runs_once_in_a_visit() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    client
        .run(&instance, "confirm", json!({"consent": true}))
        .await;
    let answer = client
        .ask(run(&instance, "confirm", json!({"consent": true})))
        .await;
    assert_eq!(
        (&answer["code"], &answer["reason"]),
        (&json!("action_not_available"), &json!("ended")),
        "{answer}"
    );
}

#[tokio::test]
async fn paths_without_key_are_ignored_and_listed() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let mut data = details();
    data["client"]["admin"] = json!(true);
    data["evil"] = json!({"deep": 1});
    let reply = client.run(&instance, "save", data).await;
    assert_eq!(reply["result"]["ignored"], json!(["client.admin", "evil"]));
    super::onboarding::wait_for_node(&mut client, &instance, "review").await;
    let shown = client
        .frames
        .iter()
        .find(|frame| frame["body"]["form"] == "review")
        .unwrap();
    assert!(shown["body"]["client"].get("admin").is_none());
}

#[tokio::test]
async fn a_foreign_instance_is_indistinguishable_from_an_unknown_one() {
    let server = Server::start();
    let mut alice = Client::hello(&server, &token("alice")).await;
    let instance = alice.start("onboarding", json!({})).await;
    let mut bob = Client::hello(&server, &token("bob")).await;
    let frames = |key: &str| {
        let element = format!("{key}-1");
        [
            json!({"type": "subscribe", "channel": format!("instance/{key}")}),
            json!({"type": "subscribe", "channel": format!("instance/{key}"), "after": 1}),
            json!({"type": "run", "instance": key, "action": "save", "data": details()}),
            json!({"type": "run", "instance": key, "action": "nonsense", "ifSeq": 0}),
            json!({"type": "done", "instance": key, "seq": 1}),
            json!({"type": "retry", "instance": key, "element": element}),
            json!({"type": "terminate", "instance": key}),
            json!({"type": "start", "inheritFrom": {"instance": key, "seq": 1}}),
        ]
    };
    for (mut theirs, mut nobodys) in frames(&instance).into_iter().zip(frames(NOBODY)) {
        theirs["id"] = json!("1");
        nobodys["id"] = json!("1");
        let (theirs, nobodys) = (
            bob.refused(theirs, "not_found").await,
            bob.refused(nobodys, "not_found").await,
        );
        assert_eq!(
            theirs.to_string().replace(&instance, NOBODY),
            nobodys.to_string()
        );
    }
    let reply = alice.run(&instance, "save", details()).await;
    assert_eq!(reply["duplicate"], false);
}

#[tokio::test]
async fn a_connection_holds_a_thousand_subscriptions() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let mut keys = Vec::new();
    for _ in 0..10 {
        for number in 0..101 {
            client.send(json!({"type": "start", "id": format!("s{number}"), "process": "orderApproval", "data": {"order": {"item": "desk", "amount": 5000}}, "subscribe": false})).await;
        }
        for _ in 0..101 {
            let reply = client.expect("reply").await;
            keys.push(
                reply["result"]["instance"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{reply}"))
                    .to_owned(),
            );
        }
    }
    for key in &keys[..1000] {
        client.subscribe(key).await;
    }
    let channel = format!("instance/{}", keys[1000]);
    let error = client
        .refused(
            json!({"type": "subscribe", "id": "x", "channel": channel}),
            "too_large",
        )
        .await;
    assert!(error["message"].as_str().unwrap().contains("1000"));
    let reply = client
        .done(json!({"type": "start", "id": id(), "process": "onboarding"}))
        .await;
    let reported = format!("instance/{}", reply["result"]["instance"].as_str().unwrap());
    let error = client.expect("error").await;
    super::client::check_error(&error, "too_large");
    assert_eq!(
        error["channel"], reported,
        "a start that cannot be followed says so"
    );
    client
        .done(json!({"type": "unsubscribe", "id": "y", "channel": format!("instance/{}", keys[0])}))
        .await;
    client.subscribe(&keys[1000]).await;
}

#[tokio::test]
async fn too_many_unanswered_commands_are_busy() {
    let server = Server::with(&["--rate-per-second", "0", "--user-starts", "0"]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let start = |number: usize| json!({"type": "start", "id": format!("s{number}"), "process": "orderApproval", "data": {"order": {"item": "desk", "amount": 5000}}, "subscribe": false});
    // Written at once, so that the server reads them faster than any commit is durable.
    client.send_at_once((0..2_000).map(start)).await;
    let (mut done, mut busy) = (0, 0);
    while done + busy < 2_000 {
        let answer = client.expect_that(|frame| frame.get("id").is_some()).await;
        if answer["type"] == "reply" {
            done += 1;
        } else {
            super::client::check_error(&answer, "busy");
            busy += 1;
        }
    }
    assert!(done >= 256, "{done} of 2000");
    Client::assert_healthy(&server).await;
}
