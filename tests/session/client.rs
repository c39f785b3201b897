//! A runtime on the memory store, and connections to it that are driven by hand.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use serde_json::{Value, json};
use stepwire::{
    journal::{Journal, MemoryStore, end_process},
    limits::{Limits, WRITER_QUEUE},
    model::source::SourceFormat,
    runtime::{
        Runtime,
        clock::{Clock, real_now},
        definitions::Deploy,
        files::Files,
        http_calls::HttpCallSettings,
    },
    session::{
        auth::token::{Identity, TokenSettings, Tokens},
        connection::Connection,
        inbox::InboundReceiver,
        protocol::close::CloseCode,
        sessions::Sessions,
    },
};
use uuid::Uuid;

/// Runs a test on a fresh system with the processes of these example files.
pub fn with_system<F: Future<Output = ()>>(
    examples: &[&str],
    test: impl FnOnce(Arc<Sessions>) -> F,
) {
    let path = |example: &&str| format!("{}/examples/{example}.bpmn", env!("CARGO_MANIFEST_DIR"));
    let sources = examples.iter().map(|example| {
        (
            std::fs::read(path(example)).expect("the example is there"),
            SourceFormat::BpmnXml,
        )
    });
    with_sources(sources.collect(), test);
}

/// Runs a test on a fresh system with a process in its JSON form.
pub fn with_process<F: Future<Output = ()>>(source: &str, test: impl FnOnce(Arc<Sessions>) -> F) {
    with_processes(&[source], test);
}

/// Runs a test on a fresh system with processes in their JSON form.
pub fn with_processes<F: Future<Output = ()>>(
    sources: &[&str],
    test: impl FnOnce(Arc<Sessions>) -> F,
) {
    with_sources(
        sources
            .iter()
            .map(|source| (source.as_bytes().to_vec(), SourceFormat::Json))
            .collect(),
        test,
    );
}

fn with_sources<F: Future<Output = ()>>(
    sources: Vec<(Vec<u8>, SourceFormat)>,
    test: impl FnOnce(Arc<Sessions>) -> F,
) {
    actix_rt::System::new().block_on(async {
        let journal = Journal::start(
            Box::new(MemoryStore::default()),
            WRITER_QUEUE.get(),
            Box::new(end_process),
        )
        .expect("the journal starts");
        let arbiter = actix_rt::Arbiter::new();
        let runtime = Runtime::start(
            journal,
            Files::temporary(),
            HttpCallSettings::default(),
            Clock::real(),
            vec![arbiter.handle()],
            None,
        )
        .await
        .expect("the runtime starts");
        for (source, format) in sources {
            let deploy = Deploy {
                tenant: "default",
                source: &source,
                format,
                publish: true,
                by: "test",
                now: runtime.clock.now(),
            };
            runtime
                .definitions
                .deploy(deploy)
                .await
                .expect("the process deploys");
        }
        let tokens = Arc::new(Tokens::new(TokenSettings {
            secret: "a secret for tests only".to_owned(),
            issuer: None,
            audience: None,
        }));
        let limits = Limits {
            rate_per_second: 0,
            ..Limits::default()
        };
        let secret = "a secret for tests only";
        let memory = limits.unread_memory();
        let sessions = Sessions::new(runtime, tokens, limits, secret, memory);
        test(Arc::new(sessions)).await;
    });
}

/// A client at the far end of a connection.
pub struct Client {
    connection: Connection,
    inbound: InboundReceiver,
    /// Frames that came with answers, for [`Client::found`].
    unread: VecDeque<Value>,
}

impl Client {
    /// Connects as this user and says hello, continuing where `resume` says.
    pub async fn connect(sessions: &Arc<Sessions>, user: &str, resume: Value) -> Self {
        Self::hello(sessions, &Self::token(sessions, user, &[]), resume).await
    }

    /// Connects as a user with roles.
    pub async fn with_roles(sessions: &Arc<Sessions>, user: &str, roles: &[&str]) -> Self {
        Self::hello(sessions, &Self::token(sessions, user, roles), json!([])).await
    }

    /// Connects as a user who requests the schemas of actions.
    pub async fn with_schemas(sessions: &Arc<Sessions>, user: &str, roles: &[&str]) -> Self {
        Self::hello_with(sessions, Self::schemas_hello(sessions, user, roles)).await
    }

    /// The `hello` of [`Client::with_schemas`].
    pub fn schemas_hello(sessions: &Arc<Sessions>, user: &str, roles: &[&str]) -> Value {
        json!({"type": "hello", "token": Self::token(sessions, user, roles), "schemas": true})
    }

    /// A token of a user.
    pub fn token(sessions: &Arc<Sessions>, user: &str, roles: &[&str]) -> String {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let identity = Identity {
            subject: user.to_owned(),
            roles,
            ..Identity::anonymous(Uuid::nil())
        };
        sessions
            .tokens
            .mint(&identity, real_now(), std::time::Duration::from_secs(60))
            .expect("a token is made")
    }

