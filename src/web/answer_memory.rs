//! Memory for large responses: a response that is completely in memory takes room in the pot for
//! bodies until its last piece is sent, so that clients that request and do not read are bounded.
//!
//! It is sent in pieces, because the HTTP library would otherwise copy it as a whole. Not here: how
//! slowly a response may be read (`transport`); files, which are never completely in memory.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::{Bytes, Data},
};

use super::http::{app::App, problem::HttpProblem};
use crate::{limits::PotPlace, session::protocol::code::ErrorCode};

/// Responses up to this length take no room: each connection has at most one.
const SMALL: usize = 32 * 1024;
/// The size of a piece of a large response.
const PIECE: usize = 32 * 1024;

/// Takes room for a response; without room, refuses it if the request changes nothing.
///
/// # Errors
/// Those of the request.
pub async fn answer_memory(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_safe = request.method().is_safe();
    let (request, response) = next.call(request).await?.into_parts();
    let (response, body) = response.into_parts();
    let rest = match body.boxed().try_into_bytes() {
        Ok(bytes) if bytes.len() > SMALL => bytes,
        Ok(bytes) => {
            return Ok(ServiceResponse::new(
                request,
                response.set_body(BoxBody::new(bytes)),
            ));
        }
        Err(body) => return Ok(ServiceResponse::new(request, response.set_body(body))),
    };
    let mut permit = request
        .app_data::<Data<App>>()
        .map(|app| app.sessions.memory.permit(app.taker(&request)));
    let fits = permit
        .as_mut()
        .is_none_or(|permit| permit.resize(rest.len().min(permit.capacity())));
    // A request that has changed something is answered in any case.
    if !fits && is_safe {
        let sentence = "expected memory for the answer, but too many answers have not been read \
            yet: read those, or ask again in a moment";
        let refused = HttpProblem::new(ErrorCode::Busy, sentence).error_response();
        return Ok(ServiceResponse::new(request, refused));
    }
    let body = BoxBody::new(LargeAnswer {
        rest,
        _permit: permit,
    });
    Ok(ServiceResponse::new(request, response.set_body(body)))
}

/// The rest of a large response.
struct LargeAnswer {
    rest: Bytes,
    /// Given back with the last piece.
    _permit: Option<PotPlace>,
}

impl MessageBody for LargeAnswer {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let this = self.get_mut();
        let piece = this.rest.split_to(PIECE.min(this.rest.len()));
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}
