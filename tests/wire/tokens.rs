//! Who may connect, and with which identity: tokens, anonymous starts, tokens of one instance tree.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::id,
    onboarding::{at_offer, details},
    server::{token, token_of_tree, token_of_tree_for, token_with},
};

#[tokio::test]
async fn a_token_that_expires_closes_the_connection() {
    let server = Server::start();
    let mut client = Client::hello(
        &server,
        &token_with("alice", &[], "default", Duration::from_secs(2)),
    )
    .await;
    assert_eq!(client.closed().await, 4401);
    assert!(
        client.close_reason.contains("expired") && client.close_reason.contains("auth"),
        "{}",
        client.close_reason
    );
}

#[tokio::test]
async fn auth_refreshes_in_band() {
    let server = Server::start();
    let mut client = Client::hello(
        &server,
        &token_with("alice", &[], "default", Duration::from_secs(3)),
    )
    .await;
    let instance = client.start("onboarding", json!({})).await;
    let auth = |token: &str| json!({"type": "auth", "id": id(), "token": token});
    client.refused(auth(&token("bob")), "forbidden").await;
    client
        .refused(
            auth(&token_with(
                "alice",
                &[],
                "elsewhere",
                Duration::from_secs(60),
            )),
            "forbidden",
        )
        .await;
    client.refused(auth("nonsense"), "unauthenticated").await;
    client
        .refused(
            auth(&token_with("alice", &[], "default", Duration::ZERO)),
            "token_expired",
        )
        .await;
    for bad in [json!(5), json!({}), json!(null)] {
        let error = client
            .refused(
                json!({"type": "auth", "id": id(), "token": bad}),
                "bad_request",
            )
            .await;
        assert!(
            error["message"].as_str().unwrap().contains("'token'"),
            "{error}"
        );
    }
    let renewed = client.done(auth(&token("alice"))).await;
    assert!(renewed["result"]["expiresAt"].is_string(), "{renewed}");
    client.run(&instance, "save", details()).await;
}

#[tokio::test]
async fn an_anonymous_client_starts_and_resumes_with_its_token() {
    let server = Server::start();
    let mut client = Client::hello_with(&server, json!({})).await;
    assert!(client.frames[0].get("expiresAt").is_none());
    client
        .refused(
            json!({"type": "start", "id": id(), "process": "orderApproval"}),
            "unauthenticated",
        )
        .await;
    let start = json!({"type": "start", "id": id(), "process": "onboarding", "nonce": "a secret"});
    let reply = client.done(start.clone()).await;
    let (instance, token) = (
        reply["result"]["instance"].as_str().unwrap(),
        reply["result"]["token"].as_str().unwrap(),
    );
    client.run(instance, "save", details()).await;

    let mut again = Client::hello(&server, token).await;
    again.subscribe(instance).await;
    super::onboarding::wait_for_node(&mut client, instance, "review").await;
    again
        .run(instance, "confirm", json!({"consent": true}))
        .await;

    let mut alice = Client::hello(&server, &super::server::token("alice")).await;
    let other = alice.start("onboarding", json!({})).await;
    again
        .refused(
            json!({"type": "subscribe", "id": id(), "channel": format!("instance/{other}")}),
            "not_found",
        )
        .await;
    again.refused(json!({"type": "run", "id": id(), "instance": other, "action": "save", "data": details()}), "not_found").await;
}

#[tokio::test]
async fn a_repeated_anonymous_start_with_its_nonce_gets_a_new_token() {
    let server = Server::start();
    let start = json!({"type": "start", "id": id(), "process": "onboarding", "nonce": "a secret"});
    let first = Client::hello_with(&server, json!({}))
        .await
        .done(start.clone())
        .await;
    let mut again = Client::hello_with(&server, json!({})).await;
    let second = again.done(start.clone()).await;
    assert_eq!(
        (&second["duplicate"], &second["result"]["instance"]),
        (&json!(true), &first["result"]["instance"])
    );
    let instance = second["result"]["instance"].as_str().unwrap();
    assert_eq!(again.of_channel(instance)[0]["prev"], 0);
    again.run(instance, "save", details()).await;
    Client::hello(&server, second["result"]["token"].as_str().unwrap())
        .await
        .subscribe(instance)
        .await;
    let mut other = start;
    other["nonce"] = json!("another");
    let third = Client::hello_with(&server, json!({}))
        .await
        .done(other)
        .await;
    assert_ne!(
        third["result"]["instance"], first["result"]["instance"],
        "whoever does not know the nonce finds nothing"
    );
}

#[tokio::test]
async fn one_anonymous_connection_may_start_several() {
    let server = Server::start();
    let mut client = Client::hello_with(&server, json!({})).await;
    let start =
        |nonce: &str| json!({"type": "start", "id": id(), "process": "onboarding", "nonce": nonce});
    let (first, second) = (start("one"), start("two"));
    let one = client.done(first.clone()).await;
    let two = client.done(second.clone()).await;
    let save = |reply: &Value| json!({"type": "run", "id": id(), "instance": reply["result"]["instance"], "action": "save", "data": details()});
    let (save_one, save_two) = (save(&one), save(&two));
    client.done(save_one.clone()).await;
    client.done(save_two.clone()).await;
    for (start, reply, save) in [(first, one, save_one), (second, two, save_two)] {
        assert_eq!(client.done(start.clone()).await["duplicate"], true);
        let again = Client::hello_with(&server, json!({}))
            .await
            .done(start)
            .await;
        assert_eq!(
            (&again["duplicate"], &again["result"]["instance"]),
            (&json!(true), &reply["result"]["instance"])
        );
        let mut back = Client::hello(&server, reply["result"]["token"].as_str().unwrap()).await;
        assert_eq!(
            back.done(save).await["duplicate"],
            true,
            "applied once, whichever token comes with the repeat"
        );
    }
}

