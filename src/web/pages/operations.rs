//! The pages of operators, for signed-in users.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
    web::{Data, Path},
};

use super::{page, person, sign_in_first, start::nothing};
use crate::{
    admin::{
        layout::OPERATIONS_URL,
        operations::{OperationsPage, Page},
    },
    web::{
        http::{app::App, problem::HttpProblem},
        rest::{
            connections::require_either, listing::require_operator,
            settings::require_server_operator,
        },
    },
};

/// `GET /admin/operations`: redirects to the first of them.
///
/// # Errors
/// None.
pub async fn first() -> Result<HttpResponse, HttpProblem> {
    let to = format!("{OPERATIONS_URL}/dashboard");
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .finish())
}

/// `GET /admin/operations/{page}`.
///
/// # Errors
/// 401 for a program that has not signed in, 403 without the role that it needs, 404, 500 if the
/// page cannot be rendered.
pub async fn one(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let Some(principal) = person(&app, &request) else {
        return sign_in_first(&request);
    };
    let shown = Page::named(&path).ok_or_else(nothing)?;
    match shown {
        Page::Settings => require_server_operator(&principal)?,
        Page::Connections | Page::Audit => require_either(&principal)?,
        Page::About => {}
        Page::Dashboard | Page::Incidents | Page::Schedules | Page::Timers | Page::Users => {
            require_operator(&principal.caller)?;
        }
    }
    let view = OperationsPage::new(&app.pages.assets, shown, &principal);
    page(&app, StatusCode::OK, "admin_operations", &view)
}
