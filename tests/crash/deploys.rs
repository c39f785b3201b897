//! Deploys whose connection is cut, and data directories that an earlier version of the server
//! damaged in this way.

use std::{collections::BTreeMap, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use stepwire::journal::{DATABASE, DefinitionRow, InstanceFilter, InstanceRow, SqliteStore, Store};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    kill::draw,
    rounds,
    server::{Installation, Server},
    socket::token,
};

const SEED: u64 = 0xde_9107;

/// Process `p`: its user task waits; it also has a schedule with these times.
fn content(n: u32, times: &str) -> Value {
    json!({"id": "p", "name": format!("content {n}"),
        "nodes": [{"id": "start", "type": "startEvent"},
            {"id": "tick", "type": "startEvent", "schedule": {"when": {"cycle": times}}},
            {"id": format!("task{n}"), "type": "userTask"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "a", "source": "start", "target": format!("task{n}")},
            {"id": "b", "source": "tick", "target": format!("task{n}")},
            {"id": "c", "source": format!("task{n}"), "target": "end"}]})
}

/// A designer who sends requests and may reset them before the response.
pub struct Designer {
    port: u16,
    token: String,
    client: reqwest::Client,
}

impl Designer {
    pub fn of(installation: &Installation) -> Self {
        let client = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        Self {
            port: installation.port,
            token: token("dora", &["designer", "operator"]),
            client,
        }
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> (StatusCode, String) {
        let answer = request
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("the server answers");
        (
            answer.status(),
            answer.text().await.expect("it answers text"),
        )
    }

    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        self.ask(
            self.client
                .get(format!("http://127.0.0.1:{}{path}", self.port)),
        )
        .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let (status, text) = self
            .ask(
                self.client
                    .post(format!("http://127.0.0.1:{}{path}", self.port))
                    .json(body),
            )
            .await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Deploys and publishes; the version.
    pub async fn deploy(&self, n: u32) -> u64 {
        let (status, answer) = self
            .post("/v1/definitions?publish=true", &content(n, "0 0 1 1 *"))
            .await;
        assert_eq!(status, 201, "{answer}");
        answer["version"].as_u64().expect("a version")
    }

    /// Sends a deploy, and resets the connection after this time.
    async fn deploy_cut(&self, n: u32, after: Duration) {
        let body = content(n, "R/PT1S").to_string();
        let head = format!(
            "POST /v1/definitions?publish=true HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: \
            Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.token,
            body.len()
        );
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))
            .await
            .expect("the server listens");
        socket.set_zero_linger().expect("the socket is open");
        socket
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .expect("the request is sent");
        // The moment of the cut is the subject of the test.
        tokio::time::sleep(after).await;
    }

    pub async fn start(&self) -> String {
        let (status, started) = self.post("/v1/instances", &json!({"process": "p"})).await;
        assert_eq!(status, 201, "{started}");
        started["instance"].as_str().expect("a key").to_owned()
    }

    /// Starts an instance if any deploy has succeeded.
    async fn start_if_there(&self) {
        let (status, started) = self.post("/v1/instances", &json!({"process": "p"})).await;
        assert!(status == 201 || status == 404, "{started}");
    }

    /// The names of all versions, which identify their contents.
    async fn versions(&self) -> BTreeMap<u64, String> {
        let (status, listed) = self.get("/v1/definitions/p").await;
        assert_eq!(status, 200, "{listed}");
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let mut found = BTreeMap::new();
        for version in listed["versions"].as_array().unwrap() {
            let number = version["version"].as_u64().unwrap();
            let (_, source) = self.get(&format!("/v1/definitions/p/{number}")).await;
            let source: Value = serde_json::from_str(&source).unwrap();
            found.insert(number, source["name"].as_str().unwrap().to_owned());
        }
        found
    }
}

/// The rows of `p` in a data directory.
fn stored(installation: &Installation) -> (Vec<DefinitionRow>, Vec<InstanceRow>) {
    let store = SqliteStore::open(installation.data()).unwrap();
    let reader = store.reader().unwrap();
    let mut definitions = reader.definitions().unwrap();
    definitions.retain(|row| row.id == "p");
    let filter = InstanceFilter {
        tenant: Some("default".into()),
        process: Some("p".into()),
        ..InstanceFilter::default()
    };
    (
        definitions,
        reader.instances(&filter, None, usize::MAX).unwrap(),
    )
}

