//! Which addresses count as one.

use std::net::IpAddr;

/// The network an address is counted under: who has one IPv6 address has the 2^64 beside it; an
/// IPv4 address, also one written as IPv6, stands for itself.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}
