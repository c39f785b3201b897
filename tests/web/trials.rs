//! Trials of drafts over REST: their owners, their end, and that they leave nothing behind.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{Answer, User, send};
use crate::support;

const DRAFT: &str = include_str!("../../examples/order-approval.bpmn");

fn reported(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).unwrap_or_default()
}

async fn begin(user: &User<'_>, source: &str) -> Answer {
    send(
        user.request(Method::POST, "/v1/trials")
            .header("content-type", "application/xml")
            .body(source.to_owned()),
    )
    .await
}

fn address(begun: &Answer, part: &str) -> String {
    let begun = reported(begun);
    let key = begun["trial"].as_str().expect("a trial has a key");
    format!("/v1/trials/{key}{part}")
}

async fn get(user: &User<'_>, path: &str) -> Answer {
    send(user.request(Method::GET, path)).await
}

async fn post(user: &User<'_>, path: &str, body: &Value) -> Answer {
    send(user.request(Method::POST, path).json(body)).await
}

#[actix_web::test]
async fn a_trial_belongs_to_its_designer_and_leaves_no_data() {
    let server = support::server().await;
    let dora = User::new(&server, "dora", &["designer"]);
    let otto = User::new(&server, "otto", &["designer"]);
    let olga = User::new(&server, "olga", &["operator"]);
    assert_eq!(begin(&olga, DRAFT).await.status, 403);
    let broken = begin(&dora, "<definitions").await;
    assert_eq!(broken.status, 422, "{}", broken.text);
    assert!(reported(&broken)["problems"].is_array(), "{}", broken.text);

    let draft = DRAFT.replace("id=\"orderApproval\"", "id=\"neverDeployed\"");
    let begun = begin(&dora, &draft).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    assert_eq!(reported(&begun)["definitions"][0]["id"], "neverDeployed");
    assert_eq!(reported(&begun)["definitions"][0]["version"], Value::Null);
    assert_eq!(get(&otto, &address(&begun, "")).await.status, 404);
    assert_eq!(get(&olga, &address(&begun, "")).await.status, 403);
    assert_eq!(get(&dora, &address(&begun, "")).await.status, 200);
    assert_eq!(
        get(&dora, "/v1/definitions/neverDeployed").await.status,
        404
    );

    let users = address(&begun, "/users");
    let token = post(&dora, &users, &json!({"user": "ada", "roles": ["chief"]})).await;
    assert_eq!(token.status, 201, "{}", token.text);
    let token = reported(&token)["token"].as_str().map(str::to_owned);
    let ada = User::with_token(&server, token);
    assert_eq!(
        get(&ada, "/v1/instances").await.status,
        401,
        "its token is good in the trial only"
    );
    for user in ["", &"x".repeat(300)] {
        let refused = post(&dora, &users, &json!({"user": user})).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }

    let ended = send(dora.request(Method::DELETE, &address(&begun, ""))).await;
    assert_eq!(ended.status, 204);
    assert_eq!(get(&dora, &address(&begun, "")).await.status, 404);
    assert_eq!(get(&dora, "/v1/trials/none").await.status, 404);
}

#[actix_web::test]
async fn the_clock_of_a_trial_moves_only_on_command() {
    let server = support::server().await;
    let dora = User::new(&server, "dora", &["designer"]);
    let begun = begin(&dora, DRAFT).await;
    let (first, clock) = (reported(&begun)["now"].clone(), address(&begun, "/clock"));
    assert_eq!(
        reported(&get(&dora, &address(&begun, "")).await)["now"],
        first
    );
    let nothing = post(&dora, &clock, &json!({"to": "next"})).await;
    assert_eq!(nothing.status, 409, "{}", nothing.text);
    let moved = post(&dora, &clock, &json!({"advance": "P1D"})).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    let time = |value: &Value| value.as_str().map(str::to_owned);
    assert!(
        time(&reported(&moved)["now"]) > time(&first),
        "{}",
        moved.text
    );
    for wrong in [
        json!({}),
        json!({"advance": "soon"}),
        json!({"advance": "-P1D"}),
        json!({"advance": "P9999Y"}),
        json!({"advance": "P1D", "to": "next"}),
        json!({"to": "yesterday"}),
    ] {
        let refused = post(&dora, &clock, &wrong).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text);
    }
}

#[actix_web::test]
async fn trials_are_bounded_and_the_oldest_of_a_designer_ends() {
    let server = support::server().await;
    let names: Vec<String> = (0..5).map(|number| format!("designer{number}")).collect();
    let designers: Vec<User<'_>> = names
        .iter()
        .map(|name| User::new(&server, name, &["designer"]))
        .collect();
    let first = begin(&designers[0], DRAFT).await;
    for designer in &designers[..4] {
        for _ in 0..2 {
            assert_eq!(begin(designer, DRAFT).await.status, 201);
        }
    }
    assert_eq!(get(&designers[0], &address(&first, "")).await.status, 404);
    let busy = begin(&designers[4], DRAFT).await;
    assert_eq!(busy.status, 503, "{}", busy.text);
    let again = begin(&designers[0], DRAFT).await;
    assert_eq!(again.status, 201, "its own make room: {}", again.text);
}
