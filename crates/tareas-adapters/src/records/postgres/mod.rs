//! `PostgresRecords`: the store that many servers can share.
//!
//! What it promises: a decision is committed, and so durable, when its outcome is told; two
//! servers never decide the same transition both; a lost connection is found out about and
//! mended, and what was acknowledged before is never lost.
//!
//! How it keeps it, in the order in which to read:
//!
//! | file | what it does |
//! |---|---|
//! | `options`, `open`, `checks`, `migrate`, `days` | how a store is opened; the schema and its partitions |
//! | `front` | what arrives while a statement is in flight goes into the next one together |
//! | `worker`, `counting` | the services behind the front: a connection each, collisions, lost connections |
//! | `pass`, `claim`, `decide` | one pass over a round: know, have core decide, write |
//! | `statements`, `batch`, `write`, `row`, `instant` | the statements, and tasks as columns |
//! | `sweep`, `next` | tasks found by their state or by their place in line |
//! | `members` | the other processes on the same records |
//! | `access` | credentials and the audit log, on a connection of their own |
//! | `tally`, `refresh`, `settings`, `page`, `wanted` | counts, keeping in touch, settings, what is only read |
//! | `transfer` | the records as a whole, read or filled while nobody serves from them |
//! | `plans` | proof that the hot statements go by the primary key |

mod access;
mod batch;
mod checks;
mod claim;
mod counting;
mod days;
mod decide;
mod fault;
mod front;
mod held;
mod instant;
mod line;
mod link;
mod members;
mod migrate;
mod next;
mod open;
mod options;
mod page;
mod pass;
mod plans;
mod refresh;
mod report;
mod row;
mod rows;
mod seldom;
mod settings;
mod shared;
mod statements;
mod survey;
mod sweep;
mod tally;
mod transfer;
mod wanted;
mod webhooks;
mod worker;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tareas_core::{
    Applied, Attempt, Batch, Hint, Lane, Outcome, Place, Position, Rejected, Sweep, Task, TaskId,
    Timestamp, Want,
};
use tareas_engine::ports::{ApplyError, Counts, Page, PortError, Records, Stopped, TaskQuery};
use tokio::task::JoinHandle;

pub use self::access::PostgresAccess;
use self::fault::Fault;
pub use self::fault::OpenError;
use self::front::{Course, segments};
pub use self::options::PostgresOptions;
use self::page::Reader;
use self::shared::Shared;
pub use self::shared::Stats;
pub use self::survey::{Survey, survey};
use self::sweep::Sweeper;
pub use self::transfer::{PostgresExport, PostgresImport};
pub use self::webhooks::PostgresWebhooks;

/// Records in PostgreSQL. See the module's documentation. Dropping it ends its services once
/// what waits is decided; [`close`](Self::close) also waits for that.
#[derive(Debug)]
pub struct PostgresRecords {
    shared: Arc<Shared>,
    sweeper: Arc<Sweeper>,
    /// Reads by id, and lines.
    by_id: Reader,
    /// Pages and settings.
    seldom: Reader,
    /// Leases, which nothing else may delay.
    members: Reader,
    warnings: Vec<String>,
    watch: Mutex<Option<JoinHandle<()>>>,
}

impl PostgresRecords {
    /// What an operator should know about the server, found at the start.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What was done since the start.
    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    /// Decides what waits, and ends. Nothing can be decided afterwards.
    pub async fn close(&self) {
        self.shared.stop("the records are closed");
        let watch = {
            let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
            watch.take()
        };
        if let Some(watch) = watch {
            // It only waits, and has nothing to tell.
            let _ = watch.await;
        }
    }

    /// Decides one batch, segment by segment.
    async fn decide(&self, batch: Batch) -> Result<Vec<Outcome>, ApplyError> {
        let (course, segments) = segments(batch);
        if course == Course::Submit && self.shared.front.is_full() {
            let refused = segments.iter().map(|(entries, _)| entries.len()).sum();
            return Ok(vec![Outcome::Refused(Rejected::Overloaded); refused]);
        }
        let mut outcomes = Vec::new();
        for (entries, bytes) in segments {
            let count = entries.len();
            let answered = match self.shared.front.push(course, entries, bytes) {
                Some(answered) => answered.await,
                None => Ok(Err(ApplyError::NotApplied(ended().into_port_error()))),
            };
            let some = match answered {
                Ok(answer) => answer,
                Err(_) => Err(ApplyError::Unknown(ended().into_port_error())),
            };
            match some {
                Ok(all) if outcomes.is_empty() => outcomes = all,
                Ok(some) => outcomes.extend(some),
                Err(ApplyError::NotApplied(_))
                    if course == Course::Claim && !outcomes.is_empty() =>
                {
                    outcomes.extend(vec![self.shared.try_again(); count]);
                }
                // An earlier segment is decided: the batch as a whole is in doubt.
                Err(ApplyError::NotApplied(source)) if !outcomes.is_empty() => {
                    return Err(ApplyError::Unknown(source));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(outcomes)
    }
}

impl Drop for PostgresRecords {
    fn drop(&mut self) {
        self.shared.stop("the records are closed");
    }
}

fn ended() -> Fault {
    Fault::Unreachable("the records are closed".into())
}

#[async_trait]
impl Records for PostgresRecords {
    async fn apply(&self, batch: Batch) -> Result<Applied, ApplyError> {
        let outcomes = self.decide(batch).await?;
        Ok(Applied {
            outcomes,
            position: self.shared.position(),
        })
    }

    async fn claim_next(&self, want: Want) -> Result<Applied, ApplyError> {
        Arc::clone(&self.sweeper).claim_next(want).await
    }

    async fn sweep(
        &self,
        sweep: Sweep,
        now: Timestamp,
        limit: usize,
    ) -> Result<Applied, ApplyError> {
        Arc::clone(&self.sweeper).sweep(sweep, now, limit).await
    }

    fn durable(&self) -> Position {
        self.shared.position()
    }

    async fn durable_after(&self, after: Position) -> Result<Position, Stopped> {
        self.shared.position_after(after).await
    }

    async fn ready(&self, lane: &Lane, after: Place, limit: usize) -> Result<Vec<Hint>, PortError> {
        self.by_id.ready(lane, after, limit).await
    }

    async fn load(&self, ids: &[TaskId]) -> Result<(Vec<Option<Task>>, Position), PortError> {
        let tasks = self.by_id.load(ids).await?;
        Ok((tasks, self.shared.position()))
    }

    async fn page(&self, query: &TaskQuery) -> Result<Page, PortError> {
        self.seldom.page(query).await
    }

    async fn attempts(&self, id: TaskId) -> Result<Vec<Attempt>, PortError> {
        self.seldom.attempts(id).await
    }

    fn counts(&self) -> Counts {
        self.shared.tally.counts()
    }
}
