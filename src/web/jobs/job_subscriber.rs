//! Somebody who listens to a stream: what wakes the stream, and what ends it before its time.
//!
//! Counts like a websocket, is notified like one when the server shuts down, and listens no longer
//! than its token holds and its user is admitted.

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
        problem::Problem,
    },
};

/// How often it is asked whether the token has ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One listener.
pub struct JobSubscriber {
    /// Who it is.
    pub principal: Principal,
    /// What wakes it.
    pub inbox: Arc<Inbox>,
    inbound: InboundReceiver,
    sessions: Arc<Sessions>,
    /// Given back when it is over.
    _places: Vec<ConnectionPermit>,
}

impl JobSubscriber {
    /// Lets somebody listen.
    ///
    /// # Errors
    /// 503 for too many, or when the server is going down.
    pub fn open(app: &App, request: &HttpRequest, principal: Principal) -> Result<Self, Problem> {
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
            .is_some_and(|identity| self.sessions.still_good(identity).is_err())
    }

    /// Waits until something has woken it; `false` when it is over, and the client is to come back.
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

/// Waits until the token has ended. Looks at the machine's clock from time to time, as that may be set.
async fn end_of_token(principal: &Principal) {
    loop {
        match principal.token_rest() {
            Some(Duration::ZERO) => return,
            Some(rest) => rt::time::sleep(rest.min(LOOK_EVERY)).await,
            None => future::pending().await,
        }
    }
}
