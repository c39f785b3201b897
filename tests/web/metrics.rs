//! `GET /metrics`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{documents, http::User};
use crate::support;

const DASHBOARD: &str = include_str!("../../docs/operations/grafana.json");

#[actix_web::test]
async fn operators_of_the_server_read_its_metrics() {
    let server = support::server().await;
    let olga = User::new(&server, "olga", &["operator", "server-operator"]);
    let key = olga.start_onboarding().await;
    olga.post(
        &format!("/v1/instances/{key}/run"),
        json!({"action": "nothing"}),
    )
    .await
    .is_problem(409, "action_not_available", "");
    olga.get("/v1/nothing-here")
        .await
        .is_problem(404, "not_found", "");
    let answer = olga.get("/metrics").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    let value = |line: &str| {
        let found = answer.text.lines().find_map(|reported| {
            reported
                .strip_prefix(line)?
                .strip_prefix(' ')?
                .parse::<f64>()
                .ok()
        });
        found.unwrap_or_else(|| panic!("expected the line {line} in\n{}", answer.text))
    };
    // Other tests of this process count, too.
    for line in [
        "stepwire_commands_total{kind=\"start\",outcome=\"applied\"}",
        "stepwire_commands_total{kind=\"run\",outcome=\"refused\"}",
        "stepwire_http_requests_total{method=\"POST\",route=\"/v1/instances\",status=\"201\"}",
        "stepwire_http_requests_total{method=\"POST\",route=\"/v1/instances/{key}/run\",status=\"409\"}",
        "stepwire_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"}",
        "stepwire_commit_rows_count",
        "stepwire_commit_seconds_bucket{le=\"+Inf\"}",
        "stepwire_live_instances",
        "stepwire_build_info{version=\"0.1.0\"}",
        "stepwire_script_threads",
        "process_start_time_seconds",
    ] {
        assert!(value(line) >= 1.0, "{line}");
    }
    // The store is in memory.
    for line in [
        "stepwire_database_bytes",
        "stepwire_wal_bytes",
        "stepwire_files_bytes",
    ] {
        assert_eq!(value(line), 0.0, "{line}");
    }
    assert!(value("process_resident_memory_bytes") > 1e6);
    for line in [
        "stepwire_outbox",
        "stepwire_timers_due",
        "stepwire_writer_queue",
        "stepwire_subscriptions",
    ] {
        assert!(value(line) >= 0.0, "{line}");
    }
    assert!(
        !answer.text.contains(&key) && !answer.text.contains("nothing-here"),
        "a label that a client chose"
    );
    server.stop().await;
}

#[actix_web::test]
async fn the_stored_data_are_measured() {
    let data = tempfile::tempdir().unwrap();
    let server = documents::server(&data).await;
    let (dora, alice) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "alice", &[]),
    );
    let key = documents::start(&alice).await;
    assert_eq!(
        documents::bring(&alice, &key, documents::text_file("a letter"))
            .await
            .status,
        200
    );
    let rule = json!({"name": "check", "type": "businessRule", "params": {"script": "throw new \
        Error('broken')"}});
    dora.publish(json!({
        "id": "broken",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
            {"id": "task", "type": "userTask", "actions": [rule]}],
        "flows": [{"id": "f1", "source": "start", "target": "task"}, {"id": "f2", "source": "task", "target": "end"}],
    }))
    .await;
    alice.start("broken", json!({})).await;
    let text = User::elsewhere(&server, "acme", "prometheus", &["server-operator"])
        .get("/metrics")
        .await
        .text;
    let value = |name: &str| {
        let found = text.lines().find_map(|line| {
            line.strip_prefix(name)?
                .strip_prefix(' ')?
                .parse::<f64>()
                .ok()
        });
        found.unwrap_or_else(|| panic!("expected {name} in\n{text}"))
    };
    assert_eq!(
        (
            value("stepwire_open_incidents"),
            value("stepwire_files_bytes")
        ),
        (1.0, 8.0)
    );
    assert!(value("stepwire_database_bytes") > 0.0 && value("stepwire_wal_bytes") > 0.0);
    server.stop().await;
}

#[actix_web::test]
async fn operators_of_a_tenant_read_its_metrics() {
    let server = support::server().await;
    let (dora, alice) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "alice", &[]),
    );
    let rule = json!({"name": "check", "type": "businessRule", "params": {"script": "throw 1"}});
    dora.publish(json!({
        "id": "broken",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
            {"id": "task", "type": "userTask", "actions": [rule]}],
        "flows": [{"id": "f1", "source": "start", "target": "task"}, {"id": "f2", "source": "task", "target": "end"}],
    }))
    .await;
    alice.start("broken", json!({})).await;
    let reported = async |user: &User<'_>| {
        let answer = user.get("/metrics").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text
    };
    let own = reported(&User::new(&server, "olga", &["operator"])).await;
    let of_others = reported(&User::elsewhere(&server, "acme", "ann", &["admin"])).await;
    for (text, incidents) in [(&own, 1), (&of_others, 0)] {
        assert!(
            text.contains(&format!("\nstepwire_open_incidents {incidents}\n")),
            "{text}"
        );
        let names: Vec<&str> = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert_eq!(names, ["stepwire_open_incidents", "stepwire_connections"]);
    }
    // Whose tenant is the server's owner's has both.
    let whole = reported(&User::new(&server, "ann", &["admin"])).await;
    assert!(whole.contains("stepwire_http_requests_total"), "{whole}");
    server.stop().await;
}

#[actix_web::test]
async fn metrics_are_for_operators_only() {
    let server = support::server().await;
    User::with_token(&server, None)
        .get("/metrics")
        .await
        .is_problem(401, "unauthenticated", "");
    User::new(&server, "ada", &["designer"])
        .get("/metrics")
        .await
        .is_problem(403, "forbidden", "server-operator");
    server.stop().await;
}

/// The names of metrics in a text, without the ends that histograms add.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let words = text.split(|letter| !is_part(letter));
    let ours = words.filter(|word| word.starts_with("stepwire_") || word.starts_with("process_"));
    let base = |word: &str| word.trim_end_matches("_bucket").to_owned();
    ours.map(base).collect()
}

#[actix_web::test]
async fn the_dashboard_shows_every_metric_and_no_other() {
    let server = support::server().await;
    let olga = User::new(&server, "olga", &["operator", "server-operator"]);
    olga.start_onboarding().await;
    let text = olga.get("/metrics").await.text;
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let reported: BTreeSet<String> = kinds
        .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
        .collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("it is JSON");
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let requested: String = targets
        .map(|target| target["expr"].as_str().unwrap().to_owned() + "\n")
        .collect();
    let shown = names_in(&requested);
    let page = names_in(include_str!("../../docs/metrics.md"));
    // No websocket has closed, no disk is there, in a server with its store in memory.
    let not_told_here = [
        "stepwire_websocket_closes_total",
        "stepwire_disk_free_bytes",
    ];
    let known: BTreeSet<String> = reported
        .iter()
        .cloned()
        .chain(not_told_here.map(str::to_owned))
        .collect();
    let unknown: Vec<_> = shown.difference(&known).collect();
    assert!(unknown.is_empty(), "shown, but not told: {unknown:?}");
    let hidden: Vec<_> = known.difference(&shown).collect();
    assert!(hidden.is_empty(), "told, but not shown: {hidden:?}");
    let missing: Vec<_> = known.difference(&page).collect();
    assert!(
        missing.is_empty(),
        "told, but not in docs/metrics.md: {missing:?}"
    );
    server.stop().await;
}
