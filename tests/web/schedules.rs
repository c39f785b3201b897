//! `/v1/schedules`.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::http::{User, send};
use crate::{engine::sketch, support};

/// Deploys and publishes a sketch.
async fn deploy(designer: &User<'_>, text: &str) {
    let definition = serde_json::to_value(sketch::definition(text)).unwrap();
    let answer = designer
        .post("/v1/definitions?publish=true", definition)
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

const BOTH: &str = "process backup\nstart night cycle=\"0 2 * * *\" zone=Europe/Berlin \
    missed=skip overlap=skip\nstart once after=P1D\nnight -> ask -> end\nonce -> ask\nuser ask";

#[actix_web::test]
async fn a_schedule_is_enabled_disabled_and_run() {
    let server = support::server().await;
    let (designer, operator) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
    );
    deploy(&designer, BOTH).await;
    let one = operator.get("/v1/schedules/backup/night").await;
    assert_eq!(one.status, 200, "{one:?}");
    let entry = one.json();
    let expected = json!({
        "process": "backup", "node": "night", "version": 1, "kind": "cron", "expression": "0 2 * \
            * *",
        "timeZone": "Europe/Berlin", "missed": "skip", "overlap": "skip", "enabled": true, "nextRun": entry["nextRun"],
        "lastRun": null, "lastInstance": null, "lastSkipped": null, "runs": 0, "lastError": null
    });
    assert_eq!(entry, expected);
    assert!(
        entry["nextRun"]
            .as_str()
            .is_some_and(|time| time.ends_with(":00:00.000Z")),
        "{entry}"
    );

    let disabled = operator
        .post("/v1/schedules/backup/night/disable", json!({}))
        .await;
    assert_eq!(
        (
            disabled.status.as_u16(),
            &disabled.json()["enabled"],
            &disabled.json()["nextRun"]
        ),
        (200, &json!(false), &Value::Null)
    );
    let id = Uuid::now_v7().to_string();
    let run = async || {
        let request = operator
            .request(Method::POST, "/v1/schedules/backup/night/run")
            .header("Idempotency-Key", &id);
        send(request).await
    };
    let (first, again) = (run().await, run().await);
    assert_eq!(
        (first.status.as_u16(), again.status.as_u16()),
        (201, 201),
        "{first:?}"
    );
    assert_eq!(first.json(), again.json());
    operator
        .post("/v1/schedules/backup/night/run", json!({}))
        .await
        .is_problem(409, "conflict", "live");
    let started = operator
        .get(&format!(
            "/v1/instances/{}",
            first.json()["instance"].as_str().unwrap()
        ))
        .await
        .json();
    assert_eq!(
        (&started["startedBy"], &started["process"]),
        (&json!("schedule:backup"), &json!("backup"))
    );
    let enabled = operator
        .post("/v1/schedules/backup/night/enable", json!({}))
        .await
        .json();
    assert_eq!(
        (&enabled["runs"], &enabled["lastInstance"]),
        (&json!(1), &first.json()["instance"])
    );
    assert_eq!(enabled["nextRun"], entry["nextRun"]);
    designer
        .post("/v1/definitions/backup/disable", json!({}))
        .await;
    assert_eq!(
        operator.get("/v1/schedules/backup/night").await.json()["nextRun"],
        Value::Null
    );
    operator
        .post("/v1/schedules/backup/night/run", json!({}))
        .await
        .is_problem(409, "conflict", "disabled");
    server.stop().await;
}

#[actix_web::test]
async fn the_list_of_schedules_has_pages_filters_and_roles() {
    let server = support::server().await;
    let designer = User::new(&server, "dora", &["designer"]);
    deploy(&designer, BOTH).await;
    deploy(&designer, "process audit\nstart boot startup\nboot -> end").await;
    let names = |answer: Value| -> Vec<String> {
        let entries = answer["schedules"].as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .map(|one| {
                format!(
                    "{}/{}",
                    one["process"].as_str().unwrap(),
                    one["node"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(
        names(designer.get("/v1/schedules").await.json()),
        ["audit/boot", "backup/night", "backup/once"]
    );
    assert_eq!(
        names(designer.get("/v1/schedules?process=backup").await.json()),
        ["backup/night", "backup/once"]
    );
    let part = designer.get("/v1/schedules?limit=2").await.json();
    assert_eq!(part["next"], "backup/night");
    let rest = designer
        .get("/v1/schedules?limit=2&cursor=backup/night")
        .await
        .json();
    assert_eq!(
        (names(rest.clone()), &rest["next"]),
        (vec!["backup/once".to_owned()], &Value::Null)
    );
    assert_eq!(
        names(designer.get("/v1/schedules?process=nowhere").await.json()),
        [""; 0]
    );
    let boot = designer.get("/v1/schedules/audit/boot").await.json();
    assert_eq!(
        (&boot["kind"], &boot["expression"], &boot["timeZone"]),
        (&json!("startup"), &Value::Null, &json!("UTC"))
    );

    designer
        .get("/v1/schedules?cursor=x")
        .await
        .is_problem(400, "bad_request", "cursor");
    designer
        .get("/v1/schedules?limit=many")
        .await
        .is_problem(400, "bad_request", "");
    designer
        .get("/v1/schedules?order=up")
        .await
        .is_problem(400, "bad_request", "order");
    designer
        .get("/v1/schedules/backup/nowhere")
        .await
        .is_problem(404, "not_found", "GET /v1/schedules");
    designer
        .post("/v1/schedules/backup/night/disable", json!({}))
        .await
        .is_problem(403, "forbidden", "operator");
    designer
        .post("/v1/schedules/backup/night/run", json!({}))
        .await
        .is_problem(403, "forbidden", "operator");
    let (alice, stranger) = (
        User::new(&server, "alice", &[]),
        User::with_token(&server, None),
    );
    alice
        .get("/v1/schedules")
        .await
        .is_problem(403, "forbidden", "designer");
    stranger
        .get("/v1/schedules")
        .await
        .is_problem(401, "unauthenticated", "token");
    let operator = User::new(&server, "olga", &["operator"]);
    let bad = operator
        .request(Method::POST, "/v1/schedules/backup/night/run")
        .header("Idempotency-Key", "7");
    send(bad)
        .await
        .is_problem(400, "bad_request", "Idempotency-Key");
    operator
        .post("/v1/schedules/backup/night/stop", json!({}))
        .await
        .is_problem(404, "not_found", "");
    operator
        .get("/v1/schedules/backup/night/run")
        .await
        .is_problem(405, "bad_request", "POST");
    server.stop().await;
}
