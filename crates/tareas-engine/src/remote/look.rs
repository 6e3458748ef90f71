//! What people are shown of the workers, and why a task waits for one.

use std::time::Duration;

use smol_str::SmolStr;
use tareas_core::{Kind, QueueName, Spec, Timestamp};

use super::fit::Class;
use super::session::{Presence, Session};
use crate::Engine;
use crate::ports::{MemberReport, RunningReport};

/// How long people are told of a worker that was lost: longer than it takes to look.
const MISSED_FOR: Duration = Duration::from_secs(5 * 60);

/// One worker, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerView {
    /// Its session; empty for the pool of this process.
    pub session: String,
    /// What it is called.
    pub name: String,
    /// Where it connects from; empty for the pool of this process.
    pub address: String,
    /// Whether it can be given work.
    pub state: WorkerState,
    /// How many tasks it runs at once.
    pub slots: u16,
    /// How many it holds now.
    pub running: usize,
    /// The ones it holds longest, of at most [`MemberReport::RUNNING_MAX`]. Whether each has
    /// begun is known to the worker alone.
    pub held: Vec<RunningReport>,
    /// How many it has ended since it came.
    pub ended: u64,
    /// The kinds it has handlers for.
    pub kinds: Vec<Kind>,
    /// The queues it takes from; all when empty.
    pub queues: Vec<QueueName>,
    /// Its labels.
    pub labels: Vec<SmolStr>,
    /// When it came.
    pub since: Timestamp,
    /// How long nothing was heard of it.
    pub silent_for: Duration,
}

/// A worker that did not come back, and whose tasks were taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostWorker {
    /// What it was called.
    pub name: String,
    /// How many tasks it held.
    pub held: usize,
    /// When it was given up.
    pub at: Timestamp,
}

/// Whether a worker can be given work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// Connected.
    Connected,
    /// Its connection is gone; it may come back.
    Away,
    /// It takes nothing more.
    Draining,
}

impl WorkerState {
    /// The word on wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Away => "away",
            Self::Draining => "draining",
        }
    }
}

/// What keeps a task from every worker there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// There are no workers, and no threads here.
    Workers,
    /// Nobody has a handler for the kind.
    Kind,
    /// Those who have one do not take from the queue.
    Queue,
    /// Those who do lack labels.
    Labels(Vec<SmolStr>),
}

impl Engine {
    /// The remote workers, by name.
    pub fn workers(&self) -> Vec<WorkerView> {
        let now = self.now();
        let roster = self.remote.roster();
        let known = roster
            .sessions
            .values()
            .filter(|session| !session.is_restored);
        let mut views: Vec<WorkerView> = known.map(|session| view(session, now)).collect();
        views.sort_by(|one, other| (&one.name, &one.session).cmp(&(&other.name, &other.session)));
        views
    }

    /// The workers that were lost in the last minutes and are not back under the same name, the
    /// newest first.
    pub fn workers_lost(&self) -> Vec<LostWorker> {
        let now = self.now();
        let roster = self.remote.roster();
        let is_back = |lost: &LostWorker| roster.sessions.values().any(|s| *s.name == *lost.name);
        let lately = roster
            .lost
            .iter()
            .filter(|lost| now.since(lost.at) < MISSED_FOR);
        lately.filter(|lost| !is_back(lost)).cloned().collect()
    }

    /// How many remote workers are connected, and how many tasks these run at once.
    pub fn workers_connected(&self) -> (u64, u64) {
        let roster = self.remote.roster();
        let here = roster
            .sessions
            .values()
            .filter(|session| session.courier().is_some());
        here.fold((0, 0), |(count, slots), session| {
            (count + 1, slots + u64::from(session.slots))
        })
    }

    /// Why nobody who is there can run such a task; `None` when somebody can.
    pub(crate) fn lack_for(&self, spec: &Spec) -> Option<Lack> {
        if self.remote.is_for_own_pool(spec) {
            return None;
        }
        let class = Class::of(spec);
        let roster = self.remote.roster();
        let fits = || {
            let here = roster.sessions.values();
            here.filter(|session| session.courier().is_some())
                .map(|session| &session.fit)
        };
        if fits().any(|fit| fit.can_run(&spec.queue, &class)) {
            return None;
        }
        if fits().next().is_none() && !self.remote.has_own_threads {
            return Some(Lack::Workers);
        }
        let own_has_kind = self.remote.has_own_threads && self.remote.is_own_kind(&spec.kind);
        let with_kind = || fits().filter(|fit| fit.kinds.contains(&spec.kind));
        if !own_has_kind && with_kind().next().is_none() {
            return Some(Lack::Kind);
        }
        if !own_has_kind && !with_kind().any(|fit| fit.takes_from(&spec.queue)) {
            return Some(Lack::Queue);
        }
        Some(Lack::Labels(class.requires))
    }
}

fn view(session: &Session, now: Timestamp) -> WorkerView {
    let fit = &session.fit;
    let state = match session.presence {
        Presence::Away(_) => WorkerState::Away,
        Presence::Here(_) if session.slots == 0 => WorkerState::Draining,
        Presence::Here(_) => WorkerState::Connected,
    };
    let mut kinds: Vec<Kind> = fit.kinds.iter().cloned().collect();
    kinds.sort();
    let mut queues: Vec<QueueName> = fit.queues.iter().cloned().collect();
    queues.sort();
    WorkerView {
        session: format!("{:016x}", session.id.0),
        name: session.name.clone(),
        address: session.address.clone(),
        state,
        slots: session.slots,
        running: session.given.len(),
        held: held(session),
        ended: session.ended,
        kinds,
        queues,
        labels: fit.labels.iter().cloned().collect(),
        since: session.opened_at,
        silent_for: now.since(session.heard_at()),
    }
}

fn held(session: &Session) -> Vec<RunningReport> {
    let mut given: Vec<_> = session.given.iter().collect();
    given.sort_unstable_by_key(|(id, given)| (given.given_at, **id));
    given.truncate(MemberReport::RUNNING_MAX);
    let numbered = given.into_iter().enumerate();
    let reports = numbered.map(|(slot, (task, given))| RunningReport {
        slot,
        task: *task,
        attempt: given.attempt,
        kind: given.kind.clone(),
        since: given.given_at,
    });
    reports.collect()
}
