//! `/v1/definitions/{id}/{version}/statistics`: durations of nodes, from a sample.

use serde_json::{Value, json};

use super::http::User;
use crate::support;

fn process() -> Value {
    let script = "if (input.broken) { throw new Error('broken') }";
    let rule = json!({"name": "check", "type": "businessRule", "params": {"script": script}});
    let go = json!({"name": "go", "type": "saveData", "trigger": "manual"});
    json!({
        "id": "p",
        "nodes": [
            {"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
            {"id": "work", "type": "userTask", "actions": [go]},
            {"id": "rule", "type": "task", "actions": [rule]}],
        "flows": [{"id": "f1", "source": "start", "target": "work"},
            {"id": "f2", "source": "work", "target": "rule"},
            {"id": "f3", "source": "rule", "target": "end"}],
    })
}

#[actix_web::test]
async fn statistics_count_visits_and_the_duration_of_completed_ones() {
    let server = support::server().await;
    let dora = User::new(&server, "dora", &["designer"]);
    dora.publish(process()).await;
    let ada = User::new(&server, "ada", &[]);
    let path = "/v1/definitions/p/1/statistics";
    let olga = User::new(&server, "olga", &["operator"]);
    let none = json!({"instances": 0, "truncated": false, "nodes": []});
    assert_eq!(olga.get(path).await.json(), none);
    for (data, goes) in [
        (json!({}), true),
        (json!({}), false),
        (json!({"broken": true}), true),
    ] {
        let key = ada.start("p", data).await;
        if goes {
            let run = format!("/v1/instances/{key}/run");
            let ran = ada.post(&run, json!({"action": "go"})).await;
            assert_eq!(ran.status, 200, "{ran:?}");
        }
    }
    let reported = olga.get(path).await.json();
    assert_eq!(
        (&reported["instances"], &reported["truncated"]),
        (&json!(3), &json!(false))
    );
    let counts = |node: &str| {
        let nodes = reported["nodes"].as_array().unwrap();
        let found = nodes.iter().find(|one| one["node"] == node).unwrap();
        let ended =
            found["medianMs"].is_u64() && found["p95Ms"].as_u64() >= found["medianMs"].as_u64();
        let number = |name: &str| found[name].as_u64().unwrap();
        (
            number("visits"),
            number("running"),
            number("incidents"),
            ended,
        )
    };
    assert_eq!(counts("start"), (3, 0, 0, true));
    assert_eq!(counts("work"), (3, 1, 0, true));
    assert_eq!(counts("rule"), (2, 1, 1, true));
    assert_eq!(counts("end"), (1, 0, 0, true));
    let newest = olga.get(&format!("{path}?instances=1")).await.json();
    assert_eq!(
        (&newest["instances"], &newest["truncated"]),
        (&json!(1), &json!(true))
    );
    server.stop().await;
}

#[actix_web::test]
async fn statistics_are_for_operators_of_the_tenant() {
    let server = support::server().await;
    let dora = User::new(&server, "dora", &["designer"]);
    dora.publish(process()).await;
    let path = "/v1/definitions/p/1/statistics";
    dora.get(path)
        .await
        .is_problem(403, "forbidden", "operator");
    let olga = User::new(&server, "olga", &["operator"]);
    let bad = olga.get(&format!("{path}?instances=1001")).await;
    bad.is_problem(400, "bad_request", "1000");
    let none = olga.get("/v1/definitions/p/2/statistics").await;
    none.is_problem(404, "not_found", "definition");
    let zoe = User::elsewhere(&server, "zoo", "zoe", &["admin"]);
    zoe.get(path)
        .await
        .is_problem(404, "not_found", "definition");
    server.stop().await;
}
