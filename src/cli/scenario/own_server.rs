//! The server of one scenario: this program, in memory, with a stopped clock, on its own port and
//! directory, both removed with the scenario.

use std::{
    env, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    cli::{
        Home,
        access::Access,
        exit::{Exit, Failure},
        local,
    },
    config::CommonArguments,
};

/// The longest time it may take to start.
const START: Duration = Duration::from_secs(30);
/// The interval of checking whether it has started: its socket exists once it listens.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running server.
pub struct OwnServer {
    data: PathBuf,
    process: Child,
}

impl OwnServer {
    /// Starts it.
    ///
    /// # Errors
    /// The operating system does not allow it.
    pub fn start() -> Result<Self, Failure> {
        let failed = |cause: std::io::Error| {
            Failure::new(
                Exit::Unreachable,
                format!("expected to start a server for a scenario, but: {cause}"),
            )
        };
        let data = env::temp_dir().join(format!("stepwire-{}", Uuid::now_v7()));
        fs::create_dir(&data).map_err(failed)?;
        let log = fs::File::create(data.join("server.log")).map_err(failed)?;
        let process = program()
            .map_err(failed)?
            .arg("--data")
            .arg(&data)
            .args(["--listen", "127.0.0.1:0", "--store", "memory"])
            .args(["--no-examples", "--test-clock", "--rate-per-second", "0"])
            // Temporary files are removed with the directory.
            .env("TMPDIR", &data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        match process {
            Ok(process) => Ok(Self { data, process }),
            Err(error) => {
                let _ = fs::remove_dir_all(&data);
                Err(failed(error))
            }
        }
    }

    /// Credentials for everything on it, once it has started.
    ///
    /// # Errors
    /// It does not start.
    pub async fn access(&mut self, common: &CommonArguments) -> Result<Access, Failure> {
        let began = Instant::now();
        while local::query(&self.data).await?.is_none() {
            if began.elapsed() > START || !self.is_running() {
                let log = fs::read_to_string(self.data.join("server.log")).unwrap_or_default();
                return Err(Failure::new(
                    Exit::Unreachable,
                    format!("expected the server of a scenario to start, but it did not: {log}"),
                ));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        let common = CommonArguments {
            token: None,
            token_file: None,
            ..common.clone()
        };
        let home = Home {
            data: self.data.clone(),
            server: String::new(),
        };
        Access::find(&common, home).await
    }

    /// A token for a user.
    ///
    /// # Errors
    /// An invalid name or role.
    pub fn token(&self, user: &str, roles: &[String]) -> Result<String, Failure> {
        let failed = |cause: &dyn std::fmt::Display| {
            Failure::usage(format!(
                "expected a token for the user '{user}' of the scenario, but: {cause}"
            ))
        };
        let mut command = program().map_err(|error| failed(&error))?;
        command
            .arg("token")
            .arg("--data")
            .arg(&self.data)
            .args(["--ttl", "PT12H", "--sub", user]);
        for role in roles {
            command.args(["--role", role]);
        }
        let output = command.output().map_err(|error| failed(&error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(failed(&text(&output.stderr)))
        }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // It stores nothing, so there is nothing to shut down in order.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// This program, without any settings of the running one.
fn program() -> std::io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("STEPWIRE_") {
            command.env_remove(name);
        }
    }
    Ok(command)
}
