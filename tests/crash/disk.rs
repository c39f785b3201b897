//! A disk with little free space: what the program refuses, what continues, and what it reports.
//!
//! The watermarks are as high as the whole disk here, so that every disk is below them. A full
//! disk: `runtime::tests::faults`.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{server::Installation, socket::token};

struct Operator {
    port: u16,
    token: String,
}

impl Operator {
    async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, String) {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = reqwest::Client::new().request(method.clone(), url);
        let request = if method == Method::GET {
            request
        } else {
            request.json(&body)
        };
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        self.ask(Method::GET, path, Value::Null).await
    }

    /// The reason of a refusal for lack of space.
    async fn refused(&self, method: Method, path: &str, body: Value) -> String {
        let (status, text) = self.ask(method, path, body).await;
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
        assert_eq!(
            (&problem["code"], &problem["retryable"]),
            (&json!("busy"), &json!(true))
        );
        problem["reason"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn below_its_watermarks_a_server_reports_it_and_refuses_more() {
    let mut installation = Installation::new();
    let roles = ["admin", "operator", "designer", "server-operator"];
    let operator = Operator {
        port: installation.port,
        token: token("olga", &roles),
    };
    let start = json!({"process": "ledger"});
    let add = json!({"action": "add", "data": {"entry": "1"}});

    // Also at its very first start: it starts without deploying its files.
    installation.add_arguments(["--disk-critical", "100%"]);
    let server = installation.start();
    assert_eq!(operator.get("/healthz").await.0, StatusCode::OK);
    assert!(!operator.get("/v1/definitions").await.1.contains("ledger"));
    assert!(server.terminate().success());

    installation.add_arguments(["--disk-low", "0", "--disk-critical", "0"]);
    let server = installation.start();
    let (status, started) = operator
        .ask(Method::POST, "/v1/instances", start.clone())
        .await;
    assert_eq!(status, StatusCode::CREATED, "{started}");
    let started: Value = serde_json::from_str(&started).unwrap();
    let instance = format!("/v1/instances/{}", started["instance"].as_str().unwrap());
    assert_eq!(
        operator.get("/readyz").await,
        (StatusCode::OK, "ok\n".to_owned())
    );
    assert!(server.terminate().success());

    installation.add_arguments(["--disk-low", "100%", "--disk-critical", "0"]);
    let server = installation.start();
    let refused = operator.refused(Method::POST, "/v1/instances", start.clone());
    assert_eq!(refused.await, "disk_low");
    let (status, text) = operator.get("/readyz").await;
    assert!(
        status.is_success() && text.contains("low watermark"),
        "{text}"
    );
    let (status, text) = operator
        .ask(Method::POST, &format!("{instance}/run"), add.clone())
        .await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(server.terminate().success());

    installation.add_arguments(["--disk-critical", "100%"]);
    let _server = installation.start();
    assert_eq!(
        operator.refused(Method::GET, "/readyz", Value::Null).await,
        "disk_critical"
    );
    assert_eq!(operator.get(&instance).await.0, StatusCode::OK);
    let (status, text) = operator
        .ask(Method::POST, &format!("{instance}/run"), add)
        .await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let data = format!("{instance}/data");
    let patch = operator.refused(Method::PATCH, &data, json!({"data": {}}));
    assert_eq!(patch.await, "disk_critical");
    let process = json!({"id": "p", "nodes": [{"id": "s", "type": "startEvent"}, {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f", "source": "s", "target": "e"}]});
    let deploy = operator.refused(Method::POST, "/v1/definitions", process);
    assert_eq!(deploy.await, "disk_critical");
    // The deploy of its own start was refused, too.
    let metrics = operator.get("/metrics").await.1;
    for line in [
        "stepwire_disk_room 2",
        "stepwire_refused_total{limit=\"disk_critical\"} 3",
        "stepwire_disk_free_bytes ",
    ] {
        assert!(metrics.contains(line), "expected {line} in\n{metrics}");
    }
}
