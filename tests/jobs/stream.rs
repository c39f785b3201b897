//! The stream of a job: its content, its receivers, and its end.

use serde_json::json;

use super::{
    clients,
    http::{Connection, ask, bearer, follow, request, start},
};
use crate::wire::{
    Client, Server,
    client::id,
    server::{admin, token, token_with},
};

/// Lets the ten seconds of the job pass.
async fn pass(root: &mut Client) {
    root.done(json!({"type": "clock", "id": id(), "advance": "PT10S"}))
        .await;
}

/// The one event of a job that is done, to the byte.
fn done(job: &str) -> String {
    let name = "Workflow_Wait";
    format!(
        "data: \
        {{\"workflowId\":41,\"jobId\":\"{job}\",\"status\":\"Done\",\"name\":\"{name}\",\"description\":\"{name}\"}}\n\n"
    )
}

#[tokio::test]
async fn the_end_of_a_job_is_one_chunk_and_the_end_of_the_answer() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let job = start(&server, &token("alice")).await;
    let mut connection = Connection::open(&server).await;
    let lines = [
        &bearer(&token("alice")),
        "Accept-Encoding: gzip, deflate, br",
        "User-Agent: any",
    ];
    connection
        .send(&request(&format!("GET /api/v1/sse/41/{job}"), &lines, ""))
        .await;
    // The head arrives at once, long before the job ends.
    let head = connection.head().await;
    assert_eq!(head.status, "HTTP/1.1 200 OK");
    assert_eq!(
        (head.get("content-type"), head.get("cache-control")),
        (Some("text/event-stream"), Some("no-cache"))
    );
    assert_eq!(
        (head.get("content-encoding"), head.get("x-accel-buffering")),
        (None, Some("no"))
    );
    assert_eq!(
        (head.get("transfer-encoding"), head.get("content-length")),
        (Some("chunked"), None)
    );
    pass(&mut root).await;
    let chunks = connection.chunks().await;
    assert_eq!(chunks, [done(&job)]);
    let read = clients::read(&chunks);
    assert_eq!(
        (&read["workflowId"], &read["jobId"], &read["status"]),
        (&json!(41), &json!(job), &json!("Done"))
    );
    // The connection is good for the next request.
    connection
        .send(&request(
            &format!("GET /api/v1/sse/41/{job}"),
            &lines[..1],
            "",
        ))
        .await;
    connection.head().await;
    assert_eq!(connection.chunks().await, chunks);
}

#[tokio::test]
async fn comments_keep_a_waiting_client_connected() {
    // Real time passes here: the first comment is sent after five seconds.
    let server = Server::with_clock();
    let job = start(&server, &token("alice")).await;
    let mut connection = follow(&server, &token("alice"), &job).await;
    assert_eq!(connection.chunk().await.unwrap(), ": keep-alive\n\n");
    pass(&mut Client::hello(&server, &admin()).await).await;
    let chunks = connection.chunks().await;
    assert_eq!(chunks.last(), Some(&done(&job)));
    clients::read(&chunks);
}

#[tokio::test]
async fn several_clients_each_receive_the_end() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let (job, other) = (
        start(&server, &token("alice")).await,
        start(&server, &token("alice")).await,
    );
    let mut connections = Vec::new();
    for user in ["alice", "alice", "alice", "olga"] {
        let roles: &[&str] = if user == "olga" { &["operator"] } else { &[] };
        let token = token_with(user, roles, "default", std::time::Duration::from_secs(3600));
        connections.push((job.clone(), follow(&server, &token, &job).await));
    }
    connections.push((
        other.clone(),
        follow(&server, &token("alice"), &other).await,
    ));
    // One goes away; the others do not notice.
    drop(connections.remove(0));
    pass(&mut root).await;
    for (job, connection) in &mut connections {
        assert_eq!(connection.chunks().await, [done(job)]);
    }
}

#[tokio::test]
async fn an_ended_job_is_reported_at_once() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let job = start(&server, &token("alice")).await;
    pass(&mut root).await;
    root.done(json!({"type": "idle", "id": id()})).await;
    for _ in 0..2 {
        assert_eq!(
            follow(&server, &token("alice"), &job).await.chunks().await,
            [done(&job)]
        );
    }
    // An ancient client does without chunks: the answer ends with the connection.
    let mut connection = Connection::open(&server).await;
    let old = request(
        &format!("GET /api/v1/sse/41/{job}"),
        &[&bearer(&token("alice"))],
        "",
    )
    .replace("HTTP/1.1", "HTTP/1.0");
    connection.send(&old).await;
    assert_eq!(connection.head().await.status, "HTTP/1.0 200 OK");
    assert_eq!(connection.rest().await, done(&job));
}

