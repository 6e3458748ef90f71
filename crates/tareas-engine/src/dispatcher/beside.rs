//! Settling beside: where recording an end is a round trip to a store that others share, threads
//! do not wait for it, but go on with their next task.
//!
//! What is on its way is bounded by number and by size; beyond that threads wait. Large results,
//! which are stored as blobs first, have bounds of their own: while the blob store is away they
//! are kept, and hold up nobody else.

use std::sync::Arc;
use std::time::Duration;

use tareas_core::limits::INLINE_BYTES_MAX;
use tareas_core::{Body, Ending, TaskId};
use tokio::sync::Semaphore;

use super::{Dispatcher, Settled};
use crate::{Engine, block_on};

/// Shares that may be on their way: of ends with small results, and as many of large ones.
const SHARES_MAX: u32 = 8_192;
/// An end is one share, and one more for so many bytes of its result: 64 MiB together.
const SHARE_BYTES: usize = 8 * 1024;
/// How long a large result is kept while the blob store is away.
const STORE_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How much is on its way to the records.
#[derive(Debug)]
pub(crate) struct OnTheirWay {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl Default for OnTheirWay {
    fn default() -> Self {
        let room = || Arc::new(Semaphore::new(SHARES_MAX as usize));
        let (small, large) = (room(), room());
        Self { small, large }
    }
}

impl Dispatcher {
    /// Records what has ended without waiting for it, unless very much is on its way already.
    /// Called by the pool's own threads, inside the runtime that the ports use.
    pub fn settle_beside(self: &Arc<Self>, settled: Vec<Settled>) {
        let is_large = |settled: &Settled| result_bytes(settled) > INLINE_BYTES_MAX;
        let (large, small): (Vec<_>, Vec<_>) = settled.into_iter().partition(is_large);
        let room = &self.engine.on_their_way;
        if !small.is_empty() {
            self.settle_within(&room.small, small);
        }
        for one in large {
            self.settle_within(&room.large, vec![one]);
        }
    }

    fn settle_within(self: &Arc<Self>, room: &Arc<Semaphore>, settled: Vec<Settled>) {
        let shares: usize = settled.iter().map(shares).sum();
        let shares = u32::try_from(shares).map_or(SHARES_MAX, |shares| shares.min(SHARES_MAX));
        let taken = block_on(Arc::clone(room).acquire_many_owned(shares));
        let this = Arc::clone(self);
        tokio::spawn(async move {
            this.settle_async(settled).await;
            drop(taken);
        });
    }

    /// A large result is kept for long where the others may do without this task meanwhile.
    pub(super) async fn store_result(&self, task: TaskId, attempt: u64, ending: Ending) -> Ending {
        let patience = match self.engine.shares_records() {
            true => STORE_PATIENCE,
            false => Duration::ZERO,
        };
        self.engine
            .store_result(task, attempt, ending, patience)
            .await
    }
}

impl Engine {
    /// Waits until every end that is on its way is recorded; `false` when that takes longer.
    pub async fn until_settled(&self, within: Duration) -> bool {
        let OnTheirWay { small, large } = &self.on_their_way;
        let all = async {
            tokio::join!(
                small.acquire_many(SHARES_MAX),
                large.acquire_many(SHARES_MAX)
            )
        };
        tokio::select! {
            _ = all => true,
            () = self.ports.clock.sleep(within) => false,
        }
    }
}

fn shares(settled: &Settled) -> usize {
    1 + result_bytes(settled) / SHARE_BYTES
}

fn result_bytes(settled: &Settled) -> usize {
    match &settled.ending {
        Some(Ending::Succeeded(Body::Inline(result))) => result.len(),
        _ => 0,
    }
}
