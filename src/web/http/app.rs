//! The state that all request handlers share: sessions, configuration, tickets, open connections.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{HttpMessage, HttpRequest, dev::RequestHead};

use super::{
    super::{
        proxy::client_info::ClientInfo,
        transport::{ConnectionHandle, ConnectionTable},
        trials::Trials,
    },
    connections::{ConnectionPermit, Connections},
    origin_check::Refusals,
    problem::HttpProblem,
};
use crate::{
    admin::Pages,
    config::Config,
    limits::{Pot, Taker, network},
    runtime::clock::{real_now, steady_now},
    session::{
        auth::{
            principal::Principal,
            ticket::{TicketUse, Tickets},
            token::Identity,
        },
        protocol::code::ErrorCode,
        sessions::Sessions,
    },
};

/// The shared state of the web edge.
pub struct App {
    /// The configuration with which the server was started.
    pub config: Config,
    /// Runtime, tokens, limits.
    pub sessions: Arc<Sessions>,
    /// All TCP connections.
    pub transport: Arc<ConnectionTable>,
    /// Uploads in progress.
    pub uploads: Pot,
    /// Open websockets.
    pub connections: Arc<Connections>,
    /// The pages for people.
    pub pages: Pages,
    /// One-time tickets.
    pub tickets: Mutex<Tickets>,
    /// Trials of drafts.
    pub trials: Trials,
    /// Refused origins that were logged.
    pub refusals: Refusals,
}

impl App {
    /// Takes a ticket: returns its identity, unless the user's tokens were revoked since.
    pub fn take_ticket(&self, ticket: &str, purpose: TicketUse) -> Option<Identity> {
        let identity = self
            .tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(ticket, purpose, steady_now(), real_now())?;
        self.sessions.check_again(identity).ok()
    }

    /// The origin of a request, according to trusted proxies.
    pub fn approach<'a>(&self, head: &'a RequestHead) -> ClientInfo<'a> {
        ClientInfo::of(head, &self.config.trusted_proxies)
    }

    /// Whose share of common resources a request takes: that of its user if it is known, otherwise
    /// that of strangers at its address.
    pub fn taker(&self, request: &HttpRequest) -> Taker {
        let found = request.extensions().get::<Taker>().cloned();
        let address = || self.approach(request.head()).address.map(network);
        found.unwrap_or_else(|| Taker::Stranger(address()))
    }

    /// Records the user of a request.
    pub fn note_taker(&self, request: &HttpRequest, principal: &Principal) {
        let Some(taker) = principal.taker() else {
            return;
        };
        request.extensions_mut().insert(taker);
        if let Some(connection) = ConnectionHandle::of(request) {
            connection.is_known();
        }
    }

    /// Refuses work that a stop would only interrupt.
    ///
    /// # Errors
    /// 503 when the server is stopping.
    pub fn require_staying(&self) -> Result<(), HttpProblem> {
        if !self.connections.is_draining() {
            return Ok(());
        }
        let sentence = "expected a running server, but this one is stopping: try again in a moment";
        Err(HttpProblem::new(ErrorCode::Busy, sentence))
    }

    /// Permits for the receiver of a stream: one of its address and one of its user.
    ///
    /// # Errors
    /// 503 if either has too many.
    pub fn admit_listener(
        &self,
        request: &HttpRequest,
        principal: &Principal,
    ) -> Result<Vec<ConnectionPermit>, HttpProblem> {
        let mut places = self.admit_address(request)?;
        let limit = self.config.limits.max_connections_per_user;
        places.push(
            self.connections
                .of_user(&principal.user(), limit)
                .ok_or_else(|| {
                    let sentence = format!(
                        "expected at most {limit} connections of one user, but this is one more"
                    );
                    HttpProblem::new(ErrorCode::Busy, sentence)
                })?,
        );
        Ok(places)
    }

    /// A permit for a connection from the request's address.
    ///
    /// # Errors
    /// 503 if that address has too many.
    pub fn admit_address(
        &self,
        request: &HttpRequest,
    ) -> Result<Vec<ConnectionPermit>, HttpProblem> {
        let Some(address) = self.approach(request.head()).address else {
            return Ok(Vec::new());
        };
        let limit = self.config.limits.max_connections_per_address;
        let place = self
            .connections
            .from_address(address, limit)
            .ok_or_else(|| {
                log::debug!("a connection from {address} was refused: it has {limit}");
                HttpProblem::new(
                    ErrorCode::Busy,
                    format!(
                        "expected at most {limit} connections from one \
                address, but this is one more"
                    ),
                )
            })?;
        Ok(vec![place])
    }
}
