//! `POST /v1/instances/{key}/migrate` and its preview.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{User, send};
use crate::support;

/// A process with one user task, which has these ids of the task and its action.
fn process(task: &str, more: Value) -> Value {
    let mut nodes = vec![
        json!({"id": "start", "type": "startEvent"}),
        json!({"id": task, "name": task, "type": "userTask", "actions": [
            {"name": "go", "order": 1, "type": "saveData", "trigger": "manual"}]}),
        json!({"id": "end", "type": "endEvent"}),
    ];
    nodes.extend(more.as_array().unwrap().iter().cloned());
    json!({
        "id": "order", "nodes": nodes,
        "flows": [{"id": "f1", "source": "start", "target": task}, {"id": "f2", "source": task, "target": "end"}],
    })
}

async fn start(user: &User<'_>) -> String {
    let started = user
        .post("/v1/instances", json!({"process": "order"}))
        .await;
    started.json()["instance"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn an_instance_is_migrated_once_possible() {
    let server = support::server().await;
    let root = User::new(&server, "root", &["admin"]);
    let ada = User::new(&server, "ada", &[]);
    let deploy = "/v1/definitions?publish=true";
    root.post(deploy, process("check", json!([]))).await;
    let (key, other) = (start(&ada).await, start(&ada).await);
    root.post(deploy, process("approve", json!([]))).await;

    let path = format!("/v1/instances/{key}/migrate");
    let preview = format!("{path}/preview");
    let found = root.post(&preview, json!({"version": 2})).await.json();
    assert_eq!(found["possible"], false, "{found}");
    assert_eq!(found["elements"][0]["node"], "check");
    assert_eq!(found["elements"][0]["to"], Value::Null);
    let why = found["problems"][0]["message"].as_str().unwrap();
    assert!(why.contains("'check' is not in the target"), "{why}");
    let refused = root.post(&path, json!({"version": 2})).await;
    refused.is_problem(409, "conflict", "");

    let requested = json!({"version": 2, "mapping": {"check": "approve"}});
    let found = root.post(&preview, requested.clone()).await.json();
    assert_eq!(
        (&found["possible"], &found["problems"]),
        (&json!(true), &json!([]))
    );
    let id = uuid::Uuid::now_v7().to_string();
    let go = || {
        let request = root
            .request(Method::POST, &path)
            .header("Idempotency-Key", &id);
        send(request.json(&requested))
    };
    let (first, second) = (go().await.json(), go().await.json());
    assert_eq!(first["nodes"][0]["node"], "approve", "{first}");
    assert_eq!(
        (&second["seq"], &second["duplicate"]),
        (&first["seq"], &json!(true))
    );

    // Everything shown about it is of the version that it runs now.
    let whole = root.get(&format!("/v1/instances/{key}")).await.json();
    assert_eq!((&whole["version"], &whole["data"]), (&json!(2), &json!({})));
    let tasks = root
        .get(&format!("/v1/tasks?all=true&instance={key}"))
        .await
        .json();
    assert_eq!(tasks["tasks"][0]["node"], "approve", "{tasks}");
    let listed = |version: u32| {
        let path = format!("/v1/instances?process=order&version={version}");
        let root = &root;
        async move {
            root.get(&path).await.json()["instances"]
                .as_array()
                .unwrap()
                .len()
        }
    };
    assert_eq!([listed(1).await, listed(2).await], [1, 1]);
    let history = root
        .get(&format!("/v1/instances/{key}/records"))
        .await
        .json();
    assert!(history.to_string().contains("\"migrated\""), "{history}");
    let audit = root.get("/v1/audit?act=migrate").await.json();
    assert_eq!(audit["entries"].as_array().unwrap().len(), 1, "{audit}");
    assert_eq!(audit["entries"][0]["details"]["version"], 2);
    let overview = root.get("/v1/overview").await.json();
    assert_eq!(overview["processes"][0]["running"], 2, "{overview}");

    let run = format!("/v1/instances/{key}/run");
    let done = ada.post(&run, json!({"action": "go"})).await;
    assert_eq!(done.json()["status"], "finished");
    // The version that it left is not run by it any more.
    root.post(&format!("/v1/instances/{other}/terminate"), json!({}))
        .await;
    let removed = root.request(Method::DELETE, "/v1/definitions/order/1");
    assert_eq!(send(removed).await.status, 204);
    server.stop().await;
}

#[actix_web::test]
async fn a_migration_needs_an_operator_and_a_published_version() {
    let server = support::server().await;
    let root = User::new(&server, "root", &["admin"]);
    let ada = User::new(&server, "ada", &[]);
    root.post("/v1/definitions?publish=true", process("check", json!([])))
        .await;
    let key = start(&ada).await;
    let note = json!([{"id": "late", "type": "boundaryEvent", "attachedTo": "check", "event": {"type": "timer", "when": {"duration": "PT1H"}}},
        {"id": "gone", "type": "endEvent"}]);
    let mut draft = process("check", note);
    draft["flows"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "f3", "source": "late", "target": "gone"}));
    let deployed = root.post("/v1/definitions", draft).await;
    assert!(deployed.status.is_success(), "{}", deployed.text);
    let path = format!("/v1/instances/{key}/migrate");
    let go = |body: Value| root.post(&path, body);
    ada.post(&path, json!({"version": 2}))
        .await
        .is_problem(403, "forbidden", "");
    go(json!({"version": 2}))
        .await
        .is_problem(404, "not_found", "");
    go(json!({"version": 9}))
        .await
        .is_problem(404, "not_found", "");
    go(json!({"version": 1}))
        .await
        .is_problem(409, "conflict", "");
    for nonsense in [
        json!({}),
        json!({"version": "2"}),
        json!({"version": 5_000_000_000_u64}),
        json!({"version": 2, "mapping": {"check": 7}}),
        json!({"version": 2, "mapping": []}),
        json!({"version": 2, "more": true}),
    ] {
        go(nonsense.clone())
            .await
            .is_problem(400, "bad_request", "");
    }
    let published = root
        .post("/v1/definitions/order/2/publish", json!({}))
        .await;
    assert!(published.status.is_success(), "{}", published.text);
    let removed = go(json!({"version": 2, "ifSeq": 1})).await;
    removed.is_problem(409, "conflict", "");
    assert_eq!(go(json!({"version": 2})).await.status, 200);
    let timers = root.get(&format!("/v1/timers?instance={key}")).await.json();
    assert_eq!(timers["timers"][0]["node"], "late", "{timers}");
    root.post(&format!("/v1/instances/{key}/terminate"), json!({}))
        .await;
    go(json!({"version": 1}))
        .await
        .is_problem(409, "action_not_available", "");
    server.stop().await;
}
