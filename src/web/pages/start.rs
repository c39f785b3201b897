//! Where users begin, and where they return to: `/admin`, the page after a sign-in; and unknown
//! paths.

use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};

use super::sign_in_first;
use crate::{
    admin::layout::{INSTANCES_URL, PROCESSES_URL, TASKS_URL},
    session::{auth::token::Identity, protocol::code::ErrorCode},
    web::http::{app::App, problem::HttpProblem},
};

/// The longest page to return to, in bytes.
const LONGEST: usize = 2048;

/// `GET /admin`: redirects to the page where a user begins.
///
/// # Errors
/// 401 for a program that has not signed in.
pub async fn admin(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    match app.signed_in(&request) {
        Some(user) => Ok(HttpResponse::SeeOther()
            .insert_header((LOCATION, start_page(&user)))
            .finish()),
        None => sign_in_first(&request),
    }
}

/// Answers every unknown path.
///
/// # Errors
/// 404.
pub async fn nothing_here() -> Result<HttpResponse, HttpProblem> {
    Err(nothing())
}

/// Nothing exists at the path.
pub fn nothing() -> HttpProblem {
    HttpProblem::new(
        ErrorCode::NotFound,
        "expected an address of this server, but this one is unknown: see /docs and /openapi.json",
    )
}

/// The page where a user begins: all instances for operators, processes for designers, otherwise
/// the user's tasks.
pub fn start_page(user: &Identity) -> &'static str {
    if user.is_operator() {
        INSTANCES_URL
    } else if user.is_designer() {
        PROCESSES_URL
    } else {
        TASKS_URL
    }
}

/// The page to return to, if it is one of this server's pages. A sign-in redirects nowhere else,
/// whatever its link says: to no other server, however a browser or a proxy might read the text,
/// and only to pages.
pub fn own_page(to: &str) -> Option<&str> {
    let path = to.split(['?', '#']).next().unwrap_or_default();
    let plain = to.len() <= LONGEST
        && to
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let simple = !path.contains("//")
        && !path.contains('%')
        && path.split('/').all(|part| part != "." && part != "..");
    let below = |page: &str| {
        path.strip_prefix(page)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_page = matches!(path, "/" | "/demo") || below("/admin") || below("/docs");
    (plain && simple && is_page).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_returns_to_own_pages_only() {
        for own in [
            "/",
            "/demo",
            "/admin",
            "/admin/instances?q=a%20b&status=started",
            "/admin/instances/0197a1b2-0000-7000-8000-000000000007#data",
            "/docs",
            "/docs/process-model#A28",
            "/admin/instances?q=//evil.example",
        ] {
            assert_eq!(own_page(own), Some(own));
        }
        for other in [
            "",
            "admin",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " /admin",
            "/%2fevil.example",
            "/%5Cevil.example",
            "/admin/%2e%2e/%2fevil.example",
            "/admin/..//evil.example",
            "/docs//evil.example",
            "/./evil.example",
            "https://evil.example",
            "https:/admin",
            "javascript:alert(1)",
            "/administrator",
            "/sign-out",
            "/sign-in",
            "/v1/instances",
            "/admin/é",
            "/admin\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(own_page(other), None, "{other}");
        }
        assert_eq!(own_page(&format!("/admin?q={}", "x".repeat(LONGEST))), None);
    }
}
