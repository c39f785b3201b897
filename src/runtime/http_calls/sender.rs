//! One attempt of a call: each hop is checked and the response is read, all within one deadline.
//!
//! There are no proxies, cookies or decompression; a connection is never reused, so each attempt
//! resolves its target again. Redirects are followed for GET and HEAD only, and headers that could
//! be credentials stay with their origin.

use std::{
    error::Error,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{
    Client, Method, Response as HttpResponse, Url,
    header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, LOCATION, RETRY_AFTER},
    redirect, retry,
};

use super::{
    allow_list::{Reach, RefusedTarget},
    resolver::CheckedResolver,
    response_body::{Unread, read},
    settings::HttpCallSettings,
    wire_request::WireRequest,
};
use crate::{
    engine::{
        http_call::{CallFailure, HttpCallRequest, Response},
        trace::TraceContext,
    },
    limits::{CALL_PAUSE, CALL_REDIRECTS},
};

const USER_AGENT: &str = concat!("stepwire/", env!("CARGO_PKG_VERSION"));
/// Statuses that may differ at the next attempt.
const PASSING: [u16; 3] = [408, 425, 429];
/// Redirects that name another address.
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];
/// The modeller's headers that may go to another origin.
const HARMLESS: [reqwest::header::HeaderName; 2] = [ACCEPT, ACCEPT_LANGUAGE];

/// An attempt that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime) struct Failed {
    pub failure: CallFailure,
    pub status: Option<u16>,
    /// "expected …, but …".
    pub message: String,
    /// Whether another try may help.
    pub again: bool,
    /// How long the receiver asks to wait.
    pub wait: Option<Duration>,
}

impl Failed {
    fn new(failure: CallFailure, message: impl Into<String>, again: bool) -> Self {
        Self {
            failure,
            status: None,
            message: message.into(),
            again,
            wait: None,
        }
    }
}

impl From<RefusedTarget> for Failed {
    fn from(RefusedTarget(sentence): RefusedTarget) -> Self {
        Self::new(CallFailure::Refused, sentence, false)
    }
}

/// Makes calls.
pub(super) struct Sender {
    settings: HttpCallSettings,
    clients: [OnceLock<Client>; 3],
}

impl Sender {
    pub fn new(settings: HttpCallSettings) -> Self {
        Self {
            settings,
            clients: [const { OnceLock::new() }; 3],
        }
    }

    /// Makes one attempt.
    pub async fn send(
        &self,
        request: &HttpCallRequest,
        trace: Option<&TraceContext>,
    ) -> Result<Response, Failed> {
        let wire = WireRequest::of(request, trace, &self.settings);
        let wire = wire.map_err(|sentence| Failed::new(CallFailure::Refused, sentence, false))?;
        let url = Url::parse(&wire.url);
        let url = url.map_err(|error| {
            Failed::new(
                CallFailure::Refused,
                format!("expected an address, but {error}"),
                false,
            )
        })?;
        // Created before the deadline begins: the first client of its kind takes a while.
        self.client(self.settings.targets.check(&url)?)?;
        let place = format!("{} {}", wire.method, origin(&url));
        let answer = tokio::time::timeout(wire.timeout, self.follow(&wire, url)).await;
        let answer = answer.unwrap_or_else(|_| {
            let sentence = format!(
                "expected an answer within {} ms, but there was none",
                wire.timeout.as_millis()
            );
            Err(Failed::new(CallFailure::Failed, sentence, true))
        });
        answer.map_err(|failed| Failed {
            message: format!("{place}: {}", failed.message),
            ..failed
        })
    }

    async fn follow(&self, wire: &WireRequest, first: Url) -> Result<Response, Failed> {
        let mut url = first.clone();
        let mut trusted = true;
        for _ in 0..=CALL_REDIRECTS {
            trusted &= origin(&url) == origin(&first);
            let answer = self.hop(wire, &url, trusted).await?;
            let Some(next) = redirected(wire, &answer, &url)? else {
                return judge(wire, answer).await;
            };
            url = next;
        }
        let sentence = format!("expected at most {CALL_REDIRECTS} redirects, but there are more");
        Err(Failed::new(CallFailure::Failed, sentence, false))
    }

