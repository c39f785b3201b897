//! Refuses input of a request that its route does not read: a query, or a body. If it were ignored,
//! a mistake of the sender would be lost silently.
//!
//! Not here: unknown names beside those that a route reads (`rest::query`, `body::read`,
//! `session::protocol::fields`). `routes` says which route reads what.

use actix_web::{
    Error, FromRequest, Handler, HttpRequest, ResponseError,
    dev::Payload,
    http::{StatusCode, header},
    web,
};
use futures_util::future::{LocalBoxFuture, ready};
use serde_json::{Map, Value};

use super::{body, problem::HttpProblem};
use crate::session::protocol::{code::ErrorCode, quoted};

/// The longest body that is checked where none is read: `{}` with blanks.
const CHECKED_BYTES: usize = 256;

/// A handler of requests without unread input: without a query unless `QUERY`, without a body
/// unless `BODY`.
#[derive(Clone)]
pub struct Strict<H, const QUERY: bool, const BODY: bool>(H);

/// For a handler that reads no query.
pub fn no_query<H>(handler: H) -> Strict<H, false, true> {
    Strict(handler)
}

/// For a handler that reads no body.
pub fn no_body<H>(handler: H) -> Strict<H, true, false> {
    Strict(handler)
}

/// For a handler that reads neither.
pub fn no_input<H>(handler: H) -> Strict<H, false, false> {
    Strict(handler)
}

/// The arguments of a handler, from a request without other input.
pub struct StrictArguments<A, const QUERY: bool, const BODY: bool>(A);

impl<H, A, const QUERY: bool, const BODY: bool> Handler<StrictArguments<A, QUERY, BODY>>
    for Strict<H, QUERY, BODY>
where
    H: Handler<A>,
    A: 'static,
{
    type Output = H::Output;
    type Future = H::Future;

    fn call(&self, StrictArguments(taken): StrictArguments<A, QUERY, BODY>) -> Self::Future {
        self.0.call(taken)
    }
}

impl<A: FromRequest + 'static, const QUERY: bool, const BODY: bool> FromRequest
    for StrictArguments<A, QUERY, BODY>
{
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !QUERY && let Err(problem) = refuse_query(request.query_string()) {
            return Box::pin(ready(Err(problem.into())));
        }
        if BODY || !has_body(request) {
            let taken = A::from_request(request, payload);
            return Box::pin(async move { taken.await.map(Self).map_err(Into::into) });
        }
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            refuse_body(&request, payload).await?;
            let taken = A::from_request(&request, &mut Payload::None);
            taken.await.map(Self).map_err(Into::into)
        })
    }
}

fn refuse_query(query: &str) -> Result<(), HttpProblem> {
    let named = web::Query::<Vec<(String, String)>>::from_query(query);
    let named = named.map(web::Query::into_inner).unwrap_or_default();
    let Some((name, _)) = named.first() else {
        return Ok(());
    };
    let sentence = format!(
        "expected nothing behind '?', but there is {}: leave it out",
        quoted(name)
    );
    Err(HttpProblem::new(ErrorCode::BadRequest, sentence))
}

fn has_body(request: &HttpRequest) -> bool {
    // Bytes after an upgrade belong to another protocol.
    let is_upgrade = request.head().upgrade();
    let announced = body::length(request).unwrap_or(0) > 0;
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    !is_upgrade && (announced || is_chunked)
}

/// An empty object is accepted like no body.
async fn refuse_body(request: &HttpRequest, mut payload: Payload) -> Result<(), Error> {
    let refuse = |found: String| {
        let sentence = format!("expected no body, but {found}: leave it out");
        Err(HttpProblem::new(ErrorCode::BadRequest, sentence).into())
    };
    let payload = web::Payload::from_request(request, &mut payload).await?;
    let bytes = match body::bytes(request, payload, CHECKED_BYTES).await {
        Ok(bytes) => bytes,
        Err(problem) if problem.status_code() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refuse("there is one".to_owned());
        }
        Err(problem) => return Err(problem.into()),
    };
    if bytes.trim_ascii().is_empty() {
        return Ok(());
    }
    match serde_json::from_slice::<Map<String, Value>>(&bytes) {
        Ok(members) => match members.keys().next() {
            None => Ok(()),
            Some(name) => refuse(format!("it has {}", quoted(name))),
        },
        Err(_) => refuse("there is one".to_owned()),
    }
}
