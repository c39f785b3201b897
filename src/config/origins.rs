//! The web pages that may use the server: its own, those of the allow-list, and in development
//! those of this machine.
//!
//! Origins are compared in the form that browsers send: lower case, no default port, no trailing
//! slash, international names and IP addresses in canonical form. Not here: reading the header and
//! rejecting a page (`web::http::origin_check`).

use std::net::{IpAddr, SocketAddr};

use reqwest::Url;

use super::ConfigError;

/// The origins whose pages may open a websocket or a stream, or send a request that changes state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigins {
    listed: Listed,
    /// In development on loopback: pages of any origin on this machine may connect, and the host of
    /// a request must be a name of this machine.
    on_this_machine: bool,
}

/// The content of the option.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Listed {
    /// It is absent.
    None,
    /// Every page: `*`.
    Any,
    /// These, in the form used by browsers.
    These(Vec<String>),
}

impl AllowedOrigins {
    /// Parses the option's list; `None` is the default.
    ///
    /// # Errors
    /// An empty list, or an entry that is not an origin.
    pub fn parse(list: Option<Vec<String>>) -> Result<Self, ConfigError> {
        let listed = match list {
            None => Listed::None,
            Some(list) if list.iter().any(|origin| origin.trim() == "*") => Listed::Any,
            Some(list) if list.is_empty() => {
                return Err(ConfigError(
                    "expected allowed-origins to name at least one origin, but the list is empty"
                        .into(),
                ));
            }
            Some(list) => Listed::These(
                list.iter()
                    .map(|origin| listed(origin.trim()))
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Self {
            listed,
            on_this_machine: false,
        })
    }

    /// The same for a server in development that listens on these addresses: if all are loopback,
    /// pages of this machine are allowed.
    pub fn in_development_on(self, listen: &[SocketAddr]) -> Self {
        let on_this_machine = !listen.is_empty()
            && listen
                .iter()
                .all(|address| address.ip().to_canonical().is_loopback());
        Self {
            on_this_machine,
            ..self
        }
    }

    /// Why this cannot be in the list, with advice; `None` if it can.
    pub fn why_not_listed(origin: &str) -> Option<&'static str> {
        if normal(origin).is_some() {
            return None;
        }
        let scheme = origin.split_once(':').map(|(scheme, _)| scheme);
        let is = |wanted: &str| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(wanted));
        let authority = origin.split_once("://").map_or("", |(_, rest)| rest);
        Some(if origin.is_empty() || origin == "null" || is("file") {
            "a file or a sandboxed frame has no origin that can be listed; serve the page over http"
        } else if !is("http") && !is("https") {
            "only origins of http and https can be listed, such as https://app.example.com; serve \
            the page over one of them"
        } else if authority.contains('@') {
            "an origin names no user; leave out the part before the @"
        } else if authority.trim_end_matches('/').contains(['/', '?', '#']) {
            "an origin ends with its host and port; leave out the path behind them"
        } else if authority.contains('*') {
            "an origin names one host, without *; list each, or * alone for all pages"
        } else {
            "an origin is a scheme, a host and perhaps a port, such as https://app.example.com:8443"
        })
    }

    /// Whether every page may connect: `*`.
    pub fn is_any(&self) -> bool {
        self.listed == Listed::Any
    }

    /// Whether a request with this `Origin` header, sent to this `Host`, is allowed. A request
    /// without `Origin` does not come from a page and is always allowed. The server's own pages
    /// are, too; but over HTTPS a page loaded over HTTP counts as foreign, as anybody on the
    /// network may have changed it.
    pub fn allow(&self, origin: Option<&str>, host: &str, https: bool) -> bool {
        let Some(origin) = origin else { return true };
        self.is_any()
            || self.allow_with_cookie(origin, host, https)
            || (self.on_this_machine && is_on_this_machine(origin))
    }

    /// Whether a page of this origin may act for its visitor by a cookie: only the server's own and
    /// those listed by name. Every page of this machine, on whatever port, sends the cookie along,
    /// and with `*` any page could.
    pub fn allow_with_cookie(&self, origin: &str, host: &str, https: bool) -> bool {
        let Some(origin) = normal(origin) else {
            return false;
        };
        let is_listed = matches!(&self.listed, Listed::These(list) if list.contains(&origin));
        is_listed || is_own(&origin, host, https)
    }

    /// Whether a request to this `Host` is allowed. In development on loopback it must be a name of
    /// this machine or of a listed origin: otherwise the page of an attacker whose domain resolves
    /// to this machine would count as the server's own.
    pub fn allow_host(&self, host: &str) -> bool {
        if !self.on_this_machine || self.is_any() || host.is_empty() || is_plainly_local(host) {
            return true;
        }
        let Some(url) = web_url(&format!("http://{host}")) else {
            return false;
        };
        let is_listed =
            |origin: &String| web_url(origin).is_some_and(|listed| listed.host() == url.host());
        is_loopback(&url)
            || matches!(&self.listed, Listed::These(list) if list.iter().any(is_listed))
    }
}

