//! The server program on a data directory that outlives it, always on the same port.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use tempfile::TempDir;

use super::program;

/// Signs the tokens of these tests.
pub const SECRET: &str = "a secret of the crash tests, long enough for any use";

/// A data directory and the port its server listens on.
pub struct Installation {
    data: TempDir,
    /// The port of its servers.
    pub port: u16,
    /// Additional arguments of its servers.
    more: Vec<String>,
}

/// A running server; killed when dropped.
pub struct Server(Child);

impl Installation {
    /// An empty directory and a free port.
    pub fn new() -> Self {
        Self::with(Vec::new())
    }

    /// The same, with additional arguments for its servers.
    pub fn with(more: Vec<String>) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        Self { data, port, more }
    }

    /// Adds arguments for the following servers.
    pub fn add_arguments<const N: usize>(&mut self, more: [&str; N]) {
        self.more = more.map(str::to_owned).into();
    }

    /// The same, for any number of arguments.
    pub fn set_arguments<'a>(&mut self, more: impl Iterator<Item = &'a str>) {
        self.more = more.map(str::to_owned).collect();
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Starts a server and waits until it is ready.
    pub fn start(&self) -> Server {
        self.started(self.command())
    }

    /// Starts a server under a wrapper that may end it before it is ready; returns whether it did.
    pub fn ends_at_start(&self, wrapper: &[impl AsRef<OsStr>]) -> bool {
        let mut child = self.under(wrapper).stdout(Stdio::piped()).spawn();
        let child = child.as_mut().expect("the program starts");
        let output = child.stdout.take().expect("its output is piped");
        let ready = BufReader::new(output)
            .lines()
            .any(|line| line.is_ok_and(|line| line.contains("is ready at")));
        // It is needed for its start only.
        let _ = child.kill();
        let _ = child.wait();
        !ready
    }

    /// Starts a server under a wrapper program, which must `exec` it.
    pub fn start_under(&self, wrapper: &[impl AsRef<OsStr>]) -> Server {
        self.started(self.under(wrapper))
    }

    fn under(&self, wrapper: &[impl AsRef<OsStr>]) -> Command {
        let server = self.command();
        let mut command = Command::new(&wrapper[0]);
        command
            .args(&wrapper[1..])
            .arg(server.get_program())
            .args(server.get_args())
            .env("RUST_LOG", "off");
        command
    }

    fn started(&self, mut command: Command) -> Server {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let ready = lines.any(|line| line.is_ok_and(|line| line.contains("is ready at")));
        let server = Server(child);
        assert!(ready, "the server did not come up");
        // Later output must be read, or the server would block.
        std::thread::spawn(move || lines.for_each(drop));
        server
    }

    /// Starts a server that must fail to start; returns its standard error.
    pub fn start_in_vain(&self) -> String {
        let mut command = self.command();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("its output is piped");
        let mut errors = child.stderr.take().expect("its errors are piped");
        let mut server = Server(child);
        let ready = BufReader::new(output)
            .lines()
            .any(|line| line.is_ok_and(|line| line.contains("is ready at")));
        assert!(!ready, "expected the server to refuse, but it came up");
        let mut said = String::new();
        errors.read_to_string(&mut said).expect("it speaks UTF-8");
        let status = server.0.wait().expect("it can be waited for");
        assert_eq!(status.code(), Some(1), "{said}");
        said
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program());
        command
            .args([
                "--listen",
                &format!("127.0.0.1:{}", self.port),
                "--jwt-secret",
                SECRET,
                "--no-examples",
            ])
            .args(["--workers", "2", "--rate-per-second", "0", "--deploy"])
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/crash/ledger.bpmn"
            ))
            .arg("--data")
            .arg(self.data.path())
            .args(&self.more)
            .env("RUST_LOG", "error");
        command
    }
}

impl Server {
    /// Kills it, as a power cut would end the process.
    pub fn kill(mut self) {
        self.0.kill().expect("the server runs");
        self.0.wait().expect("it can be waited for");
    }

    /// Waits until it has ended by itself.
    pub fn wait(mut self) -> ExitStatus {
        self.0.wait().expect("it can be waited for")
    }

    /// Asks it to stop, as an operator would.
    pub fn terminate(mut self) -> ExitStatus {
        let asked = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(asked.success());
        self.0.wait().expect("it can be waited for")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `kill` and `terminate` it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
