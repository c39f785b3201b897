//! The example process as the tests use it: its data, and the commands that lead to each of its
//! steps.

use serde_json::{Value, json};

use super::Client;

/// The data that `save` accepts.
pub fn details() -> Value {
    json!({"client": {"firstName": "Ada", "lastName": "Byron", "email": "ada@example.org", "age": 36, "income": 50_000}})
}

/// Starts an instance and saves the details; it then waits at `review` once its credit check is
/// done.
pub async fn at_review(client: &mut Client) -> String {
    let instance = client.start("onboarding", json!({})).await;
    client.run(&instance, "save", details()).await;
    wait_for_node(client, &instance, "review").await;
    instance
}

/// Goes through to the end; the instance and the `action` frame that offers the card.
pub async fn at_offer(client: &mut Client) -> (String, Value) {
    let instance = at_review(client).await;
    client
        .run(&instance, "confirm", json!({"consent": true}))
        .await;
    let channel = format!("instance/{instance}");
    let offer = client
        .frames
        .iter()
        .rfind(|frame| frame["type"] == "action" && frame["channel"] == channel.as_str());
    let offer = offer.expect("the offer comes before the reply").clone();
    (instance, offer)
}

/// Waits until the token is at this node.
pub async fn wait_for_node(client: &mut Client, instance: &str, node: &str) {
    let channel = format!("instance/{instance}");
    let there = |frame: &Value| {
        frame["type"] == "progress"
            && frame["channel"] == channel.as_str()
            && frame["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .any(|entry| entry["node"] == node)
    };
    if !client.frames.iter().any(there) {
        client.expect_that(there).await;
    }
}
