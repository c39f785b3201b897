//! Which web pages may talk to the server: the allow-list for the `Origin` header.
//!
//! Not here: where the header is read (`web`).

use super::ConfigError;

/// The origins whose pages may open a websocket, a stream or send a state-changing request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Only pages of the host the request is sent to.
    SameHost,
    /// Every page: `*`.
    Any,
    /// Exactly these, in lower case.
    List(Vec<String>),
}

impl AllowedOrigins {
    /// Reads the option's list; `None` is the default.
    pub fn parse(list: Option<Vec<String>>) -> Result<Self, ConfigError> {
        let Some(list) = list else { return Ok(Self::SameHost) };
        if list.iter().any(|origin| origin == "*") {
            return Ok(Self::Any);
        }
        if list.is_empty() {
            return Err(ConfigError("expected allowed-origins to name at least one origin, but the list is empty".into()));
        }
        list.iter().map(|origin| normal(origin.trim())).collect::<Result<_, _>>().map(Self::List)
    }

    /// Whether a request with this `Origin` header, sent to this `Host`, may pass. A request without `Origin` comes from no
    /// browser and always may. Over HTTPS, a page that came over HTTP is another's, as anybody on the way may have changed it.
    pub fn allow(&self, origin: Option<&str>, host: &str, https: bool) -> bool {
        let Some(origin) = origin else { return true };
        match self {
            Self::Any => true,
            Self::List(list) => list.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)),
            Self::SameHost => is_same_host(origin, host, https),
        }
    }

    /// Whether a page of this origin may act as its visitor, by a cookie: with `*` only the server's own may, as anybody's page is
    /// no visitor's choice.
    pub fn allow_with_cookie(&self, origin: &str, host: &str, https: bool) -> bool {
        match self {
            Self::Any => is_same_host(origin, host, https),
            Self::List(_) | Self::SameHost => self.allow(Some(origin), host, https),
        }
    }
}

fn is_same_host(origin: &str, host: &str, https: bool) -> bool {
    authority(origin).is_some_and(|(scheme, own)| {
        let as_safe = !https || scheme.eq_ignore_ascii_case("https");
        as_safe && strip_default_port(own, scheme).eq_ignore_ascii_case(strip_default_port(host, scheme))
    })
}

fn normal(origin: &str) -> Result<String, ConfigError> {
    let plain = authority(origin).is_some_and(|(_, host)| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '*']));
    if plain {
        Ok(origin.to_ascii_lowercase())
    } else {
        Err(ConfigError(format!(
            "expected allowed-origins to hold origins like https://app.example.com, without a path, but one is '{origin}'"
        )))
    }
}

fn authority(origin: &str) -> Option<(&str, &str)> {
    let (scheme, host) = origin.split_once("://")?;
    matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https").then_some((scheme, host))
}

fn strip_default_port<'a>(host: &'a str, scheme: &str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: Option<&[&str]>, origin: Option<&str>, allowed: bool) {
        let list = list.map(|list| list.iter().map(|text| text.to_string()).collect());
        assert_eq!(AllowedOrigins::parse(list).unwrap().allow(origin, "app.example.com:8000", false), allowed, "{origin:?}");
    }

    #[test]
    fn the_default_is_the_servers_own_host() {
        check(None, None, true);
        check(None, Some("http://app.example.com:8000"), true);
        check(None, Some("http://APP.example.com:8000"), true);
        check(None, Some("http://app.example.com"), false);
        check(None, Some("http://evil.example.com:8000"), false);
        check(None, Some("null"), false);
        let same_host = |origin, host, https| AllowedOrigins::SameHost.allow(Some(origin), host, https);
        assert!(same_host("https://a.example", "a.example:443", false));
        assert!(!same_host("https://a.example", "a.example:80", false));
        assert!(same_host("https://a.example", "a.example", true));
        assert!(!same_host("http://a.example", "a.example", true));
    }

    #[test]
    fn a_list_is_exact() {
        let list: Option<&[&str]> = Some(&["https://one.example", "http://localhost:5173"]);
        check(list, Some("https://one.example"), true);
        check(list, Some("http://localhost:5173"), true);
        check(list, Some("http://one.example"), false);
        check(list, Some("https://one.example.evil.example"), false);
        check(list, Some("http://app.example.com:8000"), false);
        check(Some(&["*"]), Some("null"), true);
        let with_cookie = |origin| AllowedOrigins::Any.allow_with_cookie(origin, "app.example.com:8000", false);
        assert!(with_cookie("http://app.example.com:8000"));
        assert!(!with_cookie("http://app.example.com:3000") && !with_cookie("null"));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in ["one.example", "https://one.example/", "ftp://one.example", "https://", "https://*.example", ""] {
            assert!(AllowedOrigins::parse(Some(vec![text.into()])).is_err(), "{text}");
        }
        assert!(AllowedOrigins::parse(Some(vec![])).is_err());
    }
}
