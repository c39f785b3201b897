//! Signing in with a name and a password over HTTP: the common part of `POST /v1/login` and the
//! sign-in page.

use actix_web::HttpRequest;
use uuid::Uuid;

use super::{app::App, problem::HttpProblem};
use crate::{
    runtime::{clock::steady_now, users::SignInError},
    session::{auth::token::Identity, protocol::code::ErrorCode},
};

impl App {
    /// The user who signs in with this password.
    ///
    /// # Errors
    /// 401 without the reason, 429 with `Retry-After` after too many wrong passwords, 503.
    pub async fn sign_in(
        &self,
        request: &HttpRequest,
        tenant: &str,
        name: &str,
        password: &str,
    ) -> Result<Identity, HttpProblem> {
        let users = &self.sessions.runtime.users;
        let address = self.approach(request.head()).address;
        let signed_in = users
            .sign_in(tenant, name, password, address, steady_now())
            .await
            .map_err(HttpProblem::from);
        let user =
            signed_in.inspect_err(|problem| self.sign_in_failed(request, Some(name), problem))?;
        let nobody = Identity::anonymous(Uuid::nil());
        Ok(Identity {
            subject: user.subject,
            tenant: user.tenant,
            roles: user.roles,
            ..nobody
        })
    }
}

impl From<SignInError> for HttpProblem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => Self::new(ErrorCode::Unauthenticated, error.to_string()),
            SignInError::Throttled(wait) => Self::rate_limited(wait, error.to_string()),
            SignInError::Busy => Self::new(ErrorCode::Busy, error.to_string()),
        }
    }
}
