//! The environment of a scenario: a server, its clock and its users.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    expectation,
    form::{
        DEFAULT_USER, Does, Expectation, ExpectedRefusal, Scenario, ScenarioStep, ScenarioUser,
    },
    model_source::ModelSource,
    node_at::NodeAt,
    own_server::OwnServer,
    player::{Player, ReceivedFrames},
};
use crate::{
    cli::{
        Home,
        access::Access,
        client::Client,
        exit::{Exit, Failure},
        print::list,
        rest::Rest,
        start,
    },
    config::PlayScenarios,
};

/// How long to wait for the expected state on a running server whose clock continues.
const REAL_CLOCK_WAIT: Duration = Duration::from_secs(5);

/// Lines that describe a deviation, or nothing.
type Outcome = Result<(), Vec<String>>;

/// A server with the users of a scenario.
pub struct Stage {
    /// The server, if it belongs to the scenario.
    own: Option<OwnServer>,
    base: String,
    /// Tokens of users of a running server.
    tokens: BTreeMap<String, String>,
    users: BTreeMap<String, ScenarioUser>,
    /// Deploys, moves the clock, and asks whether everything is done.
    admin: Player,
    players: BTreeMap<String, Player>,
    /// Whether the clock moves only by `advance`.
    is_stopped: bool,
    /// Instances by their names in the scenario.
    named: Vec<(String, String)>,
    user: String,
    instance: Option<String>,
    folder: PathBuf,
}

impl Stage {
    /// A server with the definitions of the scenario, at its start time.
    ///
    /// # Errors
    /// No server, no access, a rejected definition.
    pub async fn open(
        scenario: &Scenario,
        folder: &Path,
        command: &PlayScenarios,
        home: &Home,
    ) -> Result<Self, Failure> {
        let is_own = command.common.server.is_none();
        let mut own = is_own.then(OwnServer::start).transpose()?;
        let access = match &mut own {
            Some(own) => own.access(&command.common).await?,
            None => Access::find(&command.common, home.clone()).await?,
        };
        let mut stage = Self {
            own,
            base: access.server().to_owned(),
            tokens: command.tokens(access.token()),
            users: scenario.users.clone(),
            admin: player(access.clone(), access).await?,
            players: BTreeMap::new(),
            is_stopped: is_own,
            named: Vec::new(),
            user: DEFAULT_USER.to_owned(),
            instance: None,
            folder: folder.to_owned(),
        };
        if !is_own {
            let answer = stage.admin.command(framed("idle", Map::new())).await?;
            stage.is_stopped = answer.is_ok();
        }
        if let Some(clock) = &scenario.clock {
            stage.move_clock("set", clock).await?.map_err(refused)?;
        }
        for model in &scenario.deploy {
            stage.deploy(model).await?.map_err(refused)?;
        }
        Ok(stage)
    }

    /// Plays a step.
    ///
    /// # Errors
    /// A reason why the scenario cannot continue: no server, no access, an unknown name.
    pub async fn play(&mut self, step: &ScenarioStep) -> Result<Outcome, Failure> {
        if let Some(user) = &step.user {
            self.user.clone_from(user);
        }
        if let Some(instance) = &step.instance {
            self.instance = Some(self.key_of(instance, step.line)?);
        }
        let refusal = step.refused.as_ref();
        match &step.does {
            Does::Advance(by) => self.move_clock("advance", by).await,
            Does::Deploy(model) => self.deploy(model).await,
            Does::Expect(expected) => self.expect(expected, step.line).await,
            Does::Send(frame) => {
                let mut frame = frame.clone();
                let id = || Uuid::now_v7().to_string().into();
                frame.entry("id").or_insert_with(id);
                if let Some(name) = frame.get("instance").and_then(Value::as_str) {
                    let key = self.key_of(name, step.line)?;
                    frame.insert("instance".to_owned(), key.into());
                }
                self.command(frame, refusal).await.map(drop_reply)
            }
            Does::Start {
                process,
                fields,
                inherit,
                named,
            } => {
                let mut fields = fields.clone();
                if let Some(process) = process {
                    fields.insert("process".to_owned(), process.as_str().into());
                }
                if *inherit {
                    fields.insert("inheritFrom".to_owned(), self.oldest_open(step.line).await?);
                }
                let name = named.as_ref().or(process.as_ref());
                self.start(fields, name, refusal).await
            }
            Does::Command { kind, at, fields } => {
                let key = self.current(step.line)?;
                let mut fields = fields.clone();
                if let Some(at) = at {
                    match self.element(&key, at, *kind == "patch").await? {
                        Ok(element) => {
                            fields.insert(element_field(kind).to_owned(), element.into())
                        }
                        Err(lines) => return Ok(Err(lines)),
                    };
                }
                fields.insert("instance".to_owned(), key.into());
                let frame = framed(kind, fields);
                self.command(frame, refusal).await.map(drop_reply)
            }
        }
    }

