//! `/v1/connections`: listing connections, for those who administer a tenant or the server, and
//! closing them.

use reqwest::Method;
use serde_json::{Value, json};
use stepwire::web::http::server::Running;

use super::http::{Answer, User, send};
use crate::{
    support,
    wire::{Client, client::id},
};

async fn connected(server: &Running, hello: Value) -> (Client, String) {
    let mut client = Client::open_at(server.addresses()[0].port()).await;
    client.send(hello).await;
    let welcome = client.next().await;
    let id = welcome["connection"]
        .as_str()
        .expect("a welcome")
        .to_owned();
    (client, id)
}

async fn close(user: &User<'_>, id: &str) -> Answer {
    let path = format!("/v1/connections/{id}");
    send(user.request(Method::DELETE, &path)).await
}

fn listed(answer: &Answer) -> Vec<Value> {
    let list = answer.json()["connections"].as_array().cloned();
    list.unwrap_or_else(|| panic!("{answer:?}"))
}

#[actix_web::test]
async fn operators_list_connections_with_their_state() {
    let server = support::server().await;
    let olga = User::new(&server, "olga", &["operator"]);
    let hello =
        json!({"type": "hello", "token": support::token("ada", &[]), "client": "shop/7 <b>"});
    let (mut ada, first) = connected(&server, hello).await;
    ada.done(json!({"type": "subscribe", "id": id(), "channel": "tasks"}))
        .await;
    let (_stranger, second) = connected(&server, json!({"type": "hello"})).await;
    let reported = listed(&olga.get("/v1/connections").await);
    let ids: Vec<_> = reported
        .iter()
        .map(|one| one["connection"].as_str())
        .collect();
    assert_eq!(ids, [Some(&*second), Some(&*first)], "newest first");
    assert_eq!(
        (&reported[0]["anonymous"], &reported[1]["anonymous"]),
        (&json!(true), &json!(false))
    );
    let of_ada = &reported[1];
    for (name, value) in [
        ("protocol", json!("websocket")),
        ("user", json!("ada")),
        ("tenant", json!("default")),
        ("address", json!("127.0.0.1")),
        ("client", json!("shop/7 <b>")),
        ("subscriptions", json!(1)),
        ("queued", json!(0)),
        ("blockedSince", Value::Null),
    ] {
        assert_eq!(of_ada[name], value, "{name} of {of_ada}");
    }
    assert!(of_ada["sent"].as_u64() >= Some(2) && of_ada["openedAt"].is_string());
    let of_ada_only = listed(&olga.get("/v1/connections?user=ada").await);
    assert_eq!(of_ada_only.len(), 1);
    assert!(listed(&olga.get("/v1/connections?blocked=true").await).is_empty());
    let part = olga.get("/v1/connections?limit=1").await.json();
    let rest = format!("/v1/connections?cursor={}", part["next"].as_str().unwrap());
    let rest = olga.get(&rest).await.json();
    assert_eq!(rest["connections"][0]["connection"], first);
    assert_eq!(rest["next"], Value::Null);
    let bad = olga.get("/v1/connections?cursor=x").await;
    bad.is_problem(400, "bad_request", "cursor");
    server.stop().await;
}

#[actix_web::test]
async fn an_operator_closes_a_connection_that_may_reconnect() {
    let server = support::server().await;
    let olga = User::new(&server, "olga", &["operator"]);
    let hello = json!({"type": "hello", "token": support::token("ada", &[])});
    let (mut ada, id) = connected(&server, hello.clone()).await;
    assert_eq!(close(&olga, &id).await.status, 204);
    assert_eq!(
        (ada.closed().await, &*ada.close_reason),
        (4003, "closed by an operator")
    );
    for id in [&*id, "0197a1b2-0000-7000-8000-000000000007", "none"] {
        close(&olga, id)
            .await
            .is_problem(404, "not_found", "connection");
    }
    connected(&server, hello).await;
    server.stop().await;
}

#[actix_web::test]
async fn a_tenant_sees_its_own_and_the_server_operator_all() {
    let server = support::server().await;
    let hello = json!({"type": "hello", "token": support::token("ada", &[])});
    let (_ada, id) = connected(&server, hello).await;
    let _silent = Client::open_at(server.addresses()[0].port()).await;
    let zoe = User::elsewhere(&server, "zoo", "zoe", &["admin"]);
    assert!(listed(&zoe.get("/v1/connections").await).is_empty());
    close(&zoe, &id)
        .await
        .is_problem(404, "not_found", "connection");
    let sam = User::elsewhere(&server, "zoo", "sam", &["server-operator"]);
    let reported = listed(&sam.get("/v1/connections").await);
    assert_eq!(
        reported.len(),
        2,
        "with the one that has said nothing: {reported:?}"
    );
    assert_eq!(
        (&reported[0]["user"], &reported[1]["user"]),
        (&Value::Null, &json!("ada"))
    );
    for roles in [&[][..], &["designer"], &["clerk"]] {
        let other = User::new(&server, "bob", roles);
        let reported = other.get("/v1/connections").await;
        reported.is_problem(403, "forbidden", "operator");
        close(&other, &id)
            .await
            .is_problem(403, "forbidden", "operator");
    }
    assert_eq!(close(&sam, &id).await.status, 204);
    server.stop().await;
}

#[actix_web::test]
async fn the_list_of_connections_reports_changes() {
    let server = support::server().await;
    let hello = json!({"type": "hello", "token": support::token("olga", &["operator"])});
    let (mut olga, _) = connected(&server, hello).await;
    let follow = json!({"type": "subscribe", "id": id(), "channel": "changes"});
    olga.done(follow.clone()).await;
    let hello = json!({"type": "hello", "token": support::token("ada", &[])});
    let (ada, _) = connected(&server, hello).await;
    let reported = olga.expect("changes").await;
    assert_eq!(reported["topics"], json!(["connections"]));
    olga.done(follow).await;
    drop(ada);
    let reported = olga.expect("changes").await;
    assert_eq!(reported["topics"], json!(["connections"]));
    server.stop().await;
}
