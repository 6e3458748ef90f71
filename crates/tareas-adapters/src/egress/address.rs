//! Which addresses are public: those that belong to nobody's own network, to no machine as such, and
//! to no purpose but to be reached from everywhere (the registries of special addresses of the IANA).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4: first address and number of bits of what is not public.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),          // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),         // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),      // of a provider behind its NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),        // this machine
    (Ipv4Addr::new(169, 254, 0, 0), 16),     // this link; metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),      // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),       // protocols; metadata of some clouds
    (Ipv4Addr::new(192, 0, 2, 0), 24),       // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24),    // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24),    // AMT
    (Ipv4Addr::new(192, 88, 99, 0), 24),     // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),     // private
    (Ipv4Addr::new(192, 175, 48, 0), 24),    // AS112
    (Ipv4Addr::new(198, 18, 0, 0), 15),      // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),    // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),     // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),        // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),        // reserved, broadcast
    (Ipv4Addr::new(168, 63, 129, 16), 32),   // services of a cloud, for its machines alone
    (Ipv4Addr::new(100, 100, 100, 200), 32), // metadata of a cloud
];

/// IPv6 inside of what is handed out to everybody: first two words and number of bits.
const SPECIAL_V6: &[(u32, u32)] = &[
    (0x2001_0000, 23), // protocols: Teredo, benchmarks, ORCHID
    (0x2001_0db8, 32), // documentation
    (0x2002_0000, 16), // 6to4: has an IPv4 address inside
    (0x2620_004f, 32), // AS112 and its neighbours
    (0x3fff_0000, 20), // documentation
];

/// Whether anybody may be sent there by anybody.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in =
        |(first, bits): &(Ipv4Addr, u32)| (address.to_bits() ^ first.to_bits()) >> (32 - bits) == 0;
    !SPECIAL_V4.iter().any(is_in)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // NAT64 leads to the IPv4 address inside.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() {
        return is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    }
    let first = (address.to_bits() >> 96) as u32;
    let is_handed_out = first >> 29 == 0b001;
    let is_in = |(start, bits): &(u32, u32)| (first ^ start) >> (32 - bits) == 0;
    is_handed_out && !SPECIAL_V6.iter().any(is_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.7",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.9",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "100.100.100.200",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "::127.0.0.1",
        "::10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::1",
        "3fff::1",
        "fc00::1",
        "fd00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::a9fe:a9fe",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "5f00::1",
    ];

    const OUTSIDE: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "2001:200::1",
        "2400:cb00::1",
    ];

    #[test]
    fn no_address_of_a_network_of_its_own_is_public() {
        for text in INSIDE {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_neighbours_of_such_networks_are() {
        for text in OUTSIDE {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
