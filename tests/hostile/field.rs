//! The environment of an attack: the program as a process of its own with default settings, and
//! what can be observed from outside.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stepwire::session::auth::token::{Identity, TokenSettings, Tokens};
use tempfile::TempDir;
use tokio::{
    net::{TcpSocket, TcpStream},
    time::sleep,
};
use uuid::Uuid;

/// Signs the tokens of attackers and users.
const SECRET: &str = "a secret of the hostile tests, long enough for any use";
/// The time after which a missing answer counts as none, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The address of attackers.
pub const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
/// The address of another user.
pub const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// The address from which the field is prepared.
const OWNER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// A server under attack.
pub struct Field {
    program: Mutex<Child>,
    port: u16,
    _data: TempDir,
    /// How long an attack continues.
    pub seconds: Duration,
    /// Whether it is played for a table, and not only for what must hold.
    pub long: bool,
}

/// What came of the requests of an attack, by status or close code.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    /// Counts one.
    pub fn add(&self, what: impl ToString) {
        *self.counts().entry(what.to_string()).or_default() += 1;
    }

    /// How many of these there were.
    pub fn of(&self, what: &str) -> u64 {
        self.counts().get(what).copied().unwrap_or(0)
    }

    /// Asserts that nothing else came than these.
    #[track_caller]
    pub fn only(&self, expected: &[&str]) {
        let counts = self.counts();
        let others: Vec<_> = counts
            .keys()
            .filter(|what| !expected.contains(&what.as_str()))
            .collect();
        assert!(
            others.is_empty(),
            "expected {expected:?} only, but {counts:?}"
        );
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().expect("nobody panics with it")
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        let told: Vec<String> = counts
            .iter()
            .map(|(what, count)| format!("{what} ×{count}"))
            .collect();
        f.write_str(&told.join(", "))
    }
}

impl Field {
    /// Starts the program, with its default settings but for an address, a data directory and a
    /// secret.
    pub fn start() -> Self {
        let given = |name: &str| std::env::var(name).ok();
        let program = given("STEPWIRE_HOSTILE_PROGRAM");
        let seconds = given("STEPWIRE_HOSTILE_SECONDS").and_then(|text| text.parse().ok());
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut child = Command::new(program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_stepwire")))
            .args(["--listen", "127.0.0.1:0", "--jwt-secret", SECRET])
            .arg("--data")
            .arg(data.path())
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(output).lines();
        let port = lines
            .find_map(|line| {
                let line = line.ok()?;
                let (_, address) = line.split_once("is ready at ")?;
                address.rsplit_once(':')?.1.trim().parse().ok()
            })
            .expect("the server comes up");
        // Whatever it prints later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            program: Mutex::new(child),
            port,
            _data: data,
            seconds: Duration::from_secs(seconds.unwrap_or(1)),
            long: seconds.is_some(),
        }
    }

    /// Its process still runs.
    pub fn is_alive(&self) -> bool {
        let mut program = self.program.lock().expect("nobody panics with it");
        program.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// Ends it, whether it still runs or not.
    pub fn kill(&self) {
        let mut program = self.program.lock().expect("nobody panics with it");
        // It may have ended by itself, which a check reports.
        let _ = program.kill();
        let _ = program.wait();
    }

    /// When an attack that begins now is over.
    pub fn end(&self) -> Instant {
        Instant::now() + self.seconds
    }

    /// A token for a user of the tenant `default`.
    pub fn token(&self, subject: &str, roles: &[&str]) -> String {
        let settings = TokenSettings {
            secret: SECRET.to_owned(),
            issuer: None,
            audience: None,
        };
        let identity = Identity {
            subject: subject.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Identity::anonymous(Uuid::nil())
        };
        let now = stepwire::runtime::clock::real_now();
        Tokens::new(settings)
            .mint(&identity, now, Duration::from_secs(3600))
            .expect("tokens can be signed")
    }

    /// A token with these claims, genuine whatever they say.
    pub fn signed(&self, claims: &Value) -> String {
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key)
            .expect("tokens can be signed")
    }

    /// A client from this address.
    pub fn client(&self, from: Ipv4Addr) -> reqwest::Client {
        client(from)
    }

