//! Findings about a data directory, in words.

use std::fmt;

use serde::Serialize;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingSeverity {
    /// Something cannot be served, or no server can run.
    Fault,
    /// Nothing is lost because of it.
    Note,
}

/// The kind of a finding. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Other users of the machine may read the directory.
    OpenToOthers,
    /// The server has no permission for a part of the directory.
    Permissions,
    /// The file of a secret does not contain one.
    Secret,
    /// The database does not exist or is empty.
    NoDatabase,
    /// The database cannot be opened, or has another version.
    Database,
    /// Pages or indexes of the database are damaged.
    Integrity,
    /// The log has a gap.
    Gap,
    /// A version of a definition cannot be run.
    Definition,
    /// A user cannot be read, or can never sign in.
    User,
    /// A schedule cannot be read.
    Schedule,
    /// A message between instances cannot be read.
    Message,
    /// A call to another system cannot be read.
    HttpCall,
    /// A draft of a task cannot be read.
    Draft,
    /// A timer cannot be read.
    Timer,
    /// A line of a list cannot be read.
    ListLine,
    /// An instance cannot be loaded.
    Instance,
    /// A row of a list, a timer, a message or a call belongs to an instance that does not exist.
    Orphan,
    /// A stored count differs from the number of its rows.
    Count,
    /// A file named by an instance is missing or changed.
    File,
    /// A file that is not named by any instance.
    UnknownFile,
}

/// Advice when only a backup still has the lost data.
const RESTORE: &str = "restore a backup";

impl FindingKind {
    /// What a finding of this kind means, and what to do.
    fn advice(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenToOthers => (
                "other users of the machine can read the uploads of your users",
                "give the directory and all in it to the server's user alone: chown -R, chmod -R go=",
            ),
            Self::Permissions => (
                "no server starts on it, or a part of it cannot be served",
                "give the directory and all in it to the server's user: chown -R, chmod -R u+rwX",
            ),
            Self::Secret => (
                "no server starts on it",
                "put the file back from a backup; or delete it: a new one is made, and users with a \
                 token sign in again",
            ),
            Self::NoDatabase => (
                "no server starts on it, as a new database would know nothing of what is beside it",
                "put stepwire.db back, or restore a backup",
            ),
            Self::Database => (
                "no server starts on it",
                "start the server version that wrote it, or restore a backup",
            ),
            Self::Integrity => (
                "reading what is there may fail, or answer wrongly",
                "stop the server, keep a copy of the directory, and restore a backup; check the disk",
            ),
            Self::Gap => (
                "an instance has lost a part of what happened in it, and is answered 409",
                "restore a backup, or start it again",
            ),
            Self::Definition => (
                "nothing starts with this version; instances that began with it are answered 409",
                "deploy its source again: it gets a number of its own, and they go on",
            ),
            Self::User => (
                "this user cannot sign in, and no token of it is accepted",
                "set its password with 'stepwire user', which writes the row again",
            ),
            Self::Schedule => (
                "it starts nothing; all else is served",
                "deploy a new version of its process, which begins its schedules again",
            ),
            Self::Message => (
                "it is not delivered, nor is what its sender wrote to the same receiver after it",
                RESTORE,
            ),
            Self::Draft => (
                "its user does not see again what was typed and not sent",
                RESTORE,
            ),
            Self::HttpCall => (
                "the call is not made, and its instance waits for it",
                RESTORE,
            ),
            Self::Timer => ("it does not fire, and its instance waits for it", RESTORE),
            Self::ListLine => (
                "it is missing in lists; its instance is served by its key",
                RESTORE,
            ),
            Self::Instance => (
                "commands and reads of this instance are answered 409; all others are served",
                "if it says that its definition is missing, deploy that source again; else restore \
                 a backup, or start it again",
            ),
            Self::Orphan => (
                "a list shows something that is not there, or something due is dropped when it fires",
                "nothing has to be done; with other findings restore a backup",
            ),
            Self::Count => (
                "the dashboard and the list of processes show a wrong number, and a version may seem to \
                 be in use, or not, that is not, or is",
                "make a backup and restore it: in a copy all is counted again",
            ),
            Self::File => (
                "the file cannot be had, which is answered 409; all else of its instance is served",
                "put the file back from a backup, under the same name",
            ),
            Self::UnknownFile => (
                "it takes room and is not served; a crash may have interrupted its upload",
                "nothing has to be done",
            ),
        }
    }

    fn severity(self) -> FindingSeverity {
        match self {
            Self::OpenToOthers | Self::Orphan | Self::UnknownFile => FindingSeverity::Note,
            _ => FindingSeverity::Fault,
        }
    }
}

/// A finding.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its severity.
    pub severity: FindingSeverity,
    /// Its kind.
    pub kind: FindingKind,
    /// The file of the directory in which it was found.
    pub part: String,
    /// The instance it concerns, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What that means.
    pub meaning: &'static str,
    /// What to do.
    pub advice: &'static str,
}

impl Finding {
    /// A finding in a part of the directory.
    pub fn new(kind: FindingKind, part: impl Into<String>, message: impl Into<String>) -> Self {
        let (meaning, advice) = kind.advice();
        Self {
            severity: kind.severity(),
            kind,
            part: part.into(),
            instance: None,
            message: message.into(),
            meaning,
            advice,
        }
    }

    /// Adds the instance it concerns.
    pub fn of(self, instance: impl fmt::Display) -> Self {
        Self {
            instance: Some(instance.to_string()),
            ..self
        }
    }

    /// Reduces it to a note if nothing is lost because of it.
    pub fn noted_if(self, nothing_is_lost: bool) -> Self {
        match nothing_is_lost {
            true => Self {
                severity: FindingSeverity::Note,
                ..self
            },
            false => self,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            FindingSeverity::Fault => "fault",
            FindingSeverity::Note => "note",
        };
        write!(
            f,
            "{severity} in {}: {}\n  means: {}\n  do: {}",
            self.part, self.message, self.meaning, self.advice
        )
    }
}
