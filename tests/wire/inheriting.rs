//! START_PROCESS_INHERIT: a client starts the process that an Action message asks for.

use serde_json::{Value, json};

use super::{Client, Server, client::id, onboarding::at_offer, server::token};

fn start_from(parent: &str, offer: &Value) -> Value {
    json!({"type": "start", "id": id(), "inheritFrom": {"instance": parent, "seq": offer["seq"]}, "data": {"theme": "dark"}})
}

#[tokio::test]
async fn a_child_inherits_what_the_message_lists() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (parent, offer) = at_offer(&mut client).await;
    let mut start = start_from(&parent, &offer);
    start["process"] = json!("onboarding");
    start["startCondition"] = json!("nonsense");
    start["inheritFrom"]["paramsToCopy"] = json!(["client.email"]);
    let reply = client.done(start).await;
    let child = reply["result"]["instance"].as_str().unwrap().to_owned();
    let shown = &client.of_channel(&child)[0]["body"];
    assert_eq!(
        shown["card"]["holder"], "Ada Byron",
        "from the finished parent, by the recorded lists"
    );
    assert_eq!(shown["card"]["theme"], "dark", "the client's own data");
    let announced =
        |frame: &Value| frame["type"] == "child" && frame["child"]["instance"] == child.as_str();
    if !client.frames.iter().any(announced) {
        client.expect_that(announced).await;
    }
    assert_eq!(
        client.frames.iter().find(|frame| announced(frame)).unwrap()["child"]["element"],
        Value::Null
    );
}

#[tokio::test]
async fn two_tabs_start_one_instance() {
    let server = Server::start();
    let mut one = Client::hello(&server, &token("alice")).await;
    let (parent, offer) = at_offer(&mut one).await;
    let mut two = Client::hello(&server, &token("alice")).await;
    let (first, second) = (start_from(&parent, &offer), start_from(&parent, &offer));
    one.send(first.clone()).await;
    two.send(second.clone()).await;
    let first = one.answer(first["id"].as_str().unwrap()).await;
    let second = two.answer(second["id"].as_str().unwrap()).await;
    assert_eq!(
        (&first["type"], &second["type"]),
        (&json!("reply"), &json!("reply"))
    );
    assert_eq!(first["result"]["instance"], second["result"]["instance"]);
    assert_ne!(
        first["duplicate"], second["duplicate"],
        "one of them came first"
    );
    let child = first["result"]["instance"].as_str().unwrap();
    for client in [&one, &two] {
        assert_eq!(
            client.of_channel(child)[0]["prev"],
            0,
            "both follow it from its first record"
        );
    }
}

#[tokio::test]
async fn of_concurrent_done_and_start_frames_one_takes_effect() {
    let server = Server::with(&["--rate-per-second", "0"]);
    let mut one = Client::hello(&server, &token("alice")).await;
    let mut two = Client::hello(&server, &token("alice")).await;
    for round in 0..20 {
        let (parent, offer) = at_offer(&mut one).await;
        let start = start_from(&parent, &offer);
        let done = json!({"type": "done", "id": id(), "instance": parent, "seq": offer["seq"]});
        if round % 2 == 0 {
            one.send(done.clone()).await;
            two.send(start.clone()).await;
        } else {
            two.send(start.clone()).await;
            one.send(done.clone()).await;
        }
        let done = one.answer(done["id"].as_str().unwrap()).await;
        let started = two.answer(start["id"].as_str().unwrap()).await;
        let kinds = [&done["type"], &started["type"]];
        assert!(
            kinds == [&json!("reply"), &json!("error")]
                || kinds == [&json!("error"), &json!("reply")],
            "{done} {started}"
        );
        // A message that was received stays valid.
        let again = if started["type"] == "error" {
            two.refused(start, "conflict").await;
            continue;
        } else {
            two.done(start).await
        };
        assert_eq!(again["result"]["instance"], started["result"]["instance"]);
    }
}

#[tokio::test]
async fn open_messages_outlive_the_end_of_their_instance() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (parent, offer) = at_offer(&mut client).await;
    let open = |client: &Client| {
        client
            .frames
            .iter()
            .rfind(|frame| frame["type"] == "snapshot")
            .unwrap()["open"]
            .clone()
    };
    client.subscribe(&parent).await;
    assert_eq!(open(&client)[0]["seq"], offer["seq"]);
    let start = start_from(&parent, &offer);
    let first = client.done(start.clone()).await;
    let announced = client.frames.iter().any(|frame| frame["type"] == "child");
    assert!(announced, "the parent decides, so its frames come first");
    let mut fresh = Client::hello(&server, &token("alice")).await;
    fresh.subscribe(&parent).await;
    assert_eq!(open(&fresh), json!([]));
    let done = json!({"type": "done", "id": id(), "instance": parent, "seq": offer["seq"]});
    client.refused(done, "conflict").await;
    assert_eq!(
        client.done(start).await["result"]["instance"],
        first["result"]["instance"]
    );
}

#[tokio::test]
async fn a_start_from_a_message_needs_the_right_to_it() {
    let server = Server::with(&["--rate-per-second", "0"]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let (parent, offer) = at_offer(&mut client).await;
    let mut bob = Client::hello(&server, &token("bob")).await;
    bob.refused(start_from(&parent, &offer), "not_found").await;
    for seq in [0, 1, 9_999, u64::MAX] {
        client
            .refused(start_from(&parent, &json!({"seq": seq})), "bad_request")
            .await;
    }
    let mut free = start_from(&parent, &offer);
    free["inheritFrom"] = json!({"instance": parent});
    free["process"] = json!("cardOrder");
    free["startCondition"] = json!("fromOnboarding");
    client.refused(free.clone(), "forbidden").await;
    let mut root = Client::hello(&server, &super::server::admin()).await;
    let reply = root.done(free).await;
    assert_eq!(
        root.of_channel(reply["result"]["instance"].as_str().unwrap())[0]["body"]["card"]["holder"],
        "Ada Byron"
    );
}

#[tokio::test]
async fn a_start_from_a_foreign_message_reveals_nothing() {
    let server = Server::start();
    let mut alice = Client::hello(&server, &token("alice")).await;
    let (parent, offer) = at_offer(&mut alice).await;
    let child = alice.done(start_from(&parent, &offer)).await["result"]["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut bob = Client::hello(&server, &token("bob")).await;
    for number in 0..50 {
        let mut start = start_from(&parent, &offer);
        start["id"] = json!(format!("s{number}"));
        bob.send(start).await;
    }
    alice
        .run(&child, "choose", json!({"card": {"design": "night"}}))
        .await;
    bob.answer("s49").await;
    assert!(bob.of_channel(&child).is_empty());
}
