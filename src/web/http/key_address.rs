//! Fetches the public keys of an issuer from the configured URL, and keeps them up to date.
//!
//! If a fetch fails, the present keys stay. A token with an unknown key causes another fetch, but
//! never more often than the pace allows, so a flood of bad tokens causes no flood of requests. Not
//! here: which keys are usable (`session::auth::issuer_keys`).

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Url, redirect};
use tokio::time::sleep;

use crate::{limits, session::auth::issuer_keys::IssuerKeys, text};

/// How long a response may take in all.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Redirects that are followed, within the same host.
const REDIRECTS: usize = 3;

/// How often keys are fetched.
#[derive(Clone, Copy, Debug)]
pub struct FetchPace {
    /// The shortest time between two requests.
    pub least: Duration,
    /// The longest time without a request.
    pub age: Duration,
}

impl Default for FetchPace {
    fn default() -> Self {
        Self {
            least: Duration::from_secs(10),
            age: Duration::from_secs(300),
        }
    }
}

/// A URL with keys.
pub struct KeyAddress {
    client: Client,
    url: Url,
}

impl KeyAddress {
    /// The keys at this URL.
    ///
    /// # Errors
    /// A sentence if no HTTP client can be made on this machine.
    pub fn new(url: Url) -> Result<Self, String> {
        let same_place = |one: &Url, other: &Url| one.origin() == other.origin();
        let start = url.clone();
        let policy = redirect::Policy::custom(move |attempt| {
            if same_place(attempt.url(), &start) && attempt.previous().len() <= REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        let client = Client::builder().timeout(TIMEOUT).redirect(policy).build();
        let client = client.map_err(|error| {
            format!("expected to be able to fetch an issuer's keys, but: {error}")
        })?;
        Ok(Self { client, url })
    }

    /// Fetches once; returns whether there were usable keys.
    pub async fn refresh(&self, keys: &IssuerKeys) -> bool {
        let name = format!(
            "{}{}",
            self.url.origin().ascii_serialization(),
            self.url.path()
        );
        let replaced = match self.fetch().await {
            Ok(text) => keys.replace(&text, &name),
            Err(cause) => Err(format!(
                "expected to fetch an issuer's keys from {name}, but: {cause}"
            )),
        };
        let Err(sentence) = replaced else { return true };
        let consequence = if keys.is_empty() {
            "its tokens are refused until there are some"
        } else {
            "the former keys stay in use"
        };
        log::warn!("{sentence}; {consequence}");
        false
    }

    /// Fetches repeatedly: by age, and when a token names an unknown key. Call it after the first
    /// [`KeyAddress::refresh`].
    pub async fn keep_fresh(self, keys: Arc<IssuerKeys>, pace: FetchPace) {
        let mut fresh = !keys.is_empty();
        loop {
            sleep(pace.least).await;
            let delay = if fresh { pace.age } else { pace.least };
            tokio::select! {
                () = keys.wanted() => {}
                () = sleep(delay) => {}
            }
            fresh = self.refresh(&keys).await;
        }
    }

    async fn fetch(&self) -> Result<String, String> {
        let request = self
            .client
            .get(self.url.clone())
            .header("Accept", "application/jwk-set+json, application/json");
        let mut answer = request.send().await.map_err(|error| causes(&error))?;
        if !answer.status().is_success() {
            return Err(format!("it answers {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| causes(&error))? {
            if body.len() + chunk.len() > limits::REST_BODY_BYTES.get() {
                let longest = limits::written_bytes(limits::REST_BODY_BYTES.get() as u64);
                return Err(format!("its answer is longer than {longest}"));
            }
            body.extend_from_slice(&chunk);
        }
        text::utf8(&body)
            .map(str::to_owned)
            .map_err(|found| format!("its answer should be in UTF-8, but {found}"))
    }
}

/// The causes of an error without the URL, whose query may be confidential.
fn causes(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    if causes.is_empty() {
        "no answer came in time".into()
    } else {
        causes.join(": ")
    }
}

#[cfg(test)]
mod tests;
