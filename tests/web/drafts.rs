//! `/v1/instances/{key}/drafts`: what a user has typed into a task and not submitted, over REST.

use reqwest::Method;
use serde_json::{Value, json};
use stepwire::limits;

use super::http::{Answer, User, details, send};
use crate::support;

/// The task of a started onboarding, and where the draft of its action is.
async fn place_of(user: &User<'_>, key: &str) -> String {
    let instance = user.get(&format!("/v1/instances/{key}")).await.json();
    let element = instance["nodes"][0]["element"].as_str().expect("a task");
    format!("/v1/instances/{key}/drafts/{element}/save")
}

async fn put(user: &User<'_>, place: &str, body: &Value) -> Answer {
    send(user.request(Method::PUT, place).json(body)).await
}

async fn delete(user: &User<'_>, place: &str) -> Answer {
    send(user.request(Method::DELETE, place)).await
}

#[actix_web::test]
async fn a_draft_is_kept_read_and_dropped() {
    let server = support::server().await;
    let (alice, bob) = (
        User::new(&server, "alice", &[]),
        User::new(&server, "bob", &[]),
    );
    let key = alice.start_onboarding().await;
    let (place, list) = (
        place_of(&alice, &key).await,
        format!("/v1/instances/{key}/drafts"),
    );
    alice
        .get(&place)
        .await
        .is_problem(404, "not_found", "you have none");

    let typed = json!({"client": {"firstName": 7}, "nonsense": [true]});
    let saved = put(&alice, &place, &json!({"data": typed})).await;
    assert_eq!((saved.status.as_u16(), &*saved.text), (204, ""));
    let draft = alice.get(&place).await.json();
    assert_eq!((&draft["action"], &draft["data"]), (&json!("save"), &typed));
    assert!(draft["savedAt"].is_string(), "{draft}");
    assert_eq!(alice.get(&list).await.json(), json!({"drafts": [draft]}));

    // Other users see neither the draft nor the instance.
    for place in [&place, &list] {
        bob.get(place)
            .await
            .is_problem(404, "not_found", "instance");
    }
    let operator = User::new(&server, "olga", &["operator"]);
    assert_eq!(operator.get(&list).await.json(), json!({"drafts": []}));

    for _ in 0..2 {
        assert_eq!(delete(&alice, &place).await.status, 204);
    }
    assert_eq!(alice.get(&list).await.json(), json!({"drafts": []}));
    server.stop().await;
}

#[actix_web::test]
async fn a_draft_has_the_rules_of_its_frame() {
    let server = support::server().await;
    let (alice, bob) = (
        User::new(&server, "alice", &[]),
        User::new(&server, "bob", &[]),
    );
    let key = alice.start_onboarding().await;
    let place = place_of(&alice, &key).await;
    let long = json!({"data": {"text": "x".repeat(limits::DRAFT_BYTES)}});
    put(&alice, &place, &long)
        .await
        .is_problem(413, "too_large", "16384");
    for body in [json!({}), json!({"data": [1]}), json!({"data": null})] {
        put(&alice, &place, &body)
            .await
            .is_problem(400, "bad_request", "'data'");
    }
    put(&alice, &place, &json!({"data": {}, "dat": 1}))
        .await
        .is_problem(400, "bad_request", "'dat'");
    let body = json!({"data": {}});
    put(&bob, &place, &body)
        .await
        .is_problem(404, "not_found", "instance");
    let stranger = User::with_token(&server, None);
    put(&stranger, &place, &body)
        .await
        .is_problem(401, "unauthenticated", "token");
    let other_action = place.replace("/save", "/dance");
    put(&alice, &other_action, &body)
        .await
        .is_problem(404, "not_found", "dance");
    let elsewhere = format!("/v1/instances/{key}/drafts/somewhere/save");
    for answer in [
        put(&alice, &elsewhere, &body).await,
        alice.get(&elsewhere).await,
        delete(&alice, &elsewhere).await,
    ] {
        answer.is_problem(404, "not_found", "'somewhere'");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_draft_is_deleted_with_its_task() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let place = place_of(&alice, &key).await;
    let body = json!({"data": details()});
    assert_eq!(put(&alice, &place, &body).await.status, 204);
    assert!(alice.save(&key).await.status.is_success());
    let ended = alice
        .post(&format!("/v1/instances/{key}/terminate"), json!({}))
        .await;
    assert!(ended.status.is_success(), "{ended:?}");
    for answer in [
        alice.get(&place).await,
        delete(&alice, &place).await,
        put(&alice, &place, &body).await,
    ] {
        answer.is_problem(404, "not_found", "but ");
    }
    let list = alice.get(&format!("/v1/instances/{key}/drafts")).await;
    assert_eq!(list.json(), json!({"drafts": []}));
    server.stop().await;
}
