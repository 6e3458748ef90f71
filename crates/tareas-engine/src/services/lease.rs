//! The lease keeper: renews the lease of this process, and fences it when that fails for too
//! long.
//!
//! Two loops: one renews, the other waits for renewals, and fences when none came until shortly
//! before the lease ends. The second needs nothing from the store, which may not answer at all.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::{Engine, Membership};

/// See the module's documentation.
#[derive(Debug)]
pub struct LeaseKeeper {
    engine: Arc<Engine>,
    membership: Membership,
    renewed: Notify,
}

impl LeaseKeeper {
    /// A keeper of this engine's lease.
    pub fn new(engine: Arc<Engine>, membership: Membership) -> Self {
        Self {
            engine,
            membership,
            renewed: Notify::new(),
        }
    }

    async fn keep(&self) {
        let terms = self.membership.terms;
        loop {
            let pause = match self.renew().await {
                true => {
                    self.exchange_offers().await;
                    terms.renew_every()
                }
                false => terms.retry_every(),
            };
            self.engine.ports.clock.sleep(pause).await;
        }
    }

    /// Beside the lease: what everybody can run. It comes again with the next renewal.
    async fn exchange_offers(&self) {
        let members = &*self.membership.members;
        if let Err(error) = self.engine.exchange_offers(members).await {
            tracing::debug!(%error, "offers were not exchanged");
        }
    }

    /// One renewal; whether it succeeded in time.
    pub async fn renew(&self) -> bool {
        let renewal = tokio::select! {
            renewal = self.renew_or_enter() => renewal,
            () = self.engine.ports.clock.sleep(self.membership.terms.margin()) => {
                tracing::warn!("the lease of this process is not renewed in time");
                Err(())
            }
        };
        match renewal {
            Ok(()) => {
                self.engine.standing.renewed();
                self.renewed.notify_one();
            }
            Err(()) => self.engine.standing.doubt(),
        }
        renewal.is_ok()
    }

    async fn renew_or_enter(&self) -> Result<(), ()> {
        let Membership { members, terms, .. } = &self.membership;
        let renewed = match members.renew(terms.ttl()).await {
            Ok(true) => Ok(()),
            Ok(false) => self.engine.enter_anew(&self.membership).await,
            Err(error) => Err(error),
        };
        renewed.map_err(|error| {
            tracing::warn!(%error, "the lease of this process is not renewed");
        })
    }

    async fn fence_in_time(&self) {
        let terms = self.membership.terms;
        let patience = terms.ttl().saturating_sub(terms.margin());
        loop {
            tokio::select! {
                () = self.renewed.notified() => {}
                () = self.engine.ports.clock.sleep(patience) => self.engine.standing.fence(),
            }
        }
    }
}

#[async_trait]
impl Service for LeaseKeeper {
    fn name(&self) -> &'static str {
        "lease keeper"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.keep() => {}
            () = self.fence_in_time() => {}
        }
    }
}