    /// An address of the server.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A connection from this address.
    pub async fn connect(&self, from: Ipv4Addr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
        socket
            .connect(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port))
            .await
    }

    /// Publishes a process, before the attack.
    pub async fn publish(&self, process: Value) {
        let answer = self
            .client(OWNER)
            .post(self.url("/v1/definitions?publish=true"))
            .bearer_auth(self.token("owner", &["admin"]))
            .json(&process)
            .send()
            .await
            .expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        assert!(status.is_success(), "{status} {text}");
    }

    /// A request of the owner, before or after an attack: its status and its body.
    pub async fn owner(&self, method: reqwest::Method, path: &str, body: Value) -> (u16, String) {
        let request = self
            .client(OWNER)
            .request(method, self.url(path))
            .bearer_auth(self.token("owner", &["admin"]));
        let request = match body {
            Value::Null => request,
            body => request.json(&body),
        };
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap_or_default())
    }

    /// The sum of a metric over its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self
            .owner(reqwest::Method::GET, "/metrics", json!(null))
            .await;
        text.lines()
            .filter(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with([' ', '{']))
            })
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum()
    }

    /// Looks at the program until it is told to stop.
    pub fn gauge(self: &Arc<Self>) -> Gauge {
        let pid = self.program.lock().expect("nobody panics with it").id();
        let (stop, peak) = (Arc::<AtomicBool>::default(), Arc::new(Mutex::new(0)));
        let (stopped, highest) = (stop.clone(), peak.clone());
        let before = resident(pid);
        let watching = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let now = resident(pid);
                let mut highest = highest.lock().expect("nobody panics with it");
                *highest = now.max(*highest);
                drop(highest);
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        Gauge {
            pid,
            before,
            peak,
            written: written(pid),
            since: Instant::now(),
            stop,
            watching,
        }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A client from this address.
pub fn client(from: Ipv4Addr) -> reqwest::Client {
    let client = reqwest::Client::builder()
        .local_address(IpAddr::V4(from))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE);
    client.build().expect("a client")
}

/// Looks at a process.
pub struct Gauge {
    pid: u32,
    before: u64,
    peak: Arc<Mutex<u64>>,
    written: u64,
    since: Instant,
    stop: Arc<AtomicBool>,
    watching: std::thread::JoinHandle<()>,
}

/// What a process took during an attack.
pub struct Taken {
    /// Bytes of memory before.
    pub before: u64,
    /// The most at any moment.
    pub peak: u64,
    /// The number of bytes written to disk per second.
    pub disk: u64,
}

impl Gauge {
    /// Stops the observation.
    pub fn taken(self) -> Taken {
        self.stop.store(true, Ordering::Relaxed);
        self.watching.thread().unpark();
        self.watching.join().expect("it only looks");
        let seconds = self.since.elapsed().as_secs_f64().max(0.001);
        let peak = *self.peak.lock().expect("nobody panics with it");
        Taken {
            before: self.before,
            peak: peak.max(self.before),
            disk: (written(self.pid).saturating_sub(self.written) as f64 / seconds) as u64,
        }
    }
}

/// The memory of a process and of its children, such as those that run scripts, in bytes.
fn resident(pid: u32) -> u64 {
    let own = number_in(&format!("/proc/{pid}/status"), "VmRSS:").unwrap_or(0) * 1024;
    let tasks = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task"));
    let children = tasks
        .into_iter()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let of_children = children.map(|children| {
        let pids = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        pids.map(resident).sum::<u64>()
    });
    own + of_children.sum::<u64>()
}

/// The number of bytes that a process has written to disk.
fn written(pid: u32) -> u64 {
    number_in(&format!("/proc/{pid}/io"), "write_bytes:").unwrap_or(0)
}

fn number_in(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Runs the same work on so many tasks, each repeatedly until the time is over.
pub async fn swarm<W>(field: &Arc<Field>, many: usize, work: impl Fn(Arc<Field>, usize) -> W)
where
    W: Future<Output = ()> + Send + 'static,
{
    let all: Vec<_> = (0..many)
        .map(|index| tokio::spawn(work(field.clone(), index)))
        .collect();
    for one in all {
        one.await.expect("an attacker plays to its end");
    }
}

/// Sends a request; returns its status and body. The status is `0` for a connection that was closed
/// without an answer.
pub async fn sent(request: reqwest::RequestBuilder) -> (u16, String) {
    match request.send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            (status, answer.text().await.unwrap_or_default())
        }
        Err(_) => (0, String::new()),
    }
}

/// Sends a request, after the time that the answer gives as often as a rate is used up.
pub async fn obeying(request: reqwest::RequestBuilder) -> (u16, String) {
    loop {
        let again = request.try_clone().expect("a body that can be sent again");
        let (status, text) = sent(again).await;
        if status != 429 {
            return (status, text);
        }
        let refused: Value = serde_json::from_str(&text).unwrap_or_default();
        let wait = refused["afterMs"].as_u64().unwrap_or(1_000);
        sleep(Duration::from_millis(wait)).await;
    }
}
