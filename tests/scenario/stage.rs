//! A server with its clients and its clock, for one script.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use stepwire::{
    config::{Config, StoreKind},
    web::http::server::Running,
};
use tempfile::TempDir;

use super::{command, documents, names::Names, runner::Player, schedules, transcript};
use crate::{
    engine::sketch,
    support::{self, expected},
    web::http::{self, Answer, User},
    wire::{Client, client::id},
};

/// The process time at the start of every script: far in the future, so that no timer is due while
/// a server starts in real time.
const BEGINNING: &str = "2100-01-01T00:00:00Z";

/// The address of deploys.
const DEFINITIONS: &str = "/v1/definitions?publish=true";

/// An answer to a command.
pub struct Answered {
    /// Which client.
    pub player: usize,
    /// The frames it had sent.
    pub sent: Value,
    /// The frames it has received.
    pub frame: Value,
}

/// The server and the clients of one script.
pub struct Stage {
    config: Config,
    server: Option<Running>,
    /// Moves the clock, and waits until the server is idle.
    admin: Client,
    now: String,
    players: Vec<Player>,
    names: Names,
    /// Later versions of processes, with their ids.
    versions: Vec<(String, String)>,
    _data: TempDir,
}

impl Stage {
    /// A server with these processes; on disk, if it is to be restarted.
    pub async fn open(processes: &str, restarts: bool) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut config =
            support::config(&["--test-clock", "--no-examples", "--rate-per-second", "0"]);
        if restarts {
            (config.store, config.data) = (StoreKind::Sqlite, data.path().to_owned());
        }
        let server = support::start(config.clone()).await;
        // The time first, because schedules count from their deploy.
        let admin = administrator(&server, BEGINNING).await;
        let versions = deploy_all(&server, processes).await;
        let (now, names) = (BEGINNING.to_owned(), Names::default());
        Self {
            config,
            server: Some(server),
            admin,
            now,
            players: Vec::new(),
            names,
            versions,
            _data: data,
        }
    }

    /// Runs a line; returns the frames that all clients received.
    pub async fn line(&mut self, line: &str) -> Vec<String> {
        let words = sketch::tokens(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answers = match words[..] {
            ["client", ref rest @ ..] => self.enter(rest).await,
            ["advance", span] => self.advance(span).await,
            ["deploy", process] => return self.deploy(process).await,
            ["restart"] => return self.restart().await,
            ["schedules"] => return self.schedules().await,
            ["schedule", which, what] => return self.schedule(which, what).await,
            [who, "download", file] => {
                return vec![
                    documents::download(self.running(), self.of(who), &self.names, file).await,
                ];
            }
            [who, "cut"] => self.cut(who),
            [who, "back"] => self.connect(who).await,
            [who, "reload"] => {
                self.player(who).forget();
                self.connect(who).await
            }
            [who, "again"] => {
                let sent = self
                    .player(who)
                    .last
                    .clone()
                    .expect("something was said before");
                self.send(&[who], vec![sent]).await
            }
            [who, "lost", ref rest @ ..] => {
                self.send_as(who, rest).await;
                self.until_idle().await;
                self.cut(who)
            }
            [who, ref rest @ ..] => self.send_as(who, rest).await,
            [] => Vec::new(),
        };
        self.until_idle().await;
        self.reported(&answers)
    }

    /// Ends the script: the view of each client that is up to date must equal that of a snapshot.
    pub async fn close(mut self) {
        for key in self.names.keys() {
            let channel = &*format!("instance/{key}");
            let answer = self
                .admin
                .ask(json!({"type": "subscribe", "id": id(), "channel": channel}))
                .await;
            if answer["type"] == "error" {
                continue; // A child that could not be started has a name, but is none.
            }
            let snapshot = self
                .admin
                .frames
                .iter()
                .rfind(|frame| frame["type"] == "snapshot" && frame["channel"] == channel);
            let snapshot = snapshot.expect("a subscription begins with a snapshot");
            for player in &self.players {
                if player.cursors.get(channel) == snapshot["seq"].as_u64().as_ref() {
                    let held = player
                        .views
                        .get(channel)
                        .cloned()
                        .unwrap_or_else(|| json!({}));
                    assert_eq!(
                        held,
                        snapshot["view"],
                        "{} holds another view of {:?}",
                        player.name,
                        self.names.name(&key)
                    );
                }
            }
        }
        self.stop_server().await;
    }

    /// The problems of the next version, if there are any; then it is not deployed.
    async fn deploy(&mut self, process: &str) -> Vec<String> {
        let next = self
            .versions
            .iter()
            .position(|(id, _)| id == process)
            .expect("a later sketch of this process");
        let (_, sketch) = self.versions.remove(next);
        let answer = deploy_sketch(self.running(), &sketch).await.json();
        let problems = answer["problems"].as_array().into_iter().flatten();
        let text =
            |problem: &Value, field: &str| problem[field].as_str().unwrap_or_default().to_owned();
        problems
            .map(|problem| format!("{} {}", text(problem, "element"), text(problem, "code")))
            .collect()
    }

    async fn enter(&mut self, words: &[&str]) -> Vec<Answered> {
        self.players.push(Player::new(words));
        self.connect(words[0]).await
    }

    async fn connect(&mut self, who: &str) -> Vec<Answered> {
        let port = self.port();
        let index = self.index(who);
        self.players[index].connect(port, &self.names).await;
        Vec::new()
    }

    fn cut(&mut self, who: &str) -> Vec<Answered> {
        self.player(who).connection = None;
        Vec::new()
    }

    async fn advance(&mut self, span: &str) -> Vec<Answered> {
        let span = if span.starts_with('P') {
            span.to_owned()
        } else {
            format!("PT{}", span.to_uppercase())
        };
        let reply = self
            .admin
            .done(json!({"type": "clock", "id": id(), "advance": span}))
            .await;
        self.now = reply["result"]["now"]
            .as_str()
            .expect("the clock tells the time")
            .to_owned();
        Vec::new()
    }

    /// Disconnects all clients; the clock continues at its time.
    async fn restart(&mut self) -> Vec<String> {
        let lines = self.stop_server().await;
        let server = support::start(self.config.clone()).await;
        self.admin = administrator(&server, &self.now).await;
        self.server = Some(server);
        self.until_idle().await;
        lines
    }

    async fn stop_server(&mut self) -> Vec<String> {
        let server = self.server.take().expect("the server runs");
        let clients = self
            .players
            .iter_mut()
            .filter_map(|player| player.connection.as_mut())
            .chain([&mut self.admin]);
        let (codes, ()) = tokio::join!(join_all(clients.map(Client::closed)), server.stop());
        let mut lines = Vec::new();
        for (player, code) in self
            .players
            .iter_mut()
            .filter(|player| player.connection.is_some())
            .zip(codes)
        {
            let frames = player.take();
            let text: Vec<&str> = frames
                .iter()
                .filter_map(|frame| frame["type"].as_str())
                .collect();
            lines.push(format!(
                "{}: {}, closed {code}",
                player.name,
                text.join(", ")
            ));
            player.connection = None;
        }
        lines
    }

    /// Sends the same command from each client of `alice+bob`, before any reply is read.
    async fn send_as(&mut self, who: &str, words: &[&str]) -> Vec<Answered> {
        let who: Vec<&str> = who.split('+').collect();
        let frames = who
            .iter()
            .map(|_| command::frame(&self.names, words))
            .collect();
        self.send(&who, frames).await
    }

    async fn send(&mut self, who: &[&str], frames: Vec<Value>) -> Vec<Answered> {
        let players: Vec<usize> = who.iter().map(|who| self.index(who)).collect();
        for (&player, frame) in players.iter().zip(&frames) {
            self.players[player].last = Some(frame.clone());
        }
        if frames.iter().all(documents::is_upload) {
            return self.send_file(players, frames).await;
        }
        for (&player, frame) in players.iter().zip(&frames) {
            self.players[player].connected().send(frame.clone()).await;
        }
        let mut answers = Vec::new();
        for (player, sent) in players.into_iter().zip(frames) {
            let frame = self.players[player]
                .answer(sent["id"].as_str().expect("a command has an id"))
                .await;
            answers.push(Answered {
                player,
                sent,
                frame,
            });
        }
        answers
    }

    /// As [`Self::send`], over REST.
    async fn send_file(&mut self, players: Vec<usize>, commands: Vec<Value>) -> Vec<Answered> {
        let server = self.running();
        let text = players
            .iter()
            .zip(&commands)
            .map(|(&player, command)| documents::send_file(server, &self.players[player], command));
        let frames = join_all(text).await;
        frames
            .iter()
            .filter_map(|frame| frame["result"]["file"]["id"].as_str())
            .for_each(|id| self.names.learn_file(id));
        let reported = players.into_iter().zip(commands).zip(frames);
        reported
            .map(|((player, sent), frame)| Answered {
                player,
                sent,
                frame,
            })
            .collect()
    }

    /// Waits until no work is in progress and every client has read all frames.
    async fn until_idle(&mut self) {
        self.admin.done(json!({"type": "idle", "id": id()})).await;
        for player in &mut self.players {
            player.read_all().await;
        }
    }

    async fn schedules(&mut self) -> Vec<String> {
        let entries = schedules::list(self.running()).await;
        entries
            .iter()
            .for_each(|entry| schedules::learn(&mut self.names, entry));
        entries
            .iter()
            .map(|entry| schedules::line(&self.names, entry))
            .collect()
    }

    async fn schedule(&mut self, which: &str, what: &str) -> Vec<String> {
        let answer = schedules::change(self.running(), which, what).await;
        schedules::learn(&mut self.names, &answer);
        let mut lines = vec![schedules::line(&self.names, &answer)];
        self.until_idle().await;
        lines.extend(self.reported(&[]));
        lines
    }

    fn reported(&mut self, answers: &[Answered]) -> Vec<String> {
        let taken: Vec<Vec<Value>> = self.players.iter_mut().map(Player::take).collect();
        self.learn(answers, &taken);
        let names: Vec<&str> = self
            .players
            .iter()
            .map(|player| player.name.as_str())
            .collect();
        transcript::lines(&self.names, &names, answers, &taken)
    }

    fn learn(&mut self, answers: &[Answered], taken: &[Vec<Value>]) {
        for Answered { sent, frame, .. } in answers {
            let Some(key) = frame["result"]["instance"].as_str() else {
                continue;
            };
            let from = &sent["inheritFrom"];
            let offered = from["seq"]
                .as_u64()
                .and_then(|seq| self.names.offered_process(from["instance"].as_str()?, seq));
            if let Some(process) = offered.or(sent["process"].as_str()).map(str::to_owned) {
                self.names.learn_instance(key, &process);
            }
        }
        // A frame of the parent may name a child: the list grows meanwhile.
        let mut next = 0;
        while let Some(key) = self.names.keys().get(next) {
            let channel = format!("instance/{key}");
            for frame in taken
                .iter()
                .flatten()
                .filter(|frame| frame["channel"] == channel.as_str())
            {
                self.names.learn(key, frame);
            }
            next += 1;
        }
        for frame in taken
            .iter()
            .flatten()
            .filter(|frame| frame["type"] == "instance")
        {
            let process = frame["channel"]
                .as_str()
                .and_then(|channel| channel.strip_prefix("process/"));
            self.names.learn_instance(
                frame["instance"].as_str().unwrap_or_default(),
                process.unwrap_or_default(),
            );
        }
        for Answered { frame, .. } in answers {
            let result = &frame["result"];
            self.names
                .learn(result["instance"].as_str().unwrap_or_default(), result);
        }
    }

    fn index(&self, who: &str) -> usize {
        let found = self.players.iter().position(|player| player.name == who);
        found.unwrap_or_else(|| panic!("no client {who}: `client {who}` brings one"))
    }

    fn player(&mut self, who: &str) -> &mut Player {
        let index = self.index(who);
        &mut self.players[index]
    }

    fn of(&self, who: &str) -> &Player {
        &self.players[self.index(who)]
    }

    fn running(&self) -> &Running {
        self.server.as_ref().expect("the server runs")
    }

    fn port(&self) -> u16 {
        self.server.as_ref().map_or(0, port)
    }
}

