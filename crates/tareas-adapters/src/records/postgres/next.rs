//! Who is next in the lines: found by place, and claimed at once.
//!
//! Tasks of kinds that are not wanted are passed over. A line may begin with very many of them,
//! so most looks end after [`HEAD_ROWS`]; one in [`LOOK_DEEP_EVERY`] goes to the end.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tareas_core::{
    Applied, Batch, Command, Kind, Ledger, Outcome, Phase, Task, TaskId, Timestamp, Token, Want,
};
use tareas_engine::ports::{ApplyError, Clock, SystemClock};

use uuid::Uuid;

use super::batch::uuids;
use super::fault::Fault;
use super::line;
use super::link::Value;
use super::row;
use super::statements::{LOAD, named};
use super::sweep::{Found, Sweeper, done, rows_of};
use super::worker::RESOLVE_CLAIMS_MAX;
use super::write::Writer;
use crate::ids::IdSet;

/// The heads of the lines of some queues: urgent first, then as the queues are named. Of these
/// kinds, among so many at the head of each line. Rows of a line are read in the order of their
/// first places.
pub(super) const NEXT: &str = concat!(
    "SELECT c.id FROM unnest($1::text[]) WITH ORDINALITY AS q(name, number), \
    LATERAL (SELECT h.id, h.priority, h.place FROM ( \
        SELECT t.id, t.kind, t.priority, t.place FROM (SELECT l.priority, l.ids \
            FROM tareas.lines l WHERE l.queue = q.name ORDER BY l.priority DESC, l.place) l \
          CROSS JOIN LATERAL ",
    named!(
        "l.ids",
        "o.queue = q.name AND o.priority = l.priority AND o.place IS NOT NULL AND o.crashes = 0"
    ),
    " LIMIT $5) h \
      WHERE ($4::text[] IS NULL OR h.kind = ANY ($4)) AND h.id <> ALL ($6::uuid[]) LIMIT $2) c \
    WHERE NOT EXISTS (SELECT FROM tareas.queues p WHERE p.name = q.name AND p.paused) \
    AND NOT EXISTS (SELECT FROM tareas.sessions s WHERE s.session_id = $3 AND s.state = 1) \
    ORDER BY c.priority DESC, q.number, c.place, c.id LIMIT $2"
);

/// Claims of one transaction.
const CLAIMS_MAX: usize = 1_000;
/// Tasks that require labels which the pool does not have are told by their rows only: so many of
/// them are passed over.
const PASSED_MAX: usize = 1_000;
/// How many tasks at the head of a line are looked at for those of a kind that is wanted.
const HEAD_ROWS: i64 = 5_000;
/// How often all of them are.
const LOOK_DEEP_EVERY: Duration = Duration::from_secs(30);

/// First and longest break between two tries to find out what became of claims.
const BREAK_MIN: Duration = Duration::from_millis(50);
const BREAK_MAX: Duration = Duration::from_secs(1);

impl Sweeper {
    /// Claims what is next. When an answer is lost it is found out what was claimed: nobody else
    /// would ever run it, since it is this process that holds it.
    pub(super) async fn claim_for(&self, want: Want) -> Result<Applied, ApplyError> {
        let found = Found::Next(want, Mutex::default());
        let result = self.with_patience(&found).await;
        let Found::Next(_, claims) = found else {
            return result;
        };
        let told: HashSet<TaskId> = match &result {
            Ok(applied) => applied
                .outcomes
                .iter()
                .filter_map(done)
                .map(Task::id)
                .collect(),
            Err(_) => HashSet::new(),
        };
        let mut open = claims.into_inner().unwrap_or_else(PoisonError::into_inner);
        open.retain(|task| !told.contains(&task.id()));
        if open.is_empty() {
            return result;
        }
        let found = self.found_out(&open).await?;
        let mut outcomes = result.map_or_else(|_| Vec::new(), |applied| applied.outcomes);
        outcomes.extend(found.into_iter().map(Outcome::Done));
        Ok(self.applied(outcomes))
    }

    /// Which of these claims were recorded.
    async fn found_out(&self, open: &[Task]) -> Result<Vec<Task>, ApplyError> {
        let (began, mut pause) = (Instant::now(), BREAK_MIN);
        loop {
            let fault = match self.read_again(open).await {
                Ok(mut tasks) => {
                    tasks.retain(|task| open.iter().any(|claimed| is_same(claimed, task)));
                    return Ok(tasks);
                }
                Err(fault) => fault,
            };
            if began.elapsed() > RESOLVE_CLAIMS_MAX || self.shared.front.is_closed() {
                return Err(ApplyError::Unknown(fault.into_port_error()));
            }
            SystemClock.sleep(pause).await;
            pause = (pause * 2).min(BREAK_MAX);
        }
    }