    /// Closes the connections, and stops the server if it belongs to the scenario.
    pub async fn close(self) {
        for (_, player) in self.players {
            player.client.close().await;
        }
        self.admin.client.close().await;
    }

    async fn start(
        &mut self,
        fields: Map<String, Value>,
        name: Option<&String>,
        refusal: Option<&ExpectedRefusal>,
    ) -> Result<Outcome, Failure> {
        let mut frame = framed("start", fields);
        let is_anonymous = self
            .users
            .get(&self.user)
            .is_some_and(|user| user.anonymous);
        if is_anonymous {
            frame.insert("nonce".to_owned(), start::nonce()?.into());
        }
        let reply = match self.command(frame, refusal).await? {
            Err(lines) => return Ok(Err(lines)),
            Ok(None) => return Ok(Ok(())),
            Ok(Some(reply)) => reply,
        };
        let result = &reply["result"];
        if let Some(token) = result["token"].as_str() {
            let player = self.player().await?;
            player.client.use_token(token);
            player.rest.use_token(token);
        }
        let key = result["instance"].as_str().unwrap_or_default().to_owned();
        if let Some(name) = name {
            self.named.push((name.clone(), key.clone()));
        }
        self.instance = Some(key);
        Ok(Ok(()))
    }

    /// Sends a command as the current user and compares the answer with the expectation; gives the
    /// reply, if it is one.
    async fn command(
        &mut self,
        frame: Map<String, Value>,
        refusal: Option<&ExpectedRefusal>,
    ) -> Result<Result<Option<Value>, Vec<String>>, Failure> {
        self.settle().await?;
        let answer = self.player().await?.command(frame).await?;
        Ok(match (answer, refusal) {
            (Ok(reply), None) => Ok(Some(reply)),
            (Ok(_), Some(refusal)) => Err(vec![
                "answer".to_owned(),
                format!("  - {}", refusal.code),
                "  + done".to_owned(),
            ]),
            (Err(error), None) => {
                let text = |name: &str| error[name].as_str().unwrap_or_default();
                let mut lines = vec![
                    "answer".to_owned(),
                    "  - done".to_owned(),
                    format!("  + {}: {}", text("code"), text("message")),
                ];
                for (path, wrong) in error["fields"].as_object().into_iter().flatten() {
                    let message = wrong["message"].as_str().unwrap_or_default();
                    lines.push(format!("    {path}: {message}"));
                }
                Err(lines)
            }
            (Err(error), Some(refusal)) => {
                let lines = expectation::refusal_differs(refusal, &error);
                if lines.is_empty() {
                    Ok(None)
                } else {
                    Err(lines)
                }
            }
        })
    }