/// Whether a page comes from the server to which the request goes. If HTTPS is not known to be
/// used, a proxy in front of the server may terminate it.
fn is_own(origin: &str, host: &str, https: bool) -> bool {
    let is = |scheme: &str| normal(&format!("{scheme}://{host}")).is_some_and(|own| own == origin);
    is("https") || (!https && is("http"))
}

fn is_on_this_machine(origin: &str) -> bool {
    web_url(origin).is_some_and(|url| is_loopback(&url))
}

/// Whether a `Host` is a name of this machine as clients usually write it. It is the same for most
/// requests, so it is not read as a URL.
fn is_plainly_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => {
            let name = host.strip_suffix('.').unwrap_or(host);
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

fn listed(origin: &str) -> Result<String, ConfigError> {
    normal(origin).ok_or_else(|| {
        let obstacle = AllowedOrigins::why_not_listed(origin).unwrap_or_default();
        ConfigError(format!(
            "expected allowed-origins to hold origins like https://app.example.com, but one is \
            '{origin}': {obstacle}"
        ))
    })
}

/// An origin in the form used by browsers.
fn normal(origin: &str) -> Option<String> {
    web_url(origin).map(|url| url.origin().ascii_serialization())
}

/// The URL of an origin: a web scheme, a host, optionally a port, and nothing else.
fn web_url(origin: &str) -> Option<Url> {
    let (scheme, rest) = origin.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    // An origin with anything that the parser silently corrects is invalid.
    let is_plain = !authority.is_empty()
        && !authority.contains(['/', '\\', '?', '#', '@', '*', '%'])
        && !authority.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    if is_web && is_plain {
        Url::parse(&format!("{scheme}://{authority}")).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(origins: &[&str]) -> AllowedOrigins {
        AllowedOrigins::parse(Some(origins.iter().map(|text| text.to_string()).collect())).unwrap()
    }

    fn development(origins: AllowedOrigins) -> AllowedOrigins {
        origins.in_development_on(&[
            "127.0.0.1:8000".parse().unwrap(),
            "[::1]:8000".parse().unwrap(),
        ])
    }

    #[track_caller]
    fn check(origins: &AllowedOrigins, origin: &str, host: &str, https: bool, allowed: bool) {
        assert_eq!(
            origins.allow(Some(origin), host, https),
            allowed,
            "{origin} at {host}, https {https}, with {origins:?}"
        );
    }

    #[test]
    fn the_servers_own_pages_are_always_allowed() {
        for origins in [
            AllowedOrigins::parse(None).unwrap(),
            list(&["https://other.example"]),
            list(&["*"]),
        ] {
            for (origin, host, https) in [
                ("http://app.example.com:8000", "app.example.com:8000", false),
                ("http://APP.example.com:8000", "app.Example.com:8000", false),
                ("http://app.example.com", "app.example.com", false),
                ("http://app.example.com", "app.example.com:80", false),
                ("https://app.example.com", "app.example.com", true),
                ("https://app.example.com", "app.example.com:443", true),
                ("https://app.example.com:443", "app.example.com", true),
                ("https://app.example.com", "app.example.com", false),
                ("http://[::1]:8000", "[::1]:8000", false),
                ("http://[::1]:8000", "[0:0:0:0:0:0:0:1]:8000", false),
                ("http://127.0.0.1:8951", "127.0.0.1:8951", false),
                (
                    "https://xn--mnchen-3ya.example",
                    "xn--mnchen-3ya.example",
                    true,
                ),
            ] {
                check(&origins, origin, host, https, true);
                assert!(
                    origins.allow_with_cookie(origin, host, https),
                    "{origin} at {host}"
                );
            }
            assert!(origins.allow(None, "app.example.com", true));
        }
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        for origins in [
            AllowedOrigins::parse(None).unwrap(),
            list(&["https://other.example"]),
        ] {
            for (origin, host, https) in [
                ("http://app.example.com", "app.example.com:8000", false),
                ("http://app.example.com:8001", "app.example.com:8000", false),
                (
                    "http://evil.example.com:8000",
                    "app.example.com:8000",
                    false,
                ),
                ("http://app.example.com", "app.example.com", true),
                ("https://app.example.com", "app.example.com:80", false),
                (
                    "https://other.example.evil.example",
                    "app.example.com",
                    false,
                ),
                ("http://other.example", "app.example.com", false),
                ("http://localhost:5173", "app.example.com", false),
                ("http://localhost:5173", "localhost:8000", false),
                ("null", "app.example.com", false),
                ("", "app.example.com", false),
                (
                    "https://app.example.com@evil.example",
                    "app.example.com",
                    true,
                ),
                ("file://app.example.com", "app.example.com", false),
                ("null", "", false),
            ] {
                check(&origins, origin, host, https, false);
            }
        }
    }

    #[test]
    fn listed_origins_match_in_every_spelling() {
        let origins = list(&[
            "https://one.example:443",
            "http://two.example:80/",
            "HTTPS://Three.Example",
            "https://münchen.example",
            "http://[0:0:0:0:0:0:0:1]:5173",
            "https://four.example:8443",
        ]);
        for origin in [
            "https://one.example",
            "https://one.example:443",
            "http://two.example",
            "https://three.example",
            "https://xn--mnchen-3ya.example",
            "http://[::1]:5173",
            "https://four.example:8443",
        ] {
            check(&origins, origin, "app.example.com", true, true);
            assert!(
                origins.allow_with_cookie(origin, "app.example.com", true),
                "{origin}"
            );
        }
        for origin in [
            "http://one.example",
            "https://one.example:444",
            "https://two.example",
            "https://four.example",
            "null",
        ] {
            check(&origins, origin, "app.example.com", true, false);
        }
        assert!(list(&["*"]).allow(Some("null"), "app.example.com", true));
        assert!(!list(&["*"]).allow_with_cookie("https://one.example", "app.example.com", true));
    }

    #[test]
    fn in_development_on_loopback_local_pages_are_allowed_without_cookies() {
        for origins in [
            AllowedOrigins::parse(None).unwrap(),
            list(&["https://other.example"]),
        ]
        .map(development)
        {
            for origin in [
                "http://localhost:5173",
                "https://localhost:3000",
                "http://127.0.0.1:5173",
                "http://127.8.0.1",
                "http://[::1]:4200",
                "http://app.localhost:8080",
            ] {
                check(&origins, origin, "127.0.0.1:8000", false, true);
                assert!(
                    !origins.allow_with_cookie(origin, "127.0.0.1:8000", false),
                    "{origin}"
                );
            }
            for origin in [
                "http://localhost.evil.example",
                "http://192.168.0.7:5173",
                "http://mylocalhost:5173",
                "null",
            ] {
                check(&origins, origin, "127.0.0.1:8000", false, false);
            }
        }
        let anywhere = AllowedOrigins::parse(None)
            .unwrap()
            .in_development_on(&["0.0.0.0:8000".parse().unwrap()]);
        check(
            &anywhere,
            "http://localhost:5173",
            "127.0.0.1:8000",
            false,
            false,
        );
        assert!(anywhere.allow_host("anything.example"));
    }

    #[test]
    fn in_development_on_loopback_the_host_must_be_local() {
        let origins = development(list(&["https://app.example.com"]));
        for host in [
            "localhost:8000",
            "LOCALHOST",
            "127.0.0.1:8000",
            "127.0.0.1",
            "[::1]:8000",
            "a.localhost",
            "app.example.com:8000",
            "",
        ] {
            assert!(origins.allow_host(host), "{host}");
        }
        for host in [
            "evil.example:8000",
            "192.168.0.7:8000",
            "app.example.com.evil.example",
            "localhost.evil.example:8000",
            "127.0.0.1.evil.example",
            "evil.example:127.0.0.1",
            "localhost:+80",
            "a b",
            "x@localhost",
        ] {
            assert!(!origins.allow_host(host), "{host}");
        }
        assert!(development(list(&["*"])).allow_host("evil.example"));
    }

    #[test]
    fn an_invalid_origin_is_refused() {
        for text in [
            "one.example",
            "https://one.example/path",
            "https://one.example//",
            "https:///one.example",
            "https:one.example",
            "ftp://one.example",
            "https://",
            "https://*.example",
            "https://me@one.example",
            "https://one.example?x",
            "https://one.example:port",
            "https://one .example",
            "null",
            "",
        ] {
            assert!(
                AllowedOrigins::parse(Some(vec![text.into()])).is_err(),
                "{text}"
            );
            assert!(AllowedOrigins::why_not_listed(text).is_some(), "{text}");
        }
        assert!(AllowedOrigins::parse(Some(vec![])).is_err());
    }

    #[test]
    fn an_origin_that_cannot_be_allowed_is_refused_with_the_reason() {
        for (origin, part) in [
            ("null", "a file or a sandboxed frame"),
            ("file:///x", "a file or a sandboxed frame"),
            ("chrome-extension://abc", "only origins of http and https"),
            ("one.example", "only origins of http and https"),
            ("http://user@host", "before the @"),
            ("https://one.example/path", "leave out the path"),
            ("https://*.example", "without *"),
            ("https://one.example:port", "a scheme, a host"),
        ] {
            let reason = AllowedOrigins::why_not_listed(origin);
            assert!(
                reason.is_some_and(|reason| reason.contains(part)),
                "{origin}: {reason:?}"
            );
        }
        assert_eq!(
            AllowedOrigins::why_not_listed("https://one.example:8443"),
            None
        );
    }
}