#[actix_rt::test]
async fn deploys_cut_off_are_consistent_and_reuse_no_number() {
    let installation = Installation::new();
    let (server, designer, mut seed) = (installation.start(), Designer::of(&installation), SEED);
    let all = rounds(150);
    for n in 0..all {
        designer
            .deploy_cut(n, Duration::from_micros(draw(&mut seed) % 2_800))
            .await;
        if n % 50 == 0 {
            designer.start_if_there().await;
        }
    }
    let last = designer.deploy(all).await;
    let known = designer.versions().await;
    assert!(last > 1, "some of those that were cut off were durable");
    assert_eq!(
        known.keys().copied().collect::<Vec<_>>(),
        (1..=last).collect::<Vec<_>>()
    );
    assert_eq!(known[&last], format!("content {all}"));
    server.kill();

    let (definitions, instances) = stored(&installation);
    let kept = definitions
        .iter()
        .map(|row| (u64::from(row.version), row.name.clone()))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(kept, known, "what is durable is what the server showed");
    for instance in &instances {
        let own = definitions
            .iter()
            .find(|row| row.version == instance.version)
            .expect("its version is there");
        assert_eq!(
            own.revision, instance.revision,
            "its version is what it began with"
        );
    }
    let _server = installation.start();
    assert_eq!(
        designer.versions().await,
        known,
        "and what it shows after a restart"
    );
    assert_eq!(
        designer.get("/readyz").await,
        (StatusCode::OK, "ok\n".into())
    );
}

/// A data directory in which an instance of content 1 waits; `damage` is an SQL statement on the
/// table of definitions.
async fn damaged(damage: &str) -> (Installation, Server, Designer, String) {
    let installation = Installation::new();
    let (server, designer) = (installation.start(), Designer::of(&installation));
    designer.deploy(1).await;
    let instance = designer.start().await;
    designer.deploy(2).await;
    assert!(server.terminate().success());
    let file = rusqlite::Connection::open(installation.data().join(DATABASE)).unwrap();
    assert!(file.execute(damage, []).unwrap() > 0);
    drop(file);
    let server = installation.start();
    (installation, server, designer, instance)
}

async fn completes(designer: &Designer, instance: &str) {
    let (status, answer) = designer
        .post(
            &format!("/v1/instances/{instance}/run"),
            &json!({"action": "complete"}),
        )
        .await;
    assert_eq!(
        (status.as_u16(), answer["status"].as_str()),
        (200, Some("finished")),
        "{answer}"
    );
}

/// Waits until the server has checked its instances.
async fn readiness(designer: &Designer, wanted: &str) {
    loop {
        let (status, text) = designer.get("/readyz").await;
        assert!(status == 200 || status == 429, "{status} {text}");
        if text == wanted {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[actix_rt::test]
async fn an_instance_with_a_replaced_definition_is_reported_and_continues_with_the_same_source() {
    let other = "UPDATE definition SET (packed_source, revision, name) =
        (SELECT packed_source, revision, name FROM definition WHERE id = 'p' AND version = 2) WHERE id = 'p' AND version = 1";
    for damage in [
        other,
        "DELETE FROM definition WHERE id = 'p' AND version = 1",
    ] {
        let (_installation, _server, designer, instance) = damaged(damage).await;
        readiness(
            &designer,
            "ok\nexpected the definitions of all live instances, but those of 1 \
            are missing: see the log\n",
        )
        .await;
        let (status, text) = designer.get(&format!("/v1/instances/{instance}")).await;
        assert!(
            status == 409
                && text.contains("expected an instance whose definition is deployed, but"),
            "{status} {text}"
        );
        assert_eq!(designer.deploy(1).await, 3);
        readiness(&designer, "ok\n").await;
        completes(&designer, &instance).await;
    }
}

#[actix_rt::test]
async fn an_instance_finds_its_definition_under_another_version_number() {
    let swapped = "UPDATE definition SET version = version + 10 WHERE id = 'p' AND version = 1";
    let (_installation, _server, designer, instance) = damaged(swapped).await;
    completes(&designer, &instance).await;
}

#[actix_rt::test]
async fn of_two_published_versions_the_newest_is_current() {
    let both = "UPDATE definition SET state = 'published' WHERE id = 'p'";
    let (installation, server, designer, instance) = damaged(both).await;
    let (_, listed) = designer.get("/v1/definitions/p").await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let states: Vec<&str> = listed["versions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["state"].as_str())
        .collect();
    assert_eq!(
        (listed["published"].as_u64(), states),
        (Some(2), vec!["deprecated", "published"])
    );
    completes(&designer, &instance).await;
    server.kill();
    let states: Vec<_> = stored(&installation)
        .0
        .into_iter()
        .map(|row| format!("{:?}", row.state))
        .collect();
    assert_eq!(states, ["Deprecated", "Published"]);
}

#[actix_rt::test]
async fn the_number_of_a_version_that_does_not_compile_is_not_reused() {
    let (installation, server, designer, _) =
        damaged("UPDATE definition SET packed_source = x'6e6f' WHERE id = 'p' AND version = 2")
            .await;
    assert_eq!(designer.deploy(3).await, 3);
    assert_eq!(
        designer.versions().await.into_keys().collect::<Vec<_>>(),
        [1, 3]
    );
    server.kill();
    assert_eq!(
        stored(&installation)
            .0
            .iter()
            .map(|row| row.version)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
}
