//! The pages of operators, for people who signed in.

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
        http::{app::App, problem::Problem},
        rest::listing::require_operator,
    },
};

/// `GET /admin/operations`: to the first of them.
///
/// # Errors
/// None.
pub async fn first() -> Result<HttpResponse, Problem> {
    let to = format!("{OPERATIONS_URL}/dashboard");
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .finish())
}

/// `GET /admin/operations/{page}`.
///
/// # Errors
/// 401 for a program that has not signed in, 403 without role operator or admin, 404, 500 when the
/// page cannot be drawn.
pub async fn one(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, Problem> {
    let Some(principal) = person(&app, &request) else {
        return sign_in_first(&request);
    };
    let shown = Page::named(&path).ok_or_else(nothing)?;
    if shown != Page::About {
        require_operator(&principal.caller)?;
    }
    let (assets, user) = (&app.pages.assets, &principal.caller.subject);
    let view = OperationsPage::new(assets, user, shown, principal.is_admin());
    page(&app, StatusCode::OK, "admin_operations", &view)
}
