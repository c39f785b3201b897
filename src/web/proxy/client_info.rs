//! The client of a request: its address, whether it used HTTPS, and the host it requested. This is
//! the only module that trusts proxies.
//!
//! Headers of a proxy count only if it is one of `--trusted-proxies`, and only the part from there
//! on: in the chain of addresses, the last one that is no trusted proxy is the client. `Forwarded`
//! and `X-Forwarded-…` have to agree if both are present, because a proxy that adds to one of them
//! passes on whatever a client wrote into the other. If they cannot be read, the values of the
//! connection are used.

use std::{borrow::Cow, net::IpAddr};

use actix_web::{
    dev::RequestHead,
    http::header::{HOST, HeaderMap},
};

use super::forwarded::{self, Hop};
use crate::config::TrustedProxies;

/// The client of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo<'a> {
    /// The client's address; `None` where the transport has none.
    pub address: Option<IpAddr>,
    /// Whether the client used HTTPS, as far as is known.
    pub https: bool,
    /// The host that the client requested, with its port if it wrote one.
    pub host: Cow<'a, str>,
}

impl<'a> ClientInfo<'a> {
    /// From the head of a request.
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
        let agreed_on = agreed(
            standard(&head.headers, trusted),
            older(&head.headers, trusted),
        );
        Self {
            address: Some(agreed_on.address.unwrap_or(proxy)),
            https: agreed_on.https.unwrap_or(false),
            host: agreed_on.host.map_or(direct.host, Cow::Owned),
        }
    }
}

/// The values of both kinds of headers, if they do not contradict each other.
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

/// The value, if it is given once, or twice alike.
fn both<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => (one == other).then_some(one),
        (one, other) => one.or(other),
    }
}

/// The request to the first trusted proxy, according to `Forwarded`; `None` without that header.
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

/// The same according to the older headers.
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
