//! The command line of the program as a whole: the options of the server, and the other commands.
//!
//! Not here: the meaning of an option (`config`), the work of a command (`cli`, `backup`,
//! `web::local`).

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::{
    BackupCommand, ClientCommand, CompletionsCommand, DoctorCommand, ManCommand, Options,
    RestoreCommand, UserCommand, duration_argument, settings::GivenOptions,
};

/// The command to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramCommand {
    /// Run the server.
    Serve,
    /// Print a token.
    Token(TokenRequest),
    /// Change or list users.
    User(UserCommand),
    /// Run a command through a server.
    Client(Box<ClientCommand>),
    /// Copy the data directory.
    Backup(BackupCommand),
    /// Create a data directory from a copy.
    Restore(RestoreCommand),
    /// Examine the data directory.
    Doctor(DoctorCommand),
    /// Print completions for a shell.
    Completions(CompletionsCommand),
    /// Print or write manual pages.
    Man(ManCommand),
}

/// The token that `stepwire token` prints.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// User of the token
    #[arg(long)]
    pub sub: String,
    /// Role to grant: admin, designer, operator or a lane's; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// Tenant of the user
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// Lifetime of the token: an ISO 8601 duration such as PT1H, P1D or P2W
    #[arg(long, default_value = "PT1H", allow_hyphen_values = true, value_parser = duration_argument)]
    pub ttl: std::time::Duration,
}

/// The text of `stepwire --help`: it lists the commands in groups, which the library does not
/// support.
const HELP: &str = "\
{about}

{usage-heading} {usage}

Without a command the server runs.

Commands that talk to a server (that of the data directory, or --server URL):
  start     Start a process and print its next step
  run       Run a manual action of an instance and print its next step
  approve   Approve or reject the waiting approval of an instance
  patch     Correct the data of an instance, as an operator
  publish   Publish a message or a signal
  migrate   Migrate instances to another version of their process, or preview the result
  stop      Terminate instances
  watch     Print each push of an instance, of the instances of a process, or of the task list, as a line
  show      Print the state of an instance
  list      List instances, newest first
  deploy    Deploy process definitions
  check     Print the problems that a deploy of process definitions would report; needs no server
  test      Run scenario files, each on a server of its own, and print the differences
  export    Print a process definition as it was deployed, or its instances as JSON lines

Commands for the data directory (--data DIR), whether or not a server runs on it:
  user      Add, change and list users who sign in with a password
  token     Print a token for scripts, signed with the server's secret
  backup    Copy the data directory, as it is at one point in time
  restore   Create a data directory from such a copy, or check a copy
  doctor    Check it, and print each fault with its remedy; changes nothing

Commands for shells:
  completions  Print completions: stepwire completions bash > /etc/bash_completion.d/stepwire
  man          Print the manual page, or write those of all commands into a directory

Examples:
  stepwire                                             # runs the server, with its data in ./stepwire-data
  stepwire deploy onboarding.bpmn --publish
  stepwire start onboarding --data-json @ada.json --wait --until waiting
  stepwire run 0197… save --data-json @details.json --json
  stepwire backup /backups/monday
  stepwire doctor --json

'stepwire COMMAND --help' prints all options of a command. Exit status: 0 done or finished, 1 refused, 2 wrong usage, 3 failed or expired,
4 terminated or dismissed, 5 rejected, 6 waits for a user, 7 no server or no access, 124 timeout.

{options}";

/// The heading of the server's options in the help.
pub(super) const SERVER_OPTIONS: &str = "Options of the server";

/// A websocket-first BPM backend: runs BPMN processes and pushes every next step.
#[derive(Parser)]
#[command(name = "stepwire", version, help_template = HELP)]
pub(super) struct CommandLine {
    /// TOML file with the same options; flags and variables take precedence
    #[arg(
        long,
        global = true,
        env = "STEPWIRE_CONFIG",
        value_name = "FILE",
        help_heading = SERVER_OPTIONS
    )]
    pub(super) config: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
    #[command(subcommand)]
    command: Option<Subcommands>,
}

#[derive(Subcommand)]
enum Subcommands {
    #[command(flatten)]
    Client(ClientCommand),
    /// Add, change and list users who sign in with a password, whether or not a server runs on the
    /// data directory
    #[command(subcommand)]
    User(UserCommand),
    /// Print a token for scripts, signed with the server's secret
    Token(TokenRequest),
    /// Copy the data directory, as it is at one point in time, whether or not a server runs on it
    Backup(BackupCommand),
    /// Create a data directory from a copy made by `stepwire backup`, or check the copy
    Restore(RestoreCommand),
    /// Check everything in the data directory, and print each fault with its consequence and its
    /// remedy; nothing is changed
    Doctor(DoctorCommand),
    /// Print completions for a shell, which reads them when it starts
    Completions(CompletionsCommand),
    /// Print the manual page of the program, or write those of all commands into a directory
    Man(ManCommand),
}

