//! `/v1/instances/{key}/files/{id}`: downloading uploaded files, for those who may see them.

use std::fs;

use reqwest::{
    Method,
    header::HeaderMap,
    multipart::{Form, Part},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    documents::{bring, server, start, stored, text_file, upload},
    http::{User, send},
};

#[actix_web::test]
async fn an_upload_runs_its_action_and_is_downloaded() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    let form = Form::new()
        .part("file", text_file("Dear Ada"))
        .text("data", r#"{"note": "first", "more": 1}"#);
    let brought = send(upload(&alice, &key, form)).await;
    assert_eq!(brought.status, 200, "{brought:?}");
    let body = brought.json();
    let id = body["file"]["id"].as_str().unwrap().to_owned();
    let sha256 = "733f04181cd249cfd815f06ae53225b26c8d7b78f5cb464db6f156d3ffe9aed9";
    let file =
        json!({"id": id, "name": "letter.txt", "size": 8, "type": "text/plain", "sha256": sha256});
    assert_eq!(
        (&body["file"], &body["duplicate"], &body["ignored"]),
        (&file, &json!(false), &json!(["more"]))
    );
    let again = &body["actions"][0];
    assert!(body["seq"].is_u64() && again["name"] == "bring", "{body}");
    assert_eq!(
        (&again["maxBytes"], &again["types"]),
        (&json!(200_000), &json!(["text/*", "application/pdf"]))
    );
    assert!(
        body["actions"][1].get("maxBytes").is_none() && body["actions"][1].get("types").is_none(),
        "{body}"
    );
    let operator = User::new(&server, "olga", &["operator"]);
    let observed = operator.get(&format!("/v1/instances/{key}")).await.json();
    assert_eq!(
        observed["data"],
        json!({"note": "first", "application": {"document": file, "small": true}})
    );
    assert_eq!(observed["view"], json!({"document": file, "small": true}));
    assert_eq!(stored(&data).len(), 1);

    let address = format!("/v1/instances/{key}/files/{id}");
    let got = alice.get(&address).await;
    assert_eq!((got.status.as_u16(), got.text.as_str()), (200, "Dear Ada"));
    let tag = format!("\"{sha256}\"");
    check_headers(&got.headers, &tag);
    let head = send(alice.request(Method::HEAD, &address)).await;
    assert_eq!(
        (
            head.status.as_u16(),
            head.header("content-length"),
            head.text.as_str()
        ),
        (200, "8", "")
    );
    check_headers(&head.headers, &tag);
    let known = send(
        alice
            .request(Method::GET, &address)
            .header("if-none-match", &tag),
    )
    .await;
    assert_eq!(
        (
            known.status.as_u16(),
            known.text.as_str(),
            known.header("etag")
        ),
        (304, "", tag.as_str())
    );
    server.stop().await;
}

#[track_caller]
fn check_headers(headers: &HeaderMap, tag: &str) {
    for (name, value) in [
        ("content-type", "text/plain"),
        (
            "content-disposition",
            "attachment; filename=\"letter.txt\"; filename*=UTF-8''letter.txt",
        ),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private"),
        ("etag", tag),
    ] {
        let found: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        assert_eq!(found, [value], "{name}");
    }
}

