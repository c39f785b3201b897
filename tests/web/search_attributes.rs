//! `GET /v1/instances` filtered by data, by time, by starter and by several statuses.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{User, send};
use crate::support;

/// A process whose orders are found by their client's address and by their number.
fn process() -> Value {
    let pay = json!({"name": "pay", "type": "saveData", "trigger": "manual", "keys": [{"path": "client"}, {"path": "paid"}]});
    json!({
        "id": "order", "searchKeys": ["client.email", "order.number", "paid"],
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "wait", "type": "userTask", "actions": [pay]},
            {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "wait"}, {"id": "f2", "source": "wait", "target": "end"}],
    })
}

fn order(email: &str, number: u32) -> Value {
    json!({"client": {"email": email}, "order": {"number": number}})
}

#[actix_web::test]
async fn instances_are_found_by_declared_paths_of_their_data() {
    let server = support::server().await;
    let (designer, ada) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "ada", &[]),
    );
    let operator = User::new(&server, "olga", &["operator"]);
    designer.publish(process()).await;
    let first = ada.start("order", order("a@b.c", 7)).await;
    let second = ada.start("order", order("a@b.c", 8)).await;
    let third = ada.start("order", order("x&y=z/ä@b.c", 7)).await;
    let found = async |query: &str| {
        operator
            .whole(
                &format!("/v1/instances?limit=1&{query}"),
                "instances",
                "instance",
            )
            .await
    };
    assert_eq!(
        found("data.client.email=a@b.c").await,
        [second.clone(), first.clone()]
    );
    assert_eq!(
        found("data.client.email=a%40b.c&data.order.number=7").await,
        std::slice::from_ref(&first)
    );
    assert_eq!(
        found("data.order.number=7&process=order&status=started").await,
        [third.clone(), first.clone()]
    );
    assert_eq!(
        found("data.client.email=x%26y%3Dz%2F%C3%A4%40b.c").await,
        [third]
    );
    assert_eq!(found("data.client.email=A@b.c").await, [""; 0]);
    assert_eq!(found("data.order.number=7.0").await, [""; 0]);

    ada.post(
        &format!("/v1/instances/{first}/run"),
        json!({"action": "pay", "data": {"client": {"email": "n@b.c"}, "paid": true}}),
    )
    .await;
    assert_eq!(found("data.client.email=a@b.c").await, [second]);
    assert_eq!(
        found("data.paid=true&data.client.email=n@b.c&status=finished").await,
        [first]
    );
    server.stop().await;
}

#[actix_web::test]
async fn invalid_searches_are_refused() {
    let server = support::server().await;
    let operator = User::new(&server, "olga", &["operator"]);
    let nothing_yet = operator.get("/v1/instances?data.client.email=a").await;
    nothing_yet.is_problem(400, "bad_request", "(none)");
    User::new(&server, "dora", &["designer"])
        .publish(process())
        .await;
    let unknown = operator.get("/v1/instances?data.client.name=a").await;
    unknown.is_problem(400, "bad_request", "(client.email, order.number, paid)");
    operator
        .get("/v1/instances?data.=a")
        .await
        .is_problem(400, "bad_request", "client.email");
    let long = format!("/v1/instances?data.client.email={}", "x".repeat(257));
    operator
        .get(&long)
        .await
        .is_problem(400, "bad_request", "256 bytes");
    assert_eq!(operator.get(&long[..long.len() - 1]).await.status, 200);
    let ada = User::new(&server, "ada", &[]);
    ada.get("/v1/instances?data.client.email=a")
        .await
        .is_problem(403, "forbidden", "operator");
    let stranger = User::elsewhere(&server, "zoo", "zoe", &["operator"]);
    stranger
        .get("/v1/instances?data.client.email=a")
        .await
        .is_problem(400, "bad_request", "(none)");
    server.stop().await;
}

