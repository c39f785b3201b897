//! Webhooks of a process: who is notified over HTTP when an instance has ended.
//!
//! Not here: the content of such a call (`engine::http_call::end`), signing and sending it
//! (`runtime::http_calls`).

use serde::{Deserialize, Serialize};

use super::http_request::url::UrlTemplate;

/// Statuses an instance can end with, by their wire names.
pub const END_STATUSES: [&str; 5] = ["finished", "dismissed", "terminated", "expired", "failed"];
/// The only optional content of a webhook.
pub const INCLUDE_DATA: &str = "data";

/// A webhook as the modeller wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// Its URL, without placeholders.
    pub url: String,
    /// The statuses of which it is notified; absent = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<String>>,
    /// `data`: include the data of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include: Option<String>,
}

impl Webhook {
    /// Whether it is notified of an end with this status.
    pub fn is_notified_of(&self, status: &str) -> bool {
        self.on
            .as_ref()
            .is_none_or(|on| on.iter().any(|wanted| wanted == status))
    }

    /// Whether it includes the data of the instance.
    pub fn includes_data(&self) -> bool {
        self.include.as_deref() == Some(INCLUDE_DATA)
    }

    /// Its mistakes: stable codes with sentences.
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        match UrlTemplate::compile(&self.url) {
            Err((code, sentence)) => mistakes.push((code, sentence)),
            Ok(_) if self.url.contains("${") => {
                let sentence =
                    "url: expected the address written out, but it has a placeholder; remove it";
                mistakes.push(("invalid_url", sentence.to_owned()));
            }
            Ok(_) => {}
        }
        for status in self
            .on
            .iter()
            .flatten()
            .filter(|status| !END_STATUSES.contains(&status.as_str()))
        {
            let known = END_STATUSES.join(", ");
            mistakes.push((
                "invalid_value",
                format!("on: expected one of {known}, but got `{status}`; correct it"),
            ));
        }
        if self.on.as_ref().is_some_and(Vec::is_empty) {
            mistakes.push((
                "invalid_value",
                "on: expected a status, but the list is empty; remove it to be notified of every end"
                    .into(),
            ));
        }
        if let Some(include) = self
            .include
            .as_ref()
            .filter(|include| *include != INCLUDE_DATA)
        {
            mistakes.push((
                "invalid_value",
                format!("include: expected `{INCLUDE_DATA}`, but got `{include}`; correct it"),
            ));
        }
        mistakes
    }
}
