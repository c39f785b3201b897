//! The choice of the server a command talks to, and of its identity there.
//!
//! A given token is used. Without one, the owner of the data directory of a running server asks
//! that server through its local socket, which answers with its address and a short-lived token.
//! Such a token is sent to that server only, never to another address. All others are anonymous,
//! which is enough for processes with anonymous start.

use std::path::{Path, PathBuf};

use reqwest::Url;

use super::{
    Home,
    exit::{Exit, Failure},
    local::{self, Local},
};
use crate::{config::CommonArguments, text};

/// The largest token file that is read.
const TOKEN_FILE_BYTES: u64 = 64 * 1024;

/// A server and the credentials for it.
#[derive(Clone)]
pub struct Access {
    /// Its address, without a trailing slash.
    base: Url,
    pass: Pass,
}

/// The source of the token.
#[derive(Clone)]
enum Pass {
    /// Given directly.
    Token(String),
    /// In a file, which may be rewritten meanwhile.
    File(PathBuf, String),
    /// From the server that uses this data directory.
    Local(PathBuf, Local),
    /// No token.
    Anonymous,
}

impl Access {
    /// Determines the server and the credentials.
    ///
    /// # Errors
    /// An invalid address, or a file that cannot be read.
    pub async fn find(common: &CommonArguments, home: Home) -> Result<Self, Failure> {
        // A variable with an empty value counts as not set.
        let server = common
            .server
            .as_deref()
            .filter(|url| !url.trim().is_empty());
        let named = server.map(address).transpose()?;
        let token = common
            .token
            .as_ref()
            .map(|token| token.0.trim())
            .filter(|token| !token.is_empty());
        let own = match (token, &common.token_file) {
            (Some(token), _) => Some(Pass::Token(token.to_owned())),
            (None, Some(path)) if path == Path::new("-") => Some(Pass::Token(read_token(path)?)),
            (None, Some(path)) => Some(Pass::File(path.clone(), read_token(path)?)),
            (None, None) => None,
        };
        match (named, own) {
            (Some(base), Some(pass)) => Ok(Self { base, pass }),
            // The local server is asked for its address even when a token is given, as it may
            // listen anywhere.
            (named, own) => Self::at_home(named, own, home).await,
        }
    }

    /// The server at this address, with this token or anonymously.
    ///
    /// # Errors
    /// An invalid address.
    pub fn with(server: &str, token: Option<&str>) -> Result<Self, Failure> {
        Ok(Self {
            base: address(server)?,
            pass: token.map_or(Pass::Anonymous, |token| Pass::Token(token.to_owned())),
        })
    }

    async fn at_home(named: Option<Url>, own: Option<Pass>, home: Home) -> Result<Self, Failure> {
        let local = local::query(&home.data).await?;
        let found = local
            .as_ref()
            .map(|local| address(&local.server))
            .transpose()?;
        Ok(match (named, found, local, own) {
            (Some(named), Some(found), Some(local), None) if same_place(&named, &found) => Self {
                base: found,
                pass: Pass::Local(home.data, local),
            },
            (None, Some(found), Some(local), None) => Self {
                base: found,
                pass: Pass::Local(home.data, local),
            },
            (Some(named), _, _, own) => Self {
                base: named,
                pass: own.unwrap_or(Pass::Anonymous),
            },
            (None, Some(found), _, own) => Self {
                base: found,
                pass: own.unwrap_or(Pass::Anonymous),
            },
            (None, None, _, own) => Self {
                base: address(&home.server)?,
                pass: own.unwrap_or(Pass::Anonymous),
            },
        })
    }

    /// The token to send, if there is one.
    pub fn token(&self) -> Option<&str> {
        match &self.pass {
            Pass::Token(token) | Pass::File(_, token) => Some(token),
            Pass::Local(_, local) => Some(&local.token),
            Pass::Anonymous => None,
        }
    }

    /// Uses this token if there was none so far.
    pub fn use_token(&mut self, token: &str) {
        if matches!(self.pass, Pass::Anonymous) {
            self.pass = Pass::Token(token.to_owned());
        }
    }

