//! Records in memory: the ledger of `tareas-core` behind a lock.
//!
//! Everything is as durable as it will ever be once it is decided, and gone when the process
//! ends: for tests, for trials, and as the plainest example of the port. All that is kept
//! beside the ledger is what a database would hold in other tables: the order of acceptance,
//! and attempts that did not succeed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tareas_core::ledger::{Config, Cut, Write, priorities};
use tareas_core::{
    Applied, Attempt, Batch, Command, Hint, Kind, Lane, Ledger, Outcome, Phase, Place, Position,
    QueueName, SessionId, Sweep, Task, TaskId, Timestamp, Want,
};
use tareas_engine::ports::{
    ApplyError, Counts, Page, PageCursor, PortError, Records, Settings, Stopped, StoredSession,
    TaskQuery,
};
use tokio::sync::Notify;

/// Tasks that one page looks at, however few of them match.
const SCAN_MAX: usize = 10_000;

/// Records that live as long as the process.
#[derive(Debug)]
pub struct MemoryRecords {
    state: Mutex<State>,
    /// Somebody waits for the next decision.
    decided: Notify,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    /// All tasks, by the order of acceptance.
    accepted: BTreeMap<u64, TaskId>,
    attempts: HashMap<TaskId, Vec<Attempt>>,
}

