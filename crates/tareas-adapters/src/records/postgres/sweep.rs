//! Tasks that are found by their state or by their place in line, and decided at once.
//!
//! An index names candidates; their rows are locked, those that somebody else holds are left out,
//! core decides on what was locked, and all of it is one transaction. What one pass misses, the
//! next one finds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tareas_core::ledger::Write;
use tareas_core::{Applied, Ledger, Outcome, Sweep, Task, Timestamp, Want};
use tareas_engine::ports::ApplyError;
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

use super::counting::Counting;
use super::decide::Known;
use super::fault::Fault;
use super::front::Course;
use super::instant::Instant;
use super::link::{Link, Purpose};
use super::row;
use super::shared::Shared;
use super::statements::{LOCK, PAUSED, held};
use super::write::{Ids, Writer};

const DUE: &str = "SELECT t.id FROM tareas.tasks t WHERE t.due_at IS NOT NULL \
    AND t.due_at <= $1 ORDER BY t.due_at, t.id LIMIT $2";
const EXPIRED: &str = "SELECT t.id FROM tareas.tasks t WHERE t.expires_at IS NOT NULL \
    AND t.expires_at <= $1 ORDER BY t.expires_at, t.id LIMIT $2";
/// A task may have been claimed, released and claimed again by one session.
pub(super) const HELD_BY: &str = concat!(
    "SELECT t.id FROM ",
    held!(),
    " WHERE c.session_id = $1 GROUP BY t.id, t.started_at ORDER BY t.started_at, t.id LIMIT $2"
);
/// A stretch of the table in order of id, and what of it may go.
const PRUNABLE: &str = "WITH s AS MATERIALIZED (SELECT t.id, t.prune_at FROM tareas.tasks t \
      WHERE t.id > $1 ORDER BY t.id LIMIT $2), \
    f AS (SELECT id FROM s WHERE prune_at <= $3 ORDER BY id LIMIT $4) \
    SELECT id, true, 0::int8 FROM f UNION ALL \
    (SELECT id, false, (SELECT count(*) FROM s) FROM s ORDER BY id DESC LIMIT 1)";

/// Rows that one pass of the pruner looks at.
const PRUNE_SCAN: i64 = 5_000;
/// How often a collision is tried again before the next pass has to do.
const TRIES_MAX: usize = 5;

/// The connection of the sweeps. They go one at a time.
#[derive(Debug)]
pub(super) struct Sweeper {
    pub(super) shared: Arc<Shared>,
    pub(super) counting: AsyncMutex<Counting>,
    /// Up to where the pruner has come.
    hand: Mutex<Uuid>,
    /// The last look for who is next found somebody.
    pub(super) found_some: AtomicBool,
    /// When lines were last looked at in full.
    pub(super) deep: Mutex<Timestamp>,
}

