//! The operator's allow-list: where calls may go.
//!
//! A target is checked twice: the URL before a request is made, by name and port, and the IP
//! address before it is connected to. A host that is listed by its exact name is trusted at any
//! address; everything else reaches public addresses and listed networks only.
//!
//! # Rationale
//!
//! **No call leaves unless the operator names its target.** A name is resolved and checked for each
//! attempt, and the checked address is the one connected to; `*` allows public addresses only.
//! Secrets are put into headers when a call is made and are in no record.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

use super::addresses::is_public;

/// The allow-list of targets. The default allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    rules: Vec<AllowRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum AllowRule {
    /// `*`: every public address.
    Everything,
    /// `api.example.com`, `10.0.0.7:8080`.
    Host(String, Option<u16>),
    /// `*.example.com`: every name below, but not `example.com` itself.
    Below(String, Option<u16>),
    /// `10.0.0.0/8`.
    Network(IpNet),
}

/// Which IP addresses a name may resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Any: the operator listed this host by name.
    Anywhere,
    /// Public ones, and listed networks.
    Public,
    /// Addresses in listed networks only.
    Listed,
}

/// A target that is not allowed; the text says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedTarget(pub String);

impl std::fmt::Display for RefusedTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RefusedTarget {}

impl Targets {
    /// Parses the list of the option.
    ///
    /// # Errors
    /// A sentence that names the entry that cannot be read.
    pub fn parse(list: &[String]) -> Result<Self, String> {
        let entries = list
            .iter()
            .map(|text| text.trim())
            .filter(|text| !text.is_empty());
        Ok(Self {
            rules: entries.map(rule).collect::<Result<_, _>>()?,
        })
    }

    /// Whether no call may leave at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Checks the name and port of a URL, and its IP address if it contains one.
    ///
    /// # Errors
    /// Why no call may go there.
    pub fn check(&self, url: &Url) -> Result<Reach, RefusedTarget> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(RefusedTarget(format!(
                "expected an address with http or https, but its scheme is {}",
                url.scheme()
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RefusedTarget(
                "expected an address without user and password, but it has some".to_owned(),
            ));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(RefusedTarget(
                "expected an address with a host, but it has none".to_owned(),
            ));
        };
        let host = plain(host);
        let Some(reach) = self.reach(&host, port) else {
            return Err(self.unlisted(&host, port));
        };
        match host.parse() {
            Ok(address) => self.check_address(reach, &host, address).map(|()| reach),
            Err(_) => Ok(reach),
        }
    }

    /// Checks an IP address that a name resolves to.
    ///
    /// # Errors
    /// Why no call may go there.
    pub fn check_address(
        &self,
        reach: Reach,
        host: &str,
        address: IpAddr,
    ) -> Result<(), RefusedTarget> {
        let canonical = address.to_canonical();
        let listed = || {
            self.rules.iter().any(
                |rule| matches!(rule, AllowRule::Network(network) if network.contains(&canonical)),
            )
        };
        let allowed = match reach {
            Reach::Anywhere => true,
            Reach::Public => is_public(address) || listed(),
            Reach::Listed => listed(),
        };
        if allowed {
            return Ok(());
        }
        // The address is for the log only: the sentence is read by users of the instance, who need
        // not know the operator's network.
        log::info!("a call to {host} was refused: it leads to {address}");
        Err(RefusedTarget(format!(
            "expected a target that --outbound-targets allows, but {host} leads to an address \
            that is neither public nor in a listed network: the operator may list the host or \
            the network"
        )))
    }

    /// Which addresses this name may resolve to; `None` if none.
    fn reach(&self, host: &str, port: u16) -> Option<Reach> {
        let at = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        let best = self.rules.iter().filter_map(|rule| match rule {
            AllowRule::Host(name, wanted) if name == host && at(wanted) => Some(Reach::Anywhere),
            AllowRule::Below(parent, wanted) if is_below(host, parent) && at(wanted) => {
                Some(Reach::Public)
            }
            AllowRule::Everything => Some(Reach::Public),
            AllowRule::Network(_) => Some(Reach::Listed),
            AllowRule::Host(..) | AllowRule::Below(..) => None,
        });
        best.min_by_key(|reach| *reach as u8)
    }

    fn unlisted(&self, host: &str, port: u16) -> RefusedTarget {
        let listed = if self.is_empty() {
            "which is empty"
        } else {
            "which does not name it"
        };
        RefusedTarget(format!(
            "expected a target of --outbound-targets, {listed}, but got {host}:{port}: the \
            operator may list it"
        ))
    }
}

fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// A host in the form in which hosts are compared: without the brackets of an IPv6 address and
/// without the final dot of a full name.
fn plain(host: &str) -> String {
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_owned()
}

fn rule(text: &str) -> Result<AllowRule, String> {
    if text == "*" {
        return Ok(AllowRule::Everything);
    }
    if let Ok(network) = text.parse::<IpNet>() {
        return Ok(AllowRule::Network(network.trunc()));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(AllowRule::Network(IpNet::from(address)));
    }
    let unreadable = || {
        format!(
            "expected outbound-targets to hold hosts like api.example.com, *.example.com or \
            10.0.0.7:8080, networks like 10.0.0.0/8, or *, but one is '{text}'"
        )
    };
    let (below, name) = text
        .strip_prefix("*.")
        .map_or((false, text), |name| (true, name));
    let (name, port) = match name.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            (name, Some(port.parse::<u16>().map_err(|_| unreadable())?))
        }
        _ => (name, None),
    };
    // The same parser reads the URLs of calls, so both write a host alike.
    let is_bare = !name.is_empty() && !name.contains(['/', '?', '#', '@', '\\', '*', ' ', '%']);
    let url = Url::parse(&format!("http://{name}/"))
        .ok()
        .filter(|_| is_bare);
    let host = url
        .as_ref()
        .and_then(Url::host_str)
        .map(plain)
        .ok_or_else(unreadable)?;
    match (below, host.parse::<IpAddr>()) {
        (true, Ok(_)) => Err(unreadable()),
        (true, Err(_)) => Ok(AllowRule::Below(host, port)),
        (false, _) => Ok(AllowRule::Host(host, port)),
    }
}

#[cfg(test)]
mod tests;