fn port(server: &Running) -> u16 {
    server.addresses()[0].port()
}

async fn administrator(server: &Running, now: &str) -> Client {
    let mut admin = Client::open_at(port(server)).await;
    admin
        .send(json!({"type": "hello", "token": support::token("root", &["admin"])}))
        .await;
    admin
        .done(json!({"type": "clock", "id": id(), "set": now}))
        .await;
    admin
}

/// Deploys the files and sketches at the head of a case; returns the sketches of further versions,
/// with their ids.
async fn deploy_all(server: &Running, processes: &str) -> Vec<(String, String)> {
    let mut sketches: Vec<(String, String)> = Vec::new();
    for line in processes.lines() {
        if let Some(file) = line.strip_prefix("bpmn ") {
            deploy_file(server, file).await;
        } else if let Some(id) = line.strip_prefix("process ") {
            sketches.push((id.to_owned(), line.to_owned()));
        } else if let Some((_, sketch)) = sketches.last_mut() {
            sketch.extend(["\n", line]);
        }
    }
    let mut versions: Vec<(String, String)> = Vec::new();
    for (index, (id, sketch)) in sketches.iter().enumerate() {
        if sketches[..index].iter().any(|(earlier, _)| earlier == id) {
            versions.push((id.clone(), sketch.clone()));
        } else {
            let answer = deploy_sketch(server, sketch).await;
            assert_eq!(answer.status, 201, "{sketch}: {answer:?}");
        }
    }
    versions
}

/// Deploys and publishes a sketch; the answer.
pub async fn deploy_sketch(server: &Running, sketch: &str) -> Answer {
    let definition =
        serde_json::to_value(sketch::definition(sketch)).expect("a definition is JSON");
    User::new(server, "dora", &["designer"])
        .post(DEFINITIONS, definition)
        .await
}

async fn deploy_file(server: &Running, file: &str) {
    let source =
        std::fs::read_to_string(expected::path(&[file])).expect("the file of a process is there");
    let request = User::new(server, "dora", &["designer"]).request(Method::POST, DEFINITIONS);
    let answer = http::send(
        request
            .header("content-type", "application/xml")
            .body(source),
    )
    .await;
    assert_eq!(answer.status, 201, "{file}: {answer:?}");
}
