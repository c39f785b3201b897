//! `/v1/tasks`, `/v1/incidents` and `/v1/timers`.

use reqwest::Method;
use serde_json::{Value, json};
use stepwire::web::http::server::Running;

use super::http::{User, send};
use crate::support;

/// A clerk's task beside a reminder, after a rule that fails if requested.
fn process(id: &str) -> Value {
    let remind = json!({"name": "remind", "type": "websocketSend", "timer": "PT1H", "holdsToken": false,
        "params": {"message": "{\"late\": true}"}});
    let script = "if (input.broken) { throw new Error('broken') }";
    let rule =
        json!({"name": "check", "order": 1, "type": "businessRule", "params": {"script": script}});
    let decide = json!({"name": "decide", "order": 2, "type": "saveData", "trigger": "manual"});
    json!({
        "id": id, "expiry": "P7D",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
            {"id": "check", "name": "Check it", "type": "userTask", "actions": [remind, rule, decide]}],
        "flows": [{"id": "f1", "source": "start", "target": "check"}, {"id": "f2", "source": "check", "target": "end"}],
        "lanes": [{"id": "office", "nodes": ["check"], "execute": ["clerk"]}],
    })
}

/// A server where Ada has started an instance of each process, and so has a user of another tenant.
async fn server() -> (Running, Vec<String>) {
    let server = support::server().await;
    let (dora, ada) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "ada", &[]),
    );
    dora.publish(process("first")).await;
    dora.publish(process("second")).await;
    let keys = vec![
        ada.start("first", json!({})).await,
        ada.start("second", json!({"broken": true})).await,
    ];
    let zoe = User::elsewhere(&server, "zoo", "zoe", &["admin"]);
    zoe.publish(process("first")).await;
    zoe.start("first", json!({"broken": true})).await;
    (server, keys)
}

#[actix_web::test]
async fn an_overview_counts_the_live_instances_of_the_tenant() {
    let (server, _) = server().await;
    let olga = User::new(&server, "olga", &["operator"]);
    let overview = olga.get("/v1/overview").await.json();
    assert_eq!(
        overview,
        json!({"running": 2, "stuck": 1, "incidents": 1, "startedLastHour": 2, "startedLastDay": 2, "processes": [
            {"process": "first", "name": "first", "running": 1, "stuck": 0},
            {"process": "second", "name": "second", "running": 1, "stuck": 1}]})
    );
    User::new(&server, "ada", &[])
        .get("/v1/overview")
        .await
        .is_problem(403, "forbidden", "operator");
    User::with_token(&server, None)
        .get("/v1/overview")
        .await
        .is_problem(401, "unauthenticated", "");
    server.stop().await;
}

#[actix_web::test]
async fn tasks_are_those_the_user_may_work_on() {
    let (server, keys) = server().await;
    let (ada, bob) = (
        User::new(&server, "ada", &[]),
        User::new(&server, "bob", &["clerk"]),
    );
    let found = async |user: &User<'_>, query: &str| {
        user.whole(&format!("/v1/tasks?limit=1&{query}"), "tasks", "instance")
            .await
    };
    let both = [keys[1].clone(), keys[0].clone()];
    assert_eq!(
        (found(&ada, "").await, found(&bob, "").await),
        (vec![], both.to_vec())
    );
    let task = bob.get("/v1/tasks?process=first").await.json()["tasks"][0].clone();
    assert_eq!(
        (&task["node"], &task["name"], &task["candidates"]),
        (&json!("check"), &json!("Check it"), &json!(["clerk"]))
    );
    let claim = bob
        .post(
            &format!("/v1/instances/{}/claim", keys[0]),
            json!({"element": task["element"]}),
        )
        .await;
    assert_eq!(claim.status, 200, "{claim:?}");
    assert_eq!(found(&bob, "assignee=me").await, [keys[0].clone()]);
    assert_eq!(found(&bob, "assignee=bob").await, [keys[0].clone()]);
    assert_eq!(found(&bob, "assignee=none").await, [keys[1].clone()]);
    assert_eq!(
        found(&bob, &format!("instance={}", keys[1])).await,
        [keys[1].clone()]
    );
    let ben = User::new(&server, "ben", &["clerk"]);
    assert_eq!(found(&ben, "").await, [keys[1].clone()]);
    assert_eq!(found(&ben, "assignee=bob").await, [""; 0]);

    let olga = User::new(&server, "olga", &["operator"]);
    assert_eq!(found(&olga, "").await, [""; 0]);
    assert_eq!(found(&olga, "all=true").await, both);
    assert_eq!(
        found(&olga, "all=true&assignee=bob").await,
        [keys[0].clone()]
    );
    bob.get("/v1/tasks?all=true")
        .await
        .is_problem(403, "forbidden", "operator");
    server.stop().await;
}

