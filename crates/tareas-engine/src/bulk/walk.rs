//! One bulk action, from its first page to its last.

use std::time::Duration;

use tareas_core::TaskId;
use tokio_util::sync::CancellationToken;

use super::{BulkId, BulkOrder, BulkState, BulkWalker};
use crate::Refusal;
use crate::commands::Acted;
use crate::ports::{Page, TaskQuery};
use crate::queries::TASKS_PER_PAGE_MAX;

/// Pause after each page, for everybody else.
const PAUSE: Duration = Duration::from_millis(1);
/// Pause before a store that does not answer is asked again.
const PAUSE_UNAVAILABLE: Duration = Duration::from_secs(1);
/// How often it is asked again.
const TRIES_MAX: u32 = 30;

impl BulkWalker {
    /// Goes through all pages; how it ended.
    pub(super) async fn walk(
        &self,
        id: BulkId,
        order: &BulkOrder,
        shutdown: &CancellationToken,
    ) -> BulkState {
        let Some(filter) = order.narrowed() else {
            return BulkState::Finished;
        };
        let mut query = TaskQuery {
            filter,
            cursor: None,
            limit: TASKS_PER_PAGE_MAX,
        };
        let mut left = order.most.unwrap_or(u64::MAX);
        while left > 0 {
            if shutdown.is_cancelled() || self.engine.is_draining() {
                return BulkState::Stopped;
            }
            query.limit = usize::try_from(left)
                .map_or(TASKS_PER_PAGE_MAX, |left| left.min(TASKS_PER_PAGE_MAX));
            let Some(page) = self.page(&query, shutdown).await else {
                return BulkState::Failed;
            };
            query.cursor = page.next;
            left = left.saturating_sub(page.tasks.len() as u64);
            match self.turn(id, order, &page, shutdown).await {
                Some(true) => {}
                Some(false) => return BulkState::Stopped,
                None => return BulkState::Failed,
            }
            if query.cursor.is_none() {
                return BulkState::Finished;
            }
            self.engine.ports.clock.sleep(PAUSE).await;
        }
        BulkState::Finished
    }

    /// Does what is to be done to one page; whether to go on, `None` when the store is gone.
    async fn turn(
        &self,
        id: BulkId,
        order: &BulkOrder,
        page: &Page,
        shutdown: &CancellationToken,
    ) -> Option<bool> {
        let bulks = &self.engine.bulks;
        if !bulks.note(id, |view| view.found(&page.tasks)) {
            return Some(false);
        }
        if order.is_dry_run || page.tasks.is_empty() {
            return Some(true);
        }
        let ids: Vec<TaskId> = page.tasks.iter().map(tareas_core::Task::id).collect();
        let acted = self.act(order, &ids, shutdown).await?;
        Some(bulks.note(id, |view| {
            view.done += acted.done;
            view.skipped += acted.refused;
        }))
    }

    async fn page(&self, query: &TaskQuery, shutdown: &CancellationToken) -> Option<Page> {
        for _ in 0..TRIES_MAX {
            match self.engine.page(query.clone()).await {
                Ok(page) => return Some(page),
                Err(refusal) => self.wait_after(&refusal, shutdown).await?,
            }
        }
        None
    }

    /// Deciding twice is harmless: what was done already is refused the second time.
    async fn act(
        &self,
        order: &BulkOrder,
        ids: &[TaskId],
        shutdown: &CancellationToken,
    ) -> Option<Acted> {
        for _ in 0..TRIES_MAX {
            match self.engine.act_on_many(order.action, ids, &order.by).await {
                Ok(acted) => return Some(acted),
                Err(refusal) => self.wait_after(&refusal, shutdown).await?,
            }
        }
        None
    }

    async fn wait_after(&self, refusal: &Refusal, shutdown: &CancellationToken) -> Option<()> {
        tracing::warn!(error = %refusal, "a bulk action waits for the store");
        tokio::select! {
            () = shutdown.cancelled() => None,
            () = self.engine.ports.clock.sleep(PAUSE_UNAVAILABLE) => Some(()),
        }
    }
}
