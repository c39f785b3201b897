//! Identifies the sender of a request: by the bearer token of its header, or by the cookie of a
//! user who has signed in to the pages.
//!
//! A browser sends the cookie automatically, also for foreign pages. So a request that changes
//! something by the cookie must prove that it comes from an allowed origin. A stranger's request
//! must not name another origin, so that a foreign page cannot use the visitor's address. A bearer
//! token is only sent by its holder.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::header::AUTHORIZATION,
};

use super::{app::App, problem::HttpProblem};
use crate::{
    engine::trace::TraceContext,
    limits,
    model::ids::Time,
    runtime::clock::real_now,
    session::{
        auth::{
            principal::Principal,
            token::{Identity, TokenError},
        },
        protocol::code::ErrorCode,
    },
};

/// The cookie with the token of a user who has signed in.
pub const COOKIE: &str = "stepwire-session";

impl App {
    /// The principal of the request; a stranger without a token or cookie.
    ///
    /// # Errors
    /// 400 for a header that cannot be read, 401 for a token that is not accepted, 403 from a
    /// foreign origin.
    pub fn principal(&self, request: &HttpRequest) -> Result<Principal, HttpProblem> {
        let Some(token) = bearer_token(request)? else {
            let identity = self.signed_in(request);
            self.note_asker(request, identity.as_ref());
            if !request.method().is_safe() {
                self.require_origin(request)?;
                if identity.is_some() {
                    self.require_proof_of_origin(request)?;
                }
            }
            return Ok(self.placed(Principal::new(identity), request));
        };
        let identity = accepted(self.identify(request, token))?;
        self.note_asker(request, Some(&identity));
        Ok(self.placed(Principal::new(Some(identity)), request))
    }

    /// Adds the address and the trace of a request.
    fn placed(&self, principal: Principal, request: &HttpRequest) -> Principal {
        principal.at(self.approach(request.head()).address, trace_of(request))
    }

    /// The identity of a token.
    ///
    /// # Errors
    /// 401 with the code that says whether a new token would help.
    pub fn verify(&self, token: &str) -> Result<Identity, HttpProblem> {
        accepted(self.sessions.identify(token))
    }

    /// The principal of a request with any token; not a stranger.
    ///
    /// # Errors
    /// As [`App::principal`], and 401 for a stranger.
    pub fn bearer(&self, request: &HttpRequest) -> Result<Principal, HttpProblem> {
        let principal = self.principal(request)?;
        if principal.identity.is_none() {
            if let Some(cookie) = request.cookie(COOKIE) {
                // A user whose sign-in is not valid any more gets the reason.
                self.verify(cookie.value())?;
            }
            let sentence = "expected a token ('Authorization: Bearer TOKEN') or a signed-in \
                user, but there is neither";
            return Err(HttpProblem::new(ErrorCode::Unauthenticated, sentence));
        }
        Ok(principal)
    }

    /// A user: not the holder of a token for one instance tree.
    ///
    /// # Errors
    /// As [`App::bearer`], and 403 for such a token.
    pub fn user(&self, request: &HttpRequest) -> Result<(Principal, Identity), HttpProblem> {
        let principal = self.bearer(request)?;
        match principal
            .identity
            .clone()
            .filter(|identity| identity.instance.is_none())
        {
            Some(identity) => Ok((principal, identity)),
            None => {
                let sentence = "expected the token of a user, but this one is only valid for one \
                    instance and its children";
                Err(HttpProblem::new(ErrorCode::Forbidden, sentence))
            }
        }
    }

    /// The user who has signed in to the pages; an old or foreign cookie is ignored.
    pub fn signed_in(&self, request: &HttpRequest) -> Option<Identity> {
        let cookie = request.cookie(COOKIE)?;
        self.sessions.identify(cookie.value()).ok()
    }

    /// A token for a user who signs in, and when it expires: not after the token that was used to
    /// sign in.
    ///
    /// # Errors
    /// 500 if it cannot be made.
    pub fn token_of_sign_in(&self, identity: &Identity) -> Result<(String, Time), HttpProblem> {
        self.token_for(identity, limits::SIGNED_IN)
    }

