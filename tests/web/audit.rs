//! `GET /v1/audit`: who did what, when and from where.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{User, send};
use crate::support;

/// Those of the entries that a user made, the oldest first.
async fn acts(reader: &User<'_>, by: &str) -> Vec<Value> {
    let answer = reader.get(&format!("/v1/audit?by={by}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut entries = answer.json()["entries"].as_array().unwrap().clone();
    entries.reverse();
    entries
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry["act"].as_str().unwrap())
        .collect()
}

#[actix_web::test]
async fn administrative_acts_are_audited_with_user_time_and_address() {
    let server = support::server().await;
    let admin = User::new(&server, "ada", &["admin"]);
    let olga = User::new(&server, "olga", &["operator"]);
    let user = json!({"name": "bob", "password": "a long enough one", "roles": ["clerk"]});
    admin.post("/v1/users", user).await;
    let role = json!({"roles": ["boss"]});
    send(admin.request(Method::PATCH, "/v1/users/bob").json(&role)).await;
    admin.post("/v1/users/bob/revoke", json!({})).await;
    admin
        .post("/v1/definitions/onboarding/disable", json!({}))
        .await;
    admin
        .post("/v1/definitions/onboarding/enable", json!({}))
        .await;
    let key = olga.start_onboarding().await;
    let path = format!("/v1/instances/{key}");
    let data = json!({"data": {"secret": "of a client"}});
    let patch = olga.request(Method::PATCH, &format!("{path}/data"));
    send(patch.json(&data)).await;
    olga.post(&format!("{path}/hold"), json!({})).await;
    olga.post(&format!("{path}/terminate"), json!({})).await;
    let signal = json!({"name": "closing", "data": {"secret": "of a client"}});
    olga.post("/v1/signals", signal).await;
    // A refused one has done nothing.
    olga.post(&format!("{path}/hold"), json!({})).await;

    let of_ada = acts(&admin, "ada").await;
    assert_eq!(
        names(&of_ada),
        [
            "user added",
            "user changed",
            "tokens of a user revoked",
            "process disabled",
            "process enabled"
        ]
    );
    let added = &of_ada[0];
    assert_eq!(
        (
            &added["by"],
            &added["tenant"],
            &added["address"],
            &added["details"]
        ),
        (
            &json!("ada"),
            &json!("default"),
            &json!("127.0.0.1"),
            &json!({"user": "bob", "roles": "clerk"})
        )
    );
    assert!(added["at"].as_str().unwrap().ends_with('Z'));
    let of_olga = acts(&olga, "olga").await;
    assert_eq!(
        names(&of_olga),
        ["patch", "hold", "terminate", "signal published"]
    );
    assert_eq!(
        of_olga[2]["details"],
        json!({"process": "onboarding", "instance": key})
    );
    assert_eq!(of_olga[3]["details"]["name"], "closing");
    assert_eq!(of_olga[3]["address"], "127.0.0.1");
    let all = json!([of_ada, of_olga]).to_string();
    assert!(
        !all.contains("secret") && !all.contains("long enough"),
        "{all}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_tenant_reads_its_own_audit_log_and_server_operators_all() {
    let server = support::server().await;
    let ada = User::new(&server, "ada", &["admin"]);
    let other = User::elsewhere(&server, "acme", "zoe", &["admin"]);
    for (admin, name) in [(&ada, "one"), (&other, "two"), (&ada, "three")] {
        let user = json!({"name": name, "password": "a long enough one", "roles": []});
        admin.post("/v1/users", user).await;
    }
    let all = User::elsewhere(&server, "ops", "root", &["server-operator"]);
    let seen = |user: &Value| user["details"]["user"].as_str().unwrap().to_owned();
    let list = async |user: &User<'_>, path: &str| {
        let answer = user.get(path).await.json();
        let entries: Vec<String> = answer["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(seen)
            .collect();
        (entries, answer["next"].as_str().map(str::to_owned))
    };
    assert_eq!(list(&other, "/v1/audit").await.0, ["two"]);
    assert_eq!(list(&all, "/v1/audit").await.0, ["three", "two", "one"]);
    assert_eq!(list(&all, "/v1/audit?tenant=acme").await.0, ["two"]);
    let (first, next) = list(&all, "/v1/audit?limit=2").await;
    assert_eq!(first, ["three", "two"]);
    let rest = format!("/v1/audit?limit=2&cursor={}", next.unwrap());
    assert_eq!(list(&all, &rest).await, (vec!["one".to_owned()], None));
    let none = "/v1/audit?since=2999-01-01T00:00:00Z";
    assert_eq!(list(&all, none).await.0, Vec::<String>::new());

    let clerk = User::new(&server, "bob", &["clerk"]);
    clerk
        .get("/v1/audit")
        .await
        .is_problem(403, "forbidden", "");
    let foreign = other.get("/v1/audit?tenant=default").await;
    foreign.is_problem(403, "forbidden", "");
    for path in [
        "/v1/audit?since=yesterday",
        "/v1/audit?cursor=x",
        "/v1/audit?limit=0",
    ] {
        all.get(path).await.is_problem(400, "bad_request", "");
    }
    server.stop().await;
}
