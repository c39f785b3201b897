//! The playground, for signed-in users.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};

use super::{page, person, sign_in_first};
use crate::{
    admin::playground::PlaygroundPage,
    web::http::{app::App, problem::HttpProblem},
};

/// `GET /admin/playground`.
///
/// # Errors
/// 401 for a program that has not signed in, 500 if the page cannot be rendered.
pub async fn open(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let Some(principal) = person(&app, &request) else {
        return sign_in_first(&request);
    };
    let caller = &principal.caller;
    let view = PlaygroundPage::new(&app.pages.assets, &caller.subject, &caller.roles);
    page(&app, StatusCode::OK, "admin_playground", &view)
}
