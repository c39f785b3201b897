//! Entries of the dashboard and of the history, in every order, also after a crash; logs; workflows
//! enabled and disabled.

use serde_json::{Value, json};

use super::http::{ask, bearer, deploy, get, post, request, start, start_of};
use crate::wire::{
    Client, Server,
    client::id,
    server::{admin, token},
};

const APPROVAL: &str =
    "process Leave\nstart -> ok -> end\nuser ok\n  approve manual save\n  reject manual save";
const EVER: &str = "from=0&to=4102444800000";

async fn refused(server: &Server, user: &str, path: &str, status: u16) {
    ask(
        server,
        &request(&format!("GET /api/v1/{path}"), &[&bearer(&token(user))], ""),
    )
    .await
    .is_problem(status);
}

/// A member of entries, in their order.
fn of(entries: &Value, member: &str) -> Vec<Value> {
    entries
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| entry[member].clone())
        .collect()
}

async fn page(server: &Server, user: &str, rest: &str) -> Value {
    get(
        server,
        &token(user),
        &format!("/api/v1/search-entries-by-page-order-by?{EVER}&{rest}"),
    )
    .await
}

async fn pass(root: &mut Client, time: &str) {
    root.done(json!({"type": "clock", "id": id(), "advance": time}))
        .await;
    root.done(json!({"type": "idle", "id": id()})).await;
}

/// Four jobs of alice: 41 done, 41 running, 50 stopped, 50 held; and one of bob.
async fn stage(server: &Server) -> Vec<String> {
    let mut root = Client::hello(server, &admin()).await;
    root.done(json!({"type": "clock", "id": id(), "set": "2031-03-07T15:04:05Z"}))
        .await;
    deploy(server, 50, APPROVAL).await;
    let alice = token("alice");
    let done = start(server, &alice).await;
    pass(&mut root, "PT10S").await;
    let stopped = start_of(server, &alice, 50).await;
    pass(&mut root, "PT1S").await;
    post(server, &alice, &format!("/api/v1/stop?w=50&i={stopped}")).await;
    pass(&mut root, "PT1S").await;
    let held = start_of(server, &alice, 50).await;
    post(server, &alice, &format!("/api/v1/suspend?w=50&i={held}")).await;
    start_of(server, &token("bob"), 50).await;
    pass(&mut root, "PT1S").await;
    let running = start(server, &alice).await;
    vec![done, stopped, held, running]
}

#[tokio::test]
async fn jobs_are_listed_in_each_order_and_after_a_crash() {
    let mut server = Server::with(&["--test-clock", "--rate-per-second", "0"]);
    let jobs = stage(&server).await;
    let [done, stopped, held, running] = &jobs[..] else {
        panic!("{jobs:?}")
    };
    for _ in 0..2 {
        for (heo, expected) in [
            (0, [done, stopped, held, running]),
            (1, [running, held, stopped, done]),
            (2, [running, done, held, stopped]),
            (3, [stopped, held, done, running]),
            (4, [held, stopped, running, done]),
            (5, [done, running, stopped, held]),
            (6, [running, done, held, stopped]),
            (8, [held, stopped, running, done]),
            (9, [done, running, stopped, held]),
            (10, [held, running, done, stopped]),
            (11, [stopped, done, running, held]),
        ] {
            let whole = page(
                &server,
                "alice",
                &format!("page=1&entriesCount=10&heo={heo}"),
            )
            .await;
            assert_eq!(of(&whole, "Id"), expected.map(|id| json!(id)), "heo={heo}");
            let second = page(
                &server,
                "alice",
                &format!("page=2&entriesCount=3&heo={heo}"),
            )
            .await;
            assert_eq!(of(&second, "Id"), [json!(expected[3])], "heo={heo}");
        }
        let last = page(&server, "alice", "page=1&entriesCount=1&heo=1&s=WAIT").await;
        let expected = json!([{
            "Id": running, "WorkflowId": 41, "Name": "Workflow_Wait", "LaunchType": 1, "Description": "Workflow_Wait",
            "Status": 1, "StatusDate": "07-03-2031 15:04:18",
        }]);
        assert_eq!(last, expected);
        let history = format!(
            "/api/v1/search-history-entries-by-page-order-by?{EVER}&page=1&entriesCount=10&heo=0"
        );
        let history = get(&server, &token("alice"), &history).await;
        assert_eq!(
            (of(&history, "Id"), of(&history, "Status")),
            (vec![json!(done), json!(stopped)], vec![json!(2), json!(6)])
        );
        server.crash_and_restart();
    }
}

