//! The command line of the commands that talk to a server over its wire. Not here: what they do
//! (`cli`).

use std::{fmt, path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::PlayScenarios;

/// What is to be done through a server.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum ClientCommand {
    /// Start a process and print its next step
    Start(StartArguments),
    /// Run a manual action of an instance and print its next step
    Run(RunArguments),
    /// Correct the data of an instance, as an operator, and print its next step
    Patch(PatchArguments),
    /// Take instances to another version of their process, as an operator
    Migrate(MigrateArguments),
    /// Publish a message or a signal and print who got it
    Publish(PublishArguments),
    /// Approve what an instance waits for, or reject it
    Approve(ApproveArguments),
    /// End instances
    Stop(StopArguments),
    /// Print every push of an instance, of a process's instances, or of the tasks as a line
    Watch(WatchArguments),
    /// Print the state of an instance
    Show(ShowArguments),
    /// List instances, newest first
    List(ListArguments),
    /// Deploy process definitions
    Deploy(DeployArguments),
    /// Print the problems of process definitions, as a deploy would; needs no server
    Check(CheckArguments),
    /// Play scenario files, each on a server of its own, and print what came out otherwise
    Test(PlayScenarios),
    /// Print a process definition as it was deployed, or instances as JSON lines
    Export(ExportArguments),
}

impl ClientCommand {
    /// The options shared by all client commands: the server, and the output.
    pub fn common(&self) -> &CommonArguments {
        match self {
            Self::Start(start) => &start.common,
            Self::Run(run) => &run.common,
            Self::Patch(patch) => &patch.common,
            Self::Migrate(migrate) => &migrate.common,
            Self::Publish(publish) => &publish.common,
            Self::Approve(approve) => &approve.common,
            Self::Stop(stop) => &stop.common,
            Self::Watch(watch) => &watch.common,
            Self::Show(show) => &show.common,
            Self::List(list) => &list.common,
            Self::Deploy(deploy) => &deploy.common,
            Self::Check(check) => &check.common,
            Self::Test(test) => &test.common,
            Self::Export(export) => &export.common,
        }
    }
}

/// What all of them have.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct CommonArguments {
    /// Address of the server [default: the server on the data directory, else where --listen says]
    #[arg(long, env = "STEPWIRE_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token; better in the variable or a file, as arguments can be seen by others
    /// [default: one that the server on the data directory gives to the directory's owner]
    #[arg(
        long,
        env = "STEPWIRE_TOKEN",
        value_name = "JWT",
        hide_env_values = true
    )]
    pub token: Option<Hidden>,
    /// File with the bearer token, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
    /// Print JSON, one object per result, and nothing else on standard output
    #[arg(long)]
    pub json: bool,
    /// Tell nothing on standard error while at work
    #[arg(long, short)]
    pub quiet: bool,
    /// Give up after this long, with status 124: PT30S, P1D or 30s
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = super::duration_argument)]
    pub timeout: Option<Duration>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Whether to wait, and what for.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct WaitArguments {
    /// Follow the instance until it has ended; the exit status says how
    #[arg(long)]
    pub wait: bool,
    /// What to wait for: the end, or also a step that needs a user (status 6)
    #[arg(long, requires = "wait", default_value = "end")]
    pub until: Until,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// The end of the instance.
    End,
    /// Its end, or a step that does not continue without a user.
    Waiting,
}

/// What goes with a command.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PayloadArguments {
    /// Data that go along: a JSON object, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub data_json: Option<String>,
    /// Id of the command: the same id never does it twice [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub id: Option<Uuid>,
}

