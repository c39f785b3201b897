//! Handles requests that offer another protocol at paths other than the websocket's.
//!
//! Some clients offer HTTP/2 in clear text (`Upgrade: h2c`) with their first request. They get an
//! ordinary response, but the HTTP library ends such a connection silently, which a client that
//! reuses the connection for its next request would only notice then.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, StatusCode},
    middleware::Next,
};

/// Adds `Connection: close` to the response if the offer was not accepted.
///
/// # Errors
/// Those of the request.
pub async fn no_upgrade(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let offered = request.head().upgrade();
    let mut response = next.call(request).await?;
    if offered && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
