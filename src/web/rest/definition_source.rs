//! The content of a version of a definition: its source for designers and operators; for others the
//! parts that a frontend needs, in the same two forms.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::ACCEPT},
    web::{Data, Path},
};

use super::{
    definitions::{refused, unknown, versioned, written},
    json_text,
};
use crate::{
    journal::DefinitionFormat,
    model::{bpmn_xml::diagram, frontend_view::FrontendView},
    runtime::instance_request::Refusal,
    session::protocol::code::ErrorCode,
    text,
    web::{
        http::{app::App, body, problem::HttpProblem},
        openapi::shared::VersionPath,
    },
};

/// `GET /v1/definitions/{id}/{version}`: with `Accept: application/xml` the BPMN as it was
/// deployed, otherwise its JSON form. Without role designer or operator only the diagram, and what
/// a frontend needs.
///
/// # Errors
/// 401, 403, 404; also 404 for the XML of a definition that was deployed as JSON.
#[utoipa::path(get, path = "/v1/definitions/{id}/{version}", tag = "definitions", operation_id = "getDefinitionSource", summary = "Read \
    a definition as it was deployed; without role designer or operator what a frontend needs of it",
    params(VersionPath),
    responses(
        (status = 200, description = "In JSON; as BPMN for who accepts XML",
            content((Object = "application/json"), (String = "application/xml"))), (status = 403), (status = 404),
    ))]
pub async fn source(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    let (id, version) = versioned(&path)?;
    let definitions = &app.sessions.runtime.definitions;
    let known = definitions
        .undeleted(&principal.caller.tenant, id, version)
        .ok_or_else(unknown)?;
    let accepted = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let whole = principal.caller.reads_source();
    if !accepted.contains("application/xml") {
        let process = definitions.process(&known).await.map_err(refused)?;
        let text = written(&request, process, move |process| {
            let definition = &process.executable.definition;
            if whole {
                serde_json::to_string(definition)
            } else {
                serde_json::to_string(&FrontendView::from(definition))
            }
        });
        let text = text.await?.map_err(|_| Refusal::Internal)?;
        return Ok(json_text(StatusCode::OK, text));
    }
    if known.row.format == DefinitionFormat::Json {
        let sentence = "expected a version that was deployed as BPMN XML, but this one was \
            deployed as JSON: ask for that";
        return Err(HttpProblem::new(ErrorCode::NotFound, sentence));
    }
    let source = definitions.source(&known.row).await.map_err(refused)?;
    let xml = if whole {
        source.to_vec()
    } else {
        drawing(&request, source).await?
    };
    Ok(HttpResponse::Ok().content_type("application/xml").body(xml))
}

/// The diagram of a version that was deployed as BPMN; of a long source on another thread.
async fn drawing(request: &HttpRequest, source: Arc<[u8]>) -> Result<Vec<u8>, HttpProblem> {
    let length = source.len();
    let draw = move || diagram(&text::xml(&source).ok()?);
    let drawn = body::by_length(request, length, draw).await?;
    let unreadable = || {
        HttpProblem::new(
            ErrorCode::Internal,
            "expected the source of a version to be read again, but it was not: try again",
        )
    };
    let drawn = drawn.ok_or_else(unreadable)?;
    Ok(drawn.into_bytes())
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, task::Poll};

    use actix_web::test::TestRequest;
    use futures_util::poll;

    use super::*;
    use crate::limits;

    #[actix_web::test]
    async fn the_diagram_of_a_long_source_waits_for_a_place() {
        let model = include_str!("../../../examples/credit-check.bpmn");
        let padding = "x".repeat(limits::LARGE_BODY_BYTES);
        let (short, long) = (model.to_owned(), format!("{model}<!--{padding}-->"));
        let request = TestRequest::default().to_http_request();
        let (let_go, holds) = mpsc::channel::<mpsc::Sender<()>>();
        let mut held = Vec::new();
        for _ in 0..limits::LARGE_BODIES_AT_ONCE {
            let (begins, let_go, request) = (mpsc::channel(), let_go.clone(), request.clone());
            let work = move || {
                let_go.send(begins.0).expect("the test runs");
                begins.1.recv()
            };
            held.push(actix_web::rt::spawn(async move {
                body::on_pool(&request, work).await.map(drop)
            }));
        }
        let mut ends = Vec::new();
        while ends.len() < held.len() {
            match holds.try_recv() {
                Ok(end) => ends.push(end),
                Err(_) => actix_web::rt::task::yield_now().await,
            }
        }
        let drawing = |source: String| drawing(&request, source.into_bytes().into());
        let mut waits = Box::pin(drawing(long));
        assert!(matches!(poll!(&mut waits), Poll::Pending));
        assert!(drawing(short).await.is_ok_and(|drawn| !drawn.is_empty()));
        assert!(matches!(poll!(&mut waits), Poll::Pending));
        drop(ends);
        assert!(waits.await.is_ok_and(|drawn| !drawn.is_empty()));
        for work in held {
            assert!(work.await.is_ok_and(|done| done.is_ok()));
        }
    }
}
