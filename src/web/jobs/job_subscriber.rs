//! The receiver of a stream: its wake-ups, and the reasons for its early end.
//!
//! It counts as a connection, is notified when the server shuts down, and ends when its token
//! expires or its user loses access.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, rt};
use futures_util::future;
use uuid::Uuid;

use crate::{
    session::{
        auth::principal::Principal,
        inbox::{Inbound, InboundReceiver, Inbox},
        sessions::Sessions,
    },
    web::http::{
        app::App,
        connections::ConnectionPermit,
        open_connection::{OpenConnection, Protocol},
        problem::HttpProblem,
    },
};

/// How often the expiry of the token is checked.
const EXPIRY_CHECK: Duration = Duration::from_secs(1);

/// One receiver.
pub struct JobSubscriber {
    /// Its user.
    pub principal: Principal,
    /// The wake-up.
    pub inbox: Arc<Inbox>,
    inbound: InboundReceiver,
    sessions: Arc<Sessions>,
    /// Given back when the stream ends.
    _places: Vec<ConnectionPermit>,
}

impl JobSubscriber {
    /// Opens a stream's receiver.
    ///
    /// # Errors
    /// 503 if there are too many, or the server is stopping.
    pub fn open(
        app: &App,
        request: &HttpRequest,
        principal: Principal,
    ) -> Result<Self, HttpProblem> {
        app.require_staying()?;
        let mut places = app.admit_listener(request, &principal)?;
        let (inbox, inbound) = Inbox::new(app.sessions.runtime.activity());
        let inbox = Arc::new(inbox);
        let address = app.approach(request.head()).address;
        let about = Arc::new(OpenConnection::new(Uuid::now_v7(), Protocol::Jobs, address));
        about.note_one_followed();
        places.push(app.connections.opened(&inbox, &about));
        app.connections.identified(&about, &principal, None);
        Ok(Self {
            principal,
            inbox,
            inbound,
            sessions: app.sessions.clone(),
            _places: places,
        })
    }

    fn is_revoked(&self) -> bool {
        self.principal
            .identity
            .clone()
            .is_some_and(|identity| self.sessions.check_again(identity).is_err())
    }

    /// Waits until it is woken; `false` when the stream ends, and the client should reconnect.
    pub async fn woken(&mut self) -> bool {
        self.inbox.settle(&self.inbound);
        loop {
            tokio::select! {
                inbound = self.inbound.recv() => match inbound {
                    Some(Inbound::Wake(instance)) => {
                        self.inbox.turned_to(instance);
                        return true;
                    }
                    Some(Inbound::UsersChanged) if self.is_revoked() => return false,
                    Some(Inbound::Drain { .. } | Inbound::Close) | None => return false,
                    Some(_) => {}
                },
                () = end_of_token(&self.principal) => return false,
            }
        }
    }
}

impl Drop for JobSubscriber {
    fn drop(&mut self) {
        self.inbox.end();
    }
}

/// Waits until the token has expired. Reads the machine's clock from time to time, because that may
/// be set.
async fn end_of_token(principal: &Principal) {
    loop {
        match principal.token_rest() {
            Some(Duration::ZERO) => return,
            Some(rest) => rt::time::sleep(rest.min(EXPIRY_CHECK)).await,
            None => future::pending().await,
        }
    }
}
