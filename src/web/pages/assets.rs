//! `GET /assets/…`: the built style sheets and scripts, embedded in the program.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, ETAG, Encoding, Header, IF_NONE_MATCH,
        VARY,
    },
    web::Path,
};

use super::super::http::problem::HttpProblem;
use crate::{admin::assets, session::protocol::code::ErrorCode};

/// Serves a built file.
///
/// # Errors
/// 404 for a name that the build has not produced.
pub async fn asset(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, HttpProblem> {
    let caching = if assets::is_hashed(&path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    // The files of other pages are in folders.
    let file = Some(&**path).filter(|path| !path.contains('/'));
    file.and_then(|path| embedded(&request, path, caching))
        .ok_or_else(|| {
            HttpProblem::new(
                ErrorCode::NotFound,
                "expected a built file, but there is none of this name",
            )
        })
}

/// The response with an embedded file, compressed where the client accepts it; `None` if there is
/// no such file.
pub fn embedded(request: &HttpRequest, name: &str, caching: &'static str) -> Option<HttpResponse> {
    let offered = [Encoding::gzip(), Encoding::identity()];
    let accepts_gzip = AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate(offered.iter()) == Some(Encoding::gzip()));
    let file = assets::file(name, accepts_gzip)?;
    let tag = format!("\"{}\"", file.tag);
    let known = request
        .headers()
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|list| list.contains(&tag));
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, tag))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((CACHE_CONTROL, caching));
    if known {
        return Some(response.finish());
    }
    if file.is_compressed {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    response.content_type(assets::media_type(name));
    Some(response.body(file.content))
}
