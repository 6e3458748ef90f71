//! A delivery: one message for one webhook, and how far it has got.

use std::time::Duration;

use smol_str::SmolStr;
use tareas_core::{TaskId, Timestamp};

use super::WebhookId;

/// Longest part of an answer that is kept.
pub const ANSWER_CHARS_MAX: usize = 256;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryPhase {
    /// To be made, or to be tried again.
    Waiting = 0,
    /// Taken: answered with 2xx.
    Delivered = 1,
    /// Given up.
    GivenUp = 2,
}

impl DeliveryPhase {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::GivenUp];

    /// The word on wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    /// The phase with this word.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The phase with this number, as it is stored.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known as i64 == number)
    }
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name: the header `webhook-id`.
    pub id: SmolStr,
    /// Its type: `task.succeeded` and the like.
    pub event: SmolStr,
    /// Of which task; of none when it is a test.
    pub task: Option<TaskId>,
    /// Its JSON text.
    pub body: String,
}

/// A delivery to be recorded. One of the same message and webhook is recorded once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// For whom.
    pub webhook: WebhookId,
    /// What.
    pub message: Message,
    /// When it was made up.
    pub made_at: Timestamp,
}

/// How one try went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The status of the answer; `None` when there was none.
    pub status: Option<u16>,
    /// How the answer begins, or why there was none.
    pub answer: String,
}

/// A delivery as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number: grows, and is never given twice.
    pub number: u64,
    /// For whom.
    pub webhook: WebhookId,
    /// What.
    pub message: Message,
    /// When it was made up.
    pub made_at: Timestamp,
    /// Where it stands.
    pub phase: DeliveryPhase,
    /// When it is tried, while it waits; while it is being tried, when somebody else may.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// How the last try went.
    pub last: Option<Made>,
}

/// What became of a claimed delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was not tried: at once to whoever claims it next.
    Unsent,
    /// It was tried, and that is the end of it.
    Ended(DeliveryPhase, Made),
    /// It was tried, and is tried again then.
    Again(Timestamp, Made),
}

/// What became of a delivery that was claimed until `due_at`. Of one that somebody else has
/// claimed since, nothing is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub number: u64,
    /// Until when it was claimed: the fence.
    pub due_at: Timestamp,
    /// What became of it.
    pub settled: Settled,
}

/// Which deliveries are listed: newest first.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// Of this webhook; of all when absent.
    pub webhook: Option<WebhookId>,
    /// In this phase; in any when absent.
    pub phase: Option<DeliveryPhase>,
    /// Below this number.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}
