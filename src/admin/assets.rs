//! The built assets of the pages: embedded files under `/assets/`, and which of them each page
//! needs; and, in folders of their own, the documentation and the page that shows the API.
//!
//! Built by `build.rs` from `static/`; without Node there is only a page that says so. Texts are
//! embedded compressed, as `NAME.gz`, and sent as they are to all who can read that.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::Read,
    sync::{LazyLock, Mutex, PoisonError},
};

use bytes::Bytes;
use flate2::read::GzDecoder;
use rust_embed::{Embed, EmbeddedFile};
use serde::Deserialize;

/// Where the files are served.
const PATH: &str = "/assets/";

#[derive(Embed)]
#[folder = "$OUT_DIR/web"]
struct Built;

/// Which files each page needs.
pub struct Assets(HashMap<String, ManifestEntry>);

#[derive(Deserialize)]
struct ManifestEntry {
    js: Option<String>,
    css: Option<String>,
}

impl Assets {
    /// Reads the manifest that the build has written; it is empty when the build was skipped.
    ///
    /// # Errors
    /// The manifest cannot be parsed.
    pub fn load() -> Result<Self, String> {
        let Some(manifest) = Built::get("manifest.json") else {
            return Ok(Self(HashMap::new()));
        };
        serde_json::from_slice(&manifest.data)
            .map(Self)
            .map_err(|error| format!("the list of built assets: {error}"))
    }

    /// Whether the pages with scripts were built.
    pub fn are_built(&self) -> bool {
        !self.0.is_empty()
    }

    /// Address of a page's script.
    pub fn script(&self, name: &str) -> Option<String> {
        self.0
            .get(name)?
            .js
            .as_ref()
            .map(|file| format!("{PATH}{file}"))
    }

    /// Address of a style sheet.
    pub fn style(&self, name: &str) -> Option<String> {
        self.0
            .get(name)?
            .css
            .as_ref()
            .map(|file| format!("{PATH}{file}"))
    }
}

/// A built file.
pub struct Asset {
    /// Its content, compressed by gzip if `is_compressed`.
    pub content: Bytes,
    /// Whether `content` is compressed.
    pub is_compressed: bool,
    /// Changes with its content.
    pub tag: String,
}

/// A built file by its name. Compressed if it is embedded so and `accepts_gzip`.
pub fn file(name: &str, accepts_gzip: bool) -> Option<Asset> {
    if let Some(file) = Built::get(name) {
        return Some(Asset::new(file, false));
    }
    let compressed = Asset::new(Built::get(&format!("{name}.gz"))?, true);
    if accepts_gzip {
        return Some(compressed);
    }
    Some(Asset {
        content: decompressed(name, &compressed.content)?,
        is_compressed: false,
        tag: compressed.tag + "-plain",
    })
}

impl Asset {
    fn new(file: EmbeddedFile, is_compressed: bool) -> Self {
        let hash = file.metadata.sha256_hash();
        let tag = hash[..16].iter().map(|byte| format!("{byte:02x}"));
        Self {
            tag: tag.collect(),
            is_compressed,
            content: match file.data {
                // Never copied, because many clients may request it without reading.
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            },
        }
    }
}

/// Decompresses a file once for all clients that cannot read it compressed: as many as were built,
/// however often they are requested.
fn decompressed(name: &str, content: &[u8]) -> Option<Bytes> {
    static DONE: LazyLock<Mutex<HashMap<String, Bytes>>> = LazyLock::new(Mutex::default);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = done.get(name) {
        return Some(known.clone());
    }
    let plain = Bytes::from(decompress(content)?);
    done.insert(name.to_owned(), plain.clone());
    Some(plain)
}

fn decompress(content: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(content).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// The content of a file that is embedded compressed.
pub fn text(name: &str) -> Option<String> {
    let file = Built::get(&format!("{name}.gz"))?;
    String::from_utf8(decompress(&file.data)?).ok()
}

/// The names of all files that are embedded compressed.
pub fn texts() -> impl Iterator<Item = String> {
    Built::iter().filter_map(|name| Some(name.strip_suffix(".gz")?.to_owned()))
}

/// The page shown instead of pages with scripts when these were not built.
pub fn missing() -> Option<EmbeddedFile> {
    Built::get("missing.html")
}

/// Whether the name changes with the content, so that the file itself never changes:
/// `name-HASH.ext`, as the bundler names it.
pub fn is_hashed(name: &str) -> bool {
    let hash = name
        .rsplit_once('.')
        .and_then(|(stem, _)| stem.rsplit_once('-'))
        .map(|(_, hash)| hash);
    hash.is_some_and(|hash| {
        hash.len() == 8
            && hash
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

/// The media type of a file, by its ending.
pub fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_never_change() {
        assert!(is_hashed("demo-ABCD2345.js"));
        for name in [
            "manifest.json",
            "third-party-notices.txt",
            "demo-abcd2345.js",
            "demo-ABCD.js",
            "ABCD2345",
        ] {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
