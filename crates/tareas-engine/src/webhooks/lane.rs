//! A lane: makes the deliveries of one webhook, a few at a time.
//!
//! It claims deliveries for a while, so that no other server makes them, and writes down together
//! what became of them. While every delivery fails it tries a single one, ever more seldom.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tareas_core::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    ANSWER_CHARS_MAX, Delivery, DeliveryPhase, Disabled, Made, Settled, Settlement, WHY_CHARS_MAX,
    Webhook, WebhookId, Webhooks, next_try,
};
use crate::failpoint;
use crate::ports::{Answered, EgressFault, PortError, WebhookLetter};

/// Deliveries that are claimed together.
const CLAIM_MAX: usize = 64;
/// Deliveries of one webhook that are on their way at once.
const AT_ONCE: usize = 8;
/// How often it is looked for deliveries that are due, whatever is told.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest pause of a webhook that fails.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// The answer that says that nobody will ever be there again.
const GONE: u16 = 410;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Lane {
    webhooks: Arc<Webhooks>,
    id: WebhookId,
    stop: CancellationToken,
    wake: Arc<Notify>,
    /// Rounds in a row in which nothing was taken.
    failed_rounds: u32,
}

impl Lane {
    pub(super) fn new(
        webhooks: &Arc<Webhooks>,
        id: WebhookId,
        stop: &CancellationToken,
        wake: &Arc<Notify>,
    ) -> Self {
        Self {
            webhooks: Arc::clone(webhooks),
            id,
            stop: stop.clone(),
            wake: Arc::clone(wake),
            failed_rounds: 0,
        }
    }

    /// Runs until it is stopped; whose lane it was.
    pub(super) async fn run(mut self) -> WebhookId {
        while !self.stop.is_cancelled() {
            let made = match self.round().await {
                Ok(made) => made,
                Err(error) => {
                    tracing::warn!(%error, webhook = %self.id, "deliveries were not made");
                    0
                }
            };
            if self.failed_rounds > 0 {
                self.pause().await;
            } else if made == 0 {
                self.wait().await;
            }
        }
        self.id
    }

    /// Waits until something may be due.
    async fn wait(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.wake.notified() => {}
            () = self.webhooks.engine.ports.clock.sleep(LOOK_EVERY) => {}
        }
    }

    /// Waits longer each time, whatever is told.
    async fn pause(&self) {
        let pause = LOOK_EVERY * 2_u32.saturating_pow(self.failed_rounds.min(10) - 1);
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.webhooks.engine.ports.clock.sleep(pause.min(PAUSE_MAX)) => {}
        }
    }

    /// Claims, makes, settles; how many were claimed.
    async fn round(&mut self) -> Result<usize, PortError> {
        let Some(webhook) = self.webhooks.get(&self.id).filter(Webhook::is_enabled) else {
            self.stop.cancel();
            return Ok(0);
        };
        let now = self.webhooks.engine.now();
        let limit = if self.failed_rounds > 0 { 1 } else { CLAIM_MAX };
        let store = &self.webhooks.store;
        let until = now + self.webhooks.terms.claimed_for;
        let claimed = store.claim(&self.id, now, until, limit).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        let count = claimed.len();
        let settlements: Vec<Settlement> = futures_util::stream::iter(claimed)
            .map(|delivery| self.settle(&webhook, delivery))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        failpoint::hit("webhooks_before_settle");
        store.settle(&settlements).await?;
        self.judge(&webhook, &settlements).await;
        Ok(count)
    }

    /// Makes one delivery, unless the lane is stopped; what became of it.
    async fn settle(&self, webhook: &Webhook, delivery: Delivery) -> Settlement {
        let (number, due_at) = (delivery.number, delivery.due_at);
        let settled = match self.stop.is_cancelled() {
            true => Settled::Unsent,
            false => self.make(webhook, delivery).await,
        };
        Settlement {
            number,
            due_at,
            settled,
        }
    }

    async fn make(&self, webhook: &Webhook, delivery: Delivery) -> Settled {
        let engine = &self.webhooks.engine;
        let (at, tries) = (engine.now(), delivery.tries + 1);
        let answer = self
            .webhooks
            .egress
            .post(letter(webhook, delivery, at))
            .await;
        let now = engine.now();
        let took = now.since(at);
        let (asked, status, start) = match answer {
            Ok(Answered {
                status,
                retry_after,
                start,
            }) => (retry_after, Some(status), start),
            Err(fault) => (None, None, told(&fault)),
        };
        let answer = start.chars().take(ANSWER_CHARS_MAX).collect();
        let made = Made {
            at,
            took,
            status,
            answer,
        };
        let is_taken = status.is_some_and(|status| (200..300).contains(&status));
        let settled = match (is_taken, next_try(now, tries, asked, engine.chance.draw())) {
            (true, _) => Settled::Ended(DeliveryPhase::Delivered, made),
            (false, Some(at)) => Settled::Again(at, made),
            (false, None) => Settled::Ended(DeliveryPhase::GivenUp, made),
        };
        self.webhooks.count(match &settled {
            Settled::Ended(phase, _) => Some(*phase),
            _ => None,
        });
        settled
    }

    /// What a round says of the webhook.
    async fn judge(&mut self, webhook: &Webhook, settlements: &[Settlement]) {
        let made = |settlement: &Settlement| match &settlement.settled {
            Settled::Ended(phase, made) => Some((*phase == DeliveryPhase::Delivered, made.clone())),
            Settled::Again(_, made) => Some((false, made.clone())),
            Settled::Unsent => None,
        };
        let made: Vec<(bool, Made)> = settlements.iter().filter_map(made).collect();
        let failure = made.iter().find(|(is_taken, _)| !is_taken);
        if made.iter().any(|(is_taken, _)| *is_taken) {
            self.failed_rounds = 0;
            if webhook.failing_since.is_some() {
                self.webhooks.recovered(&self.id).await;
            }
        } else if let Some((_, failure)) = failure {
            self.failed_rounds += 1;
            self.webhooks.failed(webhook, failure).await;
        }
    }
}