    async fn expect(&mut self, expected: &Expectation, line: u64) -> Result<Outcome, Failure> {
        let key = self.current(line)?;
        self.settle().await?;
        if let Err(lines) = self.see(&key).await? {
            return Ok(Err(lines));
        }
        let until = Instant::now() + REAL_CLOCK_WAIT;
        let is_stopped = self.is_stopped;
        loop {
            let data = match &expected.data {
                None => None,
                Some(_) => {
                    let whole = self.admin.rest.get(&format!("/v1/instances/{key}")).await?;
                    whole.get("data").cloned()
                }
            };
            let player = self.player().await?;
            player.catch_up().await?;
            let found = player.received.of(&key);
            let lines = found.map_or_else(
                || {
                    vec![
                        "the instance".to_owned(),
                        "  + nothing came of it".to_owned(),
                    ]
                },
                |found| expectation::differences(expected, found, data.as_ref()),
            );
            if lines.is_empty() {
                if expected.messages.is_some() {
                    player.received.mark_checked(&key);
                }
                return Ok(Ok(()));
            }
            let left = until.saturating_duration_since(Instant::now());
            if is_stopped || left.is_zero() {
                return Ok(Err(lines));
            }
            // When the clock continues, the expected state may still come.
            if let Ok(next) = timeout(left, player.client.next(&mut player.received)).await {
                next?;
            }
        }
    }

    /// The element at which the instance is, as the current user sees it.
    async fn element(
        &mut self,
        key: &str,
        at: &NodeAt,
        whole: bool,
    ) -> Result<Result<String, Vec<String>>, Failure> {
        self.settle().await?;
        if let Err(lines) = self.see(key).await? {
            return Ok(Err(lines));
        }
        let player = self.player().await?;
        player.catch_up().await?;
        let found = player.received.of(key);
        let element = found.and_then(|found| at.find(&found.nodes, whole));
        Ok(element.map(str::to_owned).ok_or_else(|| {
            let nodes = found.map(|found| {
                let ids = found.nodes.iter().filter_map(|at| at["node"].as_str());
                ids.collect::<Vec<_>>().join(", ")
            });
            vec![
                "nodes".to_owned(),
                format!("  - {at}"),
                format!("  + {}", nodes.unwrap_or_default()),
            ]
        }))
    }

    /// Makes the current user follow an instance, unless it does already.
    async fn see(&mut self, key: &str) -> Result<Outcome, Failure> {
        let player = self.player().await?;
        player.catch_up().await?;
        if player.received.of(key).is_some() {
            return Ok(Ok(()));
        }
        let followed = player.client.follow(key, None, &mut player.received).await;
        match followed {
            Ok(()) => Ok(Ok(())),
            Err(failure) if failure.exit == Exit::Refused => Ok(Err(vec![
                "the instance".to_owned(),
                format!("  + {}", failure.message),
            ])),
            Err(failure) => Err(failure),
        }
    }

    /// The start command of the oldest open Action message of the instance.
    async fn oldest_open(&mut self, line: u64) -> Result<Value, Failure> {
        let key = self.current(line)?;
        self.settle().await?;
        self.see(&key).await?.map_err(refused)?;
        let player = self.player().await?;
        player.catch_up().await?;
        let open = player
            .received
            .of(&key)
            .and_then(|found| found.open.first());
        let seq = open.ok_or_else(|| {
            Failure::usage(format!(
                "expected an open Action message for the step in line {line}, but there is none"
            ))
        })?;
        Ok(json!({"instance": key, "seq": seq}))
    }

    async fn move_clock(&mut self, how: &str, to: &str) -> Result<Outcome, Failure> {
        if !self.is_stopped {
            return Err(Failure::usage(
                "expected a server whose clock can be set, but this one runs in real time; leave \
                --server out, or start it with --test-clock and give a token of a server-operator",
            ));
        }
        let mut fields = Map::new();
        fields.insert(how.to_owned(), to.into());
        let moved = self.admin.command(framed("clock", fields)).await?;
        Ok(moved.map(drop).map_err(|error| {
            let message = error["message"].as_str().unwrap_or_default();
            vec!["clock".to_owned(), format!("  + {message}")]
        }))
    }

