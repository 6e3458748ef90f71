//! Which addresses are those of balancers: only from them is a PROXY header believed.

use std::net::IpAddr;
use std::str::FromStr;

/// A set of addresses, as networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    bits: u32,
}

/// A word, an address or a network that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address, a network such as 10.0.0.0/8, or the word loopback")]
pub struct NotNetwork(pub String);

impl Default for TrustedProxies {
    /// Balancers on this machine.
    fn default() -> Self {
        Self(Network::LOOPBACK.to_vec())
    }
}

impl TrustedProxies {
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

    /// Whether this is the address of a balancer.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    const LOOPBACK: [Self; 2] = [
        Self {
            first: IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 0)),
            bits: 8,
        },
        Self {
            first: IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
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
        let not = || NotNetwork(text.to_owned());
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

    fn trusts(words: &[&str], address: &str) -> bool {
        let trusted = TrustedProxies::parse(words.iter().copied()).unwrap();
        trusted.contains(address.parse().unwrap())
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
            assert_eq!(trusts(words, address), is_in, "{words:?} {address}");
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
            let error = TrustedProxies::parse([word]).unwrap_err();
            assert_eq!(error, NotNetwork(word.to_owned()));
        }
    }
}
