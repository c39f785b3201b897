//! Refusals for people: a browser that requests a page and is refused gets a page with the reason.
//!
//! Programs get the problem itself, and so do all clients of the API. Not here: the refusals
//! (`problem`).

use actix_web::{
    Error, HttpRequest,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{ACCEPT, CONTENT_TYPE, HeaderValue, VARY},
    },
    middleware::Next,
    web::Data,
};

use super::super::http::{app::App, problem::HttpProblem};
use crate::admin::message::Message;

/// Paths that only programs request.
const FOR_PROGRAMS: [&str; 6] = [
    "/v1/",
    "/api/",
    "/metrics",
    "/openapi.json",
    "/asyncapi.json",
    "/assets/",
];

/// Replaces a problem by a page.
///
/// # Errors
/// Those of the request.
pub async fn problem_pages<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let mut response = next.call(request).await?;
    if !is_for_people(&response) {
        return Ok(response.map_into_left_body());
    }
    response.headers_mut().append(VARY, ACCEPT.into());
    let page = response
        .response()
        .error()
        .and_then(|error| page_for(response.request(), response.status(), error));
    let Some(page) = page else {
        return Ok(response.map_into_left_body());
    };
    let mut response = response.map_body(|_, _| EitherBody::right(BoxBody::new(page)));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Ok(response)
}

/// Whether it is a problem at a path that people request, too.
fn is_for_people<B>(response: &ServiceResponse<B>) -> bool {
    let is_problem = response
        .response()
        .error()
        .is_some_and(|error| error.as_error::<HttpProblem>().is_some());
    let request = response.request();
    let for_programs = || {
        let path = request.path();
        FOR_PROGRAMS.iter().any(|begin| path.starts_with(begin))
            && request.match_pattern().is_some()
    };
    is_problem && !for_programs()
}

/// The page for a problem; `None` if the problem itself is to be sent.
fn page_for(request: &HttpRequest, status: StatusCode, error: &Error) -> Option<String> {
    let problem = error
        .as_error::<HttpProblem>()
        .filter(|_| wants_page(request))?;
    let app = request.app_data::<Data<App>>()?;
    let user = app.signed_in(request).map(|identity| identity.subject);
    let (assets, user) = (&app.pages.assets, user.as_deref());
    let view = match status {
        StatusCode::NOT_FOUND => Message::nowhere(assets, user),
        _ => Message::refused(assets, user, status.as_u16(), &problem.to_string()),
    };
    // A page that cannot be rendered was logged; then the problem itself is sent.
    app.pages
        .render("message", &view)
        .inspect_err(|error| log::error!("page message cannot be drawn: {error}"))
        .ok()
}

/// Whether the request comes from a person's browser, not from a program.
pub fn wants_page(request: &HttpRequest) -> bool {
    let accepted = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accepted.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_html = parts
            .next()
            .is_some_and(|range| range.eq_ignore_ascii_case("text/html"));
        is_html && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}
