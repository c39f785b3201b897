//! Which foreign pages may read answers: the API for the origins of `--allowed-origins`, nothing else for anybody.
//!
//! What an allowed origin is: `config::AllowedOrigins`, by way of `App::allows`. The pages, assets and docs are for this server's own
//! pages. Not here: refusing requests that change something by a cookie (`auth`).

use actix_cors::Cors;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION,
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION, RETRY_AFTER,
        WWW_AUTHENTICATE,
    },
    middleware::Next,
    web::Data,
};

use super::app::App;
use crate::config::AllowedOrigins;

/// How long a browser may remember what it was allowed, in seconds.
const REMEMBERED: usize = 600;

/// Lets allowed pages ask, and read what is answered. With `*` as the list, cookies stay out: a stranger's page must not act as its
/// visitor.
pub fn cors(app: &Data<App>) -> Cors {
    let app = app.clone();
    let with_cookies = app.config.allowed_origins != AllowedOrigins::Any;
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, IF_NONE_MATCH])
        .allowed_headers(["idempotency-key", "last-event-id"].map(HeaderName::from_static))
        .expose_headers([CONTENT_DISPOSITION, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(REMEMBERED)
        .allowed_origin_fn(move |origin, head| {
            let of_api = head.uri.path().starts_with("/v1/") || head.uri.path().starts_with("/api/v1/");
            of_api && origin.to_str().is_ok_and(|origin| app.allows(Some(origin), head))
        });
    if with_cookies { cors.supports_credentials() } else { cors }
}

/// Goes around [`cors`], which tells every page of credentials and headers it could read if it were allowed to read anything.
///
/// # Errors
/// Those of the request.
pub async fn only_to_the_allowed(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
    }
    Ok(response)
}
