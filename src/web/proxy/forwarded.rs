//! Parses the headers that proxies add to a request: `Forwarded` (RFC 7239), and the older
//! `X-Forwarded-For`, `-Proto`, `-Host`.
//!
//! Both are lists to which each proxy appends its client. They are read from the end, and no
//! further than needed: everything before the first entry of a trusted proxy came from a stranger.
//! Not here: which proxies are trusted (`client_info`).
//!
//! # Rationale
//!
//! **Two kinds of forwarding headers must agree**, because a proxy that sets one of them passes the
//! other through.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};

/// The report of one proxy about its client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The client's address; `None` if it is hidden or cannot be read.
    pub address: Option<IpAddr>,
    /// Whether the client used HTTPS, if reported.
    pub https: Option<bool>,
    /// The `Host` that the client requested, if reported.
    pub host: Option<String>,
}

/// The hops of `Forwarded`, the nearest first. A line that cannot be parsed is a hop without
/// values.
pub fn standard(headers: &HeaderMap) -> impl Iterator<Item = Hop> {
    lines_from_last(headers, "forwarded").flat_map(|line| {
        let mut hops = line
            .and_then(elements)
            .unwrap_or_else(|| vec![Hop::default()]);
        hops.reverse();
        hops
    })
}

/// The addresses of `X-Forwarded-For`, the nearest first.
pub fn addresses(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    lines_from_last(headers, "x-forwarded-for").flat_map(|line| {
        let addresses: Vec<_> = line.map_or_else(
            || vec![None],
            |line| line.rsplit(',').map(|text| address(text.trim())).collect(),
        );
        addresses
    })
}

/// The value of another list that accompanies `X-Forwarded-For`, for hop number `index` from the
/// nearest; otherwise the farthest value, because most proxies keep only one.
pub fn value(headers: &HeaderMap, name: &'static str, index: usize) -> Option<String> {
    let values = lines_from_last(headers, name).flat_map(|line| {
        let values: Vec<String> = line
            .unwrap_or_default()
            .rsplit(',')
            .map(|value| value.trim().to_owned())
            .collect();
        values
    });
    let mut last = None;
    for (number, value) in values.enumerate() {
        last = Some(value);
        if number == index {
            break;
        }
    }
    last
}

/// Whether the scheme is HTTPS; `None` for an unknown scheme.
pub fn is_https(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// A host with or without a port, and nothing else.
pub fn host(text: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (!text.is_empty() && text.len() <= 255 && text.bytes().all(fits)).then(|| text.to_owned())
}

fn lines_from_last<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> impl Iterator<Item = Option<&'a str>> {
    let lines: Vec<_> = headers
        .get_all(HeaderName::from_static(name))
        .map(|line| line.to_str().ok())
        .collect();
    lines.into_iter().rev()
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

/// The elements of one line, in order; `None` if it violates the grammar.
fn elements(line: &str) -> Option<Vec<Hop>> {
    split(line, ',')?.into_iter().map(element).collect()
}

fn element(text: &str) -> Option<Hop> {
    let mut hop = Hop::default();
    let mut seen = Vec::new();
    for pair in split(text, ';')? {
        let (name, written) = pair.split_once('=')?;
        let value = unquoted(written.trim())?;
        let read = ["for", "proto", "host"]
            .into_iter()
            .find(|read| name.trim().eq_ignore_ascii_case(read));
        let Some(name) = read else { continue };
        // The grammar allows each name once; with two it is not clear which one counts.
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match name {
            "for" => hop.address = address(&value),
            "proto" => hop.https = is_https(&value),
            _ => hop.host = host(&value),
        }
    }
    Some(hop)
}

/// Splits at separators outside quotes; `None` if a quote is not closed.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if letter == separator && !quoted => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    (!quoted).then_some(parts)
}

fn unquoted(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix('"') else {
        return (!text.contains('"')).then(|| text.to_owned());
    };
    let inner = rest.strip_suffix('"')?;
    // No value that is read here contains characters to escape.
    (!inner.contains(['\\', '"'])).then(|| inner.to_owned())
}
