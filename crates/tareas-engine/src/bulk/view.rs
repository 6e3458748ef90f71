//! What is known of one bulk action while it goes on and afterwards.

use std::fmt;
use std::str::FromStr;

use tareas_core::{Kind, Phase, Task, TaskId, Timestamp};

/// Kinds that are counted by themselves; the tasks of others are counted together.
pub const KINDS_SHOWN: usize = 20;
/// Tasks that are named.
pub const SAMPLES_SHOWN: usize = 3;

/// Name of one bulk action: a UUID, version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkId(pub(super) TaskId);

impl BulkId {
    /// When it was made.
    pub fn made_at(self) -> Option<Timestamp> {
        self.0.made_at()
    }
}

impl fmt::Display for BulkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BulkId {
    type Err = <TaskId as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What is done to every task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkAction {
    /// Cancelled, or asked to stop.
    Cancel,
    /// Put back in line.
    Requeue,
    /// Removed.
    Delete,
}

impl BulkAction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cancel, Self::Requeue, Self::Delete];

    /// The word on wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Requeue => "requeue",
            Self::Delete => "delete",
        }
    }

    /// The action of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The phases in which a task allows it.
    pub const fn phases(self) -> &'static [Phase] {
        match self {
            Self::Cancel => &[Phase::Scheduled, Phase::Queued, Phase::Running],
            Self::Requeue => &[Phase::Failed, Phase::Cancelled],
            Self::Delete => &[Phase::Succeeded, Phase::Failed, Phase::Cancelled],
        }
    }
}

/// How far a bulk action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkState {
    /// Others come first.
    Waiting,
    /// It goes on.
    Running,
    /// It has seen every task of its filter, or as many as it was allowed.
    Finished,
    /// Somebody stopped it, or the server stops.
    Stopped,
    /// The store was gone for too long.
    Failed,
}

impl BulkState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Running,
        Self::Finished,
        Self::Stopped,
        Self::Failed,
    ];

    /// The word on wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more will come of it.
    pub const fn has_ended(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// One bulk action at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkView {
    /// Its name.
    pub id: BulkId,
    /// What is done.
    pub action: BulkAction,
    /// To which tasks, as it was written.
    pub filter: String,
    /// It only counts.
    pub is_dry_run: bool,
    /// At most to so many tasks.
    pub most: Option<u64>,
    /// How far it is.
    pub state: BulkState,
    /// Tasks that were found.
    pub matched: u64,
    /// Of them: it was done to these.
    pub done: u64,
    /// Of them: their state had changed meanwhile.
    pub skipped: u64,
    /// How many were found by kind; the last may stand for several kinds.
    pub kinds: Vec<(Option<Kind>, u64)>,
    /// Some of them.
    pub samples: Vec<TaskId>,
    /// When the oldest of them was accepted.
    pub oldest: Option<Timestamp>,
    /// When the newest of them was accepted.
    pub newest: Option<Timestamp>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl BulkView {
    /// Counts tasks that were found.
    pub(super) fn found(&mut self, tasks: &[Task]) {
        self.matched += tasks.len() as u64;
        for task in tasks {
            let accepted = task.spec.submitted_at;
            self.oldest = Some(self.oldest.map_or(accepted, |oldest| oldest.min(accepted)));
            self.newest = Some(self.newest.map_or(accepted, |newest| newest.max(accepted)));
            if self.samples.len() < SAMPLES_SHOWN {
                self.samples.push(task.id());
            }
            self.count(&task.spec.kind);
        }
    }

    fn count(&mut self, kind: &Kind) {
        let is_it = |counted: &&mut (Option<Kind>, u64)| counted.0.as_ref() == Some(kind);
        if let Some((_, count)) = self.kinds.iter_mut().find(is_it) {
            *count += 1;
            return;
        }
        let name = Some(kind.clone()).filter(|_| self.kinds.len() < KINDS_SHOWN);
        let others = self.kinds.iter_mut().find(|(other, _)| *other == name);
        match others {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((name, 1)),
        }
    }
}
