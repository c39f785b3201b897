//! The command line of `stepwire backup`, `stepwire restore` and `stepwire doctor`. Not here: what is done (`backup`).

use std::path::PathBuf;

use clap::Args;

/// `stepwire backup`: the data directory is that of `--data`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct BackupCommand {
    /// Directory to make; it must not exist, or be empty
    #[arg(value_name = "DEST")]
    pub destination: PathBuf,
    /// How to report it.
    #[command(flatten)]
    pub telling: ProgressFormat,
}

/// `stepwire restore`: the data directory to make is that of `--data`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RestoreCommand {
    /// Directory that `stepwire backup` made
    #[arg(value_name = "SRC")]
    pub source: PathBuf,
    /// Only check it, to the last instance; nothing is written
    #[arg(long)]
    pub check: bool,
    /// Leave the secret of the tokens out: all tokens issued so far end
    #[arg(long, conflicts_with = "check")]
    pub new_secret: bool,
    /// How to report it.
    #[command(flatten)]
    pub telling: ProgressFormat,
}

/// `stepwire doctor`: the data directory is that of `--data`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
#[command(
    after_help = "Nothing is changed. Exit status: 0 the directory is sound, 1 it has faults, 2 it cannot be looked at."
)]
pub struct DoctorCommand {
    /// How to report it.
    #[command(flatten)]
    pub telling: ProgressFormat,
}

/// How results are printed.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgressFormat {
    /// Print the result as JSON, and nothing else on standard output
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}
