//! What happens to a request that offers to continue in another protocol, where none but the
//! websocket is spoken.
//!
//! Some clients offer HTTP/2 in clear text (`Upgrade: h2c`) with their first request. The answer is
//! the plain one, but the HTTP library ends such a connection without a word; a client that keeps
//! it for its next request would run into its end.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, StatusCode},
    middleware::Next,
};

/// Says `Connection: close` in answer to an offer that was not taken.
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
