//! The server is killed while it packs and drops ended instances: an instance exists with its whole
//! history, or is gone with everything stored for it, and nothing in between.

use std::{process::Command, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stepwire::{
    journal::{Entity, SqliteStore, Store, StoreReader},
    model::ids::InstanceKey,
};
use uuid::Uuid;

use super::{
    kill::draw,
    program, rounds,
    server::{Installation, Server},
    socket::{Socket, token},
};

/// The number of instances that end in each round: more than one turn packs.
const ENDED: usize = 150;
const SEED: u64 = 0x5e6_3e47;

/// An ended instance, with the bytes of its rows.
struct Ended {
    key: InstanceKey,
    rows: Vec<(u64, Vec<u8>)>,
}

/// A server whose clock is moved by an operator.
struct Stage {
    installation: Installation,
    client: reqwest::Client,
    token: String,
}

impl Stage {
    fn new() -> Self {
        let mut installation = Installation::new();
        installation.add_arguments([
            "--test-clock",
            "--archive-after",
            "PT1S",
            "--drop-after",
            "P3D",
            "--user-starts",
            "0",
        ]);
        let roles = ["admin", "operator", "designer", "server-operator"];
        Self {
            installation,
            // A client per server, because a connection does not survive a restart.
            client: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .build()
                .expect("a client"),
            token: token("olga", &roles),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("http://127.0.0.1:{}{path}", self.installation.port);
        let request = self.client.request(method.clone(), url);
        let request = match method {
            Method::GET => request,
            _ => request.json(&body),
        };
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Starts instances that end at once.
    async fn run_some(&self) -> Vec<InstanceKey> {
        let mut keys = Vec::new();
        for n in 0..ENDED {
            let start = json!({"process": "short", "data": {"n": n, "text": "x".repeat(300)}});
            let (status, answer) = self.ask(Method::POST, "/v1/instances", start).await;
            assert_eq!(status, StatusCode::CREATED, "{answer}");
            keys.push(answer["instance"].as_str().unwrap().parse().unwrap());
        }
        keys
    }

    async fn advance(&self, by: &str) {
        let roles = ["server-operator", "operator"];
        let mut socket = Socket::connect_as(self.installation.port, "clock", &roles).await;
        let id = Uuid::now_v7().to_string();
        socket
            .send(&json!({"type": "clock", "id": id, "advance": by}))
            .await
            .expect("the server runs");
        let reply = socket.wait_for(|frame| frame["id"] == *id).await;
        assert_eq!(reply["type"], "reply", "{reply}");
    }

    async fn metric(&self, client: &reqwest::Client, name: &str) -> f64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.installation.port);
        let answer = client.get(url).bearer_auth(&self.token).send().await;
        let text = answer.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("expected {name} in\n{text}"));
        value.trim().parse().unwrap()
    }

    fn start(&self) -> Server {
        self.installation.start()
    }
}

fn rows_of(reader: &dyn StoreReader, key: InstanceKey) -> Vec<(u64, Vec<u8>)> {
    let rows = reader.rows(Entity::from(key), 0, usize::MAX >> 1);
    let rows = rows.expect("the rows can be read").into_iter();
    rows.map(|stored| (stored.row.first_seq, stored.row.body))
        .collect()
}

/// Checks that each is complete or deleted; returns how many are left.
fn check(installation: &Installation, ended: &[Ended]) -> usize {
    let store = SqliteStore::open(installation.data()).expect("the store opens");
    let reader = store.reader().expect("the store can be read");
    let mut left = 0;
    for one in ended {
        let (rows, listed) = (rows_of(reader.as_ref(), one.key), reader.instance(one.key));
        let listed = listed.unwrap().is_some();
        assert_eq!(reader.exists(one.key.into()).unwrap(), listed);
        if listed {
            assert_eq!(rows, one.rows, "{} is as it was", one.key);
            left += 1;
        } else {
            assert_eq!(rows, [], "{} is gone", one.key);
        }
    }
    left
}

fn doctor(installation: &Installation) {
    let output = Command::new(program())
        .args(["doctor", "--json", "--data"])
        .arg(installation.data())
        .output()
        .expect("the program runs");
    let mut said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    // The permissions of the test's directory are reported, which is expected.
    let findings = said["findings"].as_array_mut().expect("findings");
    findings.retain(|finding| finding["kind"] != "open_to_others");
    assert_eq!(
        (&said["sound"], &said["findings"]),
        (&json!(true), &json!([]))
    );
}

#[tokio::test]
async fn a_server_killed_during_retention_leaves_no_partial_deletion() {
    let stage = Stage::new();
    let mut seed = SEED;
    let mut ended: Vec<Ended> = Vec::new();
    let server = stage.start();
    let process = json!({"id": "short", "nodes": [{"id": "s", "type": "startEvent"}, {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f", "source": "s", "target": "e"}]});
    let (status, answer) = stage
        .ask(Method::POST, "/v1/definitions?publish=true", process)
        .await;
    assert!(status.is_success(), "{answer}");
    server.kill();
    for round in 0..rounds(2) {
        let server = stage.start();
        let keys = stage.run_some().await;
        server.kill();
        let store = SqliteStore::open(stage.installation.data()).expect("the store opens");
        let reader = store.reader().expect("the store can be read");
        ended.extend(keys.into_iter().map(|key| Ended {
            key,
            rows: rows_of(reader.as_ref(), key),
        }));
        drop((reader, store));
        // The instances of this round are packed, those of earlier rounds deleted.
        let server = stage.start();
        stage
            .advance(if round % 2 == 0 { "P2D" } else { "P4D" })
            .await;
        // The moment of the kill is the subject of the test, so it is random.
        tokio::time::sleep(Duration::from_millis(900 + draw(&mut seed) % 400)).await;
        server.kill();
        check(&stage.installation, &ended);
        doctor(&stage.installation);
    }
    // In the end all of them are deleted.
    let left = check(&stage.installation, &ended);
    let server = stage.start();
    stage.advance("P9D").await;
    stage.run_some().await;
    // Many requests use one connection, because new connections of an address are limited.
    let client = reqwest::Client::new();
    let dropped = "stepwire_dropped_instances_total ";
    while stage.metric(&client, dropped).await < left as f64 {
        tokio::task::yield_now().await;
    }
    server.kill();
    assert_eq!(check(&stage.installation, &ended), 0);
    doctor(&stage.installation);
}
