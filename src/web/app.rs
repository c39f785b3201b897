//! What every request handler shares: the sessions' parts, configuration, tickets, open connections.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{
    HttpRequest,
    dev::RequestHead,
    http::header::{ORIGIN, REFERER},
};

use super::{
    approach::Approach,
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
        who::Who,
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
    /// Uses up a ticket: whom it was issued for, unless its tokens were revoked since.
    pub fn take_ticket(&self, ticket: &str, purpose: TicketUse) -> Option<Identity> {
        let identity = self.tickets.lock().unwrap_or_else(PoisonError::into_inner).take(ticket, purpose, real_now())?;
        self.sessions.still_good(identity).ok()
    }

    /// Refuses a request from a page of a foreign origin; one without `Origin` comes from no browser and passes.
    ///
    /// # Errors
    /// 403 for an origin that is not allowed.
    pub fn require_origin(&self, request: &HttpRequest) -> Result<(), Problem> {
        // What is no text is no origin either.
        let origin = request.headers().get(ORIGIN).map(|value| value.to_str().unwrap_or("null"));
        if self.allows(origin, request.head()) {
            return Ok(());
        }
        let sentence = "expected a page of this server or of --allowed-origins, but the request comes from another origin";
        Err(Problem::new(ErrorCode::Forbidden, sentence))
    }

    /// Refuses a request that does not say which page it comes from, or names a foreign one: by its `Origin`, else by
    /// `Sec-Fetch-Site`, else by its `Referer`.
    ///
    /// # Errors
    /// 403.
    pub fn require_proof_of_origin(&self, request: &HttpRequest) -> Result<(), Problem> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let Approach { host, https, .. } = self.approach(request.head());
        let allowed = |origin| self.config.allowed_origins.allow_with_cookie(origin, &host, https);
        let proven = match (header(ORIGIN.as_str()), header("Sec-Fetch-Site"), header(REFERER.as_str())) {
            (Some(origin), _, _) => allowed(origin),
            (None, Some(site), _) => site == "same-origin",
            (None, None, Some(page)) => origin_of(page).is_some_and(allowed),
            (None, None, None) => false,
        };
        if proven {
            return Ok(());
        }
        let sentence = "expected a request with the cookie of a sign-in to name an allowed page as its Origin, but it does not: \
            send Origin, or a bearer token instead of the cookie";
        Err(Problem::new(ErrorCode::Forbidden, sentence))
    }

    /// Whether a page of this origin may send this request; `None` comes from no browser.
    pub fn allows(&self, origin: Option<&str>, head: &RequestHead) -> bool {
        let Approach { host, https, .. } = self.approach(head);
        self.config.allowed_origins.allow(origin, &host, https)
    }

    /// How a request came here, by way of the proxies that are trusted.
    pub fn approach<'a>(&self, head: &'a RequestHead) -> Approach<'a> {
        Approach::of(head, &self.config.trusted_proxies)
    }

    /// Refuses what would only be cut.
    ///
    /// # Errors
    /// 503 when the server is going down.
    pub fn require_staying(&self) -> Result<(), Problem> {
        if !self.connections.is_draining() {
            return Ok(());
        }
        let sentence = "expected a server that stays, but this one is stopping: come back in a moment";
        Err(Problem::new(ErrorCode::Busy, sentence))
    }

    /// Places for somebody who listens to a stream: one of its address and one of its user.
    ///
    /// # Errors
    /// 503 when either has too many.
    pub fn admit_listener(&self, request: &HttpRequest, who: &Who) -> Result<Vec<Place>, Problem> {
        let mut places = self.admit_address(request)?;
        let limit = self.config.limits.max_connections_per_user;
        places.push(self.connections.of_user(&who.user(), limit).ok_or_else(|| {
            let sentence = format!("expected at most {limit} connections of one user, but this is one more");
            Problem::new(ErrorCode::Busy, sentence)
        })?);
        Ok(places)
    }

    /// A place for a connection from the request's address.
    ///
    /// # Errors
    /// 503 when that address has too many.
    pub fn admit_address(&self, request: &HttpRequest) -> Result<Vec<Place>, Problem> {
        let Some(address) = self.approach(request.head()).address else { return Ok(Vec::new()) };
        let limit = self.config.limits.max_connections_per_address;
        let place = self.connections.from_address(address, limit).ok_or_else(|| {
            log::debug!("a connection from {address} was refused: it has {limit}");
            Problem::new(ErrorCode::Busy, format!("expected at most {limit} connections from one address, but this is one more"))
        })?;
        Ok(vec![place])
    }
}

/// The origin of a page's address.
fn origin_of(page: &str) -> Option<&str> {
    let host = page.find("://")? + 3;
    let end = page[host..].find(['/', '?', '#']).map_or(page.len(), |length| host + length);
    page.get(..end)
}
