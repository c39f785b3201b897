//! The server's side of the local socket. It is created in a private directory and then moved into
//! place, so that nobody else can connect at any moment, and a socket left by a killed server is
//! replaced.
//!
//! # Rationale
//!
//! **The local socket is moved into place** from a private directory: no other user can ever
//! connect, and a socket left by a killed server does no harm.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use actix_rt::task::JoinHandle;
use actix_web::web::Data;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use super::{BackupMade, FILE, LocalAccess, LocalReply, LocalRequest, REQUEST_BYTES};
use crate::{
    limits,
    logging::LogField,
    runtime::{clock::real_now, users::requests::UserRequest},
    session::auth::token::Identity,
    web::http::{app::App, audit::Act},
};

/// How long one conversation may take; others wait meanwhile.
const CONVERSATION: Duration = Duration::from_secs(10);

/// A listening socket; when dropped, it is removed from the directory, too.
pub struct LocalSocket {
    task: JoinHandle<()>,
    path: PathBuf,
    inode: u64,
}

impl LocalSocket {
    /// Listens in the data directory of the server with this address; on this thread.
    ///
    /// # Errors
    /// If the file system has no sockets, or the directory's path is too long for one.
    pub fn listen(app: &Data<App>, address: String) -> io::Result<Self> {
        let directory = &app.config.data;
        let path = directory.join(FILE);
        let listener = bind(directory, &path)?;
        let inode = fs::symlink_metadata(&path)?.ino();
        let app = app.clone();
        let task = actix_rt::spawn(async move {
            loop {
                match listener.accept().await {
                    // One at a time: they come from the owner, and each change waits for the
                    // previous one anyway.
                    Ok((stream, _)) => {
                        if timeout(CONVERSATION, converse(stream, &app, &address))
                            .await
                            .is_err()
                        {
                            log::warn!(
                                "expected a request on the local socket, but it did not arrive in \
                                time"
                            );
                        }
                    }
                    Err(error) => {
                        log::warn!("expected a request on the local socket, but: {error}");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        });
        Ok(Self { task, path, inode })
    }
}

fn bind(directory: &Path, path: &Path) -> io::Result<UnixListener> {
    let private = directory.join(format!(".sock-{}", std::process::id()));
    // An earlier process with the same number may have been killed here.
    let _ = fs::remove_dir_all(&private);
    fs::DirBuilder::new().mode(0o700).create(&private)?;
    let draft = private.join("s");
    let bound = UnixListener::bind(&draft).and_then(|listener| {
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o600))?;
        fs::rename(&draft, path)?;
        Ok(listener)
    });
    fs::remove_dir_all(&private)?;
    bound
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        self.task.abort();
        // Servers without a store on disk may share a directory: the file may belong to another one
        // by now.
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode)
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::warn!(
                "expected to remove the local socket, but: {error}; the next start replaces it"
            );
        }
    }
}

async fn converse(mut stream: UnixStream, app: &App, address: &str) {
    let (input, mut output) = stream.split();
    let mut line = Vec::new();
    let read = BufReader::new(input.take(REQUEST_BYTES))
        .read_until(b'\n', &mut line)
        .await;
    if read.is_err() || line.is_empty() {
        return;
    }
    let answer = match serde_json::from_slice::<LocalRequest>(&line) {
        Ok(LocalRequest::Users(request)) => users(app, request).await,
        Ok(LocalRequest::Client(_)) => access(app, address),
        Ok(LocalRequest::Backup(BackupMade { backup_to })) => {
            // The whole path, because it is the owner's own.
            Act::by_owner(app, "backup made")
                .on("to", LogField::Text(backup_to))
                .is_done();
            LocalReply::Done(Vec::new())
        }
        // The library's sentence could quote a password.
        Err(_) => LocalReply::Refused(
            "expected a request in JSON that this server knows, but it is not one: use the \
            server's own version"
                .into(),
        ),
    };
    let mut answer = serde_json::to_vec(&answer).unwrap_or_default();
    answer.push(b'\n');
    // A client that has disconnected can read the list.
    let _ = output.write_all(&answer).await;
}

async fn users(app: &App, request: UserRequest) -> LocalReply {
    let act = request.change().map(|(what, name)| {
        let act = Act::by_owner(app, what)
            .in_tenant(&request.tenant)
            .on("user", name);
        request
            .roles()
            .into_iter()
            .fold(act, |act, roles| act.on("roles", &roles.join(" ")))
    });
    let serving = app.sessions.runtime.users.serve(request, real_now());
    let served = match act {
        Some(act) => act.done(serving).await,
        None => serving.await,
    };
    match served {
        Ok(users) => LocalReply::Done(users),
        Err(error) => LocalReply::Refused(error.to_string()),
    }
}

/// Address and token for the directory's owner, who could sign the token with the secret in it.
fn access(app: &App, address: &str) -> LocalReply {
    let owner = Identity::owner();
    match app
        .sessions
        .tokens
        .mint(&owner, real_now(), limits::LOCAL_TOKEN)
    {
        Ok(token) => LocalReply::Access(LocalAccess {
            server: address.to_owned(),
            token,
            user: owner.subject,
        }),
        Err(error) => LocalReply::Refused(error.to_string()),
    }
}
