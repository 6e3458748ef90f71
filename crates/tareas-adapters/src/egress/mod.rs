//! The `Egress` port: requests to addresses that others have chosen, and a guard in front of them.
//!
//! Somebody who may set the URL of a webhook must not reach with it what only this machine reaches.
//! So a URL is `https`; its name is resolved once; every address that it leads to must be public or
//! in a network that the configuration names; the connection goes to one of the addresses that were
//! checked, never to the name; no redirect is followed, no proxy is asked; and neither time nor
//! bytes are without a limit. `http` is spoken to this machine alone, where `loopback` is named.

mod address;
mod exchange;
mod resolver;
mod target;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::ClientConfig;
use tareas_engine::access::Networks;
use tareas_engine::ports::{Answered, Egress, EgressFault, WebhookLetter};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

pub use self::address::is_public;
pub use self::resolver::{Resolver, SystemResolver};
use self::target::Target;

/// A whole request: name, connection, TLS, answer.
const WITHIN: Duration = Duration::from_secs(5);
/// Addresses of one name that are looked at; a name with more is not taken.
const ADDRESSES_MAX: usize = 32;
/// Addresses of one name that are tried.
const TRIED_MAX: usize = 3;

/// See the module's documentation. Nothing is loaded before the first request that needs it.
#[derive(Debug)]
pub struct GuardedEgress {
    /// Networks beyond the public ones.
    allowed: Networks,
    resolver: Arc<dyn Resolver>,
    tls: OnceCell<Arc<ClientConfig>>,
    user_agent: String,
}

impl GuardedEgress {
    /// To public addresses, and to these networks; `version` is told to whoever is asked.
    pub fn new(allowed: Networks, version: &str) -> Self {
        Self::with_resolver(allowed, version, Arc::new(SystemResolver))
    }

    /// The same, with another way to find addresses.
    pub fn with_resolver(allowed: Networks, version: &str, resolver: Arc<dyn Resolver>) -> Self {
        Self {
            allowed,
            resolver,
            tls: OnceCell::new(),
            user_agent: format!("tareas/{version} (webhooks)"),
        }
    }

    fn judge(&self, address: IpAddr, target: &Target) -> Result<(), EgressFault> {
        let address = address.to_canonical();
        let is_allowed = match target.is_encrypted {
            true => self.allowed.contains(address) || is_public(address),
            // Whatever else is allowed: this machine alone.
            false => address.is_loopback() && self.allowed.contains(address),
        };
        match is_allowed {
            true => Ok(()),
            false => Err(EgressFault::Forbidden(address)),
        }
    }

    /// Every address of the target, all of them checked.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, EgressFault> {
        let found = match target.address {
            Some(address) => vec![address],
            None => self.resolver.resolve(&target.host).await?,
        };
        if found.is_empty() || found.len() > ADDRESSES_MAX {
            return Err(EgressFault::Name(target.host.clone()));
        }
        for address in &found {
            self.judge(*address, target)?;
        }
        Ok(found)
    }

    async fn connect(&self, target: &Target) -> Result<TcpStream, EgressFault> {
        let mut failed = EgressFault::Name(target.host.clone());
        for address in self.addresses(target).await?.into_iter().take(TRIED_MAX) {
            match TcpStream::connect(SocketAddr::new(address, target.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = EgressFault::Broken(error.to_string()),
            }
        }
        Err(failed)
    }

    async fn exchange(&self, letter: WebhookLetter) -> Result<Answered, EgressFault> {
        let target = Target::parse(&letter.url)?;
        let stream = self.connect(&target).await?;
        let request = exchange::request(&target, letter, &self.user_agent)?;
        if !target.is_encrypted {
            return exchange::run(stream, request).await;
        }
        let tls = self.tls.get_or_try_init(exchange::tls_config).await?;
        let stream = exchange::encrypt(stream, &target, Arc::clone(tls)).await?;
        exchange::run(stream, request).await
    }
}

#[async_trait]
impl Egress for GuardedEgress {
    fn check(&self, url: &str) -> Result<(), EgressFault> {
        let target = Target::parse(url)?;
        if let Some(address) = target.address {
            return self.judge(address, &target);
        }
        let may_be_local = self.allowed.contains(IpAddr::from([127, 0, 0, 1]));
        match target.is_encrypted || may_be_local {
            true => Ok(()),
            false => Err(target::NOT_HTTPS),
        }
    }

    async fn post(&self, letter: WebhookLetter) -> Result<Answered, EgressFault> {
        let done = tokio::time::timeout(WITHIN, self.exchange(letter)).await;
        done.unwrap_or(Err(EgressFault::TooSlow(WITHIN)))
    }
}
