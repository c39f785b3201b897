//! `GET /` and `GET /demo`: open to anybody.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};

use super::page;
use crate::{
    admin::{
        assets,
        home::{Demo, HomePage, Server},
    },
    journal::DefinitionState,
    session::auth::token::DEFAULT_TENANT,
    web::http::{app::App, problem::HttpProblem},
};

/// The process that the demo uses.
const DEMO: &str = "onboarding";

/// An introduction with links; the published processes for signed-in users.
///
/// # Errors
/// 500 if the page cannot be rendered.
pub async fn home(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let user = app.signed_in(&request);
    let mut published = user
        .as_ref()
        .map(|user| app.sessions.runtime.definitions.all(&user.tenant))
        .unwrap_or_default();
    published.retain(|process| process.row.state == DefinitionState::Published);
    let subject = user.as_ref().map(|user| user.subject.as_str());
    let has_demo = app
        .sessions
        .runtime
        .definitions
        .published(DEFAULT_TENANT, DEMO)
        .is_some();
    let server = Server {
        has_demo,
        prints_link: app.config.sign_in_link,
    };
    let view = HomePage::new(
        &app.pages.assets,
        subject,
        server,
        published.iter().map(|process| &process.row),
    );
    page(&app, StatusCode::OK, "home", &view)
}

/// The demo, or a page that says that it was not built.
///
/// # Errors
/// 500 if the page cannot be rendered.
pub async fn demo(app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    match (Demo::new(&app.pages.assets), assets::missing()) {
        (None, Some(missing)) => Ok(HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .body(missing.data.into_owned())),
        (demo, _) => page(&app, StatusCode::OK, "demo", &demo),
    }
}
