//! `/v1/definitions`.

mod checks;
mod deletion;
mod global_tasks;
mod readers;
mod subprocesses;

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{Answer, User, send};
use crate::support;

const GOOD: &str = include_str!("../../examples/workflow-wait.bpmn");

async fn deploy(
    user: &User<'_>,
    path: &str,
    media_type: &str,
    source: impl Into<String>,
) -> Answer {
    send(
        user.request(Method::POST, path)
            .header("content-type", media_type)
            .body(source.into()),
    )
    .await
}

fn small(id: &str) -> Value {
    let flows = [("f1", "start", "ask"), ("f2", "ask", "end")];
    json!({
        "id": id,
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "ask", "type": "userTask"}, {"id": "end", "type": "endEvent"}],
        "flows": flows.map(|(id, source, target)| json!({"id": id, "source": source, "target": target})),
    })
}

#[actix_web::test]
async fn a_version_is_deployed_read_and_published() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let path = "/v1/definitions";
    let draft = deploy(
        &designer,
        path,
        "application/json",
        small("leave").to_string(),
    )
    .await;
    assert_eq!(draft.status, 201, "{draft:?}");
    let body = draft.json();
    assert_eq!(
        (&body["id"], &body["version"], &body["state"]),
        (&json!("leave"), &json!(1), &json!("draft"))
    );
    assert!(
        body["problems"].is_array() && body.get("definitions").is_none(),
        "{body}"
    );
    designer
        .post("/v1/instances", json!({"process": "leave"}))
        .await
        .is_problem(404, "not_found", "publish one");

    let published = designer
        .post("/v1/definitions/leave/1/publish", json!({}))
        .await;
    assert_eq!(
        (
            published.status.as_u16(),
            published.json()["state"].as_str()
        ),
        (200, Some("published"))
    );
    assert_eq!(
        designer
            .post("/v1/instances", json!({"process": "leave"}))
            .await
            .status,
        201
    );

    let again = deploy(
        &designer,
        "/v1/definitions?publish=true",
        "application/json",
        small("leave").to_string(),
    )
    .await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["version"]),
        (200, &json!(1))
    );

    let versions = designer.get("/v1/definitions/leave").await.json();
    assert_eq!(
        (
            &versions["published"],
            versions["versions"].as_array().map(Vec::len)
        ),
        (&json!(1), Some(1))
    );
    let ids: Vec<String> = designer.get(path).await.json()["definitions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(
        ids.contains(&"leave".to_owned()) && ids.contains(&"onboarding".to_owned()),
        "{ids:?}"
    );
    designer.get("/v1/definitions/nowhere").await.is_problem(
        404,
        "not_found",
        "GET /v1/definitions",
    );
    server.stop().await;
}

#[actix_web::test]
async fn running_instances_stay_on_their_version() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let publish = "/v1/definitions?publish=true";
    deploy(
        &designer,
        publish,
        "application/json",
        small("leave").to_string(),
    )
    .await;
    let first = designer
        .post("/v1/instances", json!({"process": "leave"}))
        .await
        .json()["instance"]
        .clone();
    let version = async |key: &Value| {
        designer
            .get(&format!("/v1/instances/{}", key.as_str().unwrap()))
            .await
            .json()["version"]
            .clone()
    };

    let mut changed = small("leave");
    changed["name"] = json!("Leave");
    let second = deploy(&designer, publish, "application/json", changed.to_string())
        .await
        .json();
    assert_eq!(
        (&second["version"], &second["state"]),
        (&json!(2), &json!("published"))
    );
    let versions = designer.get("/v1/definitions/leave").await.json();
    assert_eq!(versions["versions"][0]["state"], "deprecated");
    let next = designer
        .post("/v1/instances", json!({"process": "leave"}))
        .await
        .json()["instance"]
        .clone();
    assert_eq!(
        (version(&first).await, version(&next).await),
        (json!(1), json!(2))
    );

    let deprecate = "/v1/definitions/leave/2/deprecate";
    User::new(&server, "ada", &[])
        .post(deprecate, json!({}))
        .await
        .is_problem(403, "forbidden", "designer");
    assert_eq!(
        designer.post(deprecate, json!({})).await.json()["state"],
        "deprecated"
    );
    assert_eq!(designer.post(deprecate, json!({})).await.status, 200);
    designer
        .post("/v1/instances", json!({"process": "leave"}))
        .await
        .is_problem(404, "not_found", "publish one");
    let run = format!("/v1/instances/{}/run", first.as_str().unwrap());
    assert_eq!(
        designer
            .post(&run, json!({"action": "complete"}))
            .await
            .json()["status"],
        "finished"
    );
    server.stop().await;
}

