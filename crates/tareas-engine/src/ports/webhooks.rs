//! The `WebhookRecords` port: webhooks and their deliveries; and `Egress`, the way out to them.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::Timestamp;

use super::PortError;
use crate::webhooks::{Delivery, DeliveryQuery, NewDelivery, Settlement, Webhook, WebhookId};

/// Webhooks and what is to be delivered to them; shared by all servers on the same records.
///
/// Everything is durable when a call returns. Nothing here is on the path of a task.
#[async_trait]
pub trait WebhookRecords: fmt::Debug + Send + Sync + 'static {
    /// Every webhook, in the order of their ids.
    async fn webhooks(&self) -> Result<Vec<Webhook>, PortError>;

    /// Stores a new one.
    ///
    /// # Errors
    /// [`PortError::Conflict`] when its id is taken.
    async fn add(&self, webhook: &Webhook) -> Result<(), PortError>;

    /// Stores a changed one, whose version is one above what is stored; `false` when that is not
    /// so, or when there is none: then nothing is written.
    async fn replace(&self, webhook: &Webhook) -> Result<bool, PortError>;

    /// Removes one, with its deliveries; `false` when there is none.
    async fn remove(&self, id: &WebhookId) -> Result<bool, PortError>;

    /// Records deliveries, due at once; how many of them were not recorded before.
    async fn record(&self, deliveries: &[NewDelivery]) -> Result<usize, PortError>;

    /// Claims the deliveries of a webhook that are longest due, until `until`: then somebody else
    /// may. Of several callers one gets each.
    async fn claim(
        &self,
        webhook: &WebhookId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, PortError>;

    /// Writes down what became of claimed deliveries, unless somebody else has claimed them since.
    async fn settle(&self, settlements: &[Settlement]) -> Result<(), PortError>;

    /// One page of deliveries, newest first.
    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, PortError>;

    /// Has a delivery that has ended made again, as if never tried; `false` when there is none that
    /// has ended.
    async fn replay(&self, number: u64, now: Timestamp) -> Result<bool, PortError>;

    /// Whether more than so many deliveries of a webhook wait.
    async fn is_behind(&self, webhook: &WebhookId, most: usize) -> Result<bool, PortError>;

    /// Removes deliveries that have ended: those made before `before`, and those beyond the newest
    /// `kept`; at most `limit` of them.
    async fn prune(&self, before: Timestamp, kept: usize, limit: usize)
    -> Result<usize, PortError>;

    /// How far each process has recorded what ended in it.
    async fn marks(&self) -> Result<Vec<Mark>, PortError>;

    /// Writes the mark of one process.
    async fn set_mark(&self, mark: Mark) -> Result<(), PortError>;

    /// Removes a mark, if it is still as given.
    async fn remove_mark(&self, mark: Mark) -> Result<(), PortError>;
}

/// How far a process has recorded what ended in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// One life of one process.
    pub owner: u64,
    /// What ended in it before then is recorded.
    pub upto: Timestamp,
    /// When it was written: a process that lives writes again.
    pub beat_at: Timestamp,
}

/// One request to a webhook.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Where to.
    pub url: String,
    /// Headers beside those of HTTP itself.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

/// What a webhook answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
    /// How the answer begins, as text.
    pub start: String,
}

/// Why there was no answer, or why a URL is not taken.
#[derive(Debug, thiserror::Error)]
pub enum EgressFault {
    /// It cannot be the address of a webhook.
    #[error("the URL is not one of a webhook: {0}")]
    Url(&'static str),
    /// It leads to an address that is not public and not allowed.
    #[error("{0} is not a public address")]
    Forbidden(std::net::IpAddr),
    /// Its name leads nowhere.
    #[error("the name was not found: {0}")]
    Name(String),
    /// The connection failed.
    #[error("{0}")]
    Broken(String),
    /// It took too long.
    #[error("there was no answer within {} s", .0.as_secs())]
    TooSlow(Duration),
}

/// The way out: makes requests to addresses that others have chosen, and to none that is not meant
/// for that.
#[async_trait]
pub trait Egress: fmt::Debug + Send + Sync + 'static {
    /// Whether a URL may be one of a webhook, as far as it says so itself.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, url: &str) -> Result<(), EgressFault>;

    /// Makes one request. Ends by itself.
    async fn post(&self, letter: Letter) -> Result<Answered, EgressFault>;
}
