//! An orderly stop under load: every client is notified, the process exits soon and successfully,
//! and nothing is lost.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    kill::{Load, start_ledgers},
    oracle,
    server::Installation,
    socket::Socket,
};

/// The number of commands on one ledger after which the stop begins, so that the server is under
/// load.
const COMMANDS_BEFORE: usize = 50;

#[tokio::test]
async fn a_stopping_server_says_bye_and_loses_nothing() {
    let installation = Installation::new();
    let server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    let load = Load::start(installation.port, &ledgers);
    let mut watcher = Socket::connect(installation.port, "watcher", json!([])).await;
    watcher
        .send(
            &json!({"type": "subscribe", "id": "1", "channel": format!("instance/{}", ledgers[0])}),
        )
        .await
        .expect("it runs");
    for _ in 0..COMMANDS_BEFORE {
        watcher.wait_for(|frame| frame["type"] == "progress").await;
    }

    let asked = Instant::now();
    let status = tokio::task::spawn_blocking(move || server.terminate())
        .await
        .expect("waiting does not fail");
    assert_eq!(status.code(), Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "the stop took {:?}",
        asked.elapsed()
    );

    let server = installation.start();
    let (done, held) = load.finish().await;
    assert!(!done.endings.is_empty());
    for ending in &done.endings {
        assert!(ending.bye && ending.code == Some(1012), "{ending:?}");
    }
    oracle::check_pushes(installation.port, &done.acknowledged, &held).await;
    server.kill();
    oracle::check_log(&installation, &done.acknowledged, &ledgers);
}
