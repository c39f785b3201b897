//! Asks the server that uses a data directory for its address and a token, through its local
//! socket: one line of JSON each way.
//!
//! Not here: the server side (`web::local`); who gets a token this way (`access`).

use std::path::Path;

use serde::Deserialize;

use super::exit::Failure;

/// The server's answer.
#[derive(Clone, Deserialize)]
pub struct Local {
    /// Its address for programs on this machine.
    pub server: String,
    /// A token valid for a few minutes.
    pub token: String,
    /// The user of the token.
    pub user: String,
}

/// Asks the server; `None` when no server listens there.
///
/// # Errors
/// The server gives an unexpected answer.
#[cfg(unix)]
pub async fn query(data: &Path) -> Result<Option<Local>, Failure> {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
        time::timeout,
    };

    use super::exit::Exit;

    /// How long a server may take: it answers requests one after the other.
    const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

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
        stream.write_all(b"{\"request\":\"access\"}\n").await?;
        stream.take(ANSWER_BYTES).read_to_end(&mut answer).await
    };
    let failed = |cause: &dyn std::fmt::Display| {
        let place = data.display();
        Failure::new(
            Exit::Unreachable,
            format!("expected the server on {place} to give a token, but {cause}: give --token"),
        )
    };
    match timeout(ANSWER_TIMEOUT, conversation).await {
        Err(_) => return Err(failed(&"it takes too long")),
        Ok(Err(error)) => return Err(failed(&error)),
        Ok(Ok(_)) => {}
    }
    match serde_json::from_slice(&answer) {
        Ok(LocalReply::Access(local)) => Ok(Some(local)),
        Ok(LocalReply::Refused(sentence)) => Err(failed(&sentence)),
        // The library's message might quote a token.
        Err(_) => Err(failed(&"its answer is not one that this version knows")),
    }
}

/// Whether another user listens there, who could name any address to receive the caller's token.
/// Root may ask the server of any user, and any user the server of root.
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
pub async fn query(_: &Path) -> Result<Option<Local>, Failure> {
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unterminated_answer_is_rejected() {
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
        let failure = query(data.path()).await.err().expect("it is no answer");
        assert!(
            failure.message.contains("not one that this version knows"),
            "{}",
            failure.message
        );
        endless.await.unwrap();
    }
}
