//! The server program as a child process, and its resource use according to the system.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use stepwire::{
    runtime::clock::real_now,
    session::auth::token::{Identity, TokenSettings, Tokens},
};
use tempfile::TempDir;
use uuid::Uuid;

use super::Outcome;

const SECRET: &str = "a secret of the benchmarks, long enough for any use";
/// The clock ticks of `/proc/PID/stat`: 100 per second on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The program, and the place of its data.
pub struct Place<'a> {
    /// The program.
    pub program: &'a Path,
    /// The directory in which data directories are created.
    pub directory: &'a Path,
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// The address on which it listens.
    pub port: u16,
}

impl Place<'_> {
    /// Creates an empty data directory.
    pub fn data(&self) -> Outcome<TempDir> {
        Ok(tempfile::tempdir_in(self.directory)?)
    }

    /// Starts the server on a data directory, with the benchmark's processes, and without the
    /// limits that a load would reach.
    pub fn start(&self, data: &Path) -> Outcome<Server> {
        self.start_with(data, None)
    }

    /// The same, with one more file of processes.
    pub fn start_with(&self, data: &Path, file: Option<&Path>) -> Outcome<Server> {
        let mut server = self.spawn_with(data, file)?;
        let output = server
            .child
            .stdout
            .take()
            .ok_or("expected the server's output, but it has none")?;
        let mut lines = BufReader::new(output).lines();
        if !lines.any(|line| line.is_ok_and(|line| line.contains("is ready at"))) {
            return Err("expected the server to come up, but it ended".into());
        }
        // The output must be read, because a full pipe would block the server.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }

    /// Starts the server without waiting for it.
    pub fn spawn(&self, data: &Path) -> Outcome<Server> {
        self.spawn_with(data, None)
    }

    fn spawn_with(&self, data: &Path, file: Option<&Path>) -> Outcome<Server> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(self.program)
            .args([
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--jwt-secret",
                SECRET,
                "--no-examples",
            ])
            .args([
                "--rate-per-second",
                "0",
                "--max-connections-per-user",
                "0",
                "--anonymous-requests",
                "0",
                "--user-requests",
                "0",
                "--user-bytes",
                "0",
                "--user-starts",
                "0",
                "--address-requests",
                "0",
                "--address-bytes",
                "0",
                "--address-starts",
                "0",
                "--max-connections-per-address",
                "0",
            ])
            .arg("--deploy")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/benches/load/load.bpmn"
            ))
            .args(file.iter().flat_map(|file| [Path::new("--deploy"), file]))
            .arg("--data")
            .arg(data)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Server { child, port })
    }
}

impl Server {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, in bytes.
    pub fn memory(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("expected VmRSS, but it is missing")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024)
    }

    /// Sends it the signal to stop, and waits for its end.
    pub fn stop(mut self) -> Outcome<()> {
        Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; a failure has no consequence.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time that a process has used, user and system.
pub fn cpu_seconds(process: &str) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name may contain blanks; the fields after its bracket do not.
    let (_, numbers) = stat
        .rsplit_once(')')
        .ok_or("expected a process name in brackets, but there is none")?;
    let ticks = numbers
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_SECOND)
}

/// The bytes of all files in a directory.
pub fn bytes_in(directory: &Path) -> Outcome<u64> {
    let sizes = fs::read_dir(directory)?.map(|entry| Ok(entry?.metadata()?.len()));
    Ok(sizes.sum::<std::io::Result<u64>>()?)
}

/// A token for the user with this number.
pub fn token(user: usize) -> Outcome<String> {
    token_with(user, &[])
}

/// A token for the user with this number, who has these roles.
pub fn token_with(user: usize, roles: &[&str]) -> Outcome<String> {
    let tokens = Tokens::new(TokenSettings {
        secret: SECRET.into(),
        issuer: None,
        audience: None,
    });
    let identity = Identity {
        subject: format!("user-{user}"),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        ..Identity::anonymous(Uuid::nil())
    };
    Ok(tokens
        .mint(&identity, real_now(), Duration::from_secs(3600))
        .map_err(|error| error.to_string())?)
}
