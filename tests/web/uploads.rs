//! `/v1/instances/{key}/upload`: what is accepted, what is refused, and that a refused upload
//! leaves nothing behind.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    documents::{bring, is_file_problem, server, start, stored, text_file, upload},
    http::{User, send},
};
use crate::support;

#[actix_web::test]
async fn refused_files_leave_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    let html = Part::bytes(b"x".to_vec())
        .file_name("a.png")
        .mime_str("image/png")
        .unwrap();
    is_file_problem(
        &bring(&alice, &key, html).await,
        "text/* or application/pdf",
    );
    is_file_problem(
        &bring(&alice, &key, Part::bytes(b"x".to_vec()).file_name("a.txt")).await,
        "application/octet-stream",
    );
    is_file_problem(&bring(&alice, &key, text_file("")).await, "empty");
    // Detected by the bytes, or earlier by the announced length.
    for size in [200_001, 400_000, 5_000_000] {
        bring(&alice, &key, text_file(vec![b'x'; size]))
            .await
            .is_problem(413, "too_large", "200000 bytes");
    }
    assert!(stored(&data).is_empty());
    let seq = alice.get(&format!("/v1/instances/{key}")).await.json()["seq"].clone();
    assert_eq!(bring(&alice, &key, text_file("fits")).await.status, 200);
    assert!(alice.get(&format!("/v1/instances/{key}")).await.json()["seq"].as_u64() > seq.as_u64());
    server.stop().await;
}

#[actix_web::test]
async fn other_upload_formats_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    let form = |form: Form| send(upload(&alice, &key, form));
    form(Form::new())
        .await
        .is_problem(400, "bad_request", "incomplete");
    is_file_problem(&form(Form::new().text("data", "{}")).await, "no such field");
    let two = Form::new()
        .part("file", text_file("a"))
        .part("file", text_file("b"));
    form(two)
        .await
        .is_problem(400, "bad_request", "'file' is there twice");
    form(Form::new().text("data", "{}").text("data", "{}"))
        .await
        .is_problem(400, "bad_request", "'data' is there twice");
    form(Form::new().text("other", "x"))
        .await
        .is_problem(400, "bad_request", "another field");
    for broken in [
        "",
        "[1]",
        "{",
        r#"{},"action":"save""#,
        r#"{"note":"\ud800"}"#,
    ] {
        let form = form(
            Form::new()
                .part("file", text_file("a"))
                .text("data", broken),
        );
        form.await.is_problem(400, "bad_request", "'data'");
    }
    let huge = Form::new().text("data", format!("\"{}\"", "x".repeat(1 << 20)));
    form(huge).await.is_problem(413, "too_large", "'data'");
    let address = format!("/v1/instances/{key}/upload?action=bring");
    alice
        .post(&address, json!({}))
        .await
        .is_problem(415, "bad_request", "multipart/form-data");
    let unfinished = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: \
        text/plain\r\n\r\nhalf";
    let request = alice
        .request(Method::POST, &address)
        .header("content-type", "multipart/form-data; boundary=b");
    send(request.body(unfinished))
        .await
        .is_problem(400, "bad_request", "form");
    assert!(stored(&data).is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn an_upload_without_permission_is_refused_before_its_bytes() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    let ask = async |user: &User<'_>, query: &str| {
        let address = format!("/v1/instances/{key}/upload{query}");
        // More than would be read: the answer must not depend on it.
        let form = Form::new().part("file", text_file(vec![b'x'; 3_000_000]));
        send(user.request(Method::POST, &address).multipart(form)).await
    };
    ask(&alice, "?action=dance")
        .await
        .is_problem(409, "action_not_available", "dance");
    ask(&alice, "?action=check")
        .await
        .is_problem(409, "action_not_available", "check");
    ask(&alice, "?action=save")
        .await
        .is_problem(400, "bad_request", "uploadFile");
    ask(&alice, "?action=bring&ifSeq=1")
        .await
        .is_problem(409, "conflict", "ifSeq");
    ask(&alice, "?action=bring&element=x")
        .await
        .is_problem(400, "bad_request", "'element'");
    ask(&alice, "?action=bring&odd=1")
        .await
        .is_problem(400, "bad_request", "'?'");
    ask(&alice, "")
        .await
        .is_problem(400, "bad_request", "'action'");
    ask(&User::new(&server, "mallory", &[]), "?action=bring")
        .await
        .is_problem(404, "not_found", "instance");
    ask(&User::with_token(&server, None), "?action=bring")
        .await
        .is_problem(401, "unauthenticated", "token");
    let run = alice
        .post(
            &format!("/v1/instances/{key}/run"),
            json!({"action": "bring"}),
        )
        .await;
    is_file_problem(&run, "/upload");
    assert_eq!(
        alice
            .post(
                &format!("/v1/instances/{key}/run"),
                json!({"action": "save"})
            )
            .await
            .status,
        200
    );
    ask(&alice, "?action=bring")
        .await
        .is_problem(409, "action_not_available", "");
    assert!(stored(&data).is_empty());
    server.stop().await;
}

