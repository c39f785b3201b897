//! Health checks for operators and load balancers.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web::Data};

use super::super::http::{app::App, problem::HttpProblem};
use crate::{
    journal::{Damaged, StoredKind, disk_room::DiskRoom},
    runtime::instance_request::Refusal,
};

/// `GET /healthz`: the process serves requests, and the examples are deployed (the server only
/// listens after that).
#[utoipa::path(get, path = "/healthz", tag = "server", security(()), operation_id = "getHealth", summary = "Ask \
    whether the server serves",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain", example = "ok\n")))]
pub async fn healthz() -> HttpResponse {
    ok(String::new())
}

/// `GET /readyz`: requests can be answered, because the store can be read. Further lines count live
/// instances whose definition is not in the store, and damaged entries that were found; everything
/// else is served.
///
/// # Errors
/// 500 if the store fails, 503 while the server stops, or if its disk only has space for what
/// completes or ends something.
#[utoipa::path(get, path = "/readyz", tag = "server", security(()), operation_id = "getReadiness", summary = "Ask \
    whether requests can be answered",
    responses((status = 200, description = "They can", body = String, content_type = "text/plain", example = "ok\n"), (status = 500), (status = 503)))]
pub async fn readyz(app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let of_store = app
        .read_for_all(|reader| {
            reader.log_incarnation()?;
            Ok(reader.damaged())
        })
        .await?;
    let runtime = &app.sessions.runtime;
    let room = runtime.journal.room();
    if room.has_failed() {
        return Err(Refusal::Unknown.into());
    }
    let mut more = String::new();
    match room.now() {
        DiskRoom::Enough => {}
        DiskRoom::Low => {
            more += "expected free space on the disk, but less is free than its low watermark: new \
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
    more += &damage([&of_store, &runtime.damaged]);
    Ok(ok(more))
}

/// The damaged entries that were found, as a line; empty if there are none.
fn damage(met: [&Damaged; 2]) -> String {
    let mut counts: BTreeMap<StoredKind, usize> = BTreeMap::new();
    for (kind, count) in met.into_iter().flat_map(Damaged::counts) {
        *counts.entry(kind).or_default() += count;
    }
    if counts.is_empty() {
        return String::new();
    }
    let named = counts
        .into_iter()
        .map(|(kind, count)| match (count, kind.names()) {
            (1, (one, _)) => format!("1 {one}"),
            (count, (_, several)) => format!("{count} {several}"),
        });
    let named = named.collect::<Vec<_>>().join(", ");
    format!(
        "expected all stored data to be readable, but these are damaged: {named}; everything else \
        is served, and 'stepwire doctor' lists each\n"
    )
}

fn ok(more: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain")
        .body(format!("ok\n{more}"))
}
