//! The list of processes, for operators and designers.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};

use super::{page, person, require_staff, sign_in_first};
use crate::{
    admin::processes::{ProcessesPage, ShownProcesses},
    web::http::{app::App, problem::HttpProblem},
};

/// `GET /admin/processes`.
///
/// # Errors
/// 403 without role designer, operator or admin, 500 if the page cannot be rendered, 503.
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let Some(principal) = person(&app, &request) else {
        return sign_in_first(&request);
    };
    require_staff(&principal)?;
    let of = principal.caller.tenant.clone();
    let in_use = app
        .read(&principal.caller, move |reader| {
            reader.versions_in_use(Some(&of))
        })
        .await?;
    let runtime = &app.sessions.runtime;
    let versions = runtime.definitions.all(&principal.caller.tenant);
    let versions: Vec<_> = versions.iter().map(|process| &process.row).collect();
    let shown = ShownProcesses {
        versions: &versions,
        in_use: &in_use,
        may_edit: principal.is_designer(),
        now: runtime.clock.now(),
    };
    page(
        &app,
        StatusCode::OK,
        "admin_processes",
        &ProcessesPage::new(&app.pages.assets, &principal.caller.subject, &shown),
    )
}
