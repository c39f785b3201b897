//! Which foreign pages may read responses: those of the API for origins that may connect, and no
//! others; with cookies only for listed origins.
//!
//! Allowed origins: `config::AllowedOrigins`, by `App::allows`. Pages, assets and docs are for this
//! server's own pages. Not here: refusing requests that change something by a cookie (`auth`).

use actix_cors::Cors;
use actix_web::{
    Error, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION,
            CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH,
            LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
        },
    },
    middleware::Next,
    web::Data,
};

use super::{app::App, origin_check::origin};

/// How long a browser may cache permissions, in seconds.
const REMEMBERED: usize = 600;

/// Lets allowed pages send requests and read responses. With `*` as the list, cookies are excluded:
/// a foreign page must not act as its visitor.
pub fn cors(app: &Data<App>) -> Cors {
    let app = app.clone();
    let with_cookies = !app.config.allowed_origins.is_any();
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, IF_NONE_MATCH])
        .allowed_headers(["idempotency-key", "last-event-id"].map(HeaderName::from_static))
        .expose_headers([
            CONTENT_DISPOSITION,
            ETAG,
            LOCATION,
            RETRY_AFTER,
            WWW_AUTHENTICATE,
        ])
        .max_age(REMEMBERED)
        .allowed_origin_fn(move |origin, head| {
            is_of_api(head.uri.path())
                && origin
                    .to_str()
                    .is_ok_and(|origin| app.allows(Some(origin), head))
        });
    if with_cookies {
        cors.supports_credentials()
    } else {
        cors
    }
}

fn is_of_api(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/api/v1/")
}

/// Wraps [`cors`], which would describe credentials and headers to every page, as if it were
/// allowed to read anything. A page that is not allowed gets a sentence in the response to its
/// preflight, and the refusal is logged in any case.
///
/// # Errors
/// Those of the request.
pub async fn only_to_the_allowed<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let (mut with_cookie, mut refused) = (false, None);
    if let (Some(app), Some(origin)) = (request.app_data::<Data<App>>(), origin(request.head())) {
        with_cookie = app.allows_with_cookie(origin, request.head());
        if is_of_api(request.path()) && !app.allows(Some(origin), request.head()) {
            refused = Some(app.refused_origin(origin));
        }
    }
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if let Some(problem) = refused.filter(|_| is_preflight) {
        return Ok(request
            .into_response(problem.error_response())
            .map_into_right_body());
    }
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
    }
    if !with_cookie || !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
    }
    Ok(response.map_into_left_body())
}
