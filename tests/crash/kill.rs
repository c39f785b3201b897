//! The kill loop: a server under load is killed at random moments, again and again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    client::{self, Done},
    follower::{self, Held},
    oracle, rounds,
    server::Installation,
    socket::Socket,
};

const CLIENTS: usize = 6;
const LEDGERS: usize = 3;
const SEED: u64 = 0x57e9_a11e;

/// The next number of a small generator (splitmix64), so that the rounds of a seed can be repeated.
pub fn draw(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Starts the ledgers that clients write to.
pub async fn start_ledgers(port: u16) -> Arc<[String]> {
    let mut socket = Socket::connect(port, "starter", json!([])).await;
    let mut ledgers = Vec::new();
    for _ in 0..LEDGERS {
        let id = Uuid::now_v7().to_string();
        socket
            .send(&json!({"type": "start", "id": id, "process": "ledger"}))
            .await
            .expect("the server runs");
        let reply = socket.wait_for(|frame| frame["id"] == *id).await;
        ledgers.push(
            reply["result"]["instance"]
                .as_str()
                .unwrap_or_else(|| panic!("{reply}"))
                .to_owned(),
        );
    }
    ledgers.into()
}

/// Clients and a follower that work while the test kills or stops the server.
pub struct Load {
    stop: watch::Sender<bool>,
    until: watch::Sender<HashMap<String, u64>>,
    clients: Vec<tokio::task::JoinHandle<Done>>,
    follower: tokio::task::JoinHandle<HashMap<String, Held>>,
}

impl Load {
    /// Starts them.
    pub fn start(port: u16, ledgers: &Arc<[String]>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (until, reached) = watch::channel(HashMap::new());
        let client = |number| {
            client::run(
                port,
                format!("client{number}"),
                ledgers.clone(),
                stopped.clone(),
            )
        };
        let clients = (0..CLIENTS)
            .map(|number| tokio::spawn(client(number)))
            .collect();
        let followed = ledgers.clone();
        let follower = tokio::spawn(async move { follower::run(port, &followed, reached).await });
        Self {
            stop,
            until,
            clients,
            follower,
        }
    }

    /// Waits until the clients have their last replies and the follower their effects. Needs a
    /// running server.
    pub async fn finish(self) -> (Done, HashMap<String, Held>) {
        self.stop.send_replace(true);
        let mut all = Done::default();
        for client in self.clients {
            let done = client.await.expect("a client does not fail");
            all.acknowledged.extend(done.acknowledged);
            all.endings.extend(done.endings);
        }
        self.until.send_replace(oracle::reached(&all.acknowledged));
        (
            all,
            self.follower.await.expect("the follower does not fail"),
        )
    }
}

#[tokio::test]
async fn a_killed_server_keeps_what_it_acknowledged_and_applies_it_once() {
    let installation = Installation::new();
    let mut server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    let load = Load::start(installation.port, &ledgers);
    let mut seed = SEED;
    for _ in 0..rounds(4) {
        // The moment of the kill is the subject of the test, so it is random.
        tokio::time::sleep(Duration::from_millis(30 + draw(&mut seed) % 300)).await;
        server.kill();
        server = installation.start();
    }
    let (done, held) = load.finish().await;
    assert!(
        done.endings.len() >= CLIENTS,
        "the clients were cut off: {:?}",
        done.endings
    );
    oracle::check_pushes(installation.port, &done.acknowledged, &held).await;
    server.kill();
    oracle::check_log(&installation, &done.acknowledged, &ledgers);
}
