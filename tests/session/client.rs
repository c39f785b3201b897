//! A runtime on the memory store, and connections to it that are driven by hand.

use std::{sync::Arc, time::Instant};

use serde_json::{Value, json};
use stepwire::{
    journal::{Journal, MemoryStore, end_process},
    limits::{Limits, WRITER_QUEUE},
    model::source::SourceFormat,
    runtime::{
        Runtime,
        clock::{Clock, real_now},
        definitions::Deploy,
    },
    session::{
        connection::{Connection, Sessions},
        inbox::Inbound,
        token::{Identity, TokenSettings, Tokens},
    },
};
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

/// Runs a test on a fresh system with the processes of these example files.
pub fn with_system<F: Future<Output = ()>>(examples: &[&str], test: impl FnOnce(Arc<Sessions>) -> F) {
    actix_rt::System::new().block_on(async {
        let journal =
            Journal::start(Box::new(MemoryStore::default()), WRITER_QUEUE, Box::new(end_process)).expect("the journal starts");
        let arbiter = actix_rt::Arbiter::new();
        let runtime = Runtime::start(journal, Clock::real(), vec![arbiter.handle()]).await.expect("the runtime starts");
        for example in examples {
            let source =
                std::fs::read(format!("{}/examples/{example}.bpmn", env!("CARGO_MANIFEST_DIR"))).expect("the example is there");
            let deploy = Deploy {
                tenant: "default",
                source: &source,
                format: SourceFormat::BpmnXml,
                publish: true,
                by: "test",
                now: runtime.clock.now(),
            };
            runtime.definitions.deploy(deploy).await.expect("the example deploys");
        }
        let tokens =
            Arc::new(Tokens::new(TokenSettings { secret: "a secret for tests only".to_owned(), issuer: None, audience: None }));
        let limits = Limits { rate_per_second: 0, ..Limits::default() };
        test(Arc::new(Sessions { runtime, tokens, limits })).await;
    });
}

/// A client at the far end of a connection.
pub struct Client {
    connection: Connection,
    inbound: UnboundedReceiver<Inbound>,
}

impl Client {
    /// Connects as this user and says hello, going on where `resume` says.
    pub async fn connect(sessions: &Arc<Sessions>, user: &str, resume: Value) -> Self {
        let identity = Identity { subject: user.to_owned(), ..Identity::anonymous(Uuid::nil()) };
        let token = sessions.tokens.mint(&identity, real_now(), std::time::Duration::from_secs(60)).expect("a token is made");
        let (connection, inbound) = Connection::open(sessions.clone(), None, Instant::now());
        let mut client = Self { connection, inbound };
        client.send(json!({"type": "hello", "token": token, "resume": resume}));
        client.until("welcome").await;
        client
    }

    /// Says something.
    pub fn send(&mut self, frame: Value) {
        self.connection.receive(&frame.to_string(), Instant::now());
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

    /// Sends a command under a fresh id; all frames up to its answer.
    pub async fn ask(&mut self, mut command: Value) -> Vec<Value> {
        let id = Uuid::now_v7().to_string();
        command["id"] = json!(id);
        self.send(command);
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            let answer = frame["id"] == id.as_str();
            frames.push(frame);
            if answer {
                return frames;
            }
        }
    }
}
