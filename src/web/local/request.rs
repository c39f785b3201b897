//! Sends an operation on users to the server that runs on the data directory or, if none does,
//! applies it to its store.

use std::{path::Path, time::Duration};

use super::{BackupMade, LocalReply};
use crate::{
    config::{Config, StoreKind},
    journal::{Damaged, Journal, SqliteStore, StoreError, end_process},
    limits,
    runtime::{
        clock::real_now,
        users::{
            Users,
            requests::{ListedUser, UserRequest},
        },
    },
};

/// How often a directory is tried that is locked although no server answers: its server may be
/// starting or stopping.
const TRIES: u32 = 50;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Has the operation done, and returns the response.
///
/// # Errors
/// Why it failed, as a sentence.
pub async fn perform(config: &Config, request: UserRequest) -> Result<Vec<ListedUser>, String> {
    let line = serde_json::to_string(&request)
        .map_err(|error| format!("expected a request that can be written, but: {error}"))?;
    for _ in 0..TRIES {
        if let Some(answer) = send_to_server(&config.data, &line).await {
            return answer;
        }
        if config.store == StoreKind::Memory {
            let sentence = "expected a server that runs on the data directory, as --store memory \
                keeps users in it only, but none answers: start it, or leave the option out";
            return Err(sentence.to_owned());
        }
        match SqliteStore::open(&config.data) {
            Ok(store) => return run_in_store(store, request).await,
            Err(StoreError::InUse(_)) => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!(
        "expected the server that uses {} to answer on its local socket, but it does not: stop it, \
        or read its log",
        config.data.display()
    ))
}

async fn run_in_store(store: SqliteStore, request: UserRequest) -> Result<Vec<ListedUser>, String> {
    let journal = Journal::start(
        Box::new(store),
        limits::WRITER_QUEUE.get(),
        Box::new(end_process),
    )
    .map_err(|error| error.to_string())?;
    let answer = async {
        let rows = journal
            .read(|reader| reader.users())
            .await
            .map_err(|_| StoreError::Stopped.to_string())?;
        let users = Users::load(
            journal.clone(),
            rows.map_err(|error| error.to_string())?,
            &Damaged::quiet(),
        );
        users
            .serve(request, real_now())
            .await
            .map_err(|error| error.to_string())
    }
    .await;
    journal.shutdown();
    answer
}

/// Makes the server that runs on the data directory, if there is one, log that the directory was
/// copied. Waits for no response.
#[cfg(unix)]
pub fn note_backup(data: &Path, to: &Path) {
    use std::{io::Write, os::unix::net::UnixStream};

    let made = BackupMade {
        backup_to: to.display().to_string(),
    };
    let line = serde_json::to_string(&made).unwrap_or_default();
    if let Ok(mut stream) = UnixStream::connect(data.join(super::FILE)) {
        // A line of this length fits in the socket's buffer.
        let _ = stream.write_all(format!("{line}\n").as_bytes());
    }
}

/// This system has no such socket.
#[cfg(not(unix))]
pub fn note_backup(_: &Path, _: &Path) {}

/// The server's response; `None` if no server listens.
#[cfg(unix)]
async fn send_to_server(data: &Path, line: &str) -> Option<Result<Vec<ListedUser>, String>> {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
    };

    let mut stream = UnixStream::connect(data.join(super::FILE)).await.ok()?;
    let mut answer = Vec::new();
    let mut conversation = async || {
        stream.write_all(format!("{line}\n").as_bytes()).await?;
        stream.read_to_end(&mut answer).await
    };
    let spoken = conversation().await.map_err(|error| error.to_string());
    let answer =
        spoken.and_then(|_| serde_json::from_slice(&answer).map_err(|error| error.to_string()));
    Some(match answer {
        Ok(LocalReply::Done(users)) => Ok(users),
        Ok(LocalReply::Refused(sentence)) => Err(sentence),
        Ok(LocalReply::Access(_)) => Err(
            "expected an answer about users, but the running server sent another answer".to_owned(),
        ),
        Err(cause) => Err(format!(
            "expected an answer of the running server, but: {cause}; see with 'stepwire user list'"
        )),
    })
}

#[cfg(not(unix))]
fn send_to_server(
    _: &Path,
    _: &str,
) -> impl Future<Output = Option<Result<Vec<ListedUser>, String>>> {
    std::future::ready(None)
}