    /// Gets a new token; `false` when there is none.
    ///
    /// # Errors
    /// The file no longer exists.
    pub async fn renew(&mut self) -> Result<bool, Failure> {
        let fresh = match &self.pass {
            Pass::Token(_) | Pass::Anonymous => return Ok(false),
            Pass::File(path, _) => Pass::File(path.clone(), read_token(path)?),
            Pass::Local(data, _) => match local::query(data).await? {
                // The server may be starting: the previous token is tried again then.
                None => return Ok(false),
                Some(local) => Pass::Local(data.clone(), local),
            },
        };
        let changed = match (&self.pass, &fresh) {
            (Pass::File(_, before), Pass::File(_, after)) => before != after,
            _ => true,
        };
        self.pass = fresh;
        Ok(changed)
    }

    /// The identity, for people.
    pub fn identity(&self) -> String {
        match &self.pass {
            Pass::Token(_) => "with the given token".to_owned(),
            Pass::File(path, _) => format!("with the token in {}", path.display()),
            Pass::Local(data, local) => {
                format!("as '{}', by the server on {}", local.user, data.display())
            }
            Pass::Anonymous => "anonymously, as no token is given".to_owned(),
        }
    }

    /// The address of the server, for people.
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The HTTP address of a resource; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server())
    }

    /// The address of the websocket.
    pub fn websocket(&self) -> String {
        let url = self.url("/v1/ws");
        url.strip_prefix("http")
            .map_or(url.clone(), |rest| format!("ws{rest}"))
    }

    /// The failure that nobody can be reached at the address.
    pub fn unreachable(&self, cause: &str) -> Failure {
        let fix = match self.pass {
            Pass::Anonymous => {
                "start it with 'stepwire', or name it with --server, or its directory with --data"
            }
            _ => "is it running, and is this its address?",
        };
        Failure::new(
            Exit::Unreachable,
            format!("expected a server at {}, but {cause}: {fix}", self.server()),
        )
    }
}

/// Parses an address as people write it: the scheme is optional.
fn address(text: &str) -> Result<Url, Failure> {
    let failed = || {
        Failure::usage(format!(
            "expected --server to be an address like http://127.0.0.1:8000, but it is '{text}'"
        ))
    };
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url: Url = whole.parse().map_err(|_| failed())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain && url.username().is_empty() {
        Ok(url)
    } else {
        Err(failed())
    }
}

/// Whether both are the same server; all names of this machine count as its address.
fn same_place(a: &Url, b: &Url) -> bool {
    let host = |url: &Url| match url.host_str() {
        Some("localhost" | "[::1]") => "127.0.0.1".to_owned(),
        other => other.unwrap_or_default().to_owned(),
    };
    a.scheme() == b.scheme()
        && a.port_or_known_default() == b.port_or_known_default()
        && host(a) == host(b)
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let failed = |cause: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "expected a token in {}, but {cause}: write only the token into it",
            path.display()
        ))
    };
    let read = if path == Path::new("-") {
        text::read_all(std::io::stdin(), TOKEN_FILE_BYTES)
    } else {
        std::fs::File::open(path).and_then(|file| text::read_all(file, TOKEN_FILE_BYTES))
    };
    match read.map_err(|error| failed(&error))?.trim() {
        "" => Err(failed(&"there is none")),
        token => Ok(token.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_common_form() {
        let ws = |text: &str| {
            address(text)
                .map(|base| {
                    Access {
                        base,
                        pass: Pass::Anonymous,
                    }
                    .websocket()
                })
                .ok()
        };
        assert_eq!(
            ws("127.0.0.1:8000").as_deref(),
            Some("ws://127.0.0.1:8000/v1/ws")
        );
        assert_eq!(
            ws("https://bpm.example.com/app/").as_deref(),
            Some("wss://bpm.example.com/app/v1/ws")
        );
        for bad in [
            "",
            "ftp://a",
            "http://",
            "http://a?b",
            "http://user@a",
            "http://a b",
        ] {
            assert_eq!(ws(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_local_token_goes_to_the_local_server_only() {
        let same = |a: &str, b: &str| same_place(&address(a).unwrap(), &address(b).unwrap());
        assert!(same("http://127.0.0.1:8000", "localhost:8000"));
        assert!(!same("http://127.0.0.1:8000", "http://127.0.0.1:8001"));
        assert!(!same("http://127.0.0.1:8000", "https://127.0.0.1:8000"));
        assert!(!same(
            "http://127.0.0.1:8000",
            "http://localhost.evil.example:8000"
        ));
    }
}
