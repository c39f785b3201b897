//! What every request handler shares: the sessions' parts, configuration, tickets, open connections.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{
    HttpRequest,
    http::header::{HOST, ORIGIN},
};

use super::{
    connections::{Connections, Place},
    problem::Problem,
};
use crate::{
    admin::Pages,
    config::Config,
    runtime::clock::real_now,
    session::{
        connection::Sessions,
        frames::code::ErrorCode,
        ticket::{TicketUse, Tickets},
        token::Identity,
    },
};

/// The shared state of the web edge.
pub struct App {
    /// How the server was started.
    pub config: Config,
    /// Runtime, tokens, limits.
    pub sessions: Arc<Sessions>,
    /// Open websockets.
    pub connections: Arc<Connections>,
    /// The pages for people.
    pub pages: Pages,
    /// One-time tickets.
    pub tickets: Mutex<Tickets>,
}

impl App {
    /// Uses up a ticket.
    pub fn take_ticket(&self, ticket: &str, purpose: TicketUse) -> Option<Identity> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner).take(ticket, purpose, real_now())
    }

    /// Refuses a request from a page of a foreign origin; one without `Origin` comes from no browser and passes.
    ///
    /// # Errors
    /// 403 for an origin that is not allowed.
    pub fn require_origin(&self, request: &HttpRequest) -> Result<(), Problem> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        if self.config.allowed_origins.allow(header(ORIGIN), header(HOST).unwrap_or_default()) {
            return Ok(());
        }
        let sentence = "expected a page of this server or of --allowed-origins, but the request comes from another origin";
        Err(Problem::new(ErrorCode::Forbidden, sentence))
    }

    /// A place for a connection from the request's address.
    ///
    /// # Errors
    /// 503 when that address has too many, or the server is going down.
    pub fn admit_address(&self, request: &HttpRequest) -> Result<Vec<Place>, Problem> {
        if self.connections.is_draining() {
            let sentence = "expected a server that stays, but this one is stopping: come back in a moment";
            return Err(Problem::new(ErrorCode::Busy, sentence));
        }
        let Some(address) = request.peer_addr() else { return Ok(Vec::new()) };
        let limit = self.config.limits.max_connections_per_address;
        let place = self.connections.from_address(address.ip(), limit).ok_or_else(|| {
            Problem::new(ErrorCode::Busy, format!("expected at most {limit} connections from one address, but this is one more"))
        })?;
        Ok(vec![place])
    }
}