    async fn deploy(&mut self, model: &ModelSource) -> Result<Outcome, Failure> {
        let body = model.body(&self.folder)?;
        let deployed = self
            .admin
            .rest
            .post("/v1/definitions?publish=true", body)
            .await;
        Ok(match deployed {
            Ok(_) => Ok(()),
            Err(failure) if failure.exit == Exit::Refused => {
                let mut lines = vec![model.name(&self.folder), format!("  + {}", failure.message)];
                for problem in list(&failure.error["problems"]) {
                    let text = |name: &str| problem[name].as_str().unwrap_or_default();
                    lines.push(format!("    at '{}': {}", text("element"), text("message")));
                }
                Err(lines)
            }
            Err(failure) => return Err(failure),
        })
    }

    /// Waits until nothing is in progress, if the clock is stopped.
    async fn settle(&mut self) -> Result<(), Failure> {
        if self.is_stopped {
            let answer = self.admin.command(framed("idle", Map::new())).await?;
            answer.map_err(|error| Failure::from_answer(&error))?;
        }
        Ok(())
    }

    /// The connection of the current user.
    async fn player(&mut self) -> Result<&mut Player, Failure> {
        if !self.players.contains_key(&self.user) {
            let user = self.users.get(&self.user).cloned().unwrap_or_default();
            let token = match (&self.own, user.anonymous) {
                (_, true) => None,
                (Some(own), false) => Some(own.token(&self.user, &user.roles)?),
                (None, false) => self
                    .tokens
                    .get(&self.user)
                    .or_else(|| self.tokens.get(""))
                    .cloned(),
            };
            let access = || Access::with(&self.base, token.as_deref());
            let player = player(access()?, access()?).await?;
            self.players.insert(self.user.clone(), player);
        }
        Ok(self.players.get_mut(&self.user).expect("it is there now"))
    }

    fn current(&self, line: u64) -> Result<String, Failure> {
        self.instance.clone().ok_or_else(|| {
            Failure::usage(format!(
                "expected an instance for the step in line {line}, but none was started yet; begin \
                with a start"
            ))
        })
    }

    /// The instance with this name in the scenario, or a subprocess of this process.
    fn key_of(&self, name: &str, line: u64) -> Result<String, Failure> {
        let named = self.named.iter().rev().find(|(known, _)| known == name);
        let subprocess = || {
            let players = self.players.values();
            players
                .filter_map(|player| player.received.subprocess(name))
                .max()
        };
        named
            .map(|(_, key)| key.as_str())
            .or_else(subprocess)
            .map(str::to_owned)
            .ok_or_else(|| {
                Failure::usage(format!(
                    "expected the step in line {line} to name an instance, but none is called \
                    '{name}': use a name from `named`, or the id of a started process"
                ))
            })
    }
}

impl PlayScenarios {
    /// Tokens by user; the empty name has the token of all others.
    fn tokens(&self, other: Option<&str>) -> BTreeMap<String, String> {
        let given = self
            .users
            .iter()
            .map(|user| (user.name.clone(), user.token.0.clone()));
        let other = other.map(|token| (String::new(), token.to_owned()));
        given.chain(other).collect()
    }
}

async fn player(socket: Access, rest: Access) -> Result<Player, Failure> {
    Ok(Player {
        client: Client::connect(socket).await?,
        rest: Rest::new(rest)?,
        received: ReceivedFrames::default(),
    })
}

/// The member of a command that addresses an element.
fn element_field(kind: &str) -> &'static str {
    if kind == "patch" { "scope" } else { "element" }
}

/// A frame with a new id.
fn framed(kind: &str, mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.insert("type".to_owned(), kind.into());
    fields.insert("id".to_owned(), Uuid::now_v7().to_string().into());
    fields
}

fn refused(lines: Vec<String>) -> Failure {
    Failure::new(Exit::Refused, lines.join("\n  "))
}

fn drop_reply(answer: Result<Option<Value>, Vec<String>>) -> Outcome {
    answer.map(drop)
}
