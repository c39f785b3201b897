//! The tasks of a signed-in user.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};

use super::{page, person, sign_in_first};
use crate::{
    admin::tasks::TasksPage,
    web::http::{app::App, problem::HttpProblem},
};

/// `GET /admin/tasks`.
///
/// # Errors
/// 401 for a program that has not signed in, 500 if the page cannot be rendered.
pub async fn own_tasks(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let Some(principal) = person(&app, &request) else {
        return sign_in_first(&request);
    };
    let caller = &principal.caller;
    let view = TasksPage::new(&app.pages.assets, &caller.subject, caller.operator);
    page(&app, StatusCode::OK, "admin_tasks", &view)
}
