//! The designer: for designers; operators may read.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use serde::Deserialize;

use super::{page, person, require_staff, sign_in_first};
use crate::{
    admin::{
        designer::{DesignerPage, Opened, TEMPLATES},
        message::Message,
    },
    web::http::{app::App, problem::HttpProblem},
};

/// The definition to open.
#[derive(Deserialize)]
pub struct DesignerQuery {
    /// Another version than the newest.
    version: Option<u32>,
    /// The template of a new process.
    #[serde(default)]
    template: String,
}

/// The path of a new process. A process with this id is opened by naming its version.
const NEW: &str = "new";

/// `GET /admin/designer/new?template=` and `GET /admin/designer/{process}?version=`.
///
/// # Errors
/// 403 without role designer, operator or admin, 500 if the page cannot be rendered.
pub async fn open(
    request: HttpRequest,
    process: Path<String>,
    parameters: Query<DesignerQuery>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let Some(principal) = person(&app, &request) else {
        return sign_in_first(&request);
    };
    require_staff(&principal)?;
    let (assets, user) = (&app.pages.assets, &*principal.caller.subject);
    let draw = |opened: &Opened<'_>| {
        let view = DesignerPage::new(assets, user, principal.is_designer(), opened);
        page(&app, StatusCode::OK, "admin_designer", &view)
    };
    if *process == NEW && parameters.version.is_none() {
        let known = TEMPLATES.iter().find(|one| one.id == parameters.template);
        return draw(&Opened::New(known.unwrap_or(&TEMPLATES[0]).id));
    }
    let mut versions = app
        .sessions
        .runtime
        .definitions
        .all(&principal.caller.tenant);
    versions.retain(|one| one.row.id == *process);
    let newest = versions.last().map_or(0, |newest| newest.row.version);
    let wanted = parameters.version.unwrap_or(newest);
    match versions.iter().find(|one| one.row.version == wanted) {
        Some(found) => draw(&Opened::Version(&found.row, newest)),
        None => {
            let sentence = match parameters.version {
                Some(version) if newest > 0 => format!(
                    "expected a version of process '{process}', but there is no version \
                    {version}; its newest is {newest}"
                ),
                _ => format!(
                    "expected a deployed process, but there is none with the id '{process}'; see \
                    the list of processes"
                ),
            };
            let view = Message::new(assets, user, "No such process", &sentence);
            page(&app, StatusCode::NOT_FOUND, "message", &view)
        }
    }
}
