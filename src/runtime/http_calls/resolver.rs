//! Resolves names to addresses, once per connection: the checked address is the one connected to,
//! so a name whose addresses change in between (DNS rebinding) leads nowhere else.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::allow_list::{Reach, RefusedTarget, Targets};

/// The future addresses of a name.
pub type ResolvedAddresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// A resolver of names.
pub trait Lookup: Send + Sync {
    /// Resolves a name.
    fn addresses(&self, name: &str) -> ResolvedAddresses;
}

/// The resolver of the operating system.
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, name: &str) -> ResolvedAddresses {
        let name = name.to_owned();
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0))
                .await?
                .map(|address| address.ip())
                .collect())
        })
    }
}

/// Resolves names, and keeps the addresses that may be reached.
pub(super) struct CheckedResolver {
    pub reach: Reach,
    pub targets: Arc<Targets>,
    pub lookup: Arc<dyn Lookup>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, targets) = (self.reach, self.targets.clone());
        let host = name.as_str().to_owned();
        let found = self.lookup.addresses(&host);
        Box::pin(async move {
            let mut allowed = Vec::new();
            let mut refused =
                RefusedTarget(format!("expected an address of {host}, but it has none"));
            for address in found.await? {
                match targets.check_address(reach, &host, address) {
                    // The port is replaced by that of the request.
                    Ok(()) => allowed.push(SocketAddr::new(address, 0)),
                    Err(why) => refused = why,
                }
            }
            if allowed.is_empty() {
                return Err(refused.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
