//! Who is next in a lane, by what was decided: live tasks and rows on disk, merged by place.

use std::collections::{BTreeMap, VecDeque};

use rusqlite::{Connection, Result, params};
use tareas_core::ledger::{self, priorities};
use tareas_core::{
    Applied, Batch, Command, Hint, Lane, Ledger, Outcome, Phase, Place, QueueName, TaskId, Token,
    Want,
};
use tareas_engine::ports::PortError;

use super::SqliteRecords;
use super::error::{read_error, unavailable};
use super::look_up::Learned;
use super::readers::Purpose;
use super::row;

const READY: &str = "SELECT id, attempt, place, crashes FROM tasks INDEXED BY tasks_line \
    WHERE queue = ?1 AND priority = ?2 AND place > ?3 ORDER BY place LIMIT ?4";
/// However much is not written yet, at most this many rows more than asked are read.
const STALE_MAX: usize = 20_000;
/// How often a lane is looked at for an exact answer.
const LOOKS_MAX: usize = 3;

impl SqliteRecords {
    /// The next hints of a lane above `after`.
    pub(super) async fn ready_in(
        &self,
        lane: &Lane,
        after: Place,
        limit: usize,
    ) -> std::result::Result<Vec<Hint>, PortError> {
        for _ in 0..LOOKS_MAX {
            let (hints, is_exact) = self.look_at(lane, after, limit).await?;
            if is_exact {
                return Ok(hints);
            }
        }
        // Under load commits overtake every look: then some hints are out of date, as hints may.
        Ok(self.look_at(lane, after, limit).await?.0)
    }

    /// One look at a lane; and whether it shows exactly what was decided.
    ///
    /// A task that is not live when this begins has no decision that the snapshot, opened
    /// later, does not show. A row of a task that is live by then, or has been removed, is out
    /// of date: the ledger is asked instead. Only a task that has left memory meanwhile can be
    /// missed so, and that takes a commit.
    async fn look_at(
        &self,
        lane: &Lane,
        after: Place,
        limit: usize,
    ) -> std::result::Result<(Vec<Hint>, bool), PortError> {
        let (live, stale, published) = {
            let state = self.shared.lock();
            let live = state.ledger.ready(lane, after, limit);
            (live, state.unwritten().min(STALE_MAX), state.published)
        };
        let rows = {
            let rows_max = limit.saturating_add(stale);
            let inside = self.gate.enter(Purpose::LookUp, rows_max).await;
            let read = inside.snapshot(|connection| rows(connection, lane, after, rows_max));
            read.map_err(read_error)?
        };
        let by_place = |hint: Hint| (hint.place, hint);
        let mut line: BTreeMap<Place, Hint> = live.into_iter().map(by_place).collect();
        let state = self.shared.lock();
        let ledger = &state.ledger;
        for on_disk in rows
            .into_iter()
            .filter(|hint| !ledger.is_removed(hint.task))
        {
            let hint = match ledger.get(on_disk.task) {
                Some(task) => ledger::hint(task).filter(|hint| hint.place > after),
                None => Some(on_disk),
            };
            line.extend(hint.map(by_place));
        }
        let is_exact = state.published == published;
        Ok((line.into_values().take(limit).collect(), is_exact))
    }

    /// Claims the oldest queued tasks, highest priority first.
    pub(super) async fn claim_ready(&self, want: Want) -> std::result::Result<Applied, PortError> {
        let _turn = self.turn.lock().await;
        let mut tokens = VecDeque::from(want.tokens.clone());
        let (waiting, position) = {
            let state = self.shared.lock_to_decide().map_err(unavailable)?;
            (
                waiting(&state.ledger, &want.queues),
                state.ledger.position(),
            )
        };
        let mut claimed = Applied {
            outcomes: Vec::new(),
            position,
        };
        for priority in priorities() {
            for queue in &waiting {
                let lane = Lane {
                    queue: queue.clone(),
                    priority,
                };
                self.claim_in(&lane, &want, &mut tokens, &mut claimed)
                    .await?;
            }
        }
        Ok(claimed)
    }

    /// Claims in one lane until the tokens are used up or nobody waits.
    async fn claim_in(
        &self,
        lane: &Lane,
        want: &Want,
        tokens: &mut VecDeque<Option<Token>>,
        claimed: &mut Applied,
    ) -> std::result::Result<(), PortError> {
        let mut after = Place::START;
        while !tokens.is_empty() {
            let mut hints = self.ready_in(lane, after, tokens.len()).await?;
            let Some(last) = hints.last() else {
                return Ok(());
            };
            after = last.place;
            hints.retain(|hint| !hint.suspect);
            let ids: Vec<TaskId> = hints.iter().map(|hint| hint.task).collect();
            let mut learned = Learned::default();
            let mut state = self.all_live(&mut learned, &ids).await?;
            claim_each(&mut state.ledger, want, &hints, tokens, claimed);
            learned.forget(&mut state, want.now);
            self.decided(state, claimed.position);
        }
        Ok(())
    }
}

/// Claims one by one: a token that did not start anything goes to the next.
fn claim_each(
    ledger: &mut Ledger,
    want: &Want,
    hints: &[Hint],
    tokens: &mut VecDeque<Option<Token>>,
    claimed: &mut Applied,
) {
    for hint in hints {
        let Some(token) = tokens.front().copied() else {
            return;
        };
        if ledger.get(hint.task).is_some_and(|task| !want.is_for(task)) {
            continue;
        }
        let commands = vec![claim(hint, want, token)];
        let applied = ledger.decide(&Batch {
            now: want.now,
            commands,
        });
        claimed.position = claimed.position.max(applied.position);
        for outcome in applied.outcomes {
            if outcome.task().is_some_and(|task| task.lease().is_some()) {
                tokens.pop_front();
            }
            if !matches!(outcome, Outcome::Refused(_)) {
                claimed.outcomes.push(outcome);
            }
        }
    }
}

fn claim(hint: &Hint, want: &Want, token: Option<Token>) -> Command {
    let expected_attempt = hint.attempt;
    Command::Claim {
        task: hint.task,
        expected_attempt,
        session: want.session,
        token,
    }
}

/// The queues in which somebody waits and may be claimed.
fn waiting(ledger: &Ledger, queues: &[QueueName]) -> Vec<QueueName> {
    let open: BTreeMap<_, _> = ledger.queues().collect();
    let counts: BTreeMap<_, _> = ledger.counts().collect();
    let may_claim = |queue: &&QueueName| {
        let is_open = open.get(queue).is_some_and(|paused| !paused);
        is_open
            && counts
                .get(queue)
                .is_some_and(|phases| phases[Phase::Queued as usize] > 0)
    };
    queues.iter().filter(may_claim).cloned().collect()
}

fn rows(connection: &Connection, lane: &Lane, after: Place, limit: usize) -> Result<Vec<Hint>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(READY)?;
    let lane = params![lane.queue.as_str(), lane.priority.level(), after.0, limit];
    let found = statement.query_map(lane, |row| {
        let task: TaskId = row::read_id(row, 0)?;
        let attempt = row.get::<_, i64>(1)?.cast_unsigned();
        let crashes: u32 = row.get(3)?;
        Ok(Hint {
            task,
            attempt,
            place: Place(row.get(2)?),
            suspect: crashes > 0,
        })
    })?;
    found.collect()
}
