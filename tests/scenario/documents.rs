//! Files that clients bring and fetch, over REST: `run … file=NAME,BYTES,TYPE` and `download
//! INSTANCE/FILE`.
//!
//! An answer of REST is made into the frame that the websocket would have sent, so both are written
//! and checked alike. Every file holds as many `x` as it has bytes.

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use stepwire::web::http::server::Running;

use super::{names::Names, runner::Player};
use crate::web::http::{Answer, User, send};

/// Whether a command uploads a file, and so is sent over REST.
pub fn is_upload(command: &Value) -> bool {
    command["type"] == "run" && command.get("file").is_some()
}

/// Uploads the file of a command; returns the response as a frame.
pub async fn send_file(server: &Running, player: &Player, command: &Value) -> Value {
    let text = |field: &str| command[field].as_str().unwrap_or_default();
    let [name, bytes, kind] = text("file").split(',').collect::<Vec<_>>()[..] else {
        panic!("expected file=NAME,BYTES,TYPE, but got {}", text("file"));
    };
    let bytes: usize = bytes.parse().expect("a size is a number");
    let file = Part::bytes(vec![b'x'; bytes])
        .file_name(name.to_owned())
        .mime_str(kind)
        .expect("a type of files");
    let mut form = Form::new().part("file", file);
    if let Some(data) = command.get("data") {
        form = form.text("data", data.to_string());
    }
    let named = ["action", "element", "ifSeq"]
        .into_iter()
        .filter_map(|field| Some((field, command.get(field)?)));
    let query: Vec<String> = named
        .map(|(field, value)| format!("{field}={}", value.to_string().trim_matches('"')))
        .collect();
    let path = format!(
        "/v1/instances/{}/upload?{}",
        text("instance"),
        query.join("&")
    );
    let user = User::with_token(server, player.token.clone());
    let request = user
        .request(Method::POST, &path)
        .header("Idempotency-Key", text("id"))
        .multipart(form);
    as_frame(&send(request).await)
}

fn as_frame(answer: &Answer) -> Value {
    let mut body = answer.json();
    if !answer.status.is_success() {
        body["message"] = body["detail"].take();
        body["type"] = json!("error");
        return body;
    }
    let fields = body.as_object_mut().expect("an answer is an object");
    let [seq, duplicate] = ["seq", "duplicate"].map(|field| fields.remove(field));
    json!({"type": "reply", "seq": seq, "duplicate": duplicate, "result": body})
}

/// The response to a request for a file: `200 12 bytes application/pdf`, or `404 not_found`.
pub async fn download(server: &Running, player: &Player, names: &Names, file: &str) -> String {
    let (instance, file) = file.split_once('/').expect("INSTANCE/FILE");
    let path = format!(
        "/v1/instances/{}/files/{}",
        names.known(instance),
        names.file(file)
    );
    let answer = User::with_token(server, player.token.clone())
        .get(&path)
        .await;
    let status = answer.status.as_u16();
    match answer.json()["code"].as_str() {
        Some(code) => format!("{}: {status} {code}", player.name),
        None => format!(
            "{}: {status} {} bytes {}",
            player.name,
            answer.text.len(),
            answer.header("content-type")
        ),
    }
}
