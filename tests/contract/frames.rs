//! The AsyncAPI document against the protocol's page, the reader of frames, and what a server
//! sends.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stepwire::{
    session::protocol::{client, close::CloseCode},
    web::openapi::asyncapi,
};

use super::shape::Shapes;
use crate::wire::{
    Client, Server,
    client::id,
    onboarding::{at_offer, details, wait_for_node},
    server::{admin, token},
};

const PAGE: &str = include_str!("../../docs/protocol.md");

/// The document, and its messages by name.
fn document() -> (Value, Shapes) {
    let document = asyncapi::document();
    let shapes = Shapes::of(&document);
    (document, shapes)
}

fn messages(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    document["components"]["messages"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, documented)| (name.as_str(), documented))
}

/// The type that a message's frames have.
fn type_of(message: &Value) -> &str {
    let payload = &message["payload"];
    let direct = &payload["properties"]["type"]["enum"][0];
    direct
        .as_str()
        .or_else(|| payload["allOf"][0]["properties"]["type"]["enum"][0].as_str())
        .unwrap_or_default()
}

#[test]
fn the_document_has_the_frames_of_the_protocol_page() {
    let (document, _) = document();
    let documented: BTreeSet<&str> = messages(&document)
        .map(|(_, message)| type_of(message))
        .collect();
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let first = rows
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let page: BTreeSet<&str> = first.collect();
    assert_eq!(
        documented, page,
        "the document and docs/protocol.md name other frames"
    );
    let codes: Vec<&Value> = document["channels"]["session"]["x-close-codes"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(codes.len(), CloseCode::ALL.len());
}

#[test]
fn every_message_has_an_example_of_its_shape() {
    let (document, shapes) = document();
    for (name, message) in messages(&document) {
        let examples = message["examples"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            shapes.check(name, &message["payload"], &example["payload"]);
        }
    }
}

#[test]
fn the_reader_takes_the_examples_and_refuses_members_of_other_types() {
    let (document, _) = document();
    for message in document["operations"]["command"]["messages"]
        .as_array()
        .into_iter()
        .chain(document["operations"]["greet"]["messages"].as_array())
        .flatten()
    {
        let name = message["$ref"]
            .as_str()
            .and_then(|place| place.rsplit('/').next())
            .unwrap_or_default();
        let documented = &document["components"]["messages"][name];
        let example = &documented["examples"][0]["payload"];
        let read = client::parse(&example.to_string());
        assert!(read.is_ok(), "the example of {name} is refused: {read:?}");
        for (member, _) in documented["payload"]["properties"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let mut wrong = example.clone();
            // No member is a list of lists.
            wrong[member] = json!([[]]);
            assert!(
                client::parse(&wrong.to_string()).is_err(),
                "{name} is told to have '{member}', but nobody reads that"
            );
        }
        for required in documented["payload"]["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let mut without = example.clone();
            without.as_object_mut().expect("a frame").remove(required);
            assert!(
                client::parse(&without.to_string()).is_err(),
                "{name} is told to need '{required}', but it does not"
            );
        }
    }
}

/// Asserts that a frame of the server has the shape of one of its messages.
#[track_caller]
fn check_frame(document: &Value, shapes: &Shapes, frame: &Value) -> String {
    let kind = frame["type"].as_str().unwrap_or_default();
    let fits = messages(document).filter(|(_, message)| type_of(message) == kind);
    let mut wrong = Vec::new();
    for (name, message) in fits {
        let errors = shapes.errors(&message["payload"], frame);
        if errors.is_empty() {
            return name.to_owned();
        }
        wrong.push(format!("{name}: {}", errors.join("; ")));
    }
    panic!(
        "no message of the document has the shape of this frame:\n  {}\n{frame:#}",
        wrong.join("\n  ")
    );
}

#[tokio::test]
async fn what_a_server_sends_has_the_shapes_of_the_document() {
    let server = Server::with(&["--rate-per-second", "0", "--test-clock"]);
    let (document, shapes) = document();
    let mut operator = Client::hello(&server, &admin()).await;
    operator
        .done(json!({"type": "subscribe", "id": id(), "channel": "process/*"}))
        .await;
    operator
        .done(json!({"type": "subscribe", "id": id(), "channel": "changes"}))
        .await;
    operator
        .done(json!({"type": "clock", "id": id(), "advance": "PT1S"}))
        .await;
    operator.done(json!({"type": "idle", "id": id()})).await;
    let mut alice =
        Client::hello_with(&server, json!({"token": token("alice"), "schemas": true})).await;
    alice
        .done(json!({"type": "subscribe", "id": id(), "channel": "tasks"}))
        .await;
    let (parent, offer) = at_offer(&mut alice).await;
    let inherit = json!({"instance": parent, "seq": offer["seq"]});
    alice
        .done(json!({"type": "start", "id": id(), "inheritFrom": inherit}))
        .await;
    alice
        .done(json!({"type": "auth", "id": id(), "token": token("alice")}))
        .await;
    alice
        .refused(
            json!({"type": "run", "id": id(), "instance": parent, "action": "nothing"}),
            "action_not_available",
        )
        .await;
    let second = alice.start("onboarding", json!({})).await;
    alice
        .refused(
            json!({"type": "run", "id": id(), "instance": second, "action": "save", "data": {}}),
            "invalid_data",
        )
        .await;
    alice
        .done(
            json!({"type": "draft", "id": id(), "instance": second, "action": "save", "data": {}}),
        )
        .await;
    let channel = format!("instance/{second}");
    let mut frames = alice.frames.iter().rev();
    let step = frames.find(|frame| frame["channel"] == *channel && frame["type"] == "progress");
    let element = step.expect("a step")["nodes"][0]["element"].clone();
    operator
        .done(json!({"type": "presence", "id": id(), "instance": second, "element": element, "state": "open"}))
        .await;
    alice.run(&second, "save", details()).await;
    wait_for_node(&mut alice, &second, "review").await;
    operator
        .done(json!({"type": "hold", "id": id(), "instance": second}))
        .await;
    operator
        .done(json!({"type": "terminate", "id": id(), "instance": second}))
        .await;
    let resume = json!([{"instance": parent, "after": 9999}, {"instance": second, "after": 1}]);
    let mut again = Client::hello_with(
        &server,
        json!({"token": token("alice"), "resume": resume, "schemas": true}),
    )
    .await;
    again
        .done(json!({"type": "subscribe", "id": id(), "channel": format!("instance/{second}")}))
        .await;
    server.terminate();
    again.closed().await;
    let frames = [&operator, &alice, &again]
        .into_iter()
        .flat_map(|client| &client.frames);
    let seen: BTreeSet<String> = frames
        .map(|frame| check_frame(&document, &shapes, frame))
        .collect();
    let unseen = ["view", "ping"];
    let pushes = document["operations"]["push"]["messages"]
        .as_array()
        .into_iter()
        .flatten();
    let all = pushes.filter_map(|message| message["$ref"].as_str()?.rsplit('/').next());
    let missing: Vec<&str> = all
        .filter(|name| !seen.contains(*name) && !unseen.contains(name))
        .collect();
    assert!(missing.is_empty(), "the session met none of {missing:?}");
}