#[actix_web::test]
async fn an_alias_belongs_to_one_process() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let mut wait = small("wait");
    wait["alias"] = json!(41);
    let refused = deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        wait.to_string(),
    )
    .await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(refused.json()["problems"][0]["code"], "alias_taken");
    wait["alias"] = json!(4711);
    assert_eq!(
        deploy(
            &designer,
            "/v1/definitions?publish=true",
            "application/json",
            wait.to_string()
        )
        .await
        .status,
        201
    );
    // A free alias may be taken by another process, and is then not restored by publishing.
    assert_eq!(
        designer
            .post("/v1/definitions/wait/1/deprecate", json!({}))
            .await
            .status,
        200
    );
    let mut other = small("other");
    other["alias"] = json!(4711);
    assert_eq!(
        deploy(
            &designer,
            "/v1/definitions",
            "application/json",
            other.to_string()
        )
        .await
        .status,
        201
    );
    designer
        .post("/v1/definitions/wait/1/publish", json!({}))
        .await
        .is_problem(409, "conflict", "4711 is that of 'other'");
    server.stop().await;
}

#[actix_web::test]
async fn a_draft_is_started_as_a_test_only() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let start = json!({"process": "leave", "test": true});
    designer
        .post("/v1/instances", start.clone())
        .await
        .is_problem(404, "not_found", "a draft to test");
    deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        small("leave").to_string(),
    )
    .await;
    User::new(&server, "ada", &[])
        .post("/v1/instances", start.clone())
        .await
        .is_problem(403, "forbidden", "role designer");
    let begun = designer.post("/v1/instances", start).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    let observed = designer.get(begun.header("location")).await.json();
    assert_eq!(
        (&observed["version"], &observed["test"]),
        (&json!(1), &json!(true))
    );
    designer
        .post("/v1/definitions/leave/1/deprecate", json!({}))
        .await
        .is_problem(409, "conflict", "is a draft");
    server.stop().await;
}

#[actix_web::test]
async fn bpmn_is_returned_as_deployed() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let changed = format!("{GOOD}<!-- mine -->\n");
    let deployed = deploy(
        &designer,
        "/v1/definitions?publish=true",
        "application/xml; charset=utf-8",
        changed.clone(),
    )
    .await;
    let body = deployed.json();
    assert_eq!(
        (deployed.status.as_u16(), &body["version"]),
        (201, &json!(2)),
        "{body}"
    );
    let path = format!(
        "/v1/definitions/{}/{}",
        body["id"].as_str().unwrap(),
        body["version"]
    );
    let source = send(
        designer
            .request(Method::GET, &path)
            .header("accept", "application/xml"),
    )
    .await;
    assert_eq!(
        (source.header("content-type"), source.text.as_str()),
        ("application/xml", changed.as_str())
    );
    let definition = designer.get(&path).await;
    assert_eq!(definition.json()["id"], body["id"]);

    deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        small("leave").to_string(),
    )
    .await;
    let none = send(
        designer
            .request(Method::GET, "/v1/definitions/leave/1")
            .header("accept", "application/xml"),
    )
    .await;
    none.is_problem(404, "not_found", "deployed as JSON");
    server.stop().await;
}

