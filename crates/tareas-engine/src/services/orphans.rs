//! The orphan sweeper: removes blobs to which no record refers.
//!
//! They are left when a process dies between storing a blob and recording the task, when a
//! submission is refused after its payload was stored, or when an attempt that lost its lease
//! had stored its result. The sweeper asks the row, and the clock only whether the task is old
//! enough to be judged:
//!
//! - tasks younger than [`JUDGED_AFTER`] are left alone: their record may still be written;
//! - without a row, nothing refers to a blob, and no row can come any more;
//! - a payload belongs to the row that names it, which never changes;
//! - a result with its files belongs to the row that names it, or to the attempt that runs now or is ahead of
//!   the row (after a restored backup); every other attempt is fenced off and cannot be recorded.
//!
//! Level-triggered: what one walk misses, the next one finds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::limits::ID_WINDOW_PAST;
use tareas_core::{Body, Task, TaskId, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::ports::BlobKey;
use crate::{Engine, Refusal};

/// Tasks are judged when their id is older than this: outside the window in which it could name
/// a new task, and two hours more for what is on its way.
const JUDGED_AFTER: Duration = Duration::from_secs(ID_WINDOW_PAST.as_secs() + 2 * 3600);
/// Pause between two walks.
const WALK_EVERY: Duration = Duration::from_secs(3600);
/// Pause between two pages of a walk: nobody waits for it.
const PAGE_EVERY: Duration = Duration::from_millis(200);
/// Keys per page.
const PAGE_MAX: usize = 500;

/// See the module's documentation.
#[derive(Debug)]
pub struct OrphanSweeper {
    engine: Arc<Engine>,
}

impl OrphanSweeper {
    /// A sweeper for this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Walks over all blobs once; how many were removed.
    pub async fn walk(&self) -> usize {
        let (mut removed, mut after) = (0, None);
        loop {
            match self.page(after.as_ref()).await {
                Ok((count, last)) => {
                    removed += count;
                    after = last;
                }
                Err(error) => {
                    tracing::warn!(%error, "orphaned blobs not swept; the next walk finds them");
                    return removed;
                }
            }
            if after.is_none() {
                return removed;
            }
            self.engine.ports.clock.sleep(PAGE_EVERY).await;
        }
    }

    /// One page; how many were removed, and where the next page begins.
    async fn page(&self, after: Option<&BlobKey>) -> Result<(usize, Option<BlobKey>), Refusal> {
        let keys = self.engine.ports.blobs.list(after, PAGE_MAX).await?;
        let Some(last) = keys.last().cloned() else {
            return Ok((0, None));
        };
        let now = self.engine.now();
        let old: Vec<BlobKey> = keys.into_iter().filter(|key| is_old(key, now)).collect();
        let rows = self.rows(&old).await?;
        let mut removed = 0;
        for key in old.iter().filter(|key| is_orphan(key, &rows)) {
            tracing::debug!(%key, "orphaned blob");
            self.engine.ports.blobs.delete(key).await?;
            removed += 1;
        }
        Ok((removed, Some(last)))
    }

    /// The rows of these blobs' tasks, as they are on disk or will be.
    async fn rows(&self, keys: &[BlobKey]) -> Result<HashMap<TaskId, Task>, Refusal> {
        let mut ids: Vec<TaskId> = keys.iter().filter_map(BlobKey::task).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let (tasks, position) = self.engine.ports.records.load(&ids).await?;
        // A row that was only decided to go may be there again after a crash.
        self.engine.until_durable(position).await?;
        let tasks = tasks.into_iter().flatten();
        Ok(tasks.map(|task| (task.id(), task)).collect())
    }
}

fn is_old(key: &BlobKey, now: Timestamp) -> bool {
    let made_at = key.task().and_then(TaskId::made_at);
    made_at.is_some_and(|made_at| now.since(made_at) > JUDGED_AFTER)
}

fn is_orphan(key: &BlobKey, rows: &HashMap<TaskId, Task>) -> bool {
    let Some(task) = key.task().and_then(|id| rows.get(&id)) else {
        return true;
    };
    match key.attempt() {
        None => !names(Some(&task.spec.payload), key),
        Some(_) if task.state.is_terminal() => !names(task.result.as_ref(), key),
        Some(attempt) => {
            let may_be_recorded = task.phase() == tareas_core::Phase::Running;
            attempt < task.attempt || (attempt == task.attempt && !may_be_recorded)
        }
    }
}

fn names(body: Option<&Body>, key: &BlobKey) -> bool {
    let Some(Body::Blob(blob)) = body else {
        return false;
    };
    let named = BlobKey::parse(&blob.key);
    blob.key == key.as_str() || named.is_some_and(|named| named.with_files().contains(key))
}

#[async_trait]
impl Service for OrphanSweeper {
    fn name(&self) -> &'static str {
        "orphan sweeper"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        loop {
            // The start of a server has better things to do.
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.engine.ports.clock.sleep(WALK_EVERY) => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                removed = self.walk() => {
                    if removed > 0 {
                        tracing::info!(removed, "orphaned blobs were removed");
                    }
                }
            }
        }
    }
}
