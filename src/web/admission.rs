//! Checks whether a request is within the rates of its sender, before its body is read.
//!
//! The sender is known from the token, so a request whose token is not accepted counts as a
//! stranger's. Not here: which rates a request counts for (`session::shared_rates`), messages of
//! websockets (`session::connection`).

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    middleware::Next,
    rt,
    web::Data,
};

use super::{
    http::{app::App, problem::HttpProblem},
    transport::ConnectionHandle,
};
use crate::{
    limits,
    runtime::StartRequest,
    session::{
        auth::{
            principal::Principal,
            token::{Identity, TokenError},
        },
        shared_rates::{Charge, Payer, RateExceeded},
    },
};

/// Health checks, for programs that monitor the server: they have a rate of their own, which no
/// token changes.
pub(super) const HEALTH_CHECKS: [&str; 2] = ["/healthz", "/readyz"];

/// The shortest time that a client is asked to wait.
const SOONEST: Duration = Duration::from_millis(1);

/// The identity in the token of a request, kept so that the token is verified once.
struct Shown(Result<Identity, TokenError>);

/// Whether the request has been counted for a rate.
#[derive(Clone, Default)]
struct CountedOnce(Rc<Cell<bool>>);

/// Refuses a request that is over a rate. The refusal is delayed by a part of the time to wait: a
/// client that waits loses nothing, and one that does not wait has to before it can send again on
/// this connection.
///
/// # Errors
/// 429 with the time to wait; those of the request.
pub async fn within_rates(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(app) = request.app_data::<Data<App>>().cloned() {
        if let Some(CountedOnce(counted)) = request.extensions().get() {
            counted.set(true);
        }
        let (request, now) = (request.request(), Instant::now());
        let address = app.approach(request.head()).address;
        let rates = &app.sessions.rates;
        let (payer, admitted) = if HEALTH_CHECKS.contains(&request.path()) {
            let admitted = rates.admit_health_check(address, now);
            (app.sessions.payer(None, address), admitted)
        } else {
            let principal = app.shown_user(request);
            principal
                .iter()
                .for_each(|principal| app.note_taker(request, principal));
            let payer = app.sessions.payer(principal.as_ref(), address);
            let charge = Charge::Request(body_bytes(request));
            (payer, rates.admit(payer, charge, now))
        };
        if let Err(spent) = admitted {
            ConnectionHandle::of(request)
                .iter()
                .for_each(ConnectionHandle::is_over_rate);
            let held = hold_back(&app, payer, spent.after).await;
            let after = spent.after.saturating_sub(held).max(SOONEST);
            return Err(HttpProblem::from(RateExceeded { after, ..spent }).into());
        }
    }
    next.call(request).await
}

/// Delays a refusal; returns the delay.
async fn hold_back(app: &App, payer: Payer, after: Duration) -> Duration {
    let held_back = app.sessions.rates.hold_back(payer);
    let held = held_back.of_request(after);
    rt::time::sleep(held).await;
    held
}

/// Counts responses given before any rate was checked, as a stranger's: preflights, refused hosts
/// and origins. Over the rate such a response is delayed.
///
/// # Errors
/// Those of the request.
pub async fn count_all(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let counted = CountedOnce::default();
    request.extensions_mut().insert(counted.clone());
    let payer = request.app_data::<Data<App>>().cloned().map(|app| {
        let address = app.approach(request.head()).address;
        (app.sessions.payer(None, address), app)
    });
    let answered = next.call(request).await;
    if let Some((payer, app)) = payer
        && !counted.0.get()
    {
        let charge = Charge::Request(0);
        if let Err(spent) = app.sessions.rates.admit(payer, charge, Instant::now()) {
            hold_back(&app, payer, spent.after).await;
        }
    }
    answered
}

/// The bytes of a request's body, according to its head.
fn body_bytes(request: &HttpRequest) -> usize {
    if request.headers().contains_key(TRANSFER_ENCODING) {
        return limits::REST_BODY_BYTES.get();
    }
    let length = request.headers().get(CONTENT_LENGTH);
    length
        .and_then(|length| length.to_str().ok()?.trim().parse().ok())
        .unwrap_or(0)
}

impl App {
    /// The user whose token or cookie a request has; `None` without one.
    fn shown_user(&self, request: &HttpRequest) -> Option<Principal> {
        let identity = match super::http::auth::bearer_token(request) {
            Ok(Some(token)) => {
                let verified = self.sessions.identify(token);
                request.extensions_mut().insert(Shown(verified.clone()));
                verified.ok()
            }
            Ok(None) => self.signed_in(request),
            Err(_) => None,
        };
        identity.map(|identity| Principal::new(Some(identity)))
    }

    /// The identity of the token in the header of this request.
    pub(super) fn identify(
        &self,
        request: &HttpRequest,
        token: &str,
    ) -> Result<Identity, TokenError> {
        if let Some(Shown(verified)) = request.extensions().get::<Shown>() {
            return verified.clone();
        }
        self.sessions.identify(token)
    }

    /// Counts a start for the sender of a request.
    ///
    /// # Errors
    /// 429 when the rate is used up.
    pub fn admit_start(
        &self,
        request: &HttpRequest,
        principal: &Principal,
        start: &mut StartRequest,
    ) -> Result<(), HttpProblem> {
        let address = self.approach(request.head()).address;
        let payer = self.sessions.payer(Some(principal), address);
        Ok(self.sessions.admit_start(start, payer, address)?)
    }

    /// Counts a publication as a start.
    ///
    /// # Errors
    /// 429 when the rate is used up.
    pub fn admit_publish(
        &self,
        request: &HttpRequest,
        principal: &Principal,
    ) -> Result<Payer, HttpProblem> {
        let address = self.approach(request.head()).address;
        let payer = self.sessions.payer(Some(principal), address);
        self.sessions.admit_publish(payer)?;
        Ok(payer)
    }
}
