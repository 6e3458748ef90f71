//! From names to addresses.

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use tareas_engine::ports::EgressFault;

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// All of them, as they are now.
    ///
    /// # Errors
    /// When the name leads nowhere.
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, EgressFault>;
}

/// What this machine knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, EgressFault> {
        let found = tokio::net::lookup_host((name, 0)).await;
        let found = found.map_err(|_| EgressFault::Name(name.to_owned()))?;
        Ok(found.map(|address| address.ip()).collect())
    }
}
