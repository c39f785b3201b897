//! Interrupted connections, and a server that restarts: nothing is done twice, and a waiting client
//! continues to wait.

use std::{
    fs,
    io::{BufRead, BufReader},
};

use super::{
    proxy,
    server::{ended, json, served, spawn},
};

/// The bytes of the server: the upgrade, the welcome, and then the frames of the start.
#[tokio::test]
async fn a_start_whose_reply_is_lost_is_applied_once() {
    let installation = served();
    let (token, _) = installation
        .run(&["token", "--sub", "ada", "--role", "operator"], "")
        .ends(0);
    for waiting in [&[][..], &["--wait", "--until", "waiting"]] {
        let before = count(&installation);
        let address = format!(
            "http://127.0.0.1:{}",
            proxy::cutting(installation.port, 3).await
        );
        let mut arguments = vec![
            "start",
            "decision",
            "--json",
            "--server",
            &address,
            "--token",
            token.trim(),
        ];
        arguments.extend(waiting);
        let child = spawn(&installation, &arguments);
        let (printed, errors) = tokio::task::spawn_blocking(move || {
            ended(child, if waiting.is_empty() { 0 } else { 6 })
        })
        .await
        .expect("it ends");
        assert!(printed.contains(r#""status":"started""#), "{printed}");
        assert!(
            waiting.is_empty() || errors.contains("the connection is lost"),
            "{errors}"
        );
        assert_eq!(count(&installation), before + 1);
    }
}

fn count(installation: &crate::users::program::Installation) -> usize {
    installation
        .run(&["list", "--process", "decision", "-q"], "")
        .ends(0)
        .0
        .lines()
        .count()
}

#[test]
fn a_waiting_command_survives_a_restart_of_the_server() {
    let mut installation = served();
    let mut child = spawn(&installation, &["start", "decision", "--wait", "--json"]);
    let mut lines = BufReader::new(child.stderr.take().expect("its errors are piped")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("Decide (decide)"))));
    installation.kill();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("the connection is lost"))));
    installation.start();
    assert!(lines.any(|line| {
        line.is_ok_and(|line| line.contains("connected again: decision started at Decide"))
    }));
    let key = json(&installation, &["list", "--process", "decision"], 0)["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    installation.run(&["approve", &key, "--reject"], "").ends(0);
    let (printed, _) = ended(child, 5);
    assert!(
        printed.contains(&key) && printed.contains(r#""exit":"rejected""#),
        "{printed}"
    );
}

#[test]
fn a_waiting_command_uses_a_renewed_token() {
    let installation = served();
    let token = |ttl: &str| {
        installation
            .run(&["token", "--sub", "ada", "--ttl", ttl], "")
            .ends(0)
            .0
    };
    let path = installation.data().join("token");
    fs::write(&path, token("PT2S")).unwrap();
    let arguments = [
        "start",
        "decision",
        "--wait",
        "--token-file",
        path.to_str().unwrap(),
    ];
    let mut child = spawn(&installation, &arguments);
    let mut lines = BufReader::new(child.stderr.take().expect("its errors are piped")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("Decide (decide)"))));
    fs::write(&path, token("PT1H")).unwrap();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("connected again"))));
    let key = json(&installation, &["list", "--process", "decision"], 0)["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    installation.run(&["approve", &key], "").ends(0);
    assert_eq!(ended(child, 0).0, format!("{key}  finished\n"));
}
