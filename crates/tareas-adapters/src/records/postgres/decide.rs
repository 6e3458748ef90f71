//! Deciding: by core, out of what is known.
//!
//! Nothing about states is decided anywhere else in this adapter. Most commands depend on nothing
//! but their task, and are decided one by one ([`decide_alone`]); for all others a ledger is made
//! for one round, and thrown away after it. Core says what each command comes to, and so which
//! rows must be written; the statements write them onto the versions they were decided on, and a
//! row that has moved on meanwhile is read and decided again.

use std::collections::HashMap;

use smol_str::SmolStr;
use tareas_core::ledger::alone::{self, Verdict};
use tareas_core::ledger::{Config, Row, Stored, Write};
use tareas_core::{
    Applied, Attempt, Batch, Command, Ledger, Outcome, Phase, Place, QueueName, Task, TaskId,
    Timestamp,
};

use crate::ids::IdMap;

/// One command on its way.
#[derive(Debug)]
pub(super) struct Entry {
    /// The instant of the decision.
    pub(super) now: Timestamp,
    /// What is asked.
    pub(super) command: Command,
    /// What came of it, once that is certain.
    pub(super) outcome: Option<Outcome>,
    /// What was sent for it, until it is known whether that was done.
    pub(super) sent: Option<Sent>,
}

/// A write whose fate is unknown when the connection ends under it.
#[derive(Debug)]
pub(super) enum Sent {
    /// The claim of the plain case.
    Claim,
    /// The task was to become this.
    Image(Box<Task>),
    /// The task was to be removed.
    Removal(Box<Task>),
}

/// What core has decided of one task, on its way to its row.
#[derive(Debug)]
pub(super) struct Decision {
    /// Which of the commands of a round it is about; of no meaning in a sweep, which has none.
    pub(super) entry: usize,
    /// The task.
    pub(super) id: TaskId,
    /// The statement.
    pub(super) write: Write,
    /// The phase that it leaves; `None` when it is new.
    pub(super) was: Option<Phase>,
    /// The task afterwards; as it was, when it is removed.
    pub(super) task: Task,
    /// The attempt that it left behind, at most one.
    pub(super) ended: Option<Attempt>,
    /// Whether it is in its row.
    pub(super) is_written: bool,
}

impl Decision {
    fn new(entry: usize, write: Write, was: Option<Phase>, task: Task) -> Self {
        Self {
            entry,
            id: task.id(),
            write,
            was,
            task,
            ended: None,
            is_written: false,
        }
    }

    /// Whether it begins an attempt.
    pub(super) fn is_claim(&self) -> bool {
        self.task.lease().is_some() && self.was != Some(Phase::Running)
    }

    /// What may have become of the row, when the connection ends under it.
    pub(super) fn sent(self) -> Option<Sent> {
        match self.write {
            Write::Insert | Write::Update { .. } => Some(Sent::Image(self.task.into())),
            Write::Delete { .. } => Some(Sent::Removal(self.task.into())),
            Write::Nothing => None,
        }
    }
}

impl Entry {
    /// A command that waits to be decided.
    pub(super) fn new(now: Timestamp, command: Command) -> Self {
        Self {
            now,
            command,
            outcome: None,
            sent: None,
        }
    }

    /// The key that it would take.
    pub(super) fn key(&self) -> Option<&SmolStr> {
        match &self.command {
            Command::Submit(new) => new.spec.options().idempotency_key.as_ref(),
            _ => None,
        }
    }

    /// Whether it is about a task whose id was made just now.
    pub(super) fn has_fresh_id(&self) -> bool {
        matches!(&self.command, Command::Submit(new) if new.id_is_fresh)
    }

    /// Whether what was sent was done, as the row tells: `None` when the row was not there.
    pub(super) fn was_done(&self, found: Option<&Task>) -> Option<Task> {
        match (self.sent.as_ref()?, found) {
            (Sent::Image(image), Some(found)) => (**image == *found).then(|| found.clone()),
            (Sent::Removal(removed), None) => Some((**removed).clone()),
            (Sent::Claim, Some(found)) => self.is_claim_of(found).then(|| found.clone()),
            _ => None,
        }
    }