#[tokio::test]
async fn entries_are_counted_and_dated() {
    let server = Server::with_clock();
    let before = get(&server, &token("alice"), "/api/v1/entry-status-date-min").await;
    assert!(
        before.as_i64().is_some_and(|now| now > 1_700_000_000_000),
        "{before}"
    );
    let jobs = stage(&server).await;
    let start = 1_930_662_245_000_i64;
    let alice = async |path: &str| get(&server, &token("alice"), &format!("/api/v1/{path}")).await;
    for (path, expected) in [
        (format!("entries-count-by-date?{EVER}"), 4),
        (format!("entries-count-by-date?s=leave&{EVER}"), 2),
        (format!("entries-count-by-date?s=nothing&{EVER}"), 0),
        (
            format!("entries-count-by-date?from={start}.5&to={}", start + 11_000),
            2,
        ),
        (format!("history-entries-count-by-date?{EVER}"), 2),
        ("entry-status-date-min".to_owned(), start + 10_000),
        ("entry-status-date-max".to_owned(), start + 13_000),
        ("history-entry-status-date-min".to_owned(), start + 10_000),
        ("history-entry-status-date-max".to_owned(), start + 11_000),
    ] {
        assert_eq!(alice(&path).await, json!(expected), "{path}");
    }
    assert_eq!(
        get(
            &server,
            &admin(),
            &format!("/api/v1/entries-count-by-date?{EVER}")
        )
        .await,
        5
    );
    // Without a job the one whose status changed last.
    assert_eq!(alice("entry?w=50").await["Id"], json!(jobs[2]));
    assert_eq!(
        alice(&format!("entry?w=50&i={}", jobs[1])).await["Status"],
        6
    );
    for none in [
        "entry?w=4711",
        "entry?w=41&i=no-id",
        "entry?w=41&i=66aae8f4-e3ab-4fdc-8db2-a0a7692d8906",
    ] {
        assert_eq!(alice(none).await, Value::Null, "{none}");
    }
    assert_eq!(
        alice(&format!("entry?w=41&i={}", jobs[1])).await,
        Value::Null
    );
    assert_eq!(
        get(&server, &token("carol"), "/api/v1/entry?w=50").await,
        Value::Null
    );
    assert_eq!(
        get(
            &server,
            &token("carol"),
            &format!("/api/v1/entry?w=50&i={}", jobs[1])
        )
        .await,
        Value::Null
    );
}

#[tokio::test]
async fn an_invalid_list_request_is_refused_in_json() {
    let server = Server::start();
    let search = "search-entries-by-page-order-by";
    for bad in [
        "entry".to_owned(),
        "entry?w=wait".to_owned(),
        "entries-count-by-date".to_owned(),
        "entries-count-by-date?from=0".to_owned(),
        "entries-count-by-date?from=yesterday&to=1".to_owned(),
        "entries-count-by-date?from=NaN&to=1".to_owned(),
        "entries-count-by-date?from=0&to=1&to=2".to_owned(),
        "entry-logs".to_owned(),
        format!("{search}?{EVER}"),
        format!("{search}?{EVER}&page=0&entriesCount=10&heo=0"),
        format!("{search}?{EVER}&page=1&entriesCount=1001&heo=0"),
        format!("{search}?{EVER}&page=1&entriesCount=0&heo=0"),
        format!("{search}?{EVER}&page=1&entriesCount=10&heo=12"),
        format!("{search}?{EVER}&page=1&entriesCount=10&heo=-1"),
    ] {
        refused(&server, "alice", &bad, 400).await;
    }
    assert_eq!(
        page(
            &server,
            "alice",
            &format!("page={}&entriesCount=1000&heo=0", u64::MAX)
        )
        .await,
        json!([])
    );
    for path in [
        search,
        "entries-count-by-date",
        "entry",
        "entry-status-date-min",
        "entry-logs",
        "history-entry-logs",
    ] {
        ask(&server, &request(&format!("GET /api/v1/{path}"), &[], ""))
            .await
            .is_unauthorized();
    }
}