#[actix_web::test]
async fn incidents_are_for_operators_of_their_tenant() {
    let (server, keys) = server().await;
    let olga = User::new(&server, "olga", &["operator"]);
    let found = async |query: &str| {
        olga.whole(
            &format!("/v1/incidents?limit=1&{query}"),
            "incidents",
            "instance",
        )
        .await
    };
    assert_eq!(found("").await, [keys[1].clone()]);
    assert_eq!(
        (
            found("process=second").await.len(),
            found("process=first").await.len()
        ),
        (1, 0)
    );
    assert_eq!(found(&format!("instance={}", keys[0])).await, [""; 0]);
    let incident = olga.get("/v1/incidents").await.json()["incidents"][0].clone();
    assert_eq!(
        (&incident["node"], &incident["code"], &incident["process"]),
        (&json!("check"), &json!("rule_error"), &json!("second"))
    );
    let skip = olga
        .post(
            &format!("/v1/instances/{}/skip", keys[1]),
            json!({"element": incident["element"]}),
        )
        .await;
    assert_eq!(
        (skip.status.as_u16(), found("").await.len()),
        (200, 0),
        "{skip:?}"
    );
    User::new(&server, "ada", &["clerk"])
        .get("/v1/incidents")
        .await
        .is_problem(403, "forbidden", "operator");
    server.stop().await;
}

#[actix_web::test]
async fn timers_are_listed_by_due_time() {
    let (server, keys) = server().await;
    let olga = User::new(&server, "olga", &["operator"]);
    let timers = olga.get("/v1/timers").await.json()["timers"]
        .as_array()
        .cloned()
        .unwrap();
    let reported: Vec<(&str, &str)> = timers
        .iter()
        .map(|timer| {
            (
                timer["kind"].as_str().unwrap(),
                timer["instance"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        reported,
        [
            ("action", &*keys[0]),
            ("action", &*keys[1]),
            ("expiry", &*keys[0]),
            ("expiry", &*keys[1])
        ]
    );
    assert_eq!(
        (&timers[0]["action"], &timers[0]["occurrence"]),
        (&json!("remind"), &json!(1))
    );
    assert_eq!(
        (&timers[2]["action"], &timers[2]["element"]),
        (&json!(null), &json!(null))
    );
    assert!(timers[0]["dueAt"].as_str() < timers[2]["dueAt"].as_str());
    let in_parts = olga.whole("/v1/timers?limit=1", "timers", "kind").await;
    assert_eq!(in_parts, ["action", "action", "expiry", "expiry"]);
    assert_eq!(
        olga.whole("/v1/timers?process=first", "timers", "kind")
            .await,
        ["action", "expiry"]
    );
    assert_eq!(
        olga.whole(
            &format!("/v1/timers?instance={}", keys[1]),
            "timers",
            "kind"
        )
        .await,
        ["action", "expiry"]
    );
    User::new(&server, "ada", &[])
        .get("/v1/timers")
        .await
        .is_problem(403, "forbidden", "operator");
    server.stop().await;
}

#[actix_web::test]
async fn invalid_queries_are_refused() {
    let server = support::server().await;
    let olga = User::new(&server, "olga", &["operator"]);
    let tree = User::with_token(&server, None)
        .post(
            "/v1/instances",
            json!({"process": "onboarding", "nonce": "n"}),
        )
        .await;
    let tree = User::with_token(&server, tree.json()["token"].as_str().map(str::to_owned));
    for path in ["/v1/tasks", "/v1/incidents", "/v1/timers"] {
        for (query, part) in [
            ("limit=0", "1 to 100"),
            ("limit=1000", "1 to 100"),
            ("cursor=x", "'next'"),
            ("cursor=1_2_3_4_5", "'next'"),
            ("instance=x", "'instance'"),
            ("colour=red", "colour"),
        ] {
            olga.get(&format!("{path}?{query}"))
                .await
                .is_problem(400, "bad_request", part);
        }
        let post = send(olga.request(Method::POST, path)).await;
        assert_eq!(
            post.is_problem(405, "bad_request", "GET, HEAD")
                .header("allow"),
            "GET, HEAD"
        );
        assert_eq!(send(olga.request(Method::HEAD, path)).await.status, 200);
        User::with_token(&server, None)
            .get(path)
            .await
            .is_problem(401, "unauthenticated", "token");
        tree.get(path)
            .await
            .is_problem(403, "forbidden", "one instance");
    }
    olga.get("/v1/tasks?all=maybe")
        .await
        .is_problem(400, "bad_request", "'?'");
    server.stop().await;
}