    /// A token that is valid this long, but no longer than the identity's own token, and when it
    /// expires.
    ///
    /// # Errors
    /// 500 if it cannot be made.
    pub fn token_for(
        &self,
        identity: &Identity,
        ttl: std::time::Duration,
    ) -> Result<(String, Time), HttpProblem> {
        let now = real_now();
        // The token has whole seconds.
        let begin = now.0.div_euclid(1000);
        let longest = begin.saturating_add_unsigned(ttl.as_secs());
        let end = identity.expires_at.map_or(longest, |end| {
            longest.min(end.0.div_euclid(1000)).max(begin)
        });
        let ttl = std::time::Duration::from_secs(end.abs_diff(begin));
        let token = self
            .sessions
            .tokens
            .mint(identity, now, ttl)
            .map_err(|error| {
                log::error!("nobody can sign in: {error}");
                HttpProblem::new(
                    ErrorCode::Internal,
                    "expected to sign you in, but the token could not be made",
                )
            })?;
        Ok((token, Time(end.saturating_mul(1000))))
    }

    /// The cookie that signs in the subject of this token.
    ///
    /// # Errors
    /// 413 for a cookie that is longer than browsers keep: they would drop it silently.
    pub fn sign_in_cookie(
        &self,
        request: &HttpRequest,
        token: String,
    ) -> Result<Cookie<'static>, HttpProblem> {
        let (length, longest) = (COOKIE.len() + 1 + token.len(), limits::COOKIE_BYTES);
        if length > longest {
            let sentence = format!(
                "expected a sign-in that a browser keeps, a cookie of at most {longest} bytes, \
                but this one has {length}: sign in with a token that has fewer or shorter roles"
            );
            return Err(HttpProblem::new(ErrorCode::TooLarge, sentence));
        }
        Ok(self.cookie(
            request,
            token,
            Duration::seconds(limits::SIGNED_IN.as_secs() as i64),
        ))
    }

    /// The cookie that signs out.
    pub fn sign_out_cookie(&self, request: &HttpRequest) -> Cookie<'static> {
        self.cookie(request, String::new(), Duration::ZERO)
    }

    fn cookie(&self, request: &HttpRequest, token: String, age: Duration) -> Cookie<'static> {
        let secure = self.approach(request.head()).https;
        Cookie::build(COOKIE, token)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(secure)
            .max_age(age)
            .finish()
    }
}

fn accepted(verified: Result<Identity, TokenError>) -> Result<Identity, HttpProblem> {
    verified.map_err(|error| {
        let code = if error == TokenError::Expired {
            ErrorCode::TokenExpired
        } else {
            ErrorCode::Unauthenticated
        };
        HttpProblem::new(code, error.to_string())
    })
}

/// The token of the header `Authorization`; `None` without the header. Refusals never repeat it,
/// because it may contain a secret.
///
/// # Errors
/// 400 for a header of another form, 401 for another scheme.
pub(in crate::web) fn bearer_token(request: &HttpRequest) -> Result<Option<&str>, HttpProblem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (Some(header), second) = (headers.next(), headers.next()) else {
        return Ok(None);
    };
    let wrong = |code, found: &str| {
        HttpProblem::new(
            code,
            format!("expected the header 'Authorization: Bearer TOKEN', but {found}"),
        )
    };
    if second.is_some() {
        return Err(wrong(ErrorCode::BadRequest, "it is there twice: send one"));
    }
    let Ok(text) = header.to_str() else {
        return Err(wrong(ErrorCode::BadRequest, "it is no ASCII text"));
    };
    match text.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        Some((scheme, _))
            if ["basic", "digest", "negotiate"].contains(&&*scheme.to_ascii_lowercase()) =>
        {
            Err(wrong(
                ErrorCode::Unauthenticated,
                &format!("its scheme is '{scheme}': get a token from POST /v1/login"),
            ))
        }
        Some(_) => Err(wrong(
            ErrorCode::Unauthenticated,
            "its scheme is another one",
        )),
        None if text.trim().eq_ignore_ascii_case("bearer") => Err(wrong(
            ErrorCode::BadRequest,
            "there is no token after 'Bearer'",
        )),
        None => Err(wrong(
            ErrorCode::BadRequest,
            "it has no scheme: put 'Bearer ' before the token",
        )),
    }
}

/// The trace that a request names (W3C Trace Context): one `traceparent`, and all of `tracestate`.
fn trace_of(request: &HttpRequest) -> Option<TraceContext> {
    let values = |name: &str| {
        let headers = request.headers().get_all(name);
        headers
            .map(|value| value.to_str().ok().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
    };
    let parent = values("traceparent")?;
    let [parent] = parent.as_slice() else {
        return None;
    };
    let state = values("tracestate").map(|states| states.join(","));
    TraceContext::read(Some(parent), state.as_deref())
}
