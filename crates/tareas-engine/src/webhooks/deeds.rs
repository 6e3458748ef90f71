//! What administrators do to webhooks: make, change, rotate, remove, test; look at deliveries and
//! replay them.

use std::time::Duration;

use smol_str::SmolStr;

use super::{Delivery, DeliveryQuery, NewDelivery, Seed, Webhook, WebhookId, Webhooks, Wish};
use crate::ports::{EgressFault, PortError};

/// How often a change is tried that others got ahead of.
const CHANGES_MAX: usize = 5;

/// Why something was not done to a webhook.
#[derive(Debug, thiserror::Error)]
pub enum DeedFailed {
    /// There is no such webhook or delivery.
    #[error("there is none")]
    NotFound,
    /// There are as many as there may be.
    #[error("there are too many webhooks")]
    Full,
    /// Its URL is not taken.
    #[error(transparent)]
    Url(#[from] EgressFault),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// What is to be changed; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What is asked for.
    pub wish: Option<Wish>,
    /// Whether anything is delivered.
    pub enabled: Option<bool>,
}

impl Webhooks {
    /// Makes one. Its secret is shown once, by the caller.
    ///
    /// # Errors
    /// When its URL is not taken, or it cannot be stored.
    pub async fn create(
        &self,
        wish: Wish,
        by: SmolStr,
        seed: &Seed,
    ) -> Result<Webhook, DeedFailed> {
        self.egress.check(&wish.url)?;
        if self.store.webhooks().await?.len() >= self.terms.webhooks_max {
            return Err(DeedFailed::Full);
        }
        let webhook = Webhook::new(seed, wish, by, self.engine.now());
        self.store.add(&webhook).await?;
        self.refresh().await?;
        Ok(webhook)
    }

    /// Changes one.
    ///
    /// # Errors
    /// When there is none, its URL is not taken, or it cannot be stored.
    pub async fn change(&self, id: &WebhookId, change: &Change) -> Result<Webhook, DeedFailed> {
        if let Some(wish) = &change.wish {
            self.egress.check(&wish.url)?;
        }
        let now = self.engine.now();
        let edit = |webhook: &mut Webhook| {
            if let Some(wish) = &change.wish {
                webhook.wish = wish.clone();
            }
            if let Some(enabled) = change.enabled {
                webhook.enable(enabled, now);
            }
            webhook.changed_at = now;
        };
        self.edit(id, edit).await
    }

    /// Has one signed with a new secret; the old one signs besides for a while.
    ///
    /// # Errors
    /// When there is none, or it cannot be stored.
    pub async fn rotate(
        &self,
        id: &WebhookId,
        seed: &Seed,
        overlap: Duration,
    ) -> Result<Webhook, DeedFailed> {
        let now = self.engine.now();
        self.edit(id, |webhook| webhook.rotate(seed, now + overlap, now))
            .await
    }

    /// Removes one, with its deliveries.
    ///
    /// # Errors
    /// When there is none, or the store does not answer.
    pub async fn remove(&self, id: &WebhookId) -> Result<(), DeedFailed> {
        if !self.store.remove(id).await? {
            return Err(DeedFailed::NotFound);
        }
        Ok(self.refresh().await?)
    }

    /// Sends it a message that tells of nothing, delivered as any other one.
    ///
    /// # Errors
    /// When there is none, or it cannot be recorded.
    pub async fn test(&self, id: &WebhookId) -> Result<(), DeedFailed> {
        self.refresh().await?;
        let webhook = self.get(id).ok_or(DeedFailed::NotFound)?;
        let now = self.engine.now();
        let name = smol_str::format_smolstr!("msg_test_{:016x}", self.engine.chance.draw());
        let message = self.writer.test(&webhook, &name, now);
        self.record(&[NewDelivery {
            webhook: webhook.id,
            message,
            made_at: now,
        }])
        .await?;
        Ok(())
    }

    /// Has a delivery of this webhook made again that has ended.
    ///
    /// # Errors
    /// When there is none that has ended, or the store does not answer.
    pub async fn replay(&self, id: &WebhookId, number: u64) -> Result<(), DeedFailed> {
        let query = DeliveryQuery {
            webhook: Some(id.clone()),
            phase: None,
            before: number.checked_add(1),
            limit: 1,
        };
        let found = self.store.deliveries(&query).await?;
        if found.iter().all(|delivery| delivery.number != number) {
            return Err(DeedFailed::NotFound);
        }
        if !self.store.replay(number, self.engine.now()).await? {
            return Err(DeedFailed::NotFound);
        }
        self.stirred.notify_one();
        Ok(())
    }

    /// One page of deliveries, newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, PortError> {
        self.store.deliveries(query).await
    }

    /// Changes what is stored now, whoever changed it meanwhile.
    pub(super) async fn edit(
        &self,
        id: &WebhookId,
        edit: impl Fn(&mut Webhook),
    ) -> Result<Webhook, DeedFailed> {
        for _ in 0..CHANGES_MAX {
            let stored = self.store.webhooks().await?;
            let found = stored.into_iter().find(|known| known.id == *id);
            let mut webhook = found.ok_or(DeedFailed::NotFound)?;
            edit(&mut webhook);
            webhook.version += 1;
            if self.store.replace(&webhook).await? {
                self.refresh().await?;
                return Ok(webhook);
            }
        }
        let what = format!("the webhook {id}");
        Err(PortError::Conflict { what }.into())
    }
}
