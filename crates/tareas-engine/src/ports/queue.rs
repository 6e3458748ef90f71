//! The `Queue` port: who is told that a task is ready.

use std::collections::HashSet;
use std::fmt;

use async_trait::async_trait;
use tareas_core::{Hint, Kind, Lane, Place, QueueName};

use super::PortError;

/// Tells workers that tasks are ready: each hint to one receiver at a time.
///
/// May forget everything on restart and may deliver twice: [`super::Records`] own the truth, the
/// claim sorts out what is out of date, and the engine publishes again. No adapter needs to be
/// durable or exact. Within one lane hints come in order of place as long as nobody fails; among
/// the lanes of a queue the higher priority comes first, and lower ones get at least one hint in
/// twenty. A queue that [several processes share](Queue::is_shared) keeps this order among what
/// has reached the process, and not further.
///
/// A delivery is kept from others until it is [acknowledged](Queue::acknowledge), which is done
/// once its claim is decided, never before. What is not acknowledged before this process ends
/// may be delivered again, to anybody.
#[async_trait]
pub trait Queue: fmt::Debug + Send + Sync + 'static {
    /// Makes hints deliverable. The adapter may keep only as many as it has room for: a lane
    /// that had to drop some is reported by [`spilled`](Queue::spilled) and refilled from the
    /// records. On `Err` they may or may not have been published.
    async fn publish(&self, lane: &Lane, hints: &[Hint]) -> Result<(), PortError>;

    /// Whether hints of tasks of this kind go a way of their own, to pools that have the kind:
    /// then they are given to [`publish_apart`](Queue::publish_apart).
    fn is_apart(&self, _kind: &Kind) -> bool {
        false
    }

    /// As [`publish`](Queue::publish), for tasks of a kind that goes its own way.
    async fn publish_apart(
        &self,
        _kind: &Kind,
        lane: &Lane,
        hints: &[Hint],
    ) -> Result<(), PortError> {
        self.publish(lane, hints).await
    }

    /// These kinds can be run here from now on, and no others. Until this is called, all that
    /// have no way of their own. A queue that is not shared may bring the others all the same.
    fn want(&self, _kinds: &HashSet<Kind>) {}

    /// Waits for hints and takes up to `max`, all of one queue. Returns nothing only after
    /// [`close`](Queue::close).
    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError>;

    /// Takes hints if there are any, without waiting.
    fn try_receive(&self, max: usize) -> Vec<Delivery>;

    /// The claims of these deliveries are decided, or their hints were published again: they
    /// need not be delivered any more. Never waits; acknowledging twice is fine.
    fn acknowledge(&self, receipts: &[Receipt]);

    /// Whether other processes publish and receive here, over a network that loses hints. Then
    /// nobody knows whether every waiting task has a hint, and the pool looks into the records
    /// by itself; else the engine compares the queue with the records, and feeds it.
    fn is_shared(&self) -> bool;

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

    /// Stops or starts deliveries from a queue. A shared queue also learns from it which queues
    /// there are.
    fn pause(&self, queue: &QueueName, paused: bool);

    /// How many hints are held per lane; of a shared queue an estimate, a moment old.
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
    /// What [`Queue::acknowledge`] wants to see.
    pub receipt: Receipt,
}

/// Stands for one delivery; means something to the adapter that made it only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(pub u64);

impl Receipt {
    /// For deliveries that nobody waits to see acknowledged.
    pub const NONE: Self = Self(0);
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
    /// Hints held.
    pub hints: usize,
    /// More are only in the records.
    pub is_spilled: bool,
}
