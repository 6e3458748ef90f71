//! The sweep: asks the records what has ended since an instant, and records deliveries of it.
//!
//! It goes through all finished tasks in pages, newest first, and meanwhile goes on to record what
//! ends now. What was recorded before is not recorded twice, so it may begin early and be repeated.

use tareas_core::{Phase, Timestamp};

use super::tap::SLACK;
use super::{Ended, Recorder};
use crate::Refusal;
use crate::filter::Filter;
use crate::ports::TaskQuery;

/// Tasks of one page: each may have a payload of some size.
const PAGE_TASKS: usize = 100;

impl Recorder {
    /// Records deliveries of everything that has ended since then.
    pub(super) async fn sweep(&mut self, from: Timestamp) -> Result<(), Refusal> {
        let from = from - SLACK;
        let mut query = TaskQuery {
            filter: Filter {
                ended_from: Some(from),
                ..Filter::of_phases([Phase::Succeeded, Phase::Failed, Phase::Cancelled])
            },
            cursor: None,
            limit: PAGE_TASKS,
        };
        let mut found = 0;
        loop {
            let page = self.webhooks.engine.ports.records.page(&query).await?;
            let ends: Vec<Ended> = page.tasks.iter().filter_map(Ended::of).collect();
            found += ends.len();
            self.record(&ends).await?;
            query.cursor = page.next;
            if query.cursor.is_none() {
                tracing::info!(found, "looked for ends that webhooks were not told of");
                return Ok(());
            }
            self.drain().await?;
        }
    }
}
