//! The command line of `stepwire backup`, `stepwire restore` and `stepwire doctor`. Not here: what is done (`backup`).

use std::path::PathBuf;

use clap::Args;

/// `stepwire backup`: copies the data directory of `--data`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct BackupCommand {
    /// Directory to create; it must not exist, or be empty
    #[arg(value_name = "DEST")]
    pub destination: PathBuf,
    /// Output.
    #[command(flatten)]
    pub format: ProgressFormat,
}

/// `stepwire restore`: creates the data directory of `--data`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RestoreCommand {
    /// Directory created by `stepwire backup`
    #[arg(value_name = "SRC")]
    pub source: PathBuf,
    /// Only check the backup, including every instance; nothing is written
    #[arg(long)]
    pub check: bool,
    /// Do not restore the secret of the tokens: all tokens issued so far become invalid
    #[arg(long, conflicts_with = "check")]
    pub new_secret: bool,
    /// Output.
    #[command(flatten)]
    pub format: ProgressFormat,
}

/// `stepwire doctor`: checks the data directory of `--data`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
#[command(
    after_help = "Nothing is changed. Exit status: 0 the directory is sound, 1 it has faults, 2 it cannot be read."
)]
pub struct DoctorCommand {
    /// Output.
    #[command(flatten)]
    pub format: ProgressFormat,
}

/// How results are printed.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgressFormat {
    /// Print the result as JSON, and nothing else, on standard output
    #[arg(long)]
    pub json: bool,
    /// Print no progress
    #[arg(long, short)]
    pub quiet: bool,
}
