//! The proxies whose forwarding headers are trusted.
//!
//! Not here: the headers and their parsing (`web::proxy::client_info`).

use std::net::IpAddr;

use ipnet::IpNet;

use super::ConfigError;

/// The networks of the proxies in front of this server; if empty, no header is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses the option's list: networks such as `10.0.0.0/8`, or single addresses.
    ///
    /// # Errors
    /// One of them is neither.
    pub fn parse(list: Option<Vec<String>>) -> Result<Self, ConfigError> {
        list.unwrap_or_default()
            .iter()
            .map(|text| network(text.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a proxy at this address is trusted.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0
            .iter()
            .any(|network| network.contains(&address.to_canonical()))
    }
}

/// Whether a network of the option's list contains all addresses.
pub(super) fn trusts_everybody(text: &str) -> bool {
    network(text.trim()).is_ok_and(|network| network.prefix_len() == 0)
}

fn network(text: &str) -> Result<IpNet, ConfigError> {
    let single = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| single()).map_err(|_| {
        let form = "addresses or networks like 10.0.0.0/8 or fd00::/8";
        ConfigError(format!(
            "expected trusted-proxies to hold {form}, but one is '{text}'"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_networks_and_addresses_are_trusted() {
        let trusted = TrustedProxies::parse(Some(vec![
            "10.0.0.0/8".into(),
            " 192.0.2.1".into(),
            "fd00::/8".into(),
        ]))
        .unwrap();
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("192.0.2.1", true),
            ("fd12::1", true),
            ("192.0.2.2", false),
            ("127.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(
                trusted.contain(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
        assert!(
            !TrustedProxies::parse(None)
                .unwrap()
                .contain("127.0.0.1".parse().unwrap())
        );
    }

    #[test]
    fn an_invalid_network_is_refused() {
        for text in [
            "",
            "proxy.example",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0",
            "*",
        ] {
            assert!(
                TrustedProxies::parse(Some(vec![text.into()])).is_err(),
                "{text}"
            );
        }
    }
}