#[actix_web::test]
async fn a_large_file_is_stored_completely() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    let bytes: Vec<u8> = (0..200_000_u32)
        .map(|number| b'a' + (number % 23) as u8)
        .collect();
    let brought = bring(&alice, &key, text_file(bytes.clone())).await.json();
    assert_eq!(brought["file"]["size"], 200_000, "{brought}");
    let id = brought["file"]["id"].as_str().unwrap();
    assert!(
        alice
            .get(&format!("/v1/instances/{key}/files/{id}"))
            .await
            .text
            .as_bytes()
            == bytes
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_file_is_readable_with_its_instance_only() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let (alice, mallory) = (
        User::new(&server, "alice", &[]),
        User::new(&server, "mallory", &[]),
    );
    let (key, other) = (start(&alice).await, start(&mallory).await);
    let id = bring(&alice, &key, text_file("secret")).await.json()["file"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let strange = mallory.get(&format!("/v1/instances/{key}")).await;
    for path in [
        format!("{key}/files/{id}"),
        format!("{key}/files/x"),
        format!("{}/files/{id}", Uuid::now_v7()),
    ] {
        let answer = mallory.get(&format!("/v1/instances/{path}")).await;
        assert_eq!(
            answer.is_problem(404, "not_found", "").text,
            strange.text,
            "{path}"
        );
    }
    // Nor through an instance of one's own.
    mallory
        .get(&format!("/v1/instances/{other}/files/{id}"))
        .await
        .is_problem(404, "not_found", "file");
    for path in [
        id.as_str(),
        "..%2F..%2Fjwt-secret",
        "../../../../etc/hostname",
    ] {
        let answer = alice
            .get(&format!("/v1/instances/{other}/files/{path}"))
            .await;
        answer.is_problem(404, "not_found", "");
    }
    User::with_token(&server, None)
        .get(&format!("/v1/instances/{key}/files/{id}"))
        .await
        .is_problem(401, "unauthenticated", "");
    let operator = User::new(&server, "olga", &["operator"]);
    assert_eq!(
        operator
            .get(&format!("/v1/instances/{key}/files/{id}"))
            .await
            .text,
        "secret"
    );
    server.stop().await;
}

#[actix_web::test]
async fn hostile_file_names_are_cleaned() {
    let data = tempfile::tempdir().unwrap();
    let server = server(&data).await;
    let alice = User::new(&server, "alice", &[]);
    let key = start(&alice).await;
    for (sent, name, disposition) in [
        (
            "../../etc/passwd",
            "passwd",
            "attachment; filename=\"passwd\"; filename*=UTF-8''passwd",
        ),
        (
            "größe.txt",
            "größe.txt",
            "attachment; filename=\"gr__e.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt",
        ),
        (
            "a; x=y.txt",
            "a; x=y.txt",
            "attachment; filename=\"a_ x_y.txt\"; filename*=UTF-8''a%3B%20x%3Dy.txt",
        ),
    ] {
        let file = Part::bytes(b"x".to_vec())
            .file_name(sent)
            .mime_str("text/html; charset=utf-8")
            .unwrap();
        let brought = bring(&alice, &key, file).await.json();
        assert_eq!(
            (&brought["file"]["name"], &brought["file"]["type"]),
            (&json!(name), &json!("text/html")),
            "{brought}"
        );
        let id = brought["file"]["id"].as_str().unwrap();
        let got = alice.get(&format!("/v1/instances/{key}/files/{id}")).await;
        assert_eq!(
            (
                got.header("content-disposition"),
                got.header("content-type")
            ),
            (disposition, "text/html")
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_restart_keeps_files_and_deletes_unfinished_uploads() {
    let data = tempfile::tempdir().unwrap();
    let first = server(&data).await;
    let alice = User::new(&first, "alice", &[]);
    let key = start(&alice).await;
    let id = bring(&alice, &key, text_file("kept")).await.json()["file"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    first.stop().await;
    // As a kill leaves them: before the answer to a command, before a command, and before the first
    // byte.
    let kept = stored(&data)[0].clone();
    let incoming = data.path().join("files/incoming");
    fs::write(incoming.join(format!("{key}.{id}")), "").unwrap();
    let (lost, begun) = (Uuid::now_v7(), Uuid::now_v7());
    fs::write(incoming.join(format!("{key}.{lost}")), "").unwrap();
    fs::write(kept.with_file_name(lost.to_string()), "half").unwrap();
    fs::write(incoming.join(format!("{}.{begun}", Uuid::now_v7())), "").unwrap();

    let second = server(&data).await;
    assert_eq!(stored(&data), [kept]);
    let alice = User::new(&second, "alice", &[]);
    assert_eq!(
        alice
            .get(&format!("/v1/instances/{key}/files/{id}"))
            .await
            .text,
        "kept"
    );
    second.stop().await;
}