/// `stepwire start`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct StartArguments {
    /// Id of the process
    pub process: String,
    /// What goes along.
    #[command(flatten)]
    pub payload: PayloadArguments,
    /// Your name for the matter
    #[arg(long, value_name = "TEXT")]
    pub business_key: Option<String>,
    /// Start condition that chooses among several start events
    #[arg(long, value_name = "TEXT")]
    pub condition: Option<String>,
    /// Start the draft, as a test
    #[arg(long)]
    pub test: bool,
    /// What to wait for.
    #[command(flatten)]
    pub waiting: WaitArguments,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire run`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RunArguments {
    /// Key of the instance
    pub instance: Uuid,
    /// Name of the action
    pub action: String,
    /// What goes along.
    #[command(flatten)]
    pub payload: PayloadArguments,
    /// Key of the element, when several offer the action
    #[arg(long, value_name = "KEY")]
    pub element: Option<String>,
    /// Refuse if the instance has moved on from this number
    #[arg(long, value_name = "SEQ")]
    pub if_seq: Option<u64>,
    /// What to wait for.
    #[command(flatten)]
    pub waiting: WaitArguments,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire patch`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PatchArguments {
    /// Key of the instance
    pub instance: Uuid,
    /// What is merged into the data: a JSON object, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub data_json: String,
    /// Key of the element whose variables are meant [default: the data of the instance]
    #[arg(long, value_name = "KEY")]
    pub scope: Option<String>,
    /// Id of the command: the same id never does it twice [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub id: Option<Uuid>,
    /// Refuse if the instance has moved on from this number
    #[arg(long, value_name = "SEQ")]
    pub if_seq: Option<u64>,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire migrate`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct MigrateArguments {
    /// Keys of the instances
    #[arg(required = true)]
    pub instances: Vec<Uuid>,
    /// Number of the version
    #[arg(long, value_name = "VERSION")]
    pub to: u32,
    /// A node or flow that has another id there; may be given several times
    #[arg(long, value_name = "OLD=NEW")]
    pub map: Vec<String>,
    /// Only say what would become of each
    #[arg(long)]
    pub preview: bool,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire publish`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PublishArguments {
    /// Name of the message or signal
    pub name: String,
    /// Publish a signal: to all who wait for it
    #[arg(long, conflicts_with_all = ["key", "ttl", "instance"])]
    pub signal: bool,
    /// Which of those who wait for the message it is for: its correlation key [default: those without one]
    #[arg(long, value_name = "TEXT")]
    pub key: Option<String>,
    /// What it brings: a JSON object, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub data_json: Option<String>,
    /// How long the message is kept for those who do not wait yet: ISO 8601, at most P30D [default: not at all]
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<String>,
    /// The instance the message is for
    #[arg(long, value_name = "KEY", conflicts_with = "key")]
    pub instance: Option<Uuid>,
    /// Id of the command: the same id never does it twice [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub id: Option<Uuid>,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire approve`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ApproveArguments {
    /// Key of the instance; approvals of its subprocesses count, too
    pub instance: Uuid,
    /// Reject instead
    #[arg(long)]
    pub reject: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// What goes along.
    #[command(flatten)]
    pub payload: PayloadArguments,
    /// Key of the element, when several approvals wait
    #[arg(long, value_name = "KEY")]
    pub element: Option<String>,
    /// What to wait for.
    #[command(flatten)]
    pub waiting: WaitArguments,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire stop`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct StopArguments {
    /// Keys of the instances
    #[arg(required = true, value_name = "INSTANCE")]
    pub instances: Vec<Uuid>,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire watch`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct WatchArguments {
    /// Key of an instance, id of a process (* for all), or the word tasks
    #[arg(value_name = "INSTANCE|PROCESS|tasks")]
    pub what: String,
    /// Of an instance: only what came after this number
    #[arg(long, value_name = "SEQ")]
    pub after: Option<u64>,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire show`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ShowArguments {
    /// Key of the instance
    pub instance: Uuid,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire list`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ListArguments {
    /// Only of this process
    #[arg(long, value_name = "ID")]
    pub process: Option<String>,
    /// Only with this status, such as started or finished
    #[arg(long)]
    pub status: Option<String>,
    /// Only with this business key
    #[arg(long, value_name = "TEXT")]
    pub business_key: Option<String>,
    /// At most so many
    #[arg(long, default_value = "50", value_name = "N")]
    pub limit: usize,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire deploy`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DeployArguments {
    /// BPMN files, definitions as JSON (*.json), or directories with such files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Let new instances run what is deployed
    #[arg(long)]
    pub publish: bool,
    /// Only print the problems, as 'stepwire check' does; needs no server
    #[arg(long, conflicts_with = "publish")]
    pub check: bool,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire check`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct CheckArguments {
    /// BPMN files, definitions as JSON (*.json), or directories with such files: as if deployed one
    /// after the other on a server that has no process
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Walk every interleaving of the control flow, with data left free, and tell where it gets stuck,
    /// does not end, gathers tokens without bound, or never comes
    #[arg(long)]
    pub explore: bool,
    /// How to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire export`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ExportArguments {
    /// Id of the process; with @VERSION another version than the published (else the newest) one
    #[arg(value_name = "PROCESS[@VERSION]")]
    pub process: String,
    /// File to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What to write
    #[arg(long, default_value = "bpmn", conflicts_with = "instances")]
    pub format: DefinitionText,
    /// Instead of the definition its instances: a JSON line for each, with all that you may see of
    /// it
    #[arg(long)]
    pub instances: bool,
    /// Where, and how to print.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// How a definition is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DefinitionText {
    /// BPMN XML, as it was deployed.
    Bpmn,
    /// The JSON form.
    Json,
}
