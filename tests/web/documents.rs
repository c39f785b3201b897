//! A process with uploads, a server that stores them on disk, and the actions of its users.

use std::{
    fs,
    path::{Path, PathBuf},
};

use reqwest::{
    Method, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use stepwire::{
    config::{Config, StoreKind},
    web::http::server::Running,
};
use tempfile::TempDir;

use super::http::{Answer, User, send};
use crate::support;

/// A user task that takes documents, checks and shows each, until its user saves.
fn process() -> Value {
    let upload = json!({"name": "bring", "type": "uploadFile", "trigger": "manual", "required": "optional", "repeatable": true,
        "autorunChildren": true, "keys": [{"path": "note"}],
        "params": {"destination": "application.document", "maxBytes": 200_000, "types": ["text/*", "application/pdf"]}});
    let check = json!({"name": "check", "parent": "bring", "order": 1, "type": "businessRule", "repeatable": true,
        "params": {"script": "output.put('application.small', input.application.document.size < \
            10)"}});
    let show = json!({"name": "show", "parent": "bring", "order": 2, "type": "websocketSend", "repeatable": true,
        "params": {"message": r#"{"document": "${application.document}", "small": "${application.small}"}"#}});
    let save = json!({"name": "save", "order": 1, "type": "saveData", "trigger": "manual"});
    json!({
        "id": "papers",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
            {"id": "documents", "type": "userTask", "actions": [upload, check, show, save]}],
        "flows": [{"id": "f1", "source": "start", "target": "documents"}, {"id": "f2", "source": "documents", "target": "end"}],
    })
}

fn config(data: &TempDir) -> Config {
    Config {
        store: StoreKind::Sqlite,
        data: data.path().to_owned(),
        ..support::config(&["--no-examples"])
    }
}

/// A server on this directory, with the process.
pub async fn server(data: &TempDir) -> Running {
    let server = support::start(config(data)).await;
    let designer = User::new(&server, "dora", &["designer"]);
    let deployed = designer
        .post("/v1/definitions?publish=true", process())
        .await;
    assert!(deployed.status.is_success(), "{deployed:?}");
    server
}

/// Starts the process; its key.
pub async fn start(user: &User<'_>) -> String {
    let started = user
        .post("/v1/instances", json!({"process": "papers"}))
        .await;
    started.json()["instance"]
        .as_str()
        .unwrap_or_else(|| panic!("{started:?}"))
        .to_owned()
}

/// A file to bring.
pub fn text_file(bytes: impl Into<Vec<u8>>) -> Part {
    Part::bytes(bytes.into())
        .file_name("letter.txt")
        .mime_str("text/plain")
        .unwrap()
}

/// An upload, to be completed and sent.
pub fn upload(user: &User<'_>, key: &str, form: Form) -> RequestBuilder {
    user.request(
        Method::POST,
        &format!("/v1/instances/{key}/upload?action=bring"),
    )
    .multipart(form)
}

/// Brings a file.
pub async fn bring(user: &User<'_>, key: &str, file: Part) -> Answer {
    send(upload(user, key, Form::new().part("file", file))).await
}

/// All files and marks below `files`.
pub fn stored(data: &TempDir) -> Vec<PathBuf> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found)
            } else {
                found.push(path)
            }
        }
    }
    let mut found = Vec::new();
    walk(&data.path().join("files"), &mut found);
    found
}

/// Asserts a refusal over the file, whose sentence names `part`.
#[track_caller]
pub fn is_file_problem(answer: &Answer, part: &str) {
    answer.is_problem(422, "invalid_data", "file");
    let body = answer.json();
    let sentence = body["fields"]["file"]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("{body}"));
    assert!(
        sentence.starts_with("expected ") && sentence.contains(part),
        "{sentence}"
    );
}
