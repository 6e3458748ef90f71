//! The `Queue` port: who is told that a task is ready.

use std::fmt;

use async_trait::async_trait;
use tareas_core::{Hint, Lane, Place, QueueName};

use super::PortError;

/// Tells workers that tasks are ready: each hint to one receiver at a time.
///
/// May forget everything on restart and may deliver twice: [`super::Records`] own the truth, the
/// claim sorts out what is out of date, and the engine publishes again. No adapter needs to be
/// durable or exact. Within one lane hints come in order of place as long as nobody fails; among
/// the lanes of a queue the higher priority comes first, and lower ones get at least one hint in
/// twenty.
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync + 'static {
    /// Makes hints deliverable. The adapter may keep only as many as it has room for: a lane
    /// that had to drop some is reported by [`spilled`](Queue::spilled) and refilled from the
    /// records. On `Err` they may or may not have been published.
    async fn publish(&self, lane: &Lane, hints: &[Hint]) -> Result<(), PortError>;

    /// Waits for hints and takes up to `max`, all of one queue. Returns nothing only after
    /// [`close`](Queue::close).
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError>;

    /// Takes hints if there are any, without waiting.
    fn try_receive(&self, max: usize) -> Vec<Delivery>;

    /// Lanes that dropped hints, with the place up to which they hold all.
    fn spilled(&self) -> Vec<Spilled>;

    /// Gives a spilled lane its next hints, in order, as read from the records after
    /// `spilled.cursor`. `is_all`: there were no more at that time.
    async fn refill(
        &self,
        spilled: &Spilled,
        hints: &[Hint],
        is_all: bool,
    ) -> Result<(), PortError>;

    /// Stops or starts deliveries from a queue.
    fn pause(&self, queue: &QueueName, paused: bool);

    /// How many hints are held per lane.
    fn depth(&self) -> Vec<QueueDepth>;

    /// Ends all waiting receivers: the process is draining.
    fn close(&self);
}

/// One hint, handed to one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The lane it came from.
    pub lane: Lane,
    /// The hint.
    pub hint: Hint,
}

/// A lane whose tail is only in the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spilled {
    /// The lane.
    pub lane: Lane,
    /// Every hint at or below this place is, or was, in memory.
    pub cursor: Place,
    /// How many hints were dropped so far: tells a refill whether it saw all of them.
    pub dropped: u64,
    /// How many hints the lane has room for.
    pub room: usize,
}

/// How much waits in a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueDepth {
    /// The lane.
    pub lane: Lane,
    /// Hints held in memory.
    pub hints: usize,
    /// More are only in the records.
    pub is_spilled: bool,
}