#[tokio::test]
async fn the_log_of_a_job_is_one_text() {
    let server = Server::with_clock();
    let jobs = stage(&server).await;
    let log = get(
        &server,
        &token("alice"),
        &format!("/api/v1/entry-logs?id={}", jobs[1]),
    )
    .await;
    let lines: Vec<&str> = log.as_str().expect("a text").split("\r\n").collect();
    let expected = [
        "07-03-2031 15:04:15 INFO Started by alice: Leave version 1",
        "07-03-2031 15:04:15 INFO Entered 'start'",
        "07-03-2031 15:04:15 INFO Left 'start'",
        "07-03-2031 15:04:15 INFO Entered 'ok'",
        "07-03-2031 15:04:16 INFO Terminated 'ok'",
        "07-03-2031 15:04:16 INFO Ended: terminated",
    ];
    assert_eq!(lines, expected);
    let again = get(
        &server,
        &token("alice"),
        &format!("/api/v1/history-entry-logs?id={}", jobs[1]),
    )
    .await;
    assert_eq!(again, log);
    refused(&server, "bob", &format!("entry-logs?id={}", jobs[1]), 404).await;
    refused(&server, "alice", "entry-logs?id=no-id", 404).await;
}

#[tokio::test]
async fn workflows_are_enabled_and_disabled_by_number() {
    let server = Server::start();
    let switch =
        async |user: &str, path: &str| post(&server, user, &format!("/api/v1/{path}")).await;
    for (path, state) in [
        ("disable/41", 409),
        ("disable/41", 409),
        ("enable/41", 200),
        ("enable/41", 200),
    ] {
        assert_eq!(switch(&admin(), path).await.body, "true");
        let started = post(&server, &token("alice"), "/api/v1/start?w=41").await;
        assert!(
            started
                .head
                .status
                .starts_with(&format!("HTTP/1.1 {state} ")),
            "{path}: {started:?}"
        );
    }
    switch(&token("alice"), "disable/41").await.is_problem(403);
    switch(&admin(), "disable/4711").await.is_problem(404);
    switch(&admin(), "disable/wait").await.is_problem(404);
    ask(&server, &request("POST /api/v1/enable/41", &[], ""))
        .await
        .is_unauthorized();
}

#[tokio::test]
async fn jobs_of_a_workflow_stay_listed_when_it_has_another_number_or_none() {
    let server = Server::start();
    deploy(&server, 50, APPROVAL).await;
    let job = start_of(&server, &token("alice"), 50).await;
    deploy(&server, 51, &APPROVAL.replace("user ok", "user ok due=P1D")).await;
    let entries = page(&server, "alice", "page=1&entriesCount=10&heo=1").await;
    assert_eq!(
        (of(&entries, "Id"), of(&entries, "WorkflowId")),
        (vec![json!(job)], vec![json!(51)])
    );
    let take_back = post(&server, &admin(), "/v1/definitions/Leave/2/deprecate").await;
    assert!(
        take_back.head.status.starts_with("HTTP/1.1 200 "),
        "{take_back:?}"
    );
    let entries = page(&server, "alice", "page=1&entriesCount=10&heo=1").await;
    assert_eq!(of(&entries, "Id"), [json!(job)]);
}
