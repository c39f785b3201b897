//! REST: one file per resource. Every command that exists as a frame also exists as a request, and
//! becomes the same envelope.
//!
//! Not here: the route table (`web::routes`), the translation into requests to the runtime
//! (`session::protocol::to_command`).

pub mod audit;
pub mod commands;
pub mod connections;
pub mod definition_source;
pub mod definition_types;
pub mod definition_versions;
pub mod definitions;
pub mod drafts;
pub mod file_name;
pub mod health;
pub mod history;
pub mod http_calls;
pub mod incidents;
pub mod instance_list;
pub mod instances;
pub mod listing;
pub mod login;
pub mod messages;
pub mod metrics;
pub mod migration;
pub mod overview;
pub mod previews;
pub mod schedules;
pub mod settings;
pub mod statistics;
pub mod stream;
pub mod subscriptions;
pub mod tasks;
pub mod tickets;
pub mod timers;
pub mod tokens;
pub mod trials;
pub mod upload_form;
pub mod uploads;
pub mod users;

use actix_web::{HttpResponse, http::StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use super::http::{parameters, problem::HttpProblem};

/// A response in JSON.
fn json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    // Wire types have text keys, and serializers that do not fail.
    json_text(status, serde_json::to_string(body).unwrap_or_default())
}

fn json_text(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/json")
        .body(body)
}

/// The query of a URL.
fn query<T: DeserializeOwned>(text: &str) -> Result<T, HttpProblem> {
    parameters::read(text)
}