#[tokio::test]
async fn a_terminated_job_is_reported_as_stopped() {
    let server = Server::with_clock();
    let job = start(&server, &token("alice")).await;
    let mut connection = follow(&server, &token("alice"), &job).await;
    let terminate = request(
        &format!("POST /v1/instances/{job}/terminate"),
        &[&bearer(&token("alice"))],
        "",
    );
    assert_eq!(
        ask(&server, &terminate).await.head.status,
        "HTTP/1.1 200 OK"
    );
    assert_eq!(
        clients::read(&connection.chunks().await)["status"],
        "Stopped"
    );
}

#[tokio::test]
async fn a_held_job_has_not_ended() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let job = start(&server, &token("alice")).await;
    let mut connection = follow(&server, &token("alice"), &job).await;
    let post = async |command| {
        let command = request(
            &format!("POST /v1/instances/{job}/{command}"),
            &[&bearer(&token("alice"))],
            "",
        );
        assert_eq!(ask(&server, &command).await.head.status, "HTTP/1.1 200 OK");
    };
    post("hold").await;
    pass(&mut root).await;
    root.done(json!({"type": "idle", "id": id()})).await;
    post("unhold").await;
    assert_eq!(connection.chunks().await, [done(&job)]);
}

#[tokio::test]
async fn unknown_and_foreign_jobs_and_workflows_are_not_found() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let job = start(&server, &token("alice")).await;
    let other = root.start("onboarding", json!({})).await;
    let check = async |path: &str, user: &str| {
        let answer = ask(
            &server,
            &request(
                &format!("GET /api/v1/sse/{path}"),
                &[&bearer(&token(user))],
                "",
            ),
        )
        .await;
        answer.is_problem(404);
    };
    check("41/66aae8f4-e3ab-4fdc-8db2-a0a7692d8906", "alice").await;
    check("41/no-id", "alice").await;
    check(&format!("4711/{job}"), "alice").await;
    check(&format!("forty-one/{job}"), "alice").await;
    check(&format!("41/{job}"), "bob").await;
    check(&format!("41/{job}/more"), "alice").await;
    let of_another = request(
        &format!("GET /api/v1/sse/41/{other}"),
        &[&bearer(&admin())],
        "",
    );
    ask(&server, &of_another).await.is_problem(404);
    let head = request(
        &format!("HEAD /api/v1/sse/41/{job}"),
        &[&bearer(&token("alice"))],
        "",
    );
    let mut connection = Connection::open(&server).await;
    connection.send(&head).await;
    assert_eq!(
        connection.head().await.status,
        "HTTP/1.1 405 Method Not Allowed"
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let server = Server::with_clock();
    let job = start(&server, &token("alice")).await;
    let brief = token_with("alice", &[], "default", std::time::Duration::from_secs(4));
    assert_eq!(
        follow(&server, &brief, &job).await.chunks().await,
        Vec::<String>::new()
    );
    let again = request(&format!("GET /api/v1/sse/41/{job}"), &[&bearer(&brief)], "");
    ask(&server, &again).await.is_unauthorized();
}

#[tokio::test]
async fn streams_of_one_user_are_bounded() {
    let server = Server::with(&[
        "--store",
        "memory",
        "--test-clock",
        "--max-connections-per-user",
        "2",
    ]);
    let job = start(&server, &token("alice")).await;
    let first = follow(&server, &token("alice"), &job).await;
    let _second = follow(&server, &token("alice"), &job).await;
    let third = request(
        &format!("GET /api/v1/sse/41/{job}"),
        &[&bearer(&token("alice"))],
        "",
    );
    ask(&server, &third).await.is_problem(503);
    drop(first);
    // The place is given back once the server has seen the end of the connection.
    let mut status = String::new();
    for _ in 0..1_000 {
        let mut connection = Connection::open(&server).await;
        connection.send(&third).await;
        status = connection.head().await.status;
        if status == "HTTP/1.1 200 OK" {
            break;
        }
    }
    assert_eq!(status, "HTTP/1.1 200 OK");
}
