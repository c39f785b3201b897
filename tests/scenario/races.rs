//! Two different commands at the same time on one task: their order is open; the replies and the
//! final state are not.
//!
//! Not here: the same command of several clients at once, whose transcript does not depend on the
//! order (`at_once.scenario`).

use serde_json::{Value, json};
use stepwire::web::http::server::Running;

use super::stage::deploy_sketch;
use crate::{
    support,
    web::http::User,
    wire::{Client, client::id},
};

/// The number of rounds of two simultaneous commands.
const ROUNDS: usize = 20;

const OFFICE: &str = "process p
    lane office nodes=check execute=clerk assign=chief
    start -> check -> after -> end
    user check
      decide manual save keys=by
    user after";

#[actix_web::test]
async fn a_claim_and_a_run_at_once() {
    let mut config = support::config(&["--no-examples", "--rate-per-second", "0"]);
    config.workers = 2;
    let server = support::start(config).await;
    assert_eq!(deploy_sketch(&server, OFFICE).await.status, 201);
    let (mut bob, mut ben) = (clerk(&server, "bob").await, clerk(&server, "ben").await);
    let (ada, olga) = (
        User::new(&server, "ada", &[]),
        User::new(&server, "olga", &["operator"]),
    );
    for round in 0..ROUNDS {
        let started = ada
            .post("/v1/instances", json!({"process": "p"}))
            .await
            .json();
        let (instance, element) = (&started["instance"], &started["nodes"][0]["element"]);
        let claim = json!({"type": "claim", "id": id(), "instance": instance, "element": element});
        let run = json!({"type": "run", "id": id(), "instance": instance, "action": "decide", "data": {"by": "ben"}});
        let (claimed, ran) = if round % 2 == 0 {
            tokio::join!(bob.ask(claim), ben.ask(run))
        } else {
            let (ran, claimed) = tokio::join!(ben.ask(run), bob.ask(claim));
            (claimed, ran)
        };
        let instance = instance.as_str().expect("an instance was started");
        let left = olga.get(&format!("/v1/instances/{instance}")).await.json();
        let at = [
            &left["nodes"][0]["node"],
            &left["nodes"][0]["assignee"],
            &left["data"],
        ];
        match (reported(&claimed), reported(&ran)) {
            (("reply", _), ("forbidden", _)) => {
                assert_eq!(at, [&json!("check"), &json!("bob"), &json!({})])
            }
            (("action_not_available", "not_active"), ("reply", _)) => {
                assert_eq!(at, [&json!("after"), &Value::Null, &json!({"by": "ben"})]);
            }
            _ => panic!("expected one of the two to be done, but got {claimed} and {ran}"),
        }
    }
    server.stop().await;
}

async fn clerk(server: &Running, name: &str) -> Client {
    let mut client = Client::open_at(server.addresses()[0].port()).await;
    client
        .send(json!({"type": "hello", "token": support::token(name, &["clerk"])}))
        .await;
    client.expect("welcome").await;
    client
}

/// Type of a reply, or code and reason of a refusal.
fn reported(answer: &Value) -> (&str, &str) {
    let text = |field: &str| answer[field].as_str().unwrap_or_default();
    if text("type") == "reply" {
        ("reply", "")
    } else {
        (text("code"), text("reason"))
    }
}
