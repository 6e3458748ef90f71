//! Which addresses are those of balancers: only from them is a PROXY header believed.

use std::net::IpAddr;

use tareas_engine::access::Networks;
pub use tareas_engine::access::NotNetwork;

/// The addresses of balancers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Networks);

impl Default for TrustedProxies {
    /// Balancers on this machine.
    fn default() -> Self {
        Self(Networks::loopback())
    }
}

impl TrustedProxies {
    /// From words: `loopback`, an address, or a network such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// Names the first word that is none of these.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, NotNetwork> {
        Networks::parse(words).map(Self)
    }

    /// Whether this is the address of a balancer.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(address)
    }
}