impl MemoryRecords {
    /// Empty records. Limits come from `config`; everything stays in memory whatever it says of
    /// live tasks.
    pub fn open(config: Config) -> Self {
        let ledger = Ledger::new(Config {
            live_max: usize::MAX,
            ..config
        });
        let state = State {
            ledger,
            accepted: BTreeMap::new(),
            attempts: HashMap::new(),
        };
        Self {
            state: Mutex::new(state),
            decided: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides under the lock, then tells who waits for that.
    fn decide<T>(&self, now: Timestamp, decision: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut state = self.lock();
        let before = state.ledger.position();
        let decided = decision(&mut state.ledger);
        let cut = state.ledger.settle_in_memory(now);
        let has_changed = state.ledger.position() > before;
        state.keep(cut);
        drop(state);
        if has_changed {
            self.decided.notify_waiters();
        }
        decided
    }
}

impl Default for MemoryRecords {
    fn default() -> Self {
        Self::open(Config::default())
    }
}

impl State {
    /// Writes what a store would write.
    fn keep(&mut self, cut: Cut) {
        for row in cut.rows {
            let id = row.task.id();
            match row.write {
                Write::Insert => {
                    self.accepted.insert(row.seq, id);
                }
                Write::Delete { .. } => {
                    self.accepted.remove(&row.seq);
                    self.attempts.remove(&id);
                    continue;
                }
                Write::Update { .. } => {}
                Write::Nothing => continue,
            }
            if !row.endings.is_empty() {
                self.attempts.entry(id).or_default().extend(row.endings);
            }
        }
    }

    fn page(&self, query: &TaskQuery) -> Page {
        let cursor = query.cursor.map(|cursor| u64::try_from(cursor.0));
        let below = cursor.and_then(Result::ok).unwrap_or(u64::MAX);
        let mut page = Page::default();
        let mut older = self.accepted.range(..below).rev();
        for (seq, id) in older.by_ref().take(SCAN_MAX) {
            if page.tasks.len() == query.limit {
                return page;
            }
            let cursor = PageCursor(u128::from(*seq));
            let task = self.ledger.get(*id);
            if let Some(task) = task.filter(|task| query.filter.finds(task)) {
                page.tasks.push(task.clone());
                page.after.push(cursor);
            }
            page.next = Some(cursor);
        }
        if older.next().is_none() {
            page.next = None;
        }
        page
    }
}

/// Claims in order of priority, then of the queues as they are named, then of place.
fn claim_next(ledger: &mut Ledger, want: &Want) -> Applied {
    let mut tokens = want.tokens.iter().copied().peekable();
    let mut claimed = Applied {
        outcomes: Vec::new(),
        position: ledger.position(),
    };
    for priority in priorities() {
        for queue in &want.queues {
            let lane = Lane {
                queue: queue.clone(),
                priority,
            };
            for hint in ledger.ready(&lane, Place::START, usize::MAX) {
                let Some(token) = tokens.peek().copied() else {
                    return claimed;
                };
                let is_wanted = ledger.get(hint.task).is_some_and(|task| want.is_for(task));
                if hint.suspect || !is_wanted {
                    continue;
                }
                let command = claim(&hint, want.session, token);
                let batch = Batch {
                    now: want.now,
                    commands: vec![command],
                };
                let applied = ledger.decide(&batch);
                claimed.position = applied.position;
                for outcome in applied.outcomes {
                    if outcome
                        .task()
                        .is_some_and(|task| task.phase() == Phase::Running)
                    {
                        tokens.next();
                    }
                    if !matches!(outcome, Outcome::Refused(_)) {
                        claimed.outcomes.push(outcome);
                    }
                }
            }
        }
    }
    claimed
}

fn claim(hint: &Hint, session: SessionId, token: Option<tareas_core::Token>) -> Command {
    Command::Claim {
        task: hint.task,
        expected_attempt: hint.attempt,
        session,
        token,
    }
}

#[async_trait]
impl Records for MemoryRecords {
    async fn apply(&self, batch: Batch) -> Result<Applied, ApplyError> {
        Ok(self.decide(batch.now, |ledger| ledger.decide(&batch)))
    }

    async fn claim_next(&self, want: Want) -> Result<Applied, ApplyError> {
        Ok(self.decide(want.now, |ledger| claim_next(ledger, &want)))
    }

    async fn sweep(
        &self,
        sweep: Sweep,
        now: Timestamp,
        limit: usize,
    ) -> Result<Applied, ApplyError> {
        Ok(self.decide(now, |ledger| {
            let found = ledger.candidates(&sweep, now, limit);
            ledger.decide_sweep(&sweep, &found, now)
        }))
    }

    fn durable(&self) -> Position {
        self.lock().ledger.durable()
    }

    async fn durable_after(&self, after: Position) -> Result<Position, Stopped> {
        loop {
            let decided = self.decided.notified();
            let durable = self.durable();
            if durable > after {
                return Ok(durable);
            }
            decided.await;
        }
    }

    async fn ready(&self, lane: &Lane, after: Place, limit: usize) -> Result<Vec<Hint>, PortError> {
        Ok(self.lock().ledger.ready(lane, after, limit))
    }

    async fn load(&self, ids: &[TaskId]) -> Result<(Vec<Option<Task>>, Position), PortError> {
        let state = self.lock();
        let tasks = ids
            .iter()
            .map(|id| state.ledger.get(*id).cloned())
            .collect();
        Ok((tasks, state.ledger.position()))
    }

    async fn page(&self, query: &TaskQuery) -> Result<Page, PortError> {
        Ok(self.lock().page(query))
    }

    async fn attempts(&self, id: TaskId) -> Result<Vec<Attempt>, PortError> {
        Ok(self.lock().attempts.get(&id).cloned().unwrap_or_default())
    }

    fn counts(&self) -> Counts {
        let state = self.lock();
        let counts = state.ledger.counts();
        counts
            .map(|(queue, phases)| (queue.clone(), phases.map(|n| u64::try_from(n).unwrap_or(0))))
            .collect()
    }
}

#[async_trait]
impl Settings for MemoryRecords {
    fn queues(&self) -> BTreeMap<QueueName, bool> {
        let state = self.lock();
        state
            .ledger
            .queues()
            .map(|(queue, paused)| (queue.clone(), paused))
            .collect()
    }

    async fn pause(&self, queue: &QueueName, paused: bool) -> Result<Position, ApplyError> {
        Ok(self.decide(Timestamp::EPOCH, |ledger| ledger.pause(queue, paused)))
    }

    fn lost_sessions(&self) -> Vec<StoredSession> {
        Vec::new()
    }

    async fn open_session(&self, _session: StoredSession) -> Result<(), PortError> {
        Ok(())
    }

    async fn close_session(&self, _session: SessionId) -> Result<(), PortError> {
        Ok(())
    }
    fn remembered_kinds(&self) -> Vec<Kind> {
        Vec::new()
    }

    async fn remember_kinds(&self, _kinds: &[Kind]) -> Result<(), PortError> {
        Ok(())
    }
}
