//! Networks: sets of addresses, as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u32,
}

/// A set of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// A word, an address or a network that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address, a network such as 10.0.0.0/8, or the word loopback")]
pub struct NotNetwork(pub String);

impl Networks {
    /// This machine.
    pub fn loopback() -> Self {
        Self(Network::LOOPBACK.to_vec())
    }

    /// From words: `loopback`, an address, or a network such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// Names the first word that is none of these.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, NotNetwork> {
        let mut networks = Vec::new();
        for word in words.into_iter().map(str::trim) {
            match word {
                "loopback" => networks.extend(Network::LOOPBACK),
                _ => networks.push(word.parse()?),
            }
        }
        Ok(Self(networks))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this address is in one of them; an IPv4 address written as IPv6 is one.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, network) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}/{}", network.first, network.bits)?;
        }
        Ok(())
    }
}

impl Network {
    const LOOPBACK: [Self; 2] = [
        Self {
            first: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)),
            bits: 8,
        },
        Self {
            first: IpAddr::V6(Ipv6Addr::LOCALHOST),
            bits: 128,
        },
    ];

    fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differ = first.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differ = first.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotNetwork;

    fn from_str(text: &str) -> Result<Self, NotNetwork> {
        let not = || NotNetwork(text.chars().take(64).collect());
        let (first, bits) = match text.split_once('/') {
            Some((first, bits)) => (first, Some(bits.parse().map_err(|_| not())?)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| not())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        match bits <= most {
            true => Ok(Self { first, bits }),
            false => Err(not()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(words: &[&str], address: &str) -> bool {
        let networks = Networks::parse(words.iter().copied()).unwrap();
        networks.contains(address.parse().unwrap())
    }

    #[test]
    fn networks_hold_what_begins_like_them() {
        for (words, address, is_in) in [
            (&["10.1.0.0/16"][..], "10.1.255.255", true),
            (&["10.1.0.0/16"], "10.2.0.0", false),
            (&["10.1.0.0/16"], "::ffff:10.1.2.3", true),
            (&["10.1.0.0/16"], "fe80::1", false),
            (&["192.0.2.7"], "192.0.2.7", true),
            (&["192.0.2.7"], "192.0.2.6", false),
            (&["2001:db8::/32"], "2001:db8:ffff::1", true),
            (&["2001:db8::/32"], "2001:db9::1", false),
            (&["0.0.0.0/0"], "8.8.8.8", true),
            (&["::/0"], "8.8.8.8", false),
            (&["loopback"], "127.9.9.9", true),
            (&["loopback"], "::1", true),
            (&["loopback"], "::2", false),
            (&[], "127.0.0.1", false),
        ] {
            assert_eq!(contains(words, address), is_in, "{words:?} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for word in [
            "",
            "ten",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0/8",
            "::1/129",
        ] {
            let error = Networks::parse([word]).unwrap_err();
            assert_eq!(error, NotNetwork(word.to_owned()));
        }
    }

    #[test]
    fn networks_read_back_as_they_are_written() {
        let written = Networks::parse(["10.0.0.0/8", "::1", "loopback"]).unwrap();
        let text = written.to_string();
        assert_eq!(text, "10.0.0.0/8,::1/128,127.0.0.0/8,::1/128");
        assert_eq!(Networks::parse(text.split(',')), Ok(written));
    }
}
