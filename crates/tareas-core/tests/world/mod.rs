//! A ledger, a disk behind it, and a memory of all that was seen.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod disk;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tareas_core::ledger::{self, Config, priorities};
use tareas_core::limits::{BACKOFF_MAX, MAX_ATTEMPTS_DEFAULT, MAX_CRASHES};
use tareas_core::{
    Actor, Batch, Body, Command, Ending, Fence, Jitter, Lane, Ledger, NewTask, Options, Outcome,
    Phase, Place, Priority, QueueName, Rejected, SessionId, Spec, State, Sweep, Task, TaskId,
    Timestamp, Token,
};

use self::disk::Disk;
use crate::given;

/// Tasks, keys and queues are few, so that histories meet the same ones again and again.
const TASKS: u128 = 8;
const KEYS: u32 = 3;
const QUEUES: [&str; 2] = ["default", "slow"];
const SESSIONS: [SessionId; 2] = [SessionId(1), SessionId(2)];

/// One step, in numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) what: u8,
    pub(crate) whom: u8,
    pub(crate) chance: u32,
}

/// What is compared between two worlds: outcomes without places and positions.
pub(crate) type Decided = Vec<String>;

#[derive(Debug)]
pub(crate) struct World {
    ledger: Ledger,
    disk: Disk,
    now: Timestamp,
    tokens: u128,
    /// What was last seen of each task.
    seen: HashMap<TaskId, Task>,
    /// Every start, ever: no pair of attempt and token twice.
    starts: HashSet<(TaskId, u64, Option<Token>)>,
    keys: HashMap<String, TaskId>,
}

impl World {
    pub(crate) fn new(live_max: usize) -> Self {
        Self {
            ledger: Ledger::new(Config {
                live_max,
                ..Config::default()
            }),
            disk: Disk::default(),
            now: given::NOW,
            tokens: 0,
            seen: HashMap::new(),
            starts: HashSet::new(),
            keys: HashMap::new(),
        }
    }

    /// Takes one step and says what was decided.
    pub(crate) fn take(&mut self, step: Step) -> Decided {
        let id = given::id(u128::from(step.whom) % TASKS);
        match step.what % 16 {
            0 => self.pass_time(step.chance),
            1 => return self.sweep(Sweep::Due, step),
            2 => return self.sweep(Sweep::Expired, step),
            3 => return self.sweep(Sweep::Prune, step),
            4 => {
                let session = SESSIONS[usize::from(step.whom) % 2];
                return self.sweep(
                    Sweep::Reclaim {
                        session,
                        slots: 1,
                        worker: None,
                    },
                    step,
                );
            }
            5 => self.commit(1 + step.chance as usize % 3),
            6 => self.flush(),
            7 => {
                let queue = QueueName::new(QUEUES[usize::from(step.whom) % 2]).unwrap();
                self.ledger.pause(&queue, step.chance.is_multiple_of(3));
            }
            what => {
                let command = self.command(what, id, step.chance);
                return self.decide(command);
            }
        }
        Vec::new()
    }

    fn pass_time(&mut self, chance: u32) {
        let jumps = [1, 1_000, 500_000, 2_000_000, 60_000_000, 700_000_000_000];
        self.now = self.now + Duration::from_micros(jumps[chance as usize % jumps.len()]);
        if chance.is_multiple_of(11) {
            self.now = self.now - Duration::from_millis(700);
        }
    }

    /// A command that makes sense in the state the task is in, or one that does not.
    fn command(&mut self, what: u8, task: TaskId, chance: u32) -> Command {
        let attempt = self.seen.get(&task).map_or(0, |task| task.attempt);
        let session = SESSIONS[chance as usize % 2];
        let by = Actor::System;
        match what {
            8 | 9 => Command::Submit(self.new_task(task, chance)),
            10 | 11 => {
                self.tokens += 1;
                let token = (!chance.is_multiple_of(5)).then_some(Token::new(self.tokens));
                let expected_attempt = attempt.saturating_sub(u64::from(chance.is_multiple_of(7)));
                Command::Claim {
                    task,
                    expected_attempt,
                    session,
                    token,
                }
            }
            12 | 13 => {
                let held = self.seen.get(&task).and_then(ledger::fence);
                let stale = Fence {
                    attempt,
                    token: Some(Token::new(u128::MAX)),
                };
                let fence = if chance.is_multiple_of(9) {
                    stale
                } else {
                    held.unwrap_or(stale)
                };
                Command::Settle {
                    task,
                    fence,
                    ending: ending(chance),
                    jitter: Jitter(chance),
                }
            }
            14 => match chance % 3 {
                0 => Command::Overdue {
                    task,
                    attempt,
                    jitter: Jitter(chance),
                    ran_by: None,
                },
                1 => Command::Requeue {
                    task,
                    by,
                    only: None,
                },
                _ => Command::Cancel {
                    task,
                    by,
                    only: None,
                },
            },
            _ if chance.is_multiple_of(4) => Command::Delete {
                task,
                by,
                only: None,
            },
            _ => Command::Requeue {
                task,
                by,
                only: None,
            },
        }
    }

