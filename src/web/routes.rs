//! The one route table.

use actix_web::web::{self, ServiceConfig};

use super::{health, ws};

/// Adds every route.
pub fn routes(service: &mut ServiceConfig) {
    service.route("/healthz", web::get().to(health::healthz)).route("/v1/ws", web::get().to(ws::websocket));
}
