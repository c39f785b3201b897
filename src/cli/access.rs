//! Which server a command talks to, and as whom.
//!
//! Who brings a token uses it. Who brings none, but owns the data directory of a running server,
//! asks that server through its local socket: it tells where it listens and gives a short-lived
//! token. Such a token goes to that server only, never to another address. Who is left is
//! anonymous, which is enough for processes with anonymous start.

use std::path::{Path, PathBuf};

use reqwest::Url;

use super::{
    Home,
    exit::{Exit, Failure},
    local::{self, Local},
};
use crate::{config::CommonArguments, text};

/// The longest file of a token that is read.
const TOKEN_FILE_BYTES: u64 = 64 * 1024;

/// A server, and the right to talk to it.
#[derive(Clone)]
pub struct Access {
    /// Its address, without a slash at the end.
    base: Url,
    pass: Pass,
}

/// Where the token comes from.
#[derive(Clone)]
enum Pass {
    /// Given.
    Token(String),
    /// In a file, which somebody may write anew.
    File(PathBuf, String),
    /// From the server on this data directory.
    Local(PathBuf, Local),
    /// There is none.
    Anonymous,
}

impl Access {
    /// Finds out.
    ///
    /// # Errors
    /// An address or a file that is not one.
    pub async fn find(common: &CommonArguments, home: Home) -> Result<Self, Failure> {
        // A variable that is set to nothing is not set.
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
            // Asked for its address even when a token is given, as it may listen anywhere.
            (named, own) => Self::at_home(named, own, home).await,
        }
    }

    /// The server at this address, with this token or anonymously.
    ///
    /// # Errors
    /// An address that is not one.
    pub fn with(server: &str, token: Option<&str>) -> Result<Self, Failure> {
        Ok(Self {
            base: address(server)?,
            pass: token.map_or(Pass::Anonymous, |token| Pass::Token(token.to_owned())),
        })
    }

    async fn at_home(named: Option<Url>, own: Option<Pass>, home: Home) -> Result<Self, Failure> {
        let local = local::ask(&home.data).await?;
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

    /// The token to show, if there is one.
    pub fn token(&self) -> Option<&str> {
        match &self.pass {
            Pass::Token(token) | Pass::File(_, token) => Some(token),
            Pass::Local(_, local) => Some(&local.token),
            Pass::Anonymous => None,
        }
    }

    /// Goes on with this token where there was none.
    pub fn use_token(&mut self, token: &str) {
        if matches!(self.pass, Pass::Anonymous) {
            self.pass = Pass::Token(token.to_owned());
        }
    }

    /// Gets another token; `false` when there is none to be got.
    ///
    /// # Errors
    /// The file is gone.
    pub async fn renew(&mut self) -> Result<bool, Failure> {
        let fresh = match &self.pass {
            Pass::Token(_) | Pass::Anonymous => return Ok(false),
            Pass::File(path, _) => Pass::File(path.clone(), read_token(path)?),
            Pass::Local(data, _) => match local::ask(data).await? {
                // The server may be on its way up: what was given before is tried again, then.
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

    /// Who acts, for people.
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

    /// Its address for people.
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The address of something over HTTP; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server())
    }

    /// The address of the websocket.
    pub fn websocket(&self) -> String {
        let url = self.url("/v1/ws");
        url.strip_prefix("http")
            .map_or(url.clone(), |rest| format!("ws{rest}"))
    }

    /// That nobody can be reached there.
    pub fn unreachable(&self, cause: &str) -> Failure {
        let mend = match self.pass {
            Pass::Anonymous => {
                "start it with 'stepwire', or name it with --server, or its directory with --data"
            }
            _ => "is it running, and is this its address?",
        };
        Failure::new(
            Exit::Unreachable,
            format!(
                "expected a server at {}, but {cause}: {mend}",
                self.server()
            ),
        )
    }
}

/// Reads an address as people write it: a scheme is optional.
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

/// Whether both are the same server; names of this machine are its address.
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
    fn addresses_are_read_as_people_write_them() {
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
