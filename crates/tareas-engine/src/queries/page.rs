//! Pages of tasks, newest first.
//!
//! What the records can answer they answer; what only a whole task can answer is asked here, of a
//! bounded number of tasks for one page. Such a page may be short, or empty, and still have a
//! next one.

use tareas_core::{TaskId, Timestamp};

use crate::filter::Filter;
use crate::ports::{Page, PageCursor, TaskQuery};
use crate::{Engine, Refusal};

/// Most tasks on one page.
pub const TASKS_PER_PAGE_MAX: usize = 200;
/// Tasks that one page reads to find those whose details are asked for.
pub const DETAIL_TASKS_MAX: usize = 2_000;

impl Engine {
    /// One page of tasks, newest first.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn page(&self, mut query: TaskQuery) -> Result<Page, Refusal> {
        query.limit = query.limit.clamp(1, TASKS_PER_PAGE_MAX);
        if let Some(id) = query.filter.ids.only() {
            return self.page_of_one(&query, TaskId::from_u128(id)).await;
        }
        if query.filter.details.are_none() {
            return Ok(self.ports.records.page(&query).await?);
        }
        self.page_by_details(query).await
    }

    /// The page of one id: looked up, not looked for.
    async fn page_of_one(&self, query: &TaskQuery, id: TaskId) -> Result<Page, Refusal> {
        let task = match query.cursor {
            None => self.task(id).await?,
            Some(_) => None,
        };
        let now = self.now();
        let tasks: Vec<_> = task
            .into_iter()
            .filter(|task| query.filter.matches(task, now))
            .collect();
        let after = tasks.iter().map(|_| PageCursor(0)).collect();
        let next = None;
        Ok(Page { tasks, after, next })
    }

    async fn page_by_details(&self, mut query: TaskQuery) -> Result<Page, Refusal> {
        let (wanted, now) = (query.limit, self.now());
        query.limit = TASKS_PER_PAGE_MAX;
        let mut found = Page::default();
        let mut read = 0;
        loop {
            let page = self.ports.records.page(&query).await?;
            read += page.tasks.len();
            // A page that is not full has looked at as much as a page may, or is the last one.
            let is_last = page.tasks.len() < query.limit || read >= DETAIL_TASKS_MAX;
            found.next = page.next;
            if take(&mut found, page, &query.filter, now, wanted) || is_last {
                return Ok(found);
            }
            query.cursor = found.next;
        }
    }
}

/// Moves what matches over; `true` when there is as much as was wanted.
fn take(into: &mut Page, page: Page, filter: &Filter, now: Timestamp, wanted: usize) -> bool {
    let last = page.after.last().copied();
    for (task, after) in page.tasks.into_iter().zip(page.after) {
        if !filter.details.hold_for(&task, now) {
            continue;
        }
        into.tasks.push(task);
        into.after.push(after);
        if into.tasks.len() == wanted {
            // Where the page itself ended, it knows whether there is more.
            into.next = if Some(after) == last {
                into.next
            } else {
                Some(after)
            };
            return true;
        }
    }
    false
}
