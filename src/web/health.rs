//! Signs of life for operators and load balancers.

use actix_web::HttpResponse;

/// `GET /healthz`: the process serves, and the examples are deployed (the server listens only after that).
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}
