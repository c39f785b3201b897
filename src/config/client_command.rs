//! The command line of the commands that talk to a server over its wire. Not here: what they do
//! (`cli`).

use std::{fmt, path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::{PlayScenarios, numbers::whole};

/// A command that talks to a server.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum ClientCommand {
    /// Start a process and print its next step
    Start(StartArguments),
    /// Run a manual action of an instance and print its next step
    Run(RunArguments),
    /// Correct the data of an instance, as an operator, and print its next step
    Patch(PatchArguments),
    /// Migrate instances to another version of their process, as an operator
    Migrate(MigrateArguments),
    /// Publish a message or a signal and print its receivers
    Publish(PublishArguments),
    /// Approve or reject the waiting approval of an instance
    Approve(ApproveArguments),
    /// Terminate instances
    Stop(StopArguments),
    /// Print each push of an instance, of the instances of a process, or of the task list, as a
    /// line
    Watch(WatchArguments),
    /// Print the state of an instance
    Show(ShowArguments),
    /// List instances, newest first
    List(ListArguments),
    /// Deploy process definitions
    Deploy(DeployArguments),
    /// Print the problems that a deploy of process definitions would report; needs no server
    Check(CheckArguments),
    /// Run scenario files, each on a server of its own, and print the differences
    Test(PlayScenarios),
    /// Print a process definition as it was deployed, or its instances as JSON lines
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

/// The options that all client commands have.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct CommonArguments {
    /// URL of the server [default: the server of the data directory, else the address of --listen]
    #[arg(long, env = "STEPWIRE_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token; other users of the machine can see arguments, so prefer the variable or a file
    /// [default: a token that the server of the data directory issues to the directory's owner]
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
    /// Print one JSON object per result, and nothing else, on standard output
    #[arg(long)]
    pub json: bool,
    /// Print no progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
    /// Maximum duration of the command, which then exits with status 124: PT30S, P1D or 30s
    /// [default: no limit]
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

/// Whether to wait for the instance, and until when.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct WaitArguments {
    /// Wait for the end of the instance; the exit status is that of its end
    #[arg(long)]
    pub wait: bool,
    /// When the wait ends: at the end of the instance, or also at a step that needs a user (status
    /// 6)
    #[arg(long, requires = "wait", default_value = "end")]
    pub until: Until,
}

/// When a wait ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// The end of the instance.
    End,
    /// The end, or a step that needs a user to continue.
    Waiting,
}

/// The data and the id of a command.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PayloadArguments {
    /// Data of the command: a JSON object, @FILE, or - for standard input [default: none]
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub data_json: Option<String>,
    /// Id of the command: a command repeated with the same id has no second effect [default: a new
    /// id]
    #[arg(long, value_name = "UUID")]
    pub id: Option<Uuid>,
}

