//! Offers: what the pools of the processes that share the records can run.
//!
//! They are exchanged with every renewal of a lease. A server so takes tasks of kinds that only
//! some nodes have, and can say why a task waits.

use tareas_core::Spec;

use crate::ports::{Members, Offer, PortError};
use crate::remote::Lack;
use crate::{Engine, Membership};

impl Engine {
    /// Tells the others what the pool of this process can run, and learns of kinds that only
    /// they have.
    pub(crate) async fn exchange_offers(&self, members: &dyn Members) -> Result<(), PortError> {
        members.offer(&self.own_offer()).await?;
        for offer in members.offers().await? {
            self.kinds.announce(offer.kinds);
        }
        Ok(())
    }

    fn own_offer(&self) -> Offer {
        let kinds = match self.remote.own_kinds() {
            Some(own) => {
                let mut kinds: Vec<_> = own.iter().cloned().collect();
                kinds.sort();
                kinds
            }
            None => self.kinds.all(),
        };
        let threads = self.threads();
        Offer { threads, kinds }
    }

    /// What keeps a task, for which there is nobody at this process, from the pools of the
    /// others; `None` when one of them can run it.
    pub(crate) async fn lack_elsewhere(&self, spec: &Spec, lack: Lack) -> Option<Lack> {
        let Some(Membership { members, .. }) = &self.config.membership else {
            return Some(lack);
        };
        // Without an answer, what is known here is told.
        let offers = members.offers().await.unwrap_or_default();
        let requires = &spec.options().requires;
        match lack {
            lack if offers.is_empty() => Some(lack),
            Lack::Workers if !requires.is_empty() => Some(Lack::Labels(requires.clone())),
            lack if !requires.is_empty() => Some(lack),
            _ if offers.iter().any(|offer| offer.kinds.contains(&spec.kind)) => None,
            Lack::Workers => Some(Lack::Kind),
            lack => Some(lack),
        }
    }
}