    /// A session is one life of one pool, which claims no task twice at one instant: so a lease of
    /// this session that began at the instant of this claim came from it, and not from another one
    /// whose hint came twice, or late.
    fn is_claim_of(&self, found: &Task) -> bool {
        let Command::Claim {
            expected_attempt,
            session,
            token,
            ..
        } = &self.command
        else {
            return false;
        };
        found.attempt == expected_attempt + 1
            && found.started_at == Some(self.now)
            && found
                .lease()
                .is_some_and(|lease| lease.session == *session && lease.token == *token)
    }
}

/// What a round knows before it decides.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Tasks as they are, or as they were last seen.
    pub(super) tasks: Vec<Task>,
    /// Who has which key.
    pub(super) keys: HashMap<SmolStr, TaskId>,
    /// Queues from which nothing is claimed.
    pub(super) paused: Vec<QueueName>,
    /// How many tasks each queue holds, when that is limited.
    pub(super) counts: Vec<(QueueName, [i64; Phase::ALL.len()])>,
}

impl Known {
    /// A ledger that knows this, and gives places above `places`.
    pub(super) fn ledger(&self, places: Place, queue_tasks_max: Option<u64>) -> Ledger {
        let mut ledger = Ledger::new(Config {
            queue_tasks_max,
            high_seq: self.tasks.len() as u64,
            high_place: places,
            ..Config::default()
        });
        for (queue, counts) in &self.counts {
            ledger.install_counts(queue, *counts);
        }
        let stored = (1..).zip(&self.tasks).map(|(seq, task)| Stored {
            seq,
            task: task.clone(),
        });
        ledger.install(stored.collect());
        ledger.install_keys(self.keys.clone());
        for queue in &self.paused {
            ledger.install_paused(queue, true);
        }
        ledger
    }

    /// What a ledger that knew this wants written, in order of id.
    pub(super) fn decisions(&self, ledger: &mut Ledger) -> Vec<Decision> {
        let tasks = self.tasks.iter();
        let phases: IdMap<Phase> = tasks.map(|task| (task.id(), task.phase())).collect();
        let rows = ledger.cut(usize::MAX, usize::MAX).rows.into_iter();
        let decisions = rows.enumerate().map(|(entry, row)| {
            let Row {
                write,
                task,
                endings,
                ..
            } = row;
            let was = phases.get(&task.id()).copied();
            let ended = endings.into_iter().next();
            Decision {
                ended,
                ..Decision::new(entry, write, was, task)
            }
        });
        in_order(decisions.collect())
    }
}

/// Decides commands of different tasks that depend on nothing but their task, on what was last
/// seen of it; submissions as if they were new. Those that change nothing are left out.
pub(super) fn decide_alone(
    entries: &[&mut Entry],
    seen: Vec<Option<Task>>,
    mut place: Place,
) -> Vec<Decision> {
    let mut decisions = Vec::with_capacity(entries.len());
    for (number, (entry, seen)) in entries.iter().zip(seen).enumerate() {
        decisions.extend(match (&entry.command, seen) {
            (Command::Submit(new), _) => {
                place = Place(place.0.saturating_add(1));
                let task = alone::submit(new, entry.now, place).ok();
                task.map(|task| Decision::new(number, Write::Insert, None, task))
            }
            (command, Some(task)) => change(number, command, task, entry.now),
            (_, None) => None,
        });
    }
    in_order(decisions)
}

fn change(entry: usize, command: &Command, mut task: Task, now: Timestamp) -> Option<Decision> {
    let (base, was) = (task.version, task.phase());
    match alone::decide(&mut task, command, now)? {
        Verdict::Done(ended) => Some(Decision {
            ended,
            ..Decision::new(entry, Write::Update { base }, Some(was), task)
        }),
        Verdict::Already | Verdict::Refused(_) => None,
    }
}

/// In order of id, as statements take them. Mostly they come so.
fn in_order(mut decisions: Vec<Decision>) -> Vec<Decision> {
    if !decisions.is_sorted_by_key(|decision| decision.id) {
        decisions.sort_by_cached_key(|decision| decision.id);
    }
    decisions
}

/// Decides commands of different tasks, in order. Those of one instant are one batch.
pub(super) fn decide(ledger: &mut Ledger, entries: &[&mut Entry]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(entries.len());
    for same in entries.chunk_by(|one, next| one.now == next.now) {
        let Some(first) = same.first() else { continue };
        let commands = same.iter().map(|entry| entry.command.clone()).collect();
        let now = first.now;
        let Applied { outcomes: some, .. } = ledger.decide(&Batch { now, commands });
        outcomes.extend(some);
    }
    outcomes
}
