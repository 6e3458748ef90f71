//! Webhooks and deliveries as columns: texts, bytes, whole numbers and microseconds.

use std::str::FromStr;
use std::time::Duration;

use tareas_core::{Kind, Phase, TaskId, Timestamp};
use tareas_engine::access::QueueScope;
use tareas_engine::ports::{BoxError, PortError};
use tareas_engine::webhooks::{
    Delivery, DeliveryPhase, Disabled, Made, Message, Secrets, Settled, Webhook, WebhookSecret,
    Wish,
};

/// The columns of a webhook, in the order of the tables.
#[derive(Clone, Debug)]
pub(crate) struct WebhookRow {
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) queues: String,
    pub(crate) kinds: String,
    pub(crate) ends: String,
    pub(crate) secret: Vec<u8>,
    pub(crate) old_secret: Option<Vec<u8>>,
    pub(crate) old_until: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) changed_at: i64,
    pub(crate) since: i64,
    pub(crate) disabled: Option<String>,
    pub(crate) disabled_at: Option<i64>,
    pub(crate) failing_since: Option<i64>,
    pub(crate) last_error: String,
}

/// The columns of a webhook, as statements name them.
macro_rules! webhook_columns {
    () => {
        "id, version, name, url, queues, kinds, ends, secret, old_secret, old_until, created_at, \
         created_by, changed_at, since, disabled, disabled_at, failing_since, last_error"
    };
}

/// The columns of a delivery, as statements name them.
macro_rules! delivery_columns {
    () => {
        "number, webhook, message, event, task, body, made_at, phase, due_at, tries, tried_at, \
         took_us, status, answer"
    };
}

pub(crate) use {delivery_columns, webhook_columns};

impl WebhookRow {
    pub(crate) fn of(webhook: &Webhook) -> Self {
        let (wish, previous) = (&webhook.wish, webhook.secrets.previous.as_ref());
        let kinds: Vec<&str> = wish.kinds.iter().map(Kind::as_str).collect();
        let ends: Vec<&str> = wish.ends.iter().map(|phase| phase.name()).collect();
        Self {
            id: webhook.id.to_string(),
            version: number(webhook.version),
            name: wish.name.to_string(),
            url: wish.url.to_string(),
            queues: wish.queues.to_string(),
            kinds: kinds.join(","),
            ends: ends.join(","),
            secret: webhook.secrets.current.as_bytes().to_vec(),
            old_secret: previous.map(|(secret, _)| secret.as_bytes().to_vec()),
            old_until: previous.map(|(_, until)| until.as_micros()),
            created_at: webhook.created_at.as_micros(),
            created_by: webhook.created_by.to_string(),
            changed_at: webhook.changed_at.as_micros(),
            since: webhook.since.as_micros(),
            disabled: webhook.disabled.map(|(why, _)| why.name().to_owned()),
            disabled_at: webhook.disabled.map(|(_, at)| at.as_micros()),
            failing_since: webhook.failing_since.map(Timestamp::as_micros),
            last_error: webhook.last_error.to_string(),
        }
    }