#[tokio::test]
async fn tokens_of_several_trees_are_valid_on_one_connection() {
    let server = Server::start();
    let mut visitor = Client::hello_with(&server, json!({})).await;
    let start =
        || json!({"type": "start", "id": id(), "process": "onboarding", "nonce": "one visitor"});
    let mut trees = Vec::new();
    for _ in 0..3 {
        let reply = visitor.done(start()).await;
        trees.push(
            ["instance", "token"].map(|name| reply["result"][name].as_str().unwrap().to_owned()),
        );
    }
    let [
        [one, token_of_one],
        [two, token_of_two],
        [three, token_of_three],
    ] = &trees[..]
    else {
        panic!("three")
    };
    let subscribe = |instance: &str| json!({"type": "subscribe", "id": id(), "channel": format!("instance/{instance}")});
    let auth = |token: &str| json!({"type": "auth", "id": id(), "token": token});

    // Sent in one go: each token is valid for the frames after it.
    let mut back = Client::hello(&server, token_of_one).await;
    back.refused(subscribe(two), "not_found").await;
    back.subscribe(one).await;
    let [shown, subscribed] = [auth(token_of_two), subscribe(two)];
    back.send(shown.clone()).await;
    back.send(subscribed.clone()).await;
    assert!(back.answer(shown["id"].as_str().unwrap()).await["result"]["expiresAt"].is_string());
    assert_eq!(
        back.answer(subscribed["id"].as_str().unwrap()).await["result"]["mode"],
        "snapshot"
    );
    for instance in [one, two] {
        back.run(instance, "save", details()).await;
    }
    assert!(
        !back.frames.iter().any(|frame| frame["type"] == "resync"),
        "what was seen before is not shown again"
    );
    back.refused(subscribe(three), "not_found").await;

    // Besides the instances that the connection has started, and without a token of its own.
    let mut fresh = Client::hello_with(&server, json!({})).await;
    let own = fresh.done(start()).await["result"]["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    fresh.done(auth(token_of_three)).await;
    fresh.run(three, "save", details()).await;
    fresh.run(&own, "save", details()).await;
    fresh.refused(auth("nonsense"), "unauthenticated").await;

    // The first token to end ends the connection; a user takes no token of a tree.
    let root = one.parse().expect("an instance key");
    back.done(auth(&token_of_tree_for(
        "anonymous-x",
        root,
        Duration::from_secs(2),
    )))
    .await;
    assert_eq!(back.closed().await, 4401);
    Client::hello(&server, &token("alice"))
        .await
        .refused(auth(token_of_two), "forbidden")
        .await;
}

#[tokio::test]
async fn an_anonymous_client_starts_the_children_of_its_tree() {
    let server = Server::start();
    let mut client = Client::hello_with(&server, json!({})).await;
    let (parent, offer) = at_offer(&mut client).await;
    let inherit = json!({"instance": parent, "seq": offer["seq"]});
    let reply = client
        .done(json!({"type": "start", "id": id(), "inheritFrom": inherit}))
        .await;
    assert!(
        reply["result"].get("token").is_none(),
        "the token of the tree is good for it"
    );
    let child = reply["result"]["instance"].as_str().unwrap();
    client
        .run(child, "choose", json!({"card": {"design": "ocean"}}))
        .await;
}

#[tokio::test]
async fn a_token_of_another_tree_sees_nothing() {
    let server = Server::start();
    let mut alice = Client::hello(&server, &token("alice")).await;
    let (one, two) = (
        alice.start("onboarding", json!({})).await,
        alice.start("onboarding", json!({})).await,
    );
    let mut scoped = Client::hello(&server, &token_of_tree("alice", &one)).await;
    scoped.subscribe(&one).await;
    scoped
        .refused(
            json!({"type": "subscribe", "id": id(), "channel": format!("instance/{two}")}),
            "not_found",
        )
        .await;
    scoped
        .refused(
            json!({"type": "terminate", "id": id(), "instance": two}),
            "not_found",
        )
        .await;
}

#[tokio::test]
async fn another_tenant_sees_nothing_even_as_admin() {
    let server = Server::start();
    let mut alice = Client::hello(&server, &token("alice")).await;
    let instance = alice.start("onboarding", json!({})).await;
    let stranger = token_with("alice", &["admin"], "elsewhere", Duration::from_secs(60));
    let mut stranger = Client::hello(&server, &stranger).await;
    stranger
        .refused(
            json!({"type": "subscribe", "id": id(), "channel": format!("instance/{instance}")}),
            "not_found",
        )
        .await;
    stranger
        .refused(
            json!({"type": "terminate", "id": id(), "instance": instance}),
            "not_found",
        )
        .await;
}
