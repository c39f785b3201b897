//! Memory for large answers: an answer that is whole in memory takes room with the bodies of
//! requests until its last piece has gone out, so that those who ask and do not read are bounded.
//!
//! It goes out in pieces, as the HTTP library would copy it whole otherwise. Not here: how slowly
//! an answer may be read (`transport`); files, which are never whole in memory.

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

use super::http::{app::App, problem::Problem};
use crate::{limits::PotPlace, session::protocol::code::ErrorCode};

/// Answers up to this length take no room: each connection has one at most.
const SMALL: usize = 32 * 1024;
/// A piece of a large answer.
const PIECE: usize = 32 * 1024;

/// Takes room for an answer, or refuses a request that changes nothing.
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
        .map(|app| app.body_memory.permit(app.taker(&request)));
    let fits = permit
        .as_mut()
        .is_none_or(|permit| permit.resize(rest.len().min(permit.most())));
    // What was changed is answered in any case.
    if !fits && is_safe {
        let sentence = "expected memory for the answer, but too many answers have not been read \
            yet: read those, or ask again in a moment";
        let refused = Problem::new(ErrorCode::Busy, sentence).error_response();
        return Ok(ServiceResponse::new(request, refused));
    }
    let body = BoxBody::new(LargeAnswer {
        rest,
        _permit: permit,
    });
    Ok(ServiceResponse::new(request, response.set_body(body)))
}

/// What is left of a large answer.
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
