//! Starts the program on a free port, and ends it with the test.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use stepwire::{
    journal::{Journal, SqliteStore},
    model::{ids::InstanceKey, source::SourceFormat},
    runtime::{
        clock::{Clock, real_now},
        definitions::{Definitions, Deploy, StoredCatalog},
        http_calls::HttpCallSettings,
        step_threads::StepThreads,
    },
    session::auth::token::{Identity, TokenSettings, Tokens},
};
use tempfile::TempDir;
use uuid::Uuid;

/// Signs the tokens of all test servers.
pub const SECRET: &str = "a secret of the tests, long enough for any use";

/// A running server.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
    data: TempDir,
    arguments: Vec<String>,
}

impl Server {
    /// A server that keeps everything in memory and has no rate limit.
    pub fn start() -> Self {
        Self::with(&[
            "--store",
            "memory",
            "--rate-per-second",
            "0",
            "--user-starts",
            "0",
        ])
    }

    /// A server whose process time is stopped.
    pub fn with_clock() -> Self {
        Self::with(&[
            "--store",
            "memory",
            "--rate-per-second",
            "0",
            "--test-clock",
        ])
    }

    /// A server with these arguments; a data directory, a port and the secret are given.
    pub fn with(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let arguments = arguments
            .iter()
            .map(|argument| argument.to_string())
            .collect();
        let (child, port) = launch(&data, &arguments);
        Self {
            child,
            port,
            data,
            arguments,
        }
    }

    /// A server on a data directory that holds this process, beside the examples.
    pub fn with_process(bpmn: &'static str) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let directory = data.path().to_owned();
        // A system of its own ends with its thread, and the store is closed before the server opens
        // it.
        std::thread::spawn(move || actix_rt::System::new().block_on(deploy(&directory, bpmn)))
            .join()
            .expect("it deploys");
        let arguments = vec!["--rate-per-second".to_owned(), "0".to_owned()];
        let (child, port) = launch(&data, &arguments);
        Self {
            child,
            port,
            data,
            arguments,
        }
    }

    /// Kills the server without a word and starts it again on its data; the port is another.
    pub fn crash_and_restart(&mut self) {
        self.end();
        (self.child, self.port) = launch(&self.data, &self.arguments);
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The process id, for signals and for the figures of the system.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the server, as an operator would.
    pub fn terminate(&self) {
        let status = Command::new("kill")
            .arg("-TERM")
            .arg(self.pid().to_string())
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// Waits for the end of the process; whether it was a success.
    pub fn wait(&mut self) -> bool {
        self.child
            .wait()
            .expect("the child can be waited for")
            .success()
    }

    /// Memory the process holds, in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("the process runs");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("Linux tells the memory");
        line.split_whitespace()
            .nth(1)
            .and_then(|number| number.parse().ok())
            .expect("a number of KiB")
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

async fn deploy(directory: &Path, bpmn: &str) {
    let store = Box::new(SqliteStore::open(directory).expect("a fresh directory opens"));
    let journal =
        Journal::start(store, 16, Box::new(|error| panic!("{error}"))).expect("the journal starts");
    let scripts =
        StepThreads::start("scripts", 0, &Arc::default(), || ()).expect("no thread is needed");
    let (definitions, _) = Definitions::of(
        journal.clone(),
        StoredCatalog::default(),
        Clock::real(),
        HttpCallSettings::default(),
        scripts.into(),
    );
    let (source, format) = (bpmn.as_bytes(), SourceFormat::BpmnXml);
    let deploy = Deploy {
        tenant: "default",
        source,
        format,
        publish: true,
        by: "test",
        now: real_now(),
    };
    definitions
        .deploy(deploy)
        .await
        .expect("the process has no problems");
    journal.shutdown();
}

fn launch(data: &TempDir, arguments: &Vec<String>) -> (Child, u16) {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a free port")
        .port();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stepwire"))
        .args([
            "--listen",
            &format!("127.0.0.1:{port}"),
            "--jwt-secret",
            SECRET,
            "--workers",
            "2",
            "--data",
        ])
        .arg(data.path())
        .args(arguments)
        .env("RUST_LOG", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
    let ready = lines.any(|line| line.is_ok_and(|line| line.contains("is ready at")));
    assert!(ready, "the server did not come up");
    // Whatever it prints later has to go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    (child, port)
}

/// A token for a user of the default tenant.
pub fn token(user: &str) -> String {
    token_with(user, &[], "default", Duration::from_secs(3600))
}

/// A token of an administrator.
pub fn admin() -> String {
    token_with("root", &["admin"], "default", Duration::from_secs(3600))
}

/// A token for each of these users with their roles, as a JSON object: what scripts in other
/// languages get.
pub fn tokens_of(users: &[(&str, &[&str])]) -> String {
    let hour = Duration::from_secs(3600);
    let entries = users.iter().map(|(user, roles)| {
        (
            (*user).to_owned(),
            token_with(user, roles, "default", hour).into(),
        )
    });
    serde_json::Value::Object(entries.collect()).to_string()
}

/// A token with these roles, tenant and time to live.
pub fn token_with(user: &str, roles: &[&str], tenant: &str, ttl: Duration) -> String {
    let roles = roles.iter().map(|role| role.to_string()).collect();
    let identity = Identity {
        subject: user.into(),
        tenant: tenant.into(),
        roles,
        ..Identity::anonymous(Uuid::nil())
    };
    mint(&identity, ttl)
}

/// A token for one instance tree.
pub fn token_of_tree(subject: &str, root: &str) -> String {
    token_of_tree_for(
        subject,
        root.parse().expect("an instance key"),
        Duration::from_secs(3600),
    )
}

/// As [`token_of_tree`], good for so long.
pub fn token_of_tree_for(subject: &str, root: InstanceKey, ttl: Duration) -> String {
    let identity = Identity {
        subject: subject.into(),
        instance: Some(root),
        ..Identity::anonymous(Uuid::nil())
    };
    mint(&identity, ttl)
}

fn mint(identity: &Identity, ttl: Duration) -> String {
    let settings = TokenSettings {
        secret: SECRET.into(),
        issuer: None,
        audience: None,
    };
    Tokens::new(settings)
        .mint(identity, real_now(), ttl)
        .expect("the token can be signed")
}
