//! `GET /assets/…`: the built style sheets and scripts, embedded in the program.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
    web::{Bytes, Path},
};

use super::super::http::problem::HttpProblem;
use crate::{admin::assets, session::protocol::code::ErrorCode};

/// Serves a built file.
///
/// # Errors
/// 404 for a name that the build has not produced.
pub async fn asset(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, HttpProblem> {
    let file = assets::file(&path).ok_or_else(|| {
        HttpProblem::new(
            ErrorCode::NotFound,
            "expected a built file, but there is none of this name",
        )
    })?;
    let hash = file.metadata.sha256_hash();
    let tag = format!(
        "\"{}\"",
        hash[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    );
    let caching = if assets::is_hashed(&path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
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
        .insert_header((CACHE_CONTROL, caching));
    if known {
        return Ok(response.finish());
    }
    Ok(response
        .content_type(assets::media_type(&path))
        .body(match file.data {
            // Never copied, because many clients may request it without reading.
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        }))
}
