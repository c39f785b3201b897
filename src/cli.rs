//! The command line client: `stepwire start`, `run`, `patch`, `approve`, `stop`, `watch`, `show`,
//! `list`, `deploy`, `check`, `test`, `export`.
//!
//! It uses only the public interface (`docs/protocol.md`, `docs/rest.md`) and knows nothing of its
//! implementation, so it also shows that the interface is sufficient. It waits by push and never
//! polls: it keeps one websocket, reconnects whenever that is lost, follows the instance from the
//! last frame it received, and sends every command again unchanged until it is answered.
//!
//! Not here: the syntax of the command line (`config::client_command`); `user`, `token`
//! (`web::local`, `main`); `backup`. Where to go next: `client` for the connection and its
//! interruptions, `access` for the choice of server and identity, `exit` for the exit status.

mod access;
mod approve;
mod backoff;
mod client;
mod deploy;
mod exit;
mod export;
mod followed;
mod list;
mod local;
mod migrate;
mod patch;
mod payload;
mod print;
mod problems;
mod progress;
mod publish;
mod rest;
mod run;
mod scenario;
mod show;
mod socket;
mod start;
mod stop;
mod wait;
mod watch;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use access::Access;
use exit::{Exit, Failure};
use print::Printer;

use crate::config::ClientCommand;

pub use problems::{Check, CheckedFile, FoundProblem};

/// Where this machine's server is, if there is one.
#[derive(Clone)]
pub struct Home {
    /// The data directory; its owner gets a token from the server on it.
    pub data: PathBuf,
    /// The address at which the server listens according to its options.
    pub server: String,
}

/// Runs a command. `check` finds the problems of a definition without a server.
pub async fn run(command: ClientCommand, home: Home, check: Check) -> ExitCode {
    let mut printer = Printer::new(command.common());
    let done = perform(command, home, check, &mut printer).await;
    let exit = match done {
        Ok(exit) => exit,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit
        }
    };
    exit.into()
}

async fn perform(
    command: ClientCommand,
    home: Home,
    check: Check,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    match &command {
        ClientCommand::Check(command) => {
            return deploy::check(&command.files, command.explore, check, printer);
        }
        ClientCommand::Deploy(deploy) if deploy.check => {
            return deploy::check(&deploy.files, false, check, printer);
        }
        ClientCommand::Test(command) => {
            let limit = printer.timeout;
            return in_time(limit, scenario::test(command.clone(), home, printer)).await;
        }
        _ => {}
    }
    let access = Access::find(command.common(), home).await?;
    printer.identity(&access);
    let limit = printer.timeout;
    match command {
        ClientCommand::Start(start) => start::start(start, access, printer).await,
        ClientCommand::Run(run) => run::run(run, access, printer).await,
        ClientCommand::Patch(patch) => patch::patch(patch, access, printer).await,
        ClientCommand::Migrate(migrate) => {
            in_time(limit, migrate::migrate(migrate, access, printer)).await
        }
        ClientCommand::Publish(publish) => {
            in_time(limit, publish::publish(publish, access, printer)).await
        }
        ClientCommand::Approve(approve) => approve::approve(approve, access, printer).await,
        ClientCommand::Stop(stop) => stop::stop(stop, access, printer).await,
        ClientCommand::Watch(watch) => watch::watch(watch, access, printer).await,
        ClientCommand::Show(show) => in_time(limit, show::show(show, access, printer)).await,
        ClientCommand::List(list) => in_time(limit, list::list(list, access, printer)).await,
        ClientCommand::Deploy(deploy) => {
            in_time(limit, deploy::deploy(deploy, access, printer)).await
        }
        ClientCommand::Check(_) | ClientCommand::Test(_) => Ok(Exit::Done),
        ClientCommand::Export(export) => {
            in_time(limit, export::export(export, access, printer)).await
        }
    }
}

/// Applies the time-out to work that leaves nothing in progress and can be repeated.
async fn in_time<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let late = || {
        Failure::new(
            Exit::TimedOut,
            "expected an answer in time, but none has arrived: try again, or allow more time",
        )
    };
    print::limited(limit, work)
        .await
        .unwrap_or_else(|| Err(late()))
}