    fn new_task(&self, id: TaskId, chance: u32) -> NewTask {
        let mut options = Options::default();
        if chance.is_multiple_of(5) {
            options.idempotency_key = Some(format!("key-{}", chance % KEYS).into());
        }
        if chance.is_multiple_of(7) {
            options.expires_at = Some(self.now + Duration::from_secs(2));
        }
        let plain = options == Options::default();
        let spec = Spec {
            id,
            queue: QueueName::new(QUEUES[chance as usize / 8 % 2]).unwrap(),
            priority: Priority::new(4 + (chance % 2) as u8).unwrap(),
            options: (!plain).then(|| Box::new(options)),
            ..given::spec(0)
        };
        let due_at = (chance.is_multiple_of(3)).then(|| self.now + Duration::from_secs(1));
        NewTask {
            spec: Arc::new(spec),
            due_at,
            id_is_fresh: false,
            quick: chance.is_multiple_of(2),
        }
    }

    /// Decides one command, twice: the second time must change nothing.
    fn decide(&mut self, command: Command) -> Decided {
        self.fetch(&command);
        let batch = Batch {
            now: self.now,
            commands: vec![command.clone()],
        };
        let before = self.observed();
        let outcome = self.ledger.decide(&batch).outcomes.remove(0);
        let after = self.observed();
        if !matches!(outcome, Outcome::Done(_)) {
            assert_eq!(before, after, "{command:?} changed something: {outcome:?}");
        }
        self.fetch(&command);
        let again = self.ledger.decide(&batch).outcomes.remove(0);
        assert_eq!(
            after,
            self.observed(),
            "{command:?} changed something the second time"
        );
        self.check_repetition(&command, &outcome, &again);
        let decided = vec![told(&outcome)];
        self.note(&command, outcome);
        decided
    }

    /// A command that was done is answered with `Already`, where that can be told.
    fn check_repetition(&self, command: &Command, first: &Outcome, again: &Outcome) {
        let has_no_identity = match command {
            Command::Claim { token, .. } => token.is_none(),
            Command::Settle { fence, .. } => fence.token.is_none(),
            Command::Delete { .. } => true,
            _ => false,
        };
        match first {
            Outcome::Done(_) if has_no_identity => assert!(!matches!(again, Outcome::Done(_))),
            Outcome::Done(task) => assert!(
                matches!(again, Outcome::Already(now) if now == task),
                "{command:?} gave {first:?}, then {again:?}"
            ),
            first => assert_eq!(told(first), told(again), "{command:?}"),
        }
    }

    /// Finds and decides, twice: the second pass finds nothing more of the same.
    fn sweep(&mut self, sweep: Sweep, step: Step) -> Decided {
        let limit = 1 + step.chance as usize % 4;
        let cold = self.disk.candidates(sweep.clone(), self.now);
        self.install(&cold);
        let found = self.ledger.candidates(&sweep, self.now, limit);
        let applied = self.ledger.decide_sweep(&sweep, &found, self.now);
        let decided = applied.outcomes.iter().map(told).collect();
        for (id, outcome) in found.into_iter().zip(applied.outcomes) {
            match outcome {
                Outcome::Done(_) if sweep == Sweep::Prune => self.gone(id),
                Outcome::Done(task) => self.saw(task),
                other => panic!("{sweep:?} of {id} found what it cannot do: {other:?}"),
            }
        }
        self.ledger.forget(&cold, self.now);
        decided
    }

