//! What is shown of webhooks and their deliveries.

use serde::Serialize;
use tareas_engine::webhooks::{Delivery, DeliveryPhase, Webhook};

use crate::tokens::shown;

/// A webhook, without its secret unless that was just made.
#[derive(Debug, Serialize)]
pub struct WebhookView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    name: String,
    url: String,
    queues: Vec<String>,
    kinds: Vec<String>,
    ends: Vec<&'static str>,
    enabled: bool,
    disabled: Option<&'static str>,
    disabled_at: Option<String>,
    failing_since: Option<String>,
    last_error: Option<String>,
    created_at: String,
    created_by: String,
    changed_at: String,
    old_secret_until: Option<String>,
}

impl WebhookView {
    /// The webhook; with its secret when this is the one time that it is shown.
    pub fn of(webhook: &Webhook, shows_secret: bool) -> Self {
        let wish = &webhook.wish;
        let secrets = &webhook.secrets;
        let last_error = Some(webhook.last_error.to_string());
        Self {
            id: webhook.id.to_string(),
            secret: shows_secret.then(|| secrets.current.reveal()),
            name: wish.name.to_string(),
            url: wish.url.to_string(),
            queues: wish
                .queues
                .to_string()
                .split(',')
                .map(str::to_owned)
                .collect(),
            kinds: wish.kinds.iter().map(ToString::to_string).collect(),
            ends: wish.ends.iter().map(|end| end.name()).collect(),
            enabled: webhook.is_enabled(),
            disabled: webhook.disabled.map(|(why, _)| why.name()),
            disabled_at: webhook.disabled.map(|(_, at)| shown(at)),
            failing_since: webhook.failing_since.map(shown),
            last_error: last_error.filter(|error| !error.is_empty()),
            created_at: shown(webhook.created_at),
            created_by: webhook.created_by.to_string(),
            changed_at: shown(webhook.changed_at),
            old_secret_until: secrets.previous.as_ref().map(|(_, until)| shown(*until)),
        }
    }
}

/// A list of webhooks.
#[derive(Debug, Serialize)]
pub struct WebhookList {
    webhooks: Vec<WebhookView>,
}

impl WebhookList {
    /// These webhooks.
    pub fn of(all: &[Webhook]) -> Self {
        let webhooks = all.iter().map(|known| WebhookView::of(known, false));
        Self {
            webhooks: webhooks.collect(),
        }
    }
}

/// A delivery.
#[derive(Debug, Serialize)]
pub struct DeliveryView {
    number: u64,
    message_id: String,
    event: String,
    task_id: Option<String>,
    state: &'static str,
    tries: u32,
    made_at: String,
    next_try_at: Option<String>,
    tried_at: Option<String>,
    took_ms: Option<u64>,
    status: Option<u16>,
    answer: Option<String>,
}

impl DeliveryView {
    /// The delivery as it is now.
    pub fn of(delivery: &Delivery) -> Self {
        let last = delivery.last.as_ref();
        let waits = delivery.phase == DeliveryPhase::Waiting;
        let millis =
            |took: std::time::Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self {
            number: delivery.number,
            message_id: delivery.message.id.to_string(),
            event: delivery.message.event.to_string(),
            task_id: delivery.message.task.map(|task| task.to_string()),
            state: delivery.phase.name(),
            tries: delivery.tries,
            made_at: shown(delivery.made_at),
            next_try_at: waits.then(|| shown(delivery.due_at)),
            tried_at: last.map(|made| shown(made.at)),
            took_ms: last.map(|made| millis(made.took)),
            status: last.and_then(|made| made.status),
            answer: last.map(|made| made.answer.clone()),
        }
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize)]
pub struct DeliveryList {
    deliveries: Vec<DeliveryView>,
    next_cursor: Option<u64>,
}

impl DeliveryList {
    /// These deliveries, of at most `limit` that were asked for.
    pub fn of(all: &[Delivery], limit: usize) -> Self {
        let last = all.last().filter(|_| all.len() == limit);
        Self {
            deliveries: all.iter().map(DeliveryView::of).collect(),
            next_cursor: last.map(|delivery| delivery.number),
        }
    }
}