fn letter(webhook: &Webhook, delivery: Delivery, now: Timestamp) -> WebhookLetter {
    let message = delivery.message;
    let seconds = now.as_millis().div_euclid(1_000);
    let signatures = webhook
        .secrets
        .signatures(&message.id, now, message.body.as_bytes());
    WebhookLetter {
        url: webhook.wish.url.to_string(),
        headers: vec![
            ("webhook-id", message.id.to_string()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signatures),
        ],
        body: message.body,
    }
}

fn told(fault: &EgressFault) -> String {
    fault.to_string()
}

impl Webhooks {
    /// A delivery was taken again.
    async fn recovered(&self, id: &WebhookId) {
        let well = |webhook: &mut Webhook| webhook.failing_since = None;
        self.note_health(id, well).await;
        tracing::info!(webhook = %id, "a webhook takes deliveries again");
    }

    /// Nothing was taken: notes it, and disables what is gone or has failed for too long.
    async fn failed(&self, webhook: &Webhook, made: &Made) {
        let now = self.engine.now();
        let since = webhook.failing_since.unwrap_or(made.at);
        let disabled = match made.status {
            Some(GONE) => Some(Disabled::Gone),
            _ if now.since(since) >= self.terms.failing_max => Some(Disabled::Failing),
            _ => None,
        };
        if webhook.failing_since.is_some() && disabled.is_none() {
            return;
        }
        let what = match made.status {
            Some(status) => format!("HTTP {status}"),
            None => made.answer.clone(),
        };
        let what: String = what.chars().take(WHY_CHARS_MAX).collect();
        let note = |webhook: &mut Webhook| {
            webhook.failing_since = webhook.failing_since.or(Some(since));
            webhook.last_error = what.as_str().into();
            if webhook.is_enabled() {
                webhook.disabled = disabled.map(|why| (why, now));
            }
        };
        self.note_health(&webhook.id, note).await;
        tracing::warn!(webhook = %webhook.id, error = %what,
            disabled = disabled.map(Disabled::name), "a webhook does not take deliveries");
    }

    /// Too many deliveries wait: no more are recorded.
    pub(super) async fn fell_behind(&self, id: &WebhookId) {
        let now = self.engine.now();
        let note = |webhook: &mut Webhook| {
            if webhook.is_enabled() {
                webhook.disabled = Some((Disabled::Behind, now));
            }
        };
        self.note_health(id, note).await;
        tracing::warn!(webhook = %id, "a webhook is disabled: too many deliveries wait for it");
    }

    async fn note_health(&self, id: &WebhookId, note: impl Fn(&mut Webhook)) {
        if let Err(error) = self.edit(id, note).await {
            tracing::warn!(%error, webhook = %id, "the state of a webhook was not written down");
        }
    }
}