#[actix_web::test]
async fn another_tenant_finds_nothing() {
    let server = support::server().await;
    let here = (User::new(&server, "dora", &["admin"]), "here");
    let there = (User::elsewhere(&server, "zoo", "zoe", &["admin"]), "there");
    for (user, name) in [&here, &there] {
        user.publish(process()).await;
        user.start("order", order(name, 7)).await;
    }
    for (user, name) in [&here, &there] {
        assert_eq!(
            user.whole("/v1/instances?data.order.number=7", "instances", "instance")
                .await
                .len(),
            1
        );
        let other = if *name == "here" { "there" } else { "here" };
        let path = format!("/v1/instances?data.client.email={other}");
        assert_eq!(user.whole(&path, "instances", "instance").await, [""; 0]);
    }
    server.stop().await;
}

#[actix_web::test]
async fn lists_are_filtered_by_time_starter_version_and_statuses() {
    let server = support::server().await;
    let (ada, bob) = (
        User::new(&server, "ada", &[]),
        User::new(&server, "bob", &[]),
    );
    let operator = User::new(&server, "olga", &["operator"]);
    let (first, second) = (ada.start_onboarding().await, bob.start_onboarding().await);
    ada.post(&format!("/v1/instances/{first}/terminate"), json!({}))
        .await;
    let found = async |user: &User<'_>, query: &str| {
        user.whole(&format!("/v1/instances?{query}"), "instances", "instance")
            .await
    };
    assert_eq!(
        found(&operator, "startedBy=ada").await,
        std::slice::from_ref(&first)
    );
    assert_eq!(
        found(&operator, "status=terminated&status=started").await,
        [second.clone(), first.clone()]
    );
    assert_eq!(
        found(&operator, "status=terminated").await,
        std::slice::from_ref(&first)
    );
    assert_eq!(
        found(&operator, "version=1&process=onboarding").await.len(),
        2
    );
    assert_eq!(
        found(&operator, "version=2&process=onboarding").await,
        [""; 0]
    );
    let created = operator
        .get(&format!("/v1/instances/{second}"))
        .await
        .json()["createdAt"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        !found(&operator, &format!("createdAfter={created}"))
            .await
            .contains(&second)
    );
    assert!(
        !found(&operator, &format!("createdBefore={created}"))
            .await
            .contains(&second)
    );
    assert_eq!(
        found(
            &operator,
            "createdAfter=2020-01-01T00:00:00Z&createdBefore=2999-01-01T00:00:00%2B01:00"
        )
        .await
        .len(),
        2
    );
    assert_eq!(found(&ada, "startedBy=ada").await, [first]);
    ada.get("/v1/instances?startedBy=bob")
        .await
        .is_problem(403, "forbidden", "operator");
    server.stop().await;
}

#[actix_web::test]
async fn filters_that_cannot_be_read_are_named() {
    let server = support::server().await;
    let operator = User::new(&server, "olga", &["operator"]);
    let cases = [
        ("limit=0", "1 to 100"),
        ("limit=101", "1 to 100"),
        ("limit=-1", "'?'"),
        ("limit=x", "'?'"),
        ("limit=1&limit=2", "limit"),
        ("status=running", "started, onHold"),
        ("status=", "started, onHold"),
        ("version=x", "'?'"),
        ("createdAfter=yesterday", "'createdAfter'"),
        ("createdBefore=1", "'createdBefore'"),
        ("cursor=1_2", "'next'"),
        ("cursor=%FF", "'next'"),
        ("colour=red", "colour"),
        ("Process=x", "Process"),
    ];
    for (query, part) in cases {
        operator
            .get(&format!("/v1/instances?{query}"))
            .await
            .is_problem(400, "bad_request", part);
    }
    for query in [
        "",
        "&",
        "process=%00%FF",
        "node='%20OR%201=1--",
        "businessKey=%25",
    ] {
        assert_eq!(
            operator.get(&format!("/v1/instances?{query}")).await.status,
            200,
            "{query}"
        );
    }
    let head = send(operator.request(Method::HEAD, "/v1/instances?limit=1")).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    server.stop().await;
}