    async fn hop(
        &self,
        wire: &WireRequest,
        url: &Url,
        trusted: bool,
    ) -> Result<HttpResponse, Failed> {
        let reach = self.settings.targets.check(url)?;
        let headers = if trusted {
            wire.headers.clone()
        } else {
            without_credentials(&wire.headers)
        };
        let request = self
            .client(reach)?
            .request(wire.method.clone(), url.clone())
            .headers(headers);
        let request = match &wire.body {
            Some(body) => request.body(body.clone()),
            None => request,
        };
        request.send().await.map_err(|error| unsent(&error))
    }

    fn client(&self, reach: Reach) -> Result<&Client, Failed> {
        let made = &self.clients[reach as usize];
        if let Some(client) = made.get() {
            return Ok(client);
        }
        let (targets, lookup) = (self.settings.targets.clone(), self.settings.lookup.clone());
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(CheckedResolver {
                reach,
                targets,
                lookup,
            }))
            .build();
        let client = client.map_err(|error| unsent(&error))?;
        Ok(made.get_or_init(|| client))
    }
}

/// The meaning of a status: a success, a failure that may pass, or a lasting one.
async fn judge(wire: &WireRequest, answer: HttpResponse) -> Result<Response, Failed> {
    let status = answer.status().as_u16();
    if wire.success.contain(status) {
        return read(answer).await.map_err(|unread| match unread {
            Unread::Broken(error) => unsent(&error),
            Unread::TooLarge(sentence) => Failed::new(CallFailure::Failed, sentence, false),
        });
    }
    let again = PASSING.contains(&status) || (500..=599).contains(&status);
    let sentence = format!("expected status {}, but it answered {status}", wire.success);
    let wait = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let wait = wait.map(|seconds| Duration::from_secs(seconds).min(CALL_PAUSE));
    Err(Failed {
        status: Some(status),
        wait,
        ..Failed::new(CallFailure::Failed, sentence, again)
    })
}

/// The target of a redirect, if the response is one.
fn redirected(
    wire: &WireRequest,
    answer: &HttpResponse,
    from: &Url,
) -> Result<Option<Url>, Failed> {
    let status = answer.status().as_u16();
    let follows =
        matches!(wire.method, Method::GET | Method::HEAD) && !wire.success.contain(status);
    let Some(location) = answer
        .headers()
        .get(LOCATION)
        .filter(|_| follows && REDIRECTS.contains(&status))
    else {
        return Ok(None);
    };
    let next = location
        .to_str()
        .ok()
        .and_then(|location| from.join(location).ok());
    let Some(next) = next else {
        return Err(Failed::new(
            CallFailure::Failed,
            "expected an address in the redirect, but it has none",
            false,
        ));
    };
    if from.scheme() == "https" && next.scheme() != "https" {
        let sentence = "expected a redirect to stay with https, but it leads away from it";
        return Err(Failed::new(CallFailure::Refused, sentence, false));
    }
    Ok(Some(next))
}

/// The headers that may go to another origin than the modeller wrote: none that could be a
/// credential, whatever its name.
fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    let harmless = headers.iter().filter(|(name, _)| HARMLESS.contains(name));
    harmless
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Why there is no response. The URL is left out, because the part after the host may be
/// confidential data.
fn unsent(error: &reqwest::Error) -> Failed {
    let mut cause: &dyn Error = error;
    loop {
        if let Some(refused) = cause.downcast_ref::<RefusedTarget>() {
            return refused.clone().into();
        }
        match cause.source() {
            Some(deeper) => cause = deeper,
            None => break,
        }
    }
    let sentence = format!("expected an answer, but there was none: {cause}");
    Failed::new(CallFailure::Failed, sentence, !error.is_builder())
}