    /// Reads from the disk what the ledger needs for this command.
    fn fetch(&mut self, command: &Command) {
        let missing = self.ledger.missing(std::slice::from_ref(command));
        let keys: HashMap<_, _> = missing
            .keys
            .iter()
            .filter_map(|key| self.disk.key(key).map(|id| (key.clone(), id)))
            .collect();
        self.install(&missing.ids);
        self.install(&keys.values().copied().collect::<Vec<_>>());
        self.ledger.install_keys(keys);
    }

    fn install(&mut self, ids: &[TaskId]) {
        let stored = ids.iter().filter_map(|id| self.disk.stored(*id)).collect();
        self.ledger.install(stored);
    }

    fn commit(&mut self, tasks_max: usize) {
        let cut = self.ledger.cut(tasks_max, usize::MAX);
        self.disk.write(&cut);
        let durable = self.ledger.durable();
        self.ledger.committed(&cut, self.now);
        assert!(self.ledger.durable() >= durable, "durable never goes back");
    }

    /// Commits until nothing is left.
    pub(crate) fn flush(&mut self) {
        while self.ledger.is_dirty() {
            self.commit(usize::MAX);
        }
        assert_eq!(self.ledger.durable(), self.ledger.position());
        assert_eq!(self.ledger.journal_bytes(), 0);
    }

    fn note(&mut self, command: &Command, outcome: Outcome) {
        match (command, outcome) {
            (Command::Delete { task, .. }, Outcome::Done(_)) => self.gone(*task),
            (_, Outcome::Done(task)) => self.saw(task),
            (Command::Submit(new), Outcome::Already(task)) if task.id() != new.spec.id => {
                // I7: the key leads to the one task that has it.
                assert_eq!(
                    task.spec.options().idempotency_key,
                    new.spec.options().idempotency_key
                );
            }
            _ => {}
        }
    }

    /// A task as it is now, after a transition.
    fn saw(&mut self, task: Task) {
        if let Some(lease) = task.lease()
            && self
                .seen
                .get(&task.id())
                .is_none_or(|before| before.attempt < task.attempt)
        {
            let start = (task.id(), task.attempt, lease.token);
            assert!(self.starts.insert(start), "I2: {start:?} twice");
        }
        if let Some(key) = &task.spec.options().idempotency_key {
            let owner = *self.keys.entry(key.to_string()).or_insert(task.id());
            assert_eq!(owner, task.id(), "I7: one key, one id");
        }
        if let Some(before) = self.seen.get(&task.id()) {
            check_transition(before, &task);
        }
        self.seen.insert(task.id(), task);
    }

    fn gone(&mut self, id: TaskId) {
        let before = self.seen.remove(&id).expect("only what exists is removed");
        assert!(before.state.is_terminal(), "I4: {before:?} was removed");
        self.keys.retain(|_, owner| *owner != id);
        self.starts.retain(|(task, ..)| *task != id);
    }

    /// All that anybody could see of the live state, as text.
    fn observed(&self) -> String {
        let mut tasks: Vec<_> = self
            .seen
            .keys()
            .map(|id| (id, self.ledger.get(*id)))
            .collect();
        tasks.sort_by_key(|(id, _)| **id);
        let counts: BTreeMap<_, _> = self.ledger.counts().collect();
        let journal = (self.ledger.journal_len(), self.ledger.journal_bytes());
        let lines: Vec<_> = self.lanes().map(|lane| self.line(&lane)).collect();
        format!(
            "{tasks:?} {counts:?} {journal:?} {lines:?} {:?}",
            self.ledger.position()
        )
    }

    fn lanes(&self) -> impl Iterator<Item = Lane> + use<> {
        let queues = QUEUES.map(|name| QueueName::new(name).unwrap());
        queues.into_iter().flat_map(|queue| {
            priorities().map(move |priority| Lane {
                queue: queue.clone(),
                priority,
            })
        })
    }

    fn line(&self, lane: &Lane) -> Vec<TaskId> {
        let hints = self.ledger.ready(lane, Place::START, usize::MAX);
        hints.into_iter().map(|hint| hint.task).collect()
    }

    /// What must hold after every step.
    pub(crate) fn check(&self) {
        self.check_tasks();
        self.check_lines();
        self.check_counts();
    }