#[actix_web::test]
async fn invalid_definitions_are_refused() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let path = "/v1/definitions";
    let mut broken = small("leave");
    broken["flows"][1]["target"] = json!("nowhere");
    let refused = deploy(&designer, path, "application/json", broken.to_string()).await;
    refused.is_problem(422, "invalid_data", "without errors");
    let problem = &refused.json()["problems"][0];
    assert!(
        problem["element"].is_string()
            && problem["code"].is_string()
            && problem["severity"] == "error",
        "{problem}"
    );
    let unreadable = deploy(&designer, path, "application/xml", "<definitions").await;
    unreadable.is_problem(422, "invalid_data", "without errors");

    deploy(&designer, path, "text/plain", "x").await.is_problem(
        415,
        "bad_request",
        "application/xml",
    );
    deploy(
        &designer,
        path,
        "application/xml",
        "x".repeat(2 * 1024 * 1024 + 1),
    )
    .await
    .is_problem(413, "too_large", "2097152");
    deploy(
        &designer,
        "/v1/definitions?publish=maybe",
        "application/json",
        "{}",
    )
    .await
    .is_problem(400, "bad_request", "'?'");
    let user = User::new(&server, "ursula", &["clerk"]);
    deploy(&user, path, "application/json", small("leave").to_string())
        .await
        .is_problem(403, "forbidden", "designer");
    user.post("/v1/definitions/onboarding/1/publish", json!({}))
        .await
        .is_problem(403, "forbidden", "designer");
    designer
        .post("/v1/definitions/onboarding/99/publish", json!({}))
        .await
        .is_problem(404, "not_found", "version");
    designer
        .post("/v1/definitions/onboarding/x/publish", json!({}))
        .await
        .is_problem(404, "not_found", "version");
    server.stop().await;
}

#[actix_web::test]
async fn versions_are_listed_in_pages() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    designer.publish(small("a_b")).await;
    let mut second = small("a_b");
    second["name"] = json!("Second");
    designer.publish(second).await;
    let whole = designer.whole("/v1/definitions", "definitions", "id").await;
    assert!(whole.len() > 3 && whole.is_sorted(), "{whole:?}");
    assert_eq!(
        designer
            .whole("/v1/definitions?limit=1", "definitions", "id")
            .await,
        whole
    );
    assert_eq!(whole.iter().filter(|id| *id == "a_b").count(), 2);
    for (query, part) in [
        ("limit=0", "1 to 1000"),
        ("limit=1001", "1 to 1000"),
        ("cursor=x", "'next'"),
        ("colour=red", "colour"),
    ] {
        designer
            .get(&format!("/v1/definitions?{query}"))
            .await
            .is_problem(400, "bad_request", part);
    }
    server.stop().await;
}

#[actix_web::test]
async fn past_times_are_deploy_errors_but_deployed_versions_stay() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    let with = |cycle: Value| {
        let mut definition = small("timed");
        definition["nodes"][0]["schedule"] = json!({"when": cycle});
        definition.to_string()
    };
    for over in [
        json!({"date": "2020-01-01T00:00:00Z"}),
        json!({"cycle": "R2/2020-01-01T00:00:00Z/P1D"}),
    ] {
        let refused = deploy(&designer, "/v1/definitions", "application/json", with(over)).await;
        let problem = refused.json()["problems"][0].clone();
        assert_eq!(
            (
                refused.status.as_u16(),
                &problem["code"],
                &problem["element"]
            ),
            (422, &json!("never_due"), &json!("start"))
        );
    }
    let mut expiring = small("expiring");
    expiring["expiry"] = json!("0 0 0 1 1 ? 2020");
    let refused = deploy(
        &designer,
        "/v1/definitions",
        "application/json",
        expiring.to_string(),
    )
    .await;
    assert_eq!(refused.status, 422, "{refused:?}");
    for comes in [
        json!({"date": "2999-01-01T00:00:00Z"}),
        json!({"cycle": "R/2020-01-01T00:00:00Z/P1D"}),
    ] {
        let deployed = deploy(
            &designer,
            "/v1/definitions",
            "application/json",
            with(comes),
        )
        .await;
        assert_eq!(deployed.status, 201, "{deployed:?}");
    }
    server.stop().await;
}