    /// Connects with a token of this identity.
    pub async fn bearer(sessions: &Arc<Sessions>, identity: &Identity) -> Self {
        let token = sessions
            .tokens
            .mint(identity, real_now(), std::time::Duration::from_secs(60))
            .expect("a token is made");
        Self::hello(sessions, &token, json!([])).await
    }

    /// Connects without a token.
    pub async fn anonymous(sessions: &Arc<Sessions>) -> Self {
        Self::hello_with(sessions, json!({"type": "hello"})).await
    }

    async fn hello(sessions: &Arc<Sessions>, token: &str, resume: Value) -> Self {
        Self::hello_with(
            sessions,
            json!({"type": "hello", "token": token, "resume": resume}),
        )
        .await
    }

    /// Sends the hello of a client that reconnects, and waits for nothing.
    pub fn reconnect(sessions: &Arc<Sessions>, user: &str, resume: Value) -> Self {
        let mut client = Self::open(sessions);
        client.send(
            json!({"type": "hello", "token": Self::token(sessions, user, &[]), "resume": resume}),
        );
        client
    }

    fn open(sessions: &Arc<Sessions>) -> Self {
        let (connection, inbound) = Connection::open(sessions.clone(), None, None, Instant::now());
        Self {
            connection,
            inbound,
            unread: VecDeque::new(),
        }
    }

    /// Connects and says this.
    pub async fn hello_with(sessions: &Arc<Sessions>, hello: Value) -> Self {
        let mut client = Self::open(sessions);
        client.send(hello);
        client.until("welcome").await;
        client
    }

    /// Says something.
    pub fn send(&mut self, frame: Value) {
        self.connection.receive(&frame.to_string(), Instant::now());
    }

    /// Sends a command under a fresh id, and does not wait for its answer.
    pub fn send_run(&mut self, command: &Value) {
        let mut command = command.clone();
        command["id"] = json!(Uuid::now_v7().to_string());
        self.send(command);
    }

    /// The next frame; waits for it.
    pub async fn next(&mut self) -> Value {
        loop {
            if let Some(text) = self.connection.next_frame() {
                return serde_json::from_str(&text).expect("frames are JSON");
            }
            let inbound = self.inbound.recv().await.expect("the connection lives");
            self.connection.take(inbound);
        }
    }

    /// Takes the frames without reading them, until no more are added or the connection is to be
    /// closed.
    pub async fn until_congested(&mut self) {
        while !self.connection.is_congested() && self.connection.closing().is_none() {
            let inbound = self.inbound.recv().await.expect("the connection lives");
            self.connection.take(inbound);
        }
        // Frames that were queued when the limit was reached.
        while let Ok(inbound) = self.inbound.try_recv() {
            self.connection.take(inbound);
        }
    }

    /// Reads until a reply has arrived, or the connection is to be closed.
    pub async fn until_reply_or_closed(&mut self) {
        while self.connection.closing().is_none() {
            match self.connection.next_frame() {
                Some(text) if text.contains(r#""type":"reply""#) => return,
                Some(_) => {}
                None if self.connection.closing().is_some() => return,
                None => {
                    let inbound = self.inbound.recv().await.expect("the connection lives");
                    self.connection.take(inbound);
                }
            }
        }
    }

    /// How the connection is to be closed, if it is.
    pub fn closing(&self) -> Option<CloseCode> {
        self.connection.closing().map(|close| close.code)
    }

    /// All frames up to and with the first of this type.
    pub async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            let found = frame["type"] == kind;
            frames.push(frame);
            if found {
                return frames;
            }
        }
    }

    /// Advances the time of this client by so many seconds.
    pub fn later(&mut self, seconds: u64) {
        self.connection
            .tick(Instant::now() + std::time::Duration::from_secs(seconds));
    }

    /// The first frame of this type, so many seconds later for the client.
    pub async fn until_later(&mut self, kind: &str, seconds: u64) -> Value {
        loop {
            let later = Instant::now() + std::time::Duration::from_secs(seconds);
            self.connection.tick(later);
            while let Some(text) = self.connection.next_frame() {
                let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                if frame["type"] == kind {
                    return frame;
                }
            }
            while let Ok(inbound) = self.inbound.try_recv() {
                self.connection.take(inbound);
            }
            tokio::task::yield_now().await;
        }
    }

    /// The next frame of this type, also one that came while an answer was waited for.
    pub async fn found(&mut self, kind: &str) -> Value {
        while let Some(frame) = self.unread.pop_front() {
            if frame["type"] == kind {
                return frame;
            }
        }
        self.until(kind).await.pop().expect("the frame itself")
    }

    /// Sends a command under a fresh id; all frames up to its answer.
    pub async fn ask(&mut self, mut command: Value) -> Vec<Value> {
        let id = Uuid::now_v7().to_string();
        command["id"] = json!(id);
        self.send(command);
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            let answer = frame["id"] == id.as_str();
            self.unread.push_back(frame.clone());
            frames.push(frame);
            if answer {
                return frames;
            }
        }
    }
}