impl Sweeper {
    /// Not connected yet.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let shard = shared.tally.shard(Course::ALL.len() as i32);
        Self {
            shared,
            counting: AsyncMutex::new(Counting::new(Purpose::ByState, shard)),
            hand: Mutex::new(Uuid::nil()),
            found_some: AtomicBool::new(false),
            deep: Mutex::new(Timestamp::EPOCH),
        }
    }

    /// Connects, so that the counts of its shard are known.
    pub(super) async fn connect(&self) -> Result<(), Fault> {
        self.counting.lock().await.link(&self.shared).await?;
        Ok(())
    }

    /// Finds and decides at most `limit` tasks. Owned work: it ends even when nobody waits.
    pub(super) async fn sweep(
        self: Arc<Self>,
        sweep: Sweep,
        now: Timestamp,
        limit: usize,
    ) -> Result<Applied, ApplyError> {
        let owned = tokio::spawn(async move {
            let found = Found::Swept(sweep, now, limit);
            self.with_patience(&found).await
        });
        finished(owned).await
    }

    /// Claims the tasks that are next. Owned work, too.
    pub(super) async fn claim_next(self: Arc<Self>, want: Want) -> Result<Applied, ApplyError> {
        let owned = tokio::spawn(async move { self.claim_for(want).await });
        finished(owned).await
    }

    pub(super) async fn with_patience(&self, found: &Found) -> Result<Applied, ApplyError> {
        let mut counting = self.counting.lock().await;
        let mut tries = 0;
        loop {
            tries += 1;
            let writer = Writer {
                shared: &self.shared,
                shard: counting.shard(),
                link: counting
                    .link(&self.shared)
                    .await
                    .map_err(|fault| ApplyError::NotApplied(fault.into_port_error()))?,
            };
            let outcomes = match found {
                Found::Swept(sweep, now, limit) => self.swept(writer, sweep, *now, *limit).await,
                Found::Next(want, claims) => self.next(writer, want, claims).await,
            };
            let fault = match outcomes {
                Ok(outcomes) => return Ok(self.applied(outcomes)),
                Err(fault) => fault,
            };
            // What the transaction has counted is not so.
            counting.end();
            match fault {
                Fault::Collided(_) if tries < TRIES_MAX => {
                    self.shared.stats.collisions.fetch_add(1, Ordering::Relaxed);
                }
                Fault::Lost(_) => return Err(ApplyError::Unknown(fault.into_port_error())),
                _ => return Err(ApplyError::NotApplied(fault.into_port_error())),
            }
        }
    }

    pub(super) fn applied(&self, outcomes: Vec<Outcome>) -> Applied {
        if outcomes.iter().any(|outcome| done(outcome).is_some()) {
            self.shared.advance();
        }
        Applied {
            position: self.shared.position(),
            outcomes,
        }
    }

    async fn swept(
        &self,
        writer: Writer<'_>,
        sweep: &Sweep,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Outcome>, Fault> {
        let ids = self.candidates(writer.link, sweep, now, limit).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let decision = |ledger: &mut Ledger| {
            let tasks = ledger.candidates(sweep, now, limit);
            ledger.decide_sweep(sweep, &tasks, now).outcomes
        };
        self.decide(writer, ids, now, decision).await
    }

    async fn candidates(
        &self,
        link: &Link,
        sweep: &Sweep,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Uuid>, Fault> {
        let (at, most) = (Instant::from(now), rows_of(limit));
        let found = match sweep {
            Sweep::Due => link.rows(DUE, &[&at, &most]).await?,
            Sweep::Expired => link.rows(EXPIRED, &[&at, &most]).await?,
            Sweep::Reclaim { session, .. } => {
                let session = row::session_uuid(*session);
                link.rows(HELD_BY, &[&session, &most]).await?
            }
            Sweep::Prune => return self.prunable(link, at, most).await,
        };
        found.iter().map(|found| row::get(found, 0)).collect()
    }

    async fn prunable(&self, link: &Link, at: Instant, most: i64) -> Result<Vec<Uuid>, Fault> {
        let hand = *self.hand();
        let found = link
            .rows(PRUNABLE, &[&hand, &PRUNE_SCAN, &at, &most])
            .await?;
        let (mut ids, mut next) = (Vec::new(), Uuid::nil());
        for found in &found {
            let id = row::get(found, 0)?;
            if row::get(found, 1)? {
                ids.push(id);
            } else if row::get::<i64>(found, 2)? == PRUNE_SCAN {
                next = id;
            }
        }
        if let Some(last) = ids.last()
            && rows_of(ids.len()) == most
        {
            next = *last;
        }
        *self.hand() = next;
        Ok(ids)
    }

    /// One transaction: locks what is there of these tasks, has core decide, writes.
    pub(super) async fn decide(
        &self,
        writer: Writer<'_>,
        mut ids: Vec<Uuid>,
        now: Timestamp,
        decision: impl FnOnce(&mut Ledger) -> Vec<Outcome>,
    ) -> Result<Vec<Outcome>, Fault> {
        ids.sort_unstable();
        let link = writer.link;
        link.run("BEGIN").await?;
        self.shared.stats.statements.fetch_add(2, Ordering::Relaxed);
        let mut known = Known {
            tasks: link.tasks(LOCK, &[&ids], ids.len()).await?,
            ..Known::default()
        };
        for row in link.rows(PAUSED, &[]).await? {
            known.paused.push(row::queue(&row, 0)?);
        }
        let places = self.shared.places(now, known.tasks.len());
        let (outcomes, mut decisions) = {
            let mut ledger = known.ledger(places, None);
            (decision(&mut ledger), known.decisions(&mut ledger))
        };
        let claim = Uuid::now_v7();
        writer.write(&mut decisions, Ids::Any, claim).await?;
        // All of them are held; only the claims of a session that was closed are not written.
        if decisions
            .iter()
            .any(|decision| decision.write != Write::Nothing && !decision.is_written)
        {
            return Err(Fault::Collided("the session of a claim was closed".into()));
        }
        link.run("COMMIT").await?;
        let (claimed, others): (Vec<_>, Vec<_>) =
            decisions.iter().partition(|decision| decision.is_claim());
        let mut running = self.shared.running();
        running.claimed(claim, claimed.into_iter().map(|decision| &decision.task));
        running.changed(others.into_iter().map(|decision| &decision.task));
        Ok(outcomes)
    }

    fn hand(&self) -> std::sync::MutexGuard<'_, Uuid> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is looked for.
#[derive(Debug)]
pub(super) enum Found {
    Swept(Sweep, Timestamp, usize),
    /// And what was claimed for it so far, for when an answer is lost.
    Next(Want, Mutex<Vec<Task>>),
}

async fn finished(
    owned: tokio::task::JoinHandle<Result<Applied, ApplyError>>,
) -> Result<Applied, ApplyError> {
    match owned.await {
        Ok(result) => result,
        Err(error) => Err(ApplyError::Unknown(
            Fault::Refused(error.into()).into_port_error(),
        )),
    }
}

pub(super) fn done(outcome: &Outcome) -> Option<&Task> {
    match outcome {
        Outcome::Done(task) => Some(task),
        _ => None,
    }
}

pub(super) fn rows_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
