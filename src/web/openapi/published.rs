//! A document that never changes while the server runs: serialised once, and cached by its tag.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
    web::Bytes,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A JSON document as it is sent.
pub struct PublishedDocument {
    text: Bytes,
    tag: String,
}

impl PublishedDocument {
    /// Serialises a document.
    pub fn new(document: &impl Serialize) -> Self {
        // Documents have text keys, and serializers that do not fail.
        let text = Bytes::from(serde_json::to_vec(document).unwrap_or_default());
        let hash = Sha256::digest(&text);
        let tag = hash[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        Self {
            text,
            tag: format!("\"{tag}\""),
        }
    }

    /// The document, or 304 for clients that have it.
    pub fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let known = request
            .headers()
            .get(IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let is_known = known.contains(&self.tag);
        let mut response = if is_known {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        response
            .insert_header((ETAG, self.tag.as_str()))
            .insert_header((CACHE_CONTROL, "no-cache"));
        if is_known {
            return response.finish();
        }
        response
            .content_type("application/json")
            .body(self.text.clone())
    }
}
