//! The origin of a stranger's instances: a hash of the network of the stranger's address, keyed
//! with the server's secret.
//!
//! The origin is stored in the instance, so that the live instances of an address are counted after
//! a restart, too. Without the secret nobody can compute the address from it, or try all addresses.
//! A new secret makes new origins: instances that were live before then count for no address.

use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::limits;

/// Separates this use of the secret from others.
const PURPOSE: &[u8] = b"stepwire: where strangers come from";

/// Computes origins of addresses.
pub struct OriginKey(Hmac<Sha256>);

impl OriginKey {
    /// A key derived from the server's secret.
    pub fn new(secret: &str) -> Self {
        let mut mac = keyed(secret.as_bytes());
        mac.update(PURPOSE);
        Self(keyed(&mac.finalize().into_bytes()))
    }

    /// The origin of an address; the same for its whole network.
    pub fn of(&self, address: IpAddr) -> Uuid {
        let mut mac = self.0.clone();
        match limits::network(address) {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        let hash = mac.finalize().into_bytes();
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        Uuid::from_bytes(half)
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_stands_for_a_network_and_only_with_the_secret() {
        let key = OriginKey::new("secret");
        let of = |text: &str| key.of(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(
            OriginKey::new("secret").of([192, 0, 2, 1].into()),
            of("192.0.2.1")
        );
        assert_ne!(
            OriginKey::new("other").of([192, 0, 2, 1].into()),
            of("192.0.2.1")
        );
    }
}
