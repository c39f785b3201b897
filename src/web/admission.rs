//! Whether a request is within the rates of whoever sends it: looked at before its body is read.
//!
//! Who it is comes from the token it shows, so a request with a token that is not accepted counts
//! as a stranger's. Not here: what is counted for whom (`session::shared_rates`), messages of
//! websockets (`session::connection`).

use std::time::{Duration, Instant};

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    middleware::Next,
    rt,
    web::Data,
};

use super::http::{app::App, problem::Problem};
use crate::{
    limits,
    runtime::StartRequest,
    session::{
        auth::{
            principal::Principal,
            token::{Identity, TokenError},
        },
        shared_rates::{Asked, Spent},
    },
};

/// Signs of life: asked for by what looks after the server, they count for no rate.
pub(super) const WITHOUT_RATE: [&str; 2] = ["/healthz", "/readyz"];

/// The shortest time that a client is told to wait.
const SOONEST: Duration = Duration::from_millis(1);

/// What the token of a request says, so that it is verified once.
struct Shown(Result<Identity, TokenError>);

/// Refuses a request that is over a rate. The refusal is held back for a part of the time there is to
/// wait: who does as told loses nothing, and who does not has to wait before it can ask again on
/// this connection.
///
/// # Errors
/// 429 with the time to wait; those of the request.
pub async fn within_rates(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(app) = request.app_data::<Data<App>>().cloned()
        && !WITHOUT_RATE.contains(&request.path())
    {
        let request = request.request();
        let principal = app.shown_user(request);
        principal
            .iter()
            .for_each(|principal| app.note_taker(request, principal));
        let payer = app
            .sessions
            .payer(principal.as_ref(), app.approach(request.head()).address);
        let asked = Asked::Request(body_bytes(request));
        if let Err(spent) = app.sessions.rates.admit(payer, asked, Instant::now()) {
            let held = spent.after.min(limits::HELD_BACK);
            rt::time::sleep(held).await;
            let after = spent.after.saturating_sub(held).max(SOONEST);
            return Err(Problem::from(Spent { after, ..spent }).into());
        }
    }
    next.call(request).await
}

/// The bytes of a request's body, as far as its head tells.
fn body_bytes(request: &HttpRequest) -> usize {
    if request.headers().contains_key(TRANSFER_ENCODING) {
        return limits::UNKNOWN_BODY_BYTES;
    }
    let length = request.headers().get(CONTENT_LENGTH);
    length
        .and_then(|length| length.to_str().ok()?.trim().parse().ok())
        .unwrap_or(0)
}

impl App {
    /// The user whose token or cookie a request shows; `None` for whoever is none.
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

    /// What a token in the header of this request says.
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

    /// Counts a start for whoever asks for it.
    ///
    /// # Errors
    /// 429 when the rate is spent.
    pub fn admit_start(
        &self,
        request: &HttpRequest,
        principal: &Principal,
        start: &mut StartRequest,
    ) -> Result<(), Problem> {
        let address = self.approach(request.head()).address;
        let payer = self.sessions.payer(Some(principal), address);
        Ok(self.sessions.admit_start(start, payer, address)?)
    }
}
