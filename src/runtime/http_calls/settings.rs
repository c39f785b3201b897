//! The operator's settings for calls to other systems, and the warnings of a deploy because of
//! them.

use std::{collections::BTreeMap, sync::Arc};

use reqwest::Url;

use super::{
    allow_list::Targets,
    resolver::{Lookup, SystemLookup},
};
use crate::model::{executable::ExecutableProcess, http_request::HttpCall, problem::Problem};

/// The operator's settings. No `Debug`: they hold secrets.
#[derive(Clone)]
pub struct HttpCallSettings {
    /// The allow-list of targets.
    pub targets: Arc<Targets>,
    /// Secrets for headers of calls, by name.
    pub secrets: Arc<BTreeMap<String, String>>,
    /// The key with which webhooks are signed.
    pub webhook_key: Arc<[u8]>,
    /// The resolver of names.
    pub lookup: Arc<dyn Lookup>,
}

impl Default for HttpCallSettings {
    fn default() -> Self {
        Self::new(Targets::default(), BTreeMap::new(), Vec::new())
    }
}

impl HttpCallSettings {
    /// Settings with the resolver of the operating system.
    pub fn new(targets: Targets, secrets: BTreeMap<String, String>, webhook_key: Vec<u8>) -> Self {
        let (targets, secrets) = (Arc::new(targets), Arc::new(secrets));
        Self {
            targets,
            secrets,
            webhook_key: webhook_key.into(),
            lookup: Arc::new(SystemLookup),
        }
    }

    /// Warnings about calls of a process that these settings would not allow.
    pub fn warnings(&self, process: &ExecutableProcess) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for (node, action, call) in process.calls() {
            let owner = format!("action `{}`", action.name);
            warnings.extend(self.target_warning(&node.id, &owner, call.url.literal_base()));
            warnings.extend(self.secret_warnings(&node.id, &owner, call));
            warnings.extend(stray_secret_warning(&node.id, &owner, call));
        }
        for webhook in &process.definition.webhooks {
            warnings.extend(self.target_warning(
                &process.definition.id,
                "the webhook",
                Some(&webhook.url),
            ));
        }
        warnings
    }

    /// For a URL that is not known before the call, a warning only if no URL would be allowed.
    fn target_warning(&self, element: &str, owner: &str, url: Option<&str>) -> Option<Problem> {
        let sentence = match url {
            Some(url) => self.targets.check(&Url::parse(url).ok()?).err()?.0,
            None if self.targets.is_empty() => {
                "expected targets in --outbound-targets, but the list is empty: no call is made"
                    .to_owned()
            }
            None => return None,
        };
        Some(Problem::warning(
            element,
            "target_not_allowed",
            format!("{owner}: {sentence}"),
        ))
    }

    fn secret_warnings(&self, element: &str, owner: &str, call: &HttpCall) -> Vec<Problem> {
        let unknown = call
            .headers
            .secrets()
            .filter(|name| !self.secrets.contains_key(name));
        let warning = |name: String| {
            let sentence = unknown_secret(&name);
            Problem::warning(element, "unknown_secret", format!("{owner}: {sentence}"))
        };
        unknown.map(warning).collect()
    }
}

/// A warning for a secret in a call whose URL comes from data: a user who sets the data could
/// receive the secret.
fn stray_secret_warning(element: &str, owner: &str, call: &HttpCall) -> Option<Problem> {
    let name = call
        .headers
        .secrets()
        .next()
        .filter(|_| call.url.literal_base().is_none())?;
    let sentence = format!(
        "expected the host written out in `url`, as a header holds the secret {name}, but the data \
        determine the host: anyone who can set them can have the secret sent to any of \
        --outbound-targets; write the host out, or set that value by a rule only"
    );
    Some(Problem::warning(
        element,
        "secret_to_anywhere",
        format!("{owner}: {sentence}"),
    ))
}

/// The sentence about a secret that the server does not have.
pub(super) fn unknown_secret(name: &str) -> String {
    format!(
        "expected the secret {name}, but the server has none of this name: the operator sets \
        STEPWIRE_SECRET_{name}"
    )
}