    /// I1, I8, I12, and that memory and disk together are what was decided.
    fn check_tasks(&self) {
        for (id, task) in &self.seen {
            let decided = self
                .ledger
                .get(*id)
                .cloned()
                .or_else(|| self.disk.task(*id));
            assert_eq!(
                decided.as_ref(),
                Some(task),
                "I1: what was decided can be read"
            );
            assert!(task.charged <= MAX_ATTEMPTS_DEFAULT, "I8: {task:?}");
            assert!(task.crashes <= MAX_CRASHES, "I8: {task:?}");
            assert_eq!(
                task.finished_at.is_some(),
                task.state.is_terminal(),
                "{task:?}"
            );
            assert!(task.finished_at.is_none() || task.finished_at >= task.started_at);
            assert_eq!(
                task.result.is_some(),
                task.phase() == Phase::Succeeded,
                "{task:?}"
            );
        }
    }

    /// Each line is its queued tasks in order of place, once each (I12).
    fn check_lines(&self) {
        let mut in_line = BTreeSet::new();
        for lane in self.lanes() {
            let is_here = |task: &&Task| ledger::lane(task) == lane && task.place().is_some();
            let mut expected: Vec<&Task> = self.seen.values().filter(is_here).collect();
            expected.retain(|task| self.ledger.get(task.id()).is_some());
            expected.sort_by_key(|task| task.place());
            let expected: Vec<TaskId> = expected.into_iter().map(Task::id).collect();
            let line = self.line(&lane);
            assert_eq!(line, expected, "the line of {lane:?}");
            in_line.extend(line);
        }
        let due = self
            .ledger
            .candidates(&Sweep::Due, Timestamp::from_micros(i64::MAX), 99);
        assert!(
            due.iter().all(|id| !in_line.contains(id)),
            "I12: one place each"
        );
    }

    /// The maintained counts are what one would count.
    fn check_counts(&self) {
        for (queue, counts) in self.ledger.counts() {
            for phase in Phase::ALL {
                let is_here = |task: &&Task| task.spec.queue == *queue && task.phase() == phase;
                let counted = self.seen.values().filter(is_here).count() as i64;
                assert_eq!(
                    counts[phase as usize], counted,
                    "{phase:?} tasks of {queue}"
                );
            }
        }
    }

    /// After everything is committed, the disk alone is what was decided.
    pub(crate) fn check_disk(&self) {
        self.disk.check(&self.seen);
    }
}

/// I2 to I5, between two views of one task.
fn check_transition(before: &Task, after: &Task) {
    assert_eq!(
        after.version,
        before.version + 1,
        "one transition, one version"
    );
    assert!(
        after.attempt >= before.attempt,
        "I2: {before:?} became {after:?}"
    );
    let (was, is) = (before.phase(), after.phase());
    if is == Phase::Running && was == Phase::Running {
        assert_eq!(before.lease(), after.lease(), "I3: one open lease");
    }
    if was.is_terminal() {
        assert_ne!(was, Phase::Succeeded, "I5: {before:?} became {after:?}");
        assert_eq!(is, Phase::Queued, "I4: {before:?} became {after:?}");
    }
    if let (State::Running(lease), State::Queued { place }) = (before.state, after.state) {
        assert_eq!(lease.place, place, "a release keeps its place");
    }
    if let State::Scheduled { due_at } = after.state {
        let latest = after.started_at.max(Some(before.spec.submitted_at));
        assert!(
            latest.is_none_or(|at| due_at >= at - BACKOFF_MAX),
            "{after:?}"
        );
    }
}

fn ending(chance: u32) -> Ending {
    match chance / 16 % 5 {
        0 | 1 => Ending::Succeeded(Body::Inline(Bytes::from(chance.to_string()))),
        2 => Ending::Failed {
            failure: given::failure(),
            retryable: !chance.is_multiple_of(4),
            retry_after: (chance.is_multiple_of(3)).then_some(Duration::from_millis(5)),
        },
        3 => Ending::Cancelled,
        _ => Ending::Released,
    }
}

/// An outcome in words that two stores must agree on.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(task) => format!("done {task:?}"),
        Outcome::Already(task) => format!("already {task:?}"),
        Outcome::Refused(Rejected::Undurable { .. }) => "undurable".to_owned(),
        Outcome::Refused(rejected) => format!("refused {rejected:?}"),
    }
}
