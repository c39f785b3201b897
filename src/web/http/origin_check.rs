//! Checks the origin of requests against those whose pages may use the server. A refusal has the
//! reason, and is logged once a minute with the option that would allow the origin.
//!
//! Allowed origins: `config::AllowedOrigins`. Preflights: `cors`.
//!
//! # Rationale
//!
//! **Development on loopback trusts the pages of this machine, but not their cookies**, and answers
//! to this machine's names only: otherwise a foreign name that resolves to 127.0.0.1 would be the
//! server's own origin.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use actix_web::{
    Error, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{RequestHead, ServiceRequest, ServiceResponse},
    error::ResponseError,
    http::header::{ORIGIN, REFERER, USER_AGENT},
    middleware::Next,
    web::Data,
};

use super::{super::proxy::client_info::ClientInfo, app::App, problem::HttpProblem};
use crate::{
    config::AllowedOrigins,
    limits::{REFUSED_ORIGIN_AGAIN, REFUSED_ORIGIN_BYTES, REFUSED_ORIGINS_LOGGED},
    session::protocol::{code::ErrorCode, cut},
};

impl App {
    /// Refuses a request from a page of a foreign origin; one without `Origin` comes from no
    /// browser and passes.
    ///
    /// # Errors
    /// 403 for an origin that is not allowed.
    pub fn require_origin(&self, request: &HttpRequest) -> Result<(), HttpProblem> {
        let origin = origin(request.head());
        if self.allows(origin, request.head()) {
            Ok(())
        } else {
            Err(self.refused_origin(origin.unwrap_or_default()))
        }
    }

    /// The refusal of a page of this origin, which is also logged.
    pub fn refused_origin(&self, origin: &str) -> HttpProblem {
        let obstacle = AllowedOrigins::why_not_listed(origin);
        let origin = shown(origin);
        let remedy = match obstacle {
            None => format!("--allowed-origins {origin} lets them connect"),
            Some(obstacle) => obstacle.to_owned(),
        };
        if self.refusals.is_news(&origin) {
            log::warn!("pages of {origin} may not connect: {remedy} (reported once a minute)");
        }
        let sentence = format!(
            "expected a page of this server's own origin or one of --allowed-origins, but it is \
            of {origin}: {remedy}"
        );
        HttpProblem::new(ErrorCode::Forbidden, sentence)
    }

    /// Refuses a request that does not say which page it comes from, or comes from one that may not
    /// act as its visitor: by its `Origin`, otherwise by `Sec-Fetch-Site`, otherwise by its
    /// `Referer`.
    ///
    /// # Errors
    /// 403.
    pub fn require_proof_of_origin(&self, request: &HttpRequest) -> Result<(), HttpProblem> {
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let allowed = |origin| self.allows_with_cookie(origin, request.head());
        let proven = match (
            header(ORIGIN.as_str()),
            header("Sec-Fetch-Site"),
            header(REFERER.as_str()),
        ) {
            (Some(origin), _, _) => allowed(origin),
            (None, Some(site), _) => site == "same-origin",
            (None, None, Some(page)) => origin_of(page).is_some_and(allowed),
            (None, None, None) => false,
        };
        if proven {
            return Ok(());
        }
        let found = match header(ORIGIN.as_str()) {
            Some(origin) => Cow::Owned(format!("its Origin is {}", shown(origin))),
            None => Cow::Borrowed("it names none"),
        };
        let sentence = format!(
            "expected a request with the cookie of a sign-in to come from a page of this server \
            or of --allowed-origins (its Origin), but {found}: send a bearer token instead of \
            the cookie, or list the origin"
        );
        Err(HttpProblem::new(ErrorCode::Forbidden, sentence))
    }

    /// Whether a page of this origin may send this request; `None` means that it comes from no
    /// browser.
    pub fn allows(&self, origin: Option<&str>, head: &RequestHead) -> bool {
        let ClientInfo { host, https, .. } = self.approach(head);
        self.config.allowed_origins.allow(origin, &host, https)
    }

    /// Whether a page of this origin may send this request with the visitor's cookie.
    pub fn allows_with_cookie(&self, origin: &str, head: &RequestHead) -> bool {
        let ClientInfo { host, https, .. } = self.approach(head);
        self.config
            .allowed_origins
            .allow_with_cookie(origin, &host, https)
    }

    fn require_host(&self, head: &RequestHead) -> Result<(), HttpProblem> {
        let host = self.approach(head).host;
        if self.config.allowed_origins.allow_host(&host) {
            return Ok(());
        }
        let host = shown(&host);
        if self.refusals.is_news(&host) {
            log::warn!(
                "requests to the host {host} are refused: --allowed-origins http://{host} would \
                let them (reported once a minute)"
            );
        }
        let sentence = format!(
            "expected a request to a name of this machine (localhost, 127.0.0.1, [::1]), as the \
            server runs in development, but it is to {host}: start the server with \
            --allowed-origins http://{host} or with its https address, or with --production"
        );
        Err(HttpProblem::new(ErrorCode::Forbidden, sentence))
    }
}

/// The `Origin` of a request. A value that is not text is ignored.
pub fn origin(head: &RequestHead) -> Option<&str> {
    head.headers
        .get(ORIGIN)
        .map(|value| value.to_str().unwrap_or("null"))
}

/// Whether a request comes from a browser, by its `User-Agent`. A browser hides the response to a
/// refused upgrade from its page.
pub fn is_browser(head: &RequestHead) -> bool {
    head.headers
        .get(USER_AGENT)
        .is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

/// Refuses requests to a host that a development server does not have, such as a foreign name that
/// resolves to this machine.
///
/// # Errors
/// Those of the request.
pub async fn only_to_own_hosts<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let refused = request
        .app_data::<Data<App>>()
        .and_then(|app| app.require_host(request.head()).err());
    match refused {
        Some(problem) => Ok(request
            .into_response(problem.error_response())
            .map_into_right_body()),
        None => Ok(next.call(request).await?.map_into_left_body()),
    }
}

/// The origins logged within the last minute.
#[derive(Default)]
pub struct Refusals(Mutex<Vec<(String, Instant)>>);

impl Refusals {
    /// Whether this is to be logged now.
    fn is_news(&self, what: &str) -> bool {
        self.is_news_at(what, Instant::now())
    }

    fn is_news_at(&self, what: &str, now: Instant) -> bool {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reported.retain(|(_, since)| now.duration_since(*since) < REFUSED_ORIGIN_AGAIN);
        if reported.len() >= REFUSED_ORIGINS_LOGGED
            || reported.iter().any(|(known, _)| known == what)
        {
            return false;
        }
        reported.push((what.to_owned(), now));
        true
    }
}

fn shown(text: &str) -> String {
    cut(text, REFUSED_ORIGIN_BYTES).escape_debug().to_string()
}

/// The origin of a page's URL.
fn origin_of(page: &str) -> Option<&str> {
    let host = page.find("://")? + 3;
    let end = page[host..]
        .find(['/', '?', '#'])
        .map_or(page.len(), |length| host + length);
    page.get(..end)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_origin_is_logged_once_a_minute_and_a_flood_is_bounded() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(refusals.is_news_at("a", start));
        assert!(!refusals.is_news_at("a", at(59)));
        assert!(refusals.is_news_at("b", at(59)));
        assert!(refusals.is_news_at("a", at(60)));
        let reported = (0..1_000)
            .filter(|number| refusals.is_news_at(&number.to_string(), at(61)))
            .count();
        assert_eq!(reported, REFUSED_ORIGINS_LOGGED - 2);
        assert!(refusals.is_news_at("c", at(200)));
    }
}
