//! `stepwire user` as people use it: on an unused directory, on that of a running server, and with
//! invalid input.

pub mod program;

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::wire::Client;
use program::{Site, login};

#[tokio::test]
async fn users_added_before_the_start_sign_in_and_changes_take_effect_at_once() {
    let mut site = Site::new();
    site.user(
        &["add", "ada", "--role", "admin", "--role", "clerk"],
        "right\n",
    )
    .succeeds("user 'ada' added");
    site.start();
    assert!(login(&site, "ada", "right").await.is_ok());
    site.user(&["add", "bob"], "secret")
        .succeeds("user 'bob' added");
    let bob = login(&site, "bob", "secret").await.expect("at once");

    let mut client = Client::open_at(site.port).await;
    client.send(json!({"type": "hello", "token": bob})).await;
    client.expect("welcome").await;
    site.user(&["role", "bob", "--role", "operator"], "")
        .succeeds("operator");
    site.user(&["passwd", "bob"], "other\n")
        .succeeds("new password");
    assert_eq!(client.closed().await, 4408);
    assert_eq!(login(&site, "bob", "secret").await, Err(401));
    assert!(login(&site, "bob", "other").await.is_ok());
    site.user(&["remove", "bob"], "").succeeds("removed");
    assert_eq!(login(&site, "bob", "other").await, Err(401));

    site.stop();
    assert!(
        !site.data().join("stepwire.sock").exists(),
        "removed at stop"
    );
    let list = site.user(&["list", "--json"], "").succeeds("");
    let users: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(
        (&users[0]["name"], &users[0]["roles"]),
        (&json!("ada"), &json!(["admin", "clerk"]))
    );
    assert_eq!(users.as_array().map(Vec::len), Some(1), "{users}");
    site.user(&["list"], "").succeeds("ada");
}

#[tokio::test]
async fn a_killed_server_and_its_socket_are_no_obstacle() {
    let mut site = Site::new();
    site.start();
    let socket = site.data().join("stepwire.sock");
    assert_eq!(
        fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o600
    );
    site.kill();
    assert!(socket.exists(), "left behind");
    site.user(&["add", "ada"], "right\n").succeeds("added");
    site.start();
    assert!(login(&site, "ada", "right").await.is_ok());
    site.user(&["revoke", "ada"], "").succeeds("no longer good");
}

#[tokio::test]
async fn who_talks_nonsense_to_the_socket_holds_nobody_up() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
    };
    let mut site = Site::new();
    site.start();
    for line in [
        &b"{}\n"[..],
        b"nonsense\n",
        b"\n",
        b"\xff\xfe\n",
        &[b'x'; 300_000],
    ] {
        let mut stream = UnixStream::connect(site.data().join("stepwire.sock"))
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
        UnixStream::connect(site.data().join("stepwire.sock"))
            .await
            .unwrap(),
    );
    site.user(&["add", "ada"], "right\n").succeeds("added");
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    let site = Site::new();
    site.user(&["list"], "").succeeds("NAME");
    site.user(&["add", "ada"], "").refused("there is none");
    site.user(&["add", "ada"], "\n").refused("there is none");
    site.user(&["add", "ada"], &"x".repeat(1025))
        .refused("at most 1024 bytes");
    site.user(&["add", "", "--role", "x"], "right")
        .refused("a name of 1 to 256 bytes");
    site.user(&["add", "ada", "--role", "a b"], "right")
        .refused("roles");
    site.user(&["add", "ada"], "right").succeeds("added");
    site.user(&["add", "ada"], "other")
        .refused("there is a user 'ada'");
    site.user(&["add", "ada", "--tenant", "acme"], "right")
        .succeeds("added");
    for command in [
        &["passwd", "eve"][..],
        &["role", "eve", "--role", "x"],
        &["revoke", "eve"],
        &["remove", "eve"],
    ] {
        site.user(command, "right")
            .refused("there is no user 'eve'");
    }
    site.run(&["user", "add", "bob"], "right")
        .is_wrong_usage("--password-stdin");
    site.run(&["user", "add", "--password-stdin"], "right")
        .is_wrong_usage("NAME");
    site.run(&["user", "role", "ada"], "")
        .is_wrong_usage("--role");
    site.run(&["user"], "").is_wrong_usage("Usage");
    site.run(&["user", "list", "--data", "/nowhere/at/all"], "")
        .refused("no");
}
