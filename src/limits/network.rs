//! Which addresses are counted together.

use std::net::IpAddr;

/// The network under which an address is counted. The holder of one IPv6 address has the 2^64 of
/// its network; an IPv4 address, also one written as IPv6, is counted alone.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}