/// `stepwire start`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct StartArguments {
    /// Id of the process
    pub process: String,
    /// The data and the id.
    #[command(flatten)]
    pub payload: PayloadArguments,
    /// Business key of the instance, such as an order number [default: none]
    #[arg(long, value_name = "TEXT")]
    pub business_key: Option<String>,
    /// Start condition, which chooses one of several start events
    #[arg(long, value_name = "TEXT")]
    pub condition: Option<String>,
    /// Start the draft of the process, as a test
    #[arg(long)]
    pub test: bool,
    /// Whether to wait.
    #[command(flatten)]
    pub waiting: WaitArguments,
    /// Server and output.
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
    /// The data and the id.
    #[command(flatten)]
    pub payload: PayloadArguments,
    /// Key of the element, when several elements offer the action
    #[arg(long, value_name = "KEY")]
    pub element: Option<String>,
    /// Refuse the command if the instance has advanced beyond this sequence number
    #[arg(long, value_name = "SEQ", value_parser = whole::<u64>)]
    pub if_seq: Option<u64>,
    /// Whether to wait.
    #[command(flatten)]
    pub waiting: WaitArguments,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire patch`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PatchArguments {
    /// Key of the instance
    pub instance: Uuid,
    /// Data to merge into those of the instance: a JSON object, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub data_json: String,
    /// Key of the element whose variables are changed [default: the data of the instance]
    #[arg(long, value_name = "KEY")]
    pub scope: Option<String>,
    /// Id of the command: a command repeated with the same id has no second effect [default: a new
    /// id]
    #[arg(long, value_name = "UUID")]
    pub id: Option<Uuid>,
    /// Refuse the command if the instance has advanced beyond this sequence number
    #[arg(long, value_name = "SEQ", value_parser = whole::<u64>)]
    pub if_seq: Option<u64>,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire migrate`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct MigrateArguments {
    /// Keys of the instances
    #[arg(required = true)]
    pub instances: Vec<Uuid>,
    /// Number of the target version
    #[arg(long, value_name = "VERSION", value_parser = whole::<u32>)]
    pub to: u32,
    /// New id in the target of a node or flow; may be repeated
    #[arg(long, value_name = "OLD=NEW")]
    pub map: Vec<String>,
    /// Print the result for each instance without migrating it
    #[arg(long)]
    pub preview: bool,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire publish`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PublishArguments {
    /// Name of the message or signal
    pub name: String,
    /// Publish a signal, which all its subscribers receive
    #[arg(long, conflicts_with_all = ["key", "ttl", "instance"])]
    pub signal: bool,
    /// Correlation key of the message [default: none]
    #[arg(long, value_name = "TEXT")]
    pub key: Option<String>,
    /// Business key of the instances that it starts, and that a message goes to [default: any]
    #[arg(long, value_name = "TEXT", conflicts_with = "instance")]
    pub business_key: Option<String>,
    /// Data of the message or signal: a JSON object, @FILE, or - for standard input [default: none]
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub data_json: Option<String>,
    /// Time for which the message is stored for later subscribers: an ISO 8601 duration, at most
    /// P30D [default: not stored]
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<String>,
    /// Key of the instance that is to receive the message
    #[arg(long, value_name = "KEY", conflicts_with = "key")]
    pub instance: Option<Uuid>,
    /// Id of the command: a command repeated with the same id has no second effect [default: a new
    /// id]
    #[arg(long, value_name = "UUID")]
    pub id: Option<Uuid>,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire approve`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ApproveArguments {
    /// Key of the instance; approvals of its subprocesses are found, too
    pub instance: Uuid,
    /// Reject instead of approving
    #[arg(long)]
    pub reject: bool,
    /// Comment, which is stored with the decision
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// The data and the id.
    #[command(flatten)]
    pub payload: PayloadArguments,
    /// Key of the element, when several approvals are waiting
    #[arg(long, value_name = "KEY")]
    pub element: Option<String>,
    /// Whether to wait.
    #[command(flatten)]
    pub waiting: WaitArguments,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire stop`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct StopArguments {
    /// Keys of the instances
    #[arg(required = true, value_name = "INSTANCE")]
    pub instances: Vec<Uuid>,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire watch`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct WatchArguments {
    /// Key of an instance, id of a process (* for all), or the word tasks
    #[arg(value_name = "INSTANCE|PROCESS|tasks")]
    pub what: String,
    /// For an instance: print only pushes after this sequence number
    #[arg(long, value_name = "SEQ", value_parser = whole::<u64>)]
    pub after: Option<u64>,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire show`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ShowArguments {
    /// Key of the instance
    pub instance: Uuid,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire list`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ListArguments {
    /// List only instances of this process
    #[arg(long, value_name = "ID")]
    pub process: Option<String>,
    /// List only instances with this status, such as started or finished
    #[arg(long)]
    pub status: Option<String>,
    /// List only instances with this business key
    #[arg(long, value_name = "TEXT")]
    pub business_key: Option<String>,
    /// Maximum number of instances
    #[arg(long, default_value = "50", value_name = "N", value_parser = whole::<usize>)]
    pub limit: usize,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire deploy`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DeployArguments {
    /// BPMN files, definitions as JSON (*.json), or directories with such files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Publish the deployed versions, so that new instances run them
    #[arg(long)]
    pub publish: bool,
    /// Print only the problems, as 'stepwire check' does; needs no server
    #[arg(long, conflicts_with = "publish")]
    pub check: bool,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire check`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct CheckArguments {
    /// BPMN files, definitions as JSON (*.json), or directories with such files; they are checked
    /// as if deployed one after the other on an empty server
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Explore every interleaving of the control flow, for any data, and report where it gets
    /// stuck, does not end, accumulates tokens without limit, or is never reached
    #[arg(long)]
    pub explore: bool,
    /// Output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// `stepwire export`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ExportArguments {
    /// Id of the process; with @VERSION a certain version [default: the published version, else the
    /// newest]
    #[arg(value_name = "PROCESS[@VERSION]")]
    pub process: String,
    /// Output file [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Format of the definition
    #[arg(long, default_value = "bpmn", conflicts_with = "instances")]
    pub format: DefinitionText,
    /// Print the instances of the process instead of its definition: a JSON line for each, with
    /// everything that you may see of it
    #[arg(long)]
    pub instances: bool,
    /// Server and output.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// The format of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DefinitionText {
    /// BPMN XML, as it was deployed.
    Bpmn,
    /// The JSON format.
    Json,
}
