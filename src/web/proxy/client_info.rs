//! How a request came here: from which address, over HTTP or HTTPS, for which host. The one place
//! that believes proxies.
//!
//! What a proxy adds counts only if it comes from one of `--trusted-proxies`, and only from there
//! on: of the chain of addresses, the first from the end that is no trusted proxy is the client.
//! `Forwarded` and `X-Forwarded-…` must agree where both are there, as a proxy that adds to one of
//! them lets through whatever a client wrote into the other. What cannot be read leaves the
//! connection's own.

use std::{borrow::Cow, net::IpAddr};

use actix_web::{
    dev::RequestHead,
    http::header::{HOST, HeaderMap},
};

use super::forwarded::{self, Hop};
use crate::config::TrustedProxies;

/// How a request came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approach<'a> {
    /// The client's address; `None` where the transport has none.
    pub address: Option<IpAddr>,
    /// Whether the client spoke HTTPS, as far as is known.
    pub https: bool,
    /// The host the client asked for, with the port it wrote.
    pub host: Cow<'a, str>,
}

impl<'a> Approach<'a> {
    /// Reads a request's head.
    pub fn of(head: &'a RequestHead, trusted: &TrustedProxies) -> Self {
        let peer = head.peer_addr.map(|peer| peer.ip().to_canonical());
        let own = head
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default();
        let direct = Self {
            address: peer,
            https: false,
            host: Cow::Borrowed(own),
        };
        let Some(proxy) = peer.filter(|peer| trusted.contain(*peer)) else {
            return direct;
        };
        let told = agreed(
            standard(&head.headers, trusted),
            older(&head.headers, trusted),
        );
        Self {
            address: Some(told.address.unwrap_or(proxy)),
            https: told.https.unwrap_or(false),
            host: told.host.map_or(direct.host, Cow::Owned),
        }
    }
}

/// What the two kinds of headers say, where they do not contradict each other.
fn agreed(one: Option<Hop>, other: Option<Hop>) -> Hop {
    match (one, other) {
        (None, None) => Hop::default(),
        (Some(hop), None) | (None, Some(hop)) => hop,
        (Some(one), Some(other)) => Hop {
            address: one.address.filter(|_| one.address == other.address),
            https: both(one.https, other.https),
            host: both(one.host, other.host),
        },
    }
}

/// What is said once, or twice alike.
fn both<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(one),
        (one, other) => one.or(other),
    }
}

/// The hop at which the first trusted proxy was asked, by `Forwarded`; `None` without that header.
fn standard(headers: &HeaderMap, trusted: &TrustedProxies) -> Option<Hop> {
    let mut outermost = None;
    for hop in forwarded::standard(headers) {
        let is_proxy = hop.address.is_some_and(|address| trusted.contain(address));
        outermost = Some(hop);
        if !is_proxy {
            break;
        }
    }
    outermost
}

/// The same by the older headers.
fn older(headers: &HeaderMap, trusted: &TrustedProxies) -> Option<Hop> {
    let mut outermost = None;
    for (index, address) in forwarded::addresses(headers).enumerate() {
        outermost = Some((index, address));
        if address.is_none_or(|address| !trusted.contain(address)) {
            break;
        }
    }
    let index = outermost.map_or(0, |(index, _)| index);
    let https = forwarded::value(headers, "x-forwarded-proto", index);
    let host = forwarded::value(headers, "x-forwarded-host", index);
    if outermost.is_none() && https.is_none() && host.is_none() {
        return None;
    }
    Some(Hop {
        address: outermost.and_then(|(_, address)| address),
        https: https.and_then(|scheme| forwarded::is_https(&scheme)),
        host: host.and_then(|host| forwarded::host(&host)),
    })
}

#[cfg(test)]
mod tests;