/// Options of the server that other commands need, too; the help of these omits the rest.
const ALSO_FOR_COMMANDS: [&str; 2] = ["data", "config"];

impl CommandLine {
    /// Parses the program's arguments, of which the first is its name.
    ///
    /// # Errors
    /// Wrong usage; also when help or the version is requested.
    pub(super) fn read(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<(Self, GivenOptions), clap::Error> {
        let mut grammar = Self::grammar();
        let matches = grammar.try_get_matches_from_mut(arguments)?;
        let given = GivenOptions::new(&grammar, &matches);
        let line = Self::from_arg_matches(&matches);
        line.map(|line| (line, given))
            .map_err(|error| error.format(&mut grammar))
    }

    /// The grammar of the command line.
    pub(super) fn grammar() -> clap::Command {
        let mut grammar = Self::command();
        // Building makes the commands inherit the server's options.
        grammar.build();
        let names: Vec<String> = grammar
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        names
            .iter()
            .filter(|name| *name != "token" && *name != "help")
            .fold(grammar, |grammar, name| {
                let is_hidden = |id: &str| !ALSO_FOR_COMMANDS.contains(&id);
                grammar.mut_subcommand(name, |command| {
                    command.mut_args(|arg| {
                        let hidden = arg.is_global_set() && is_hidden(arg.get_id().as_str());
                        arg.hide(hidden)
                    })
                })
            })
    }

    /// The requested command.
    pub(super) fn requested(&self) -> ProgramCommand {
        match &self.command {
            None => ProgramCommand::Serve,
            Some(Subcommands::Token(request)) => ProgramCommand::Token(request.clone()),
            Some(Subcommands::User(command)) => ProgramCommand::User(command.clone()),
            Some(Subcommands::Client(command)) => ProgramCommand::Client(Box::new(command.clone())),
            Some(Subcommands::Backup(command)) => ProgramCommand::Backup(command.clone()),
            Some(Subcommands::Restore(command)) => ProgramCommand::Restore(command.clone()),
            Some(Subcommands::Doctor(command)) => ProgramCommand::Doctor(*command),
            Some(Subcommands::Completions(command)) => ProgramCommand::Completions(*command),
            Some(Subcommands::Man(command)) => ProgramCommand::Man(command.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_command_and_hides_server_options() {
        let mut grammar = CommandLine::grammar();
        let help = grammar.render_help().to_string();
        for command in grammar
            .get_subcommands()
            .filter(|command| command.get_name() != "help")
        {
            assert!(
                help.contains(&format!("\n  {} ", command.get_name())),
                "{} in {help}",
                command.get_name()
            );
        }
        let start = grammar
            .find_subcommand_mut("start")
            .unwrap()
            .render_help()
            .to_string();
        assert!(
            start.contains("--data <DIR>") && !start.contains("--workers"),
            "{start}"
        );
        assert!(help.contains("--workers"), "{help}");
    }

    #[test]
    fn commands_are_parsed_with_their_arguments() {
        let read = |arguments: &[&str]| {
            CommandLine::read(
                [&["stepwire"], arguments]
                    .concat()
                    .into_iter()
                    .map(OsString::from),
            )
            .map(|(line, _)| line.requested())
        };
        let Ok(ProgramCommand::Client(command)) = read(&[
            "start",
            "p",
            "--data-json",
            "{}",
            "--data",
            "d",
            "--wait",
            "--until",
            "waiting",
            "--timeout",
            "30s",
        ]) else {
            panic!("a start")
        };
        assert_eq!(
            command.common().timeout,
            Some(std::time::Duration::from_secs(30))
        );
        for bad in [
            &["start"][..],
            &["start", "p", "--until", "waiting"],
            &["start", "p", "--timeout", "soon"],
            &["run", "no-key", "save"],
            &["stop"],
            &["deploy"],
            &["deploy", "f", "--check", "--publish"],
            &["start", "p", "--token", "x", "--token-file", "f"],
            &["restore"],
            &["restore", "d", "--check", "--new-secret"],
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        let shown = format!(
            "{:?}",
            read(&[
                "show",
                "0197a1b2-0000-7000-8000-000000000007",
                "--token",
                "hush"
            ])
        );
        assert!(!shown.contains("hush"), "{shown}");
    }
}
