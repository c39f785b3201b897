//! The command line of `stepwire test`. Not here: the format of scenario files and playing them
//! (`cli::scenario`).

use std::{path::PathBuf, str::FromStr};

use clap::Args;

use super::{CommonArguments, Hidden};

/// `stepwire test`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PlayScenarios {
    /// Scenario files (YAML), or directories of them
    #[arg(required = true, value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// File for the results as JUnit XML, for build servers [default: none]
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// With --server: the token of a user of the scenarios; once for each user
    #[arg(long = "user", value_name = "NAME=JWT", requires = "server")]
    pub users: Vec<UserToken>,
    /// Server and output. Without --server each scenario has a server of its own.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// A user's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserToken {
    /// The name of the user in scenarios.
    pub name: String,
    /// The token.
    pub token: Hidden,
}

impl FromStr for UserToken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, token)) if !name.is_empty() && !token.is_empty() => Ok(Self {
                name: name.to_owned(),
                token: Hidden(token.to_owned()),
            }),
            _ => Err("expected a name and a token, such as ada=eyJhbGciOi…".to_owned()),
        }
    }
}
