//! Which files an `uploadFile` action accepts: their size and media types.
//!
//! Not here: storing the bytes (`runtime::files`), receiving them (`web`).

use super::field_error::FieldError;
use crate::limits::UPLOAD_BYTES;

/// The media type of a file that was sent without one.
pub const UNKNOWN_TYPE: &str = "application/octet-stream";
/// Longest accepted part of a media type, in bytes.
const MAX_PART_BYTES: usize = 127;

/// The files that an action accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRules {
    max_bytes: u64,
    /// Lower-case ranges such as `image/*`; `None` accepts any type.
    types: Option<Vec<String>>,
}

impl UploadRules {
    /// Accepts every file that the server accepts.
    pub fn anything() -> Self {
        Self {
            max_bytes: UPLOAD_BYTES,
            types: None,
        }
    }

    /// Compiles the settings.
    ///
    /// # Errors
    /// What was expected, as a sentence.
    pub fn compile(max_bytes: i64, types: Option<&[String]>) -> Result<Self, String> {
        let within = u64::try_from(max_bytes)
            .ok()
            .filter(|bytes| (1..=UPLOAD_BYTES).contains(bytes));
        let max_bytes = within.ok_or_else(|| {
            format!("expected `maxBytes` from 1 to {UPLOAD_BYTES}, but got {max_bytes}; correct it")
        })?;
        if types.is_some_and(<[String]>::is_empty) {
            return Err(
                "expected media types in `types`, but the list is empty; name some, or remove it \
                to accept any"
                    .to_owned(),
            );
        }
        let range = |text: &String| {
            media_range(text).ok_or_else(|| {
                format!(
                    "expected media types such as application/pdf or image/* in `types`, but \
                    got `{text}`; correct it"
                )
            })
        };
        let types = types
            .map(|types| types.iter().map(range).collect::<Result<_, _>>())
            .transpose()?;
        Ok(Self { max_bytes, types })
    }

    /// The largest file, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// The accepted media types, as ranges such as `image/*`; `None` for any.
    pub fn types(&self) -> Option<&[String]> {
        self.types.as_deref()
    }

    /// Checks the type of a file, in the form of [`media_type`].
    ///
    /// # Errors
    /// A sentence that names the accepted types.
    pub fn check_type(&self, media_type: &str) -> Result<(), FieldError> {
        let fits = |range: &String| match range.strip_suffix('*') {
            Some("*/") => true,
            Some(main) => media_type.starts_with(main),
            None => media_type == range,
        };
        match &self.types {
            Some(types) if !types.iter().any(fits) => {
                let sentence = format!(
                    "expected a file of type {}, but it is {media_type}: choose another file",
                    types.join(" or ")
                );
                Err(FieldError::new("contentMediaType", sentence)
                    .with("allowedValues", types.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Checks the size of a file.
    ///
    /// # Errors
    /// A sentence that names the limit, in bytes.
    pub fn check_size(&self, size: u64) -> Result<(), FieldError> {
        if size == 0 {
            let sentence =
                "expected a file with at least one byte, but it is empty: choose another file";
            return Err(FieldError::new("minLength", sentence).with("limit", 1));
        }
        if size > self.max_bytes {
            let sentence = format!(
                "expected a file of at most {} bytes, but it is larger: choose a smaller one",
                self.max_bytes
            );
            return Err(FieldError::new("maxLength", sentence).with("limit", self.max_bytes));
        }
        Ok(())
    }
}

/// A media type in lower case and without parameters; `None` for other text.
pub fn media_type(text: &str) -> Option<String> {
    media_range(text.split(';').next()?).filter(|range| !range.contains('*'))
}

fn media_range(text: &str) -> Option<String> {
    let range = text.trim().to_ascii_lowercase();
    let (main, sub) = range.split_once('/')?;
    let fits = match (main, sub) {
        ("*", "*") => true,
        (main, "*") => is_name(main),
        (main, sub) => is_name(main) && is_name(sub),
    };
    fits.then_some(range)
}

/// Whether it is a restricted name of RFC 6838.
fn is_name(text: &str) -> bool {
    let restricted = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
    (1..=MAX_PART_BYTES).contains(&text.len()) && text.chars().all(restricted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(types: &[&str]) -> Result<UploadRules, String> {
        let types: Vec<String> = types.iter().map(|&text| text.to_owned()).collect();
        UploadRules::compile(10, Some(&types))
    }

    #[test]
    fn types_are_names_or_ranges() {
        for (types, fitting, other) in [
            (
                &["application/pdf", "image/*"][..],
                "image/png",
                "text/plain",
            ),
            (&["Application/PDF"], "application/pdf", "application/pdfx"),
            (&["image/*"], "image/svg+xml", "imagex/png"),
        ] {
            let rules = rules(types).expect("the test's types are valid");
            assert_eq!(rules.check_type(fitting), Ok(()), "{types:?}");
            assert!(rules.check_type(other).is_err(), "{types:?}");
        }
        assert_eq!(rules(&["*/*"]).expect("a range").check_type("a/b"), Ok(()));
        for wrong in [
            &[][..],
            &["pdf"],
            &["*/pdf"],
            &["a/b/c"],
            &["a/"],
            &["/b"],
            &["a b/c"],
            &["image/*; q=1"],
            &[""],
        ] {
            assert!(rules(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn sizes_have_bounds() {
        let rules = UploadRules::compile(10, None).expect("valid rules");
        assert!(
            rules.check_size(10).is_ok()
                && rules.check_size(11).is_err()
                && rules.check_size(0).is_err()
        );
        for wrong in [0, -1, i64::MAX, UPLOAD_BYTES as i64 + 1] {
            assert!(UploadRules::compile(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn media_types_are_normalised() {
        assert_eq!(
            media_type("Text/HTML; charset=utf-8").as_deref(),
            Some("text/html")
        );
        for wrong in [
            "",
            "text",
            "*/*",
            "text/*",
            "text/ht ml",
            "text/html\r\nX: y",
        ] {
            assert_eq!(media_type(wrong), None, "{wrong}");
        }
    }
}
