//! Schedules over REST: what an operator sees of them, and what an operator can do.

use serde_json::{Value, json};
use stepwire::web::http::server::Running;

use super::names::Names;
use crate::web::http::User;

/// Every schedule.
pub async fn list(server: &Running) -> Vec<Value> {
    let answer = User::new(server, "root", &["operator"])
        .get("/v1/schedules")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["schedules"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// Enables, disables or runs the schedule `process/node`.
pub async fn change(server: &Running, which: &str, what: &str) -> Value {
    let mut answer = User::new(server, "root", &["operator"])
        .post(&format!("/v1/schedules/{which}/{what}"), json!({}))
        .await
        .json();
    answer["process"] = which
        .split_once('/')
        .map_or(json!(null), |(process, _)| json!(process));
    answer
}

/// Names the instance that it started.
pub fn learn(names: &mut Names, answer: &Value) {
    for field in ["lastInstance", "instance"] {
        if let Some(key) = answer[field].as_str() {
            names.learn_instance(key, answer["process"].as_str().unwrap_or_default());
        }
    }
}

/// `p/s0 cron 3, last p3, next 2100-01-01T04:00:00.000Z`.
pub fn line(names: &Names, answer: &Value) -> String {
    let text = |field: &str| answer[field].as_str();
    if let Some(code) = text("code") {
        return format!("error {code}");
    }
    if let Some(instance) = text("instance") {
        return format!("started {}", names.name(instance).unwrap_or("?"));
    }
    let which = ["process", "node", "kind"].map(|field| text(field).unwrap_or_default());
    let mut line = format!("{}/{} {} {}", which[0], which[1], which[2], answer["runs"]);
    if answer["enabled"] == false {
        line.push_str(", disabled");
    }
    line.extend(
        text("lastInstance").map(|key| format!(", last {}", names.name(key).unwrap_or("?"))),
    );
    line.extend(text("lastSkipped").map(|time| format!(", skipped {time}")));
    line.extend(text("nextRun").map(|time| format!(", next {time}")));
    line.extend(answer["lastError"]["message"].as_str().map(|_| ", failed"));
    line
}
