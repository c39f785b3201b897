//! A line of the log for each answered request (`--access-log`): the user, the request and its
//! result.
//!
//! The line is written when the response has been sent: at the end of a stream or of a websocket's
//! connection. It contains no query, which may have a ticket, no headers and no body. Not here:
//! metrics of requests (`metrics`).

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::{Bytes, Data},
};

use super::{super::rest::metrics::route, app::App};
use crate::{
    logging::{self, ACCESS, LogField},
    session::auth::token::Identity,
};

/// The user of a request, recorded where it is found out.
struct RequestUser(String);

/// The future line, written when this is dropped.
struct AccessLine {
    began: Instant,
    bytes: u64,
    fields: Vec<(&'static str, LogField)>,
}

/// A body whose bytes are counted while it is sent.
pub struct CountedBody {
    body: BoxBody,
    line: AccessLine,
}

impl App {
    /// Records the user of a request, if there will be a line about it.
    pub(in crate::web) fn note_asker(
        &self,
        request: &impl HttpMessage,
        identity: Option<&Identity>,
    ) {
        if let Some(identity) = identity.filter(|_| self.config.access_log) {
            request
                .extensions_mut()
                .insert(RequestUser(identity.subject.clone()));
        }
    }
}

/// Writes the line.
///
/// # Errors
/// Those of the request.
pub async fn access_log(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<CountedBody>, Error> {
    let began = Instant::now();
    let address = request
        .app_data::<Data<App>>()
        .and_then(|app| app.approach(request.head()).address);
    let mut fields: Vec<(&str, LogField)> = vec![
        ("method", request.method().as_str().into()),
        ("path", request.path().into()),
    ];
    let response = next.call(request).await?;
    fields.push(("route", route(response.request()).into()));
    fields.push(("status", u32::from(response.status().as_u16()).into()));
    fields.extend(
        response
            .request()
            .extensions()
            .get::<RequestUser>()
            .map(|RequestUser(user)| ("user", user.as_str().into())),
    );
    fields.extend(address.map(|address| ("address", LogField::Text(address.to_string()))));
    let line = AccessLine {
        began,
        bytes: 0,
        fields,
    };
    Ok(response.map_body(|_, body| CountedBody {
        body: body.boxed(),
        line,
    }))
}

impl Drop for AccessLine {
    fn drop(&mut self) {
        // Rounded to a tenth.
        self.fields.push((
            "ms",
            LogField::Number((self.began.elapsed().as_secs_f64() * 10_000.0).round() / 10.0),
        ));
        self.fields.push(("bytes", self.bytes.into()));
        logging::event(log::Level::Info, ACCESS, "request answered", &self.fields);
    }
}

impl MessageBody for CountedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            this.line.bytes += bytes.len() as u64;
        }
        polled
    }
}