    pub(crate) fn read(self) -> Result<Webhook, PortError> {
        let at = Timestamp::from_micros;
        let words = |text: &str| -> Vec<String> {
            let words = text.split(',').filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        let secret = |bytes: &[u8]| WebhookSecret::from_stored(bytes).map_err(damaged);
        let kinds = words(&self.kinds);
        let kinds: Result<Vec<Kind>, _> = kinds.iter().map(|kind| Kind::new(kind)).collect();
        let ends = words(&self.ends);
        let ends: Option<Vec<Phase>> = ends.iter().map(|end| Phase::from_name(end)).collect();
        let disabled = self.disabled.as_deref().map(Disabled::of_name);
        let disabled = disabled.map(|why| why.ok_or_else(|| damaged("an unknown reason")));
        let old = self.old_secret.as_deref().map(secret).transpose()?;
        Ok(Webhook {
            id: parsed(&self.id)?,
            version: self.version.unsigned_abs(),
            wish: Wish {
                name: self.name.into(),
                url: self.url.into(),
                queues: QueueScope::parse(&self.queues).map_err(damaged)?,
                kinds: kinds.map_err(damaged)?,
                ends: ends.ok_or_else(|| damaged("an unknown end"))?,
            },
            secrets: Secrets {
                current: secret(&self.secret)?,
                previous: old.zip(self.old_until.map(at)),
            },
            created_at: at(self.created_at),
            created_by: self.created_by.into(),
            changed_at: at(self.changed_at),
            since: at(self.since),
            disabled: disabled.transpose()?.zip(self.disabled_at.map(at)),
            failing_since: self.failing_since.map(at),
            last_error: self.last_error.into(),
        })
    }
}

/// The columns of a delivery, in the order of the tables.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRow {
    pub(crate) number: i64,
    pub(crate) webhook: String,
    pub(crate) message: String,
    pub(crate) event: String,
    pub(crate) task: Option<Vec<u8>>,
    pub(crate) body: String,
    pub(crate) made_at: i64,
    pub(crate) phase: i64,
    pub(crate) due_at: i64,
    pub(crate) tries: i64,
    pub(crate) tried_at: Option<i64>,
    pub(crate) took_us: Option<i64>,
    pub(crate) status: Option<i64>,
    pub(crate) answer: Option<String>,
}

impl DeliveryRow {
    pub(crate) fn read(self) -> Result<Delivery, PortError> {
        let phase = DeliveryPhase::of_number(self.phase);
        let task: Option<Result<[u8; 16], _>> = self.task.map(TryInto::try_into);
        let task = task.transpose().map_err(|_| damaged("an id of a task"))?;
        let last = self.tried_at.map(|at| Made {
            at: Timestamp::from_micros(at),
            took: Duration::from_micros(self.took_us.unwrap_or_default().unsigned_abs()),
            status: self.status.and_then(|status| u16::try_from(status).ok()),
            answer: self.answer.unwrap_or_default(),
        });
        Ok(Delivery {
            number: self.number.unsigned_abs(),
            webhook: parsed(&self.webhook)?,
            message: Message {
                id: self.message.into(),
                event: self.event.into(),
                task: task.map(TaskId::from_bytes),
                body: self.body,
            },
            made_at: Timestamp::from_micros(self.made_at),
            phase: phase.ok_or_else(|| damaged("an unknown phase"))?,
            due_at: Timestamp::from_micros(self.due_at),
            tries: u32::try_from(self.tries).unwrap_or(u32::MAX),
            last,
        })
    }
}

/// What a settlement writes.
#[derive(Clone, Debug)]
pub(crate) struct SettledRow {
    pub(crate) phase: DeliveryPhase,
    /// When it is due next; at once when it was not tried.
    pub(crate) due_at: i64,
    /// How the try went; `None` when there was none.
    pub(crate) made: Option<Made>,
}

impl SettledRow {
    pub(crate) fn of(settled: &Settled) -> Self {
        let (phase, due_at, made) = match settled {
            Settled::Unsent => (DeliveryPhase::Waiting, 0, None),
            Settled::Ended(phase, made) => (*phase, made.at.as_micros(), Some(made)),
            Settled::Again(at, made) => (DeliveryPhase::Waiting, at.as_micros(), Some(made)),
        };
        let made = made.cloned();
        Self {
            phase,
            due_at,
            made,
        }
    }

    /// How long the try took.
    pub(crate) fn took_us(&self) -> Option<i64> {
        let made = self.made.as_ref()?;
        Some(i64::try_from(made.took.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A number that fits a column.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn parsed<T: FromStr<Err: Into<BoxError>>>(text: &str) -> Result<T, PortError> {
    text.parse().map_err(damaged)
}

fn damaged(source: impl Into<BoxError>) -> PortError {
    PortError::Corrupt {
        what: "a stored webhook".to_owned(),
        source: source.into(),
    }
}
