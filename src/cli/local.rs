//! Asks the server on a data directory for its address and a token, through its local socket. One
//! line of JSON out, one in.
//!
//! Not here: the other end (`web::local`); who gets a token so (`access`).

use std::path::Path;

use serde::Deserialize;

use super::exit::Failure;

/// What the server says.
#[derive(Clone, Deserialize)]
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
    enum LocalReply {
        Access(Local),
        Refused(String),
    }

    /// The longest answer that is read.
    const ANSWER_BYTES: u64 = 64 * 1024;

    let Ok(mut stream) = UnixStream::connect(data.join("stepwire.sock")).await else {
        return Ok(None);
    };
    if is_a_strangers(&stream) {
        let place = data.display();
        let sentence = format!(
            "expected the server on {place} to be run by you, but it is run by another user: name \
            yours with --server"
        );
        return Err(Failure::usage(sentence));
    }
    let mut answer = Vec::new();
    let conversation = async {
        stream.write_all(b"{\"want\":\"access\"}\n").await?;
        stream.take(ANSWER_BYTES).read_to_end(&mut answer).await
    };
    let failed = |cause: &dyn std::fmt::Display| {
        let place = data.display();
        Failure::new(
            Exit::Unreachable,
            format!("expected the server on {place} to give a token, but {cause}: give --token"),
        )
    };
    match timeout(PATIENCE, conversation).await {
        Err(_) => return Err(failed(&"it takes too long")),
        Ok(Err(error)) => return Err(failed(&error)),
        Ok(Ok(_)) => {}
    }
    match serde_json::from_slice(&answer) {
        Ok(LocalReply::Access(local)) => Ok(Some(local)),
        Ok(LocalReply::Refused(sentence)) => Err(failed(&sentence)),
        // Not the library's sentence, which may quote a token.
        Err(_) => Err(failed(&"its answer is none that this version knows")),
    }
}

/// Whether somebody else listens there, who could name any address for the token of the caller.
/// Root may ask everybody's, and everybody root's.
#[cfg(unix)]
fn is_a_strangers(stream: &tokio::net::UnixStream) -> bool {
    let user = |stream: &tokio::net::UnixStream| stream.peer_cred().map(|peer| peer.uid());
    let Ok((own, _)) = tokio::net::UnixStream::pair() else {
        return true;
    };
    let (Ok(caller), Ok(server)) = (user(&own), user(stream)) else {
        return true;
    };
    caller != server && caller != 0 && server != 0
}

/// Only Unix has such sockets.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub async fn ask(_: &Path) -> Result<Option<Local>, Failure> {
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_without_end_is_none() {
        let data = tempfile::tempdir().unwrap();
        let listener = tokio::net::UnixListener::bind(data.path().join("stepwire.sock")).unwrap();
        let endless = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(!is_a_strangers(&stream), "this process runs both ends");
            while tokio::io::AsyncWriteExt::write_all(&mut stream, &[b' '; 4096])
                .await
                .is_ok()
            {}
        });
        let failure = ask(data.path()).await.err().expect("it is no answer");
        assert!(
            failure.message.contains("none that this version knows"),
            "{}",
            failure.message
        );
        endless.await.unwrap();
    }
}
