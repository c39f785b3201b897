//! Asks the server on a data directory for its address and a token, through its local socket. One line of JSON out, one in.
//!
//! Not here: the other end (`web::local`); who gets a token so (`access`).

use std::path::Path;

use serde::Deserialize;

use super::exit::Failure;

/// What the server says.
#[derive(Deserialize)]
pub struct Local {
    /// Its address for programs on this machine.
    pub server: String,
    /// A token for a few minutes.
    pub token: String,
    /// Whom it is for.
    pub user: String,
}

/// The server's answer; `None` when no server listens there.
///
/// # Errors
/// A server that answers something else.
#[cfg(unix)]
pub async fn ask(data: &Path) -> Result<Option<Local>, Failure> {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
        time::timeout,
    };

    use super::exit::Exit;

    /// How long a server may take: it answers one after the other.
    const PATIENCE: Duration = Duration::from_secs(15);

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Told {
        Access(Local),
        Refused(String),
    }

    let Ok(mut stream) = UnixStream::connect(data.join("stepwire.sock")).await else { return Ok(None) };
    let mut answer = Vec::new();
    let conversation = async {
        stream.write_all(b"{\"want\":\"access\"}\n").await?;
        stream.read_to_end(&mut answer).await
    };
    let failed = |cause: &dyn std::fmt::Display| {
        let place = data.display();
        Failure::new(Exit::Unreachable, format!("expected the server on {place} to give a token, but {cause}: give --token"))
    };
    match timeout(PATIENCE, conversation).await {
        Err(_) => return Err(failed(&"it takes too long")),
        Ok(Err(error)) => return Err(failed(&error)),
        Ok(Ok(_)) => {}
    }
    match serde_json::from_slice(&answer) {
        Ok(Told::Access(local)) => Ok(Some(local)),
        Ok(Told::Refused(sentence)) => Err(failed(&sentence)),
        // Not the library's sentence, which may quote a token.
        Err(_) => Err(failed(&"its answer is none that this version knows")),
    }
}

/// Only Unix has such sockets.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub async fn ask(_: &Path) -> Result<Option<Local>, Failure> {
    Ok(None)
}