    /// Over the next connection, so that the one before has ended, and what it claimed stays.
    async fn read_again(&self, open: &[Task]) -> Result<Vec<Task>, Fault> {
        let mut counting = self.counting.lock().await;
        let link = counting.link(&self.shared).await?;
        let ids = uuids(open.iter().map(Task::id));
        row::tasks(&link.rows(LOAD, &[&ids]).await?)
    }

    /// Claims the heads of the lines, one for each token.
    pub(super) async fn next(
        &self,
        writer: Writer<'_>,
        want: &Want,
        claims: &Mutex<Vec<Task>>,
    ) -> Result<Vec<Outcome>, Fault> {
        let queues: Vec<&str> = want.queues.iter().map(|queue| queue.as_str()).collect();
        let mut tokens = want
            .tokens
            .iter()
            .copied()
            .take(CLAIMS_MAX)
            .collect::<Vec<_>>();
        tokens.reverse();
        // Where tasks come and go, many rows are of those who went: they are not read through here.
        if self.found_some.swap(false, Ordering::Relaxed) {
            let look: [Value<'_>; 3] = [&Uuid::nil(), &line::LOOK_ROWS, &line::first_young()];
            writer.link.rows(line::FORGET, &look).await?;
        }
        let session = row::session_uuid(want.session);
        let kinds = want.kinds.as_deref().map(names_of);
        let (mut outcomes, mut passed) = (Vec::new(), Vec::new());
        while !tokens.is_empty() {
            let most = rows_of(tokens.len());
            let rows = self.head_rows(want.now);
            let values: [Value<'_>; 6] = [&queues, &most, &session, &kinds, &rows, &passed];
            let found = writer.link.rows(NEXT, &values).await?;
            let order: Result<Vec<TaskId>, Fault> =
                found.iter().map(|row| row::id(row, 0)).collect();
            let mut order = order?;
            // Two rows of a line may name one task, which has entered it twice.
            let mut seen = IdSet::default();
            order.retain(|task| seen.insert(*task));
            if order.is_empty() {
                break;
            }
            self.found_some.store(true, Ordering::Relaxed);
            let ids = uuids(order.iter().copied());
            let mut is_deeper = false;
            let decision = |ledger: &mut Ledger| {
                let foreign = order.iter().filter(|task| {
                    let found = ledger.get(**task);
                    found.is_some_and(|task| !want.is_for(task))
                });
                let before = passed.len();
                passed.extend(foreign.copied().map(row::uuid));
                is_deeper = passed.len() > before && passed.len() < PASSED_MAX;
                let outcomes = claim_in_order(ledger, &order, want, &mut tokens);
                let running = outcomes.iter().filter_map(done);
                let running = running.filter(|task| task.phase() == Phase::Running);
                lock(claims).extend(running.cloned());
                outcomes
            };
            let claimed = self.decide(writer, ids, want.now, decision).await?;
            let has_claimed = claimed.iter().any(|outcome| done(outcome).is_some());
            outcomes.extend(claimed);
            if !has_claimed && !is_deeper {
                break;
            }
        }
        Ok(outcomes)
    }

    /// How far down the lines to look. A line may begin with many tasks that nobody here can
    /// run: they hold up those behind them for as long only as these are not told of by a hint.
    fn head_rows(&self, now: Timestamp) -> i64 {
        let mut deep = lock(&self.deep);
        if now.since(*deep) < LOOK_DEEP_EVERY {
            return HEAD_ROWS;
        }
        *deep = now;
        i64::MAX
    }
}

/// Claims in this order, one token each; what ends as expired costs none.
fn claim_in_order(
    ledger: &mut Ledger,
    order: &[TaskId],
    want: &Want,
    tokens: &mut Vec<Option<Token>>,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for task in order {
        let (Some(token), Some(found)) = (tokens.last().copied(), ledger.get(*task)) else {
            continue;
        };
        if !want.is_for(found) {
            continue;
        }
        let claim = Command::Claim {
            task: *task,
            expected_attempt: found.attempt,
            session: want.session,
            token,
        };
        let applied = ledger.decide(&Batch {
            now: want.now,
            commands: vec![claim],
        });
        for outcome in applied.outcomes {
            if done(&outcome).is_some_and(|task| task.phase() == Phase::Running) {
                tokens.pop();
            }
            if !matches!(outcome, Outcome::Refused(_)) {
                outcomes.push(outcome);
            }
        }
    }
    outcomes
}

/// Whether a task runs by this claim, and not by another of the same session.
fn is_same(claimed: &Task, found: &Task) -> bool {
    let start = |task: &Task| {
        let session = task.lease().map(|lease| lease.session);
        (task.id(), task.attempt, task.started_at, session)
    };
    found.lease().is_some() && start(claimed) == start(found)
}

fn names_of(kinds: &HashSet<Kind>) -> Vec<&str> {
    kinds.iter().map(Kind::as_str).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