#[actix_web::test]
async fn a_repeated_upload_returns_the_first_file() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    let id = Uuid::now_v7().to_string();
    let bring = async |file: Part| {
        let form = Form::new().part("file", file);
        send(upload(&alice, &key, form).header("Idempotency-Key", &id)).await
    };
    let first = bring(text_file("once")).await.json();
    let second = bring(text_file("once")).await.json();
    assert_eq!(
        (&second["file"], &second["seq"], &second["duplicate"]),
        (&first["file"], &first["seq"], &json!(true))
    );
    bring(text_file("other"))
        .await
        .is_problem(422, "id_reused", "id");
    assert_eq!(stored(&data).len(), 1);
    // Also when the action could not run any more.
    alice
        .post(
            &format!("/v1/instances/{key}/run"),
            json!({"action": "save"}),
        )
        .await;
    assert_eq!(bring(text_file("once")).await.json()["file"], first["file"]);
    assert_eq!(stored(&data).len(), 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_disconnected_upload_leaves_no_file() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    let address = server.addresses()[0];
    let token = support::token("alice", &[]);
    let sent = actix_web::web::block(move || {
        let mut socket = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /v1/instances/{key}/upload?action=bring HTTP/1.1\r\nHost: \
            {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; \
            boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\nContent-Disposition: form-data; \
            name=\"file\"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&[b'x'; 50_000]).unwrap();
        socket
    });
    let mut socket = sent.await.unwrap();
    while stored(&data).len() < 2 {
        actix_web::rt::task::yield_now().await;
    }
    socket.shutdown(Shutdown::Both).unwrap();
    let _ = socket.read(&mut [0; 1]);
    drop(socket);
    while !stored(&data).is_empty() {
        actix_web::rt::task::yield_now().await;
    }
    server.stop().await;
}

#[actix_web::test]
async fn an_upload_to_a_failing_disk_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    let before = alice.get(&format!("/v1/instances/{key}")).await.text;
    let partition = data.path().join("files").join(&key[key.len() - 2..]);
    fs::write(&partition, "in the way").unwrap();
    bring(&alice, &key, text_file("a"))
        .await
        .is_problem(500, "internal", "disk");
    assert!(matches!(&stored(&data)[..], [path] if *path == partition));
    assert_eq!(
        alice.get(&format!("/v1/instances/{key}")).await.text,
        before
    );
    fs::remove_file(&partition).unwrap();
    let brought = bring(&alice, &key, text_file("a")).await.json();
    // A missing file is reported, and not answered with an empty body.
    fs::remove_dir_all(&partition).unwrap();
    let id = brought["file"]["id"].as_str().unwrap();
    alice
        .get(&format!("/v1/instances/{key}/files/{id}"))
        .await
        .is_problem(409, "conflict", "stepwire doctor");
    let ready = alice.get("/readyz").await;
    assert!(ready.text.contains("damaged: 1 file;"), "{ready:?}");
    server.stop().await;
}
