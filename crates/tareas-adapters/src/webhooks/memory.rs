//! Webhooks in memory: for records that are in memory, and as the plainest example.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use smol_str::SmolStr;
use tareas_core::Timestamp;
use tareas_engine::ports::{EndMark, PortError, WebhookRecords};
use tareas_engine::webhooks::{
    Delivery, DeliveryPhase, DeliveryQuery, NewDelivery, Settled, Settlement, Webhook, WebhookId,
};

/// Webhooks that live as long as the process.
#[derive(Debug, Default)]
pub struct MemoryWebhooks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    webhooks: Vec<Webhook>,
    /// In the order of their numbers.
    deliveries: Vec<Delivery>,
    /// What each webhook has a delivery of.
    known: HashSet<(WebhookId, SmolStr)>,
    recorded: u64,
    marks: Vec<EndMark>,
}

impl State {
    fn delivery(&mut self, number: u64) -> Option<&mut Delivery> {
        let at = self.deliveries.binary_search_by_key(&number, |d| d.number);
        at.ok().map(|at| &mut self.deliveries[at])
    }

    fn record(&mut self, new: &NewDelivery) -> bool {
        if !self
            .known
            .insert((new.webhook.clone(), new.message.id.clone()))
        {
            return false;
        }
        self.recorded += 1;
        self.deliveries.push(Delivery {
            number: self.recorded,
            webhook: new.webhook.clone(),
            message: new.message.clone(),
            made_at: new.made_at,
            phase: DeliveryPhase::Waiting,
            due_at: new.made_at,
            tries: 0,
            last: None,
        });
        true
    }

    fn settle(&mut self, settlement: &Settlement) {
        let found = self.delivery(settlement.number);
        let is_held = |known: &&mut Delivery| {
            known.due_at == settlement.due_at && known.phase == DeliveryPhase::Waiting
        };
        let Some(known) = found.filter(is_held) else {
            return;
        };
        let made = match &settlement.settled {
            Settled::Unsent => {
                known.due_at = Timestamp::EPOCH;
                return;
            }
            Settled::Ended(phase, made) => {
                known.phase = *phase;
                made
            }
            Settled::Again(at, made) => {
                known.due_at = *at;
                made
            }
        };
        known.tries += 1;
        known.last = Some(made.clone());
    }
}

impl MemoryWebhooks {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl WebhookRecords for MemoryWebhooks {
    async fn webhooks(&self) -> Result<Vec<Webhook>, PortError> {
        let mut webhooks = self.lock().webhooks.clone();
        webhooks.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(webhooks)
    }

    async fn add(&self, webhook: &Webhook) -> Result<(), PortError> {
        let mut state = self.lock();
        if state.webhooks.iter().any(|known| known.id == webhook.id) {
            let what = format!("the webhook {}", webhook.id);
            return Err(PortError::Conflict { what });
        }
        state.webhooks.push(webhook.clone());
        Ok(())
    }

    async fn replace(&self, webhook: &Webhook) -> Result<bool, PortError> {
        let mut state = self.lock();
        let is_before =
            |known: &&mut Webhook| known.id == webhook.id && known.version + 1 == webhook.version;
        let found = state.webhooks.iter_mut().find(is_before);
        Ok(found.map(|known| *known = webhook.clone()).is_some())
    }

    async fn remove(&self, id: &WebhookId) -> Result<bool, PortError> {
        let mut state = self.lock();
        let before = state.webhooks.len();
        state.webhooks.retain(|known| known.id != *id);
        state.deliveries.retain(|known| known.webhook != *id);
        state.known.retain(|(webhook, _)| webhook != id);
        Ok(state.webhooks.len() < before)
    }

    async fn record(&self, deliveries: &[NewDelivery]) -> Result<usize, PortError> {
        let mut state = self.lock();
        Ok(deliveries.iter().filter(|new| state.record(new)).count())
    }

    async fn claim(
        &self,
        webhook: &WebhookId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, PortError> {
        let mut state = self.lock();
        let is_due = |known: &&mut Delivery| {
            known.webhook == *webhook
                && known.phase == DeliveryPhase::Waiting
                && known.due_at <= now
        };
        let mut due: Vec<&mut Delivery> = state.deliveries.iter_mut().filter(is_due).collect();
        due.sort_by_key(|known| (known.due_at, known.number));
        let claimed = due.into_iter().take(limit).map(|known| {
            known.due_at = until;
            known.clone()
        });
        Ok(claimed.collect())
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<(), PortError> {
        let mut state = self.lock();
        settlements.iter().for_each(|one| state.settle(one));
        Ok(())
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, PortError> {
        let state = self.lock();
        let newest = state.deliveries.iter().rev();
        let found = newest.filter(|known| {
            query.webhook.as_ref().is_none_or(|id| known.webhook == *id)
                && query.phase.is_none_or(|phase| known.phase == phase)
                && query.before.is_none_or(|before| known.number < before)
        });
        Ok(found.take(query.limit).cloned().collect())
    }

    async fn replay(&self, number: u64, now: Timestamp) -> Result<bool, PortError> {
        let mut state = self.lock();
        let found = state.delivery(number);
        let Some(known) = found.filter(|known| known.phase != DeliveryPhase::Waiting) else {
            return Ok(false);
        };
        known.phase = DeliveryPhase::Waiting;
        (known.due_at, known.tries) = (now, 0);
        Ok(true)
    }

    async fn is_behind(&self, webhook: &WebhookId, most: usize) -> Result<bool, PortError> {
        let state = self.lock();
        let waits =
            |known: &&Delivery| known.webhook == *webhook && known.phase == DeliveryPhase::Waiting;
        Ok(state.deliveries.iter().filter(waits).count() > most)
    }

    async fn prune(
        &self,
        before: Timestamp,
        kept: usize,
        limit: usize,
    ) -> Result<usize, PortError> {
        let mut state = self.lock();
        let has_ended = |known: &Delivery| known.phase != DeliveryPhase::Waiting;
        let ended = state.deliveries.iter().filter(|known| has_ended(known));
        let mut surplus = ended.count().saturating_sub(kept);
        let mut removed = Vec::new();
        state.deliveries.retain(|one| {
            if !has_ended(one) {
                return true;
            }
            let is_past = one.made_at < before || surplus > 0;
            surplus = surplus.saturating_sub(1);
            let goes = is_past && removed.len() < limit;
            if goes {
                removed.push((one.webhook.clone(), one.message.id.clone()));
            }
            !goes
        });
        for one in &removed {
            state.known.remove(one);
        }
        Ok(removed.len())
    }

    async fn marks(&self) -> Result<Vec<EndMark>, PortError> {
        Ok(self.lock().marks.clone())
    }

    async fn set_mark(&self, mark: EndMark) -> Result<(), PortError> {
        let mut state = self.lock();
        state.marks.retain(|known| known.owner != mark.owner);
        state.marks.push(mark);
        Ok(())
    }

    async fn remove_mark(&self, mark: EndMark) -> Result<(), PortError> {
        self.lock().marks.retain(|known| *known != mark);
        Ok(())
    }
}
