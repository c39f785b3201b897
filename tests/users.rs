//! `stepwire user` as people use it: on an unused directory, on that of a running server, and with
//! invalid input.

pub mod program;

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::wire::Client;
use program::{Installation, login};

#[tokio::test]
async fn users_added_before_the_start_sign_in_and_changes_take_effect_at_once() {
    let mut installation = Installation::new();
    installation
        .user(
            &["add", "ada", "--role", "admin", "--role", "clerk"],
            "right\n",
        )
        .succeeds("user 'ada' added");
    installation.start();
    assert!(login(&installation, "ada", "right").await.is_ok());
    installation
        .user(&["add", "bob"], "secret")
        .succeeds("user 'bob' added");
    let bob = login(&installation, "bob", "secret")
        .await
        .expect("at once");

    let mut client = Client::open_at(installation.port).await;
    client.send(json!({"type": "hello", "token": bob})).await;
    client.expect("welcome").await;
    installation
        .user(&["role", "bob", "--role", "operator"], "")
        .succeeds("operator");
    installation
        .user(&["passwd", "bob"], "other\n")
        .succeeds("new password");
    assert_eq!(client.closed().await, 4408);
    assert_eq!(login(&installation, "bob", "secret").await, Err(401));
    assert!(login(&installation, "bob", "other").await.is_ok());
    installation
        .user(&["remove", "bob"], "")
        .succeeds("removed");
    assert_eq!(login(&installation, "bob", "other").await, Err(401));

    installation.stop();
    assert!(
        !installation.data().join("stepwire.sock").exists(),
        "removed at stop"
    );
    let list = installation.user(&["list", "--json"], "").succeeds("");
    let users: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(
        (&users[0]["name"], &users[0]["roles"]),
        (&json!("ada"), &json!(["admin", "clerk"]))
    );
    assert_eq!(users.as_array().map(Vec::len), Some(1), "{users}");
    installation.user(&["list"], "").succeeds("ada");
}

#[tokio::test]
async fn the_socket_of_a_killed_server_is_replaced() {
    let mut installation = Installation::new();
    installation.start();
    let socket = installation.data().join("stepwire.sock");
    assert_eq!(
        fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o600
    );
    installation.kill();
    assert!(socket.exists(), "left behind");
    installation
        .user(&["add", "ada"], "right\n")
        .succeeds("added");
    installation.start();
    assert!(login(&installation, "ada", "right").await.is_ok());
    installation
        .user(&["revoke", "ada"], "")
        .succeeds("no longer good");
}

#[tokio::test]
async fn malformed_requests_to_the_socket_block_no_other() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
    };
    let mut installation = Installation::new();
    installation.start();
    for line in [
        &b"{}\n"[..],
        b"nonsense\n",
        b"\n",
        b"\xff\xfe\n",
        &[b'x'; 300_000],
    ] {
        let mut stream = UnixStream::connect(installation.data().join("stepwire.sock"))
            .await
            .unwrap();
        // It may stop reading before the end of a long one.
        let _ = stream.write_all(line).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(
            answer.is_empty() || answer.starts_with(b"{\"refused\":\"expected "),
            "{answer:?}"
        );
    }
    drop(
        UnixStream::connect(installation.data().join("stepwire.sock"))
            .await
            .unwrap(),
    );
    installation
        .user(&["add", "ada"], "right\n")
        .succeeds("added");
}

#[test]
fn invalid_input_is_refused_with_a_sentence() {
    let installation = Installation::new();
    installation.user(&["list"], "").succeeds("NAME");
    installation
        .user(&["add", "ada"], "")
        .refused("there is none");
    installation
        .user(&["add", "ada"], "\n")
        .refused("there is none");
    installation
        .user(&["add", "ada"], &"x".repeat(1025))
        .refused("at most 1024 bytes");
    installation
        .user(&["add", "", "--role", "x"], "right")
        .refused("a name of 1 to 256 bytes");
    installation
        .user(&["add", "ada", "--role", "a b"], "right")
        .refused("roles");
    installation
        .user(&["add", "ada"], "right")
        .succeeds("added");
    installation
        .user(&["add", "ada"], "other")
        .refused("there is a user 'ada'");
    installation
        .user(&["add", "ada", "--tenant", "acme"], "right")
        .succeeds("added");
    for command in [
        &["passwd", "eve"][..],
        &["role", "eve", "--role", "x"],
        &["revoke", "eve"],
        &["remove", "eve"],
    ] {
        installation
            .user(command, "right")
            .refused("there is no user 'eve'");
    }
    installation
        .run(&["user", "add", "bob"], "right")
        .is_wrong_usage("--password-stdin");
    installation
        .run(&["user", "add", "--password-stdin"], "right")
        .is_wrong_usage("NAME");
    installation
        .run(&["user", "role", "ada"], "")
        .is_wrong_usage("--role");
    installation.run(&["user"], "").is_wrong_usage("Usage");
    installation
        .run(&["user", "list", "--data", "/nowhere/at/all"], "")
        .refused("no");
}
