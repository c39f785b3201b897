//! Signs of life for operators and load balancers.

use actix_web::{HttpResponse, web::Data};

use super::super::http::{app::App, problem::Problem};
use crate::{journal::disk_room::DiskRoom, runtime::instance_request::Refusal};

/// `GET /healthz`: the process serves, and the examples are deployed (the server listens only after
/// that).
#[utoipa::path(get, path = "/healthz", tag = "server", security(()), operation_id = "getHealth", summary = "Ask \
    whether the server serves",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain", example = "ok\n")))]
pub async fn healthz() -> HttpResponse {
    ok(String::new())
}

/// `GET /readyz`: requests can be answered, as the store can be read. A second line counts live
/// instances whose definition is not in the store; all others are served.
///
/// # Errors
/// 500 when the store fails, 503 while the server goes down, or its disk has no room but for what
/// completes or ends something.
#[utoipa::path(get, path = "/readyz", tag = "server", security(()), operation_id = "getReadiness", summary = "Ask \
    whether requests can be answered",
    responses((status = 200, description = "They can", body = String, content_type = "text/plain", example = "ok\n"), (status = 500), (status = 503)))]
pub async fn readyz(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.read(|reader| reader.log_incarnation()).await?;
    let runtime = &app.sessions.runtime;
    let room = runtime.journal.room();
    if room.has_failed() {
        return Err(Refusal::Unknown.into());
    }
    let mut more = String::new();
    match room.now() {
        DiskRoom::Enough => {}
        DiskRoom::Low => {
            more += "expected room on the disk, but less is free than its low watermark: new \
                instances are refused\n";
        }
        room @ (DiskRoom::Critical | DiskRoom::Full) => return Err(Refusal::NoRoom(room).into()),
    }
    match runtime.definitions.stranded() {
        0 => {}
        count => {
            more += &format!(
                "expected the definitions of all live instances, but those of {count} are \
                missing: see the log\n"
            );
        }
    }
    Ok(ok(more))
}

fn ok(more: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain")
        .body(format!("ok\n{more}"))
}
