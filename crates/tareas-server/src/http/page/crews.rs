//! Crews: the places where tasks run. The threads of this server, each remote worker, and the
//! threads of each other process on the same records.

use std::time::Duration;

use tareas_core::{TaskId, Timestamp};
use tareas_engine::ports::{MemberPresence, MemberRole, MemberView, RunningReport};
use tareas_engine::{WorkerState, WorkerView};

use super::Scene;
use super::numbers::count;
use crate::http::operate::OWN_POOL;

/// Crews that are shown; beyond it they are counted.
const CREWS_MAX: usize = 64;

/// One place where tasks run.
#[derive(Debug)]
pub(super) struct Crew {
    /// Tells it from the others.
    pub(super) key: String,
    /// What it is called.
    pub(super) name: String,
    /// What it is, and where.
    pub(super) what: String,
    /// Whether it can be relied on.
    pub(super) health: Health,
    /// How many tasks it runs at once.
    pub(super) slots: usize,
    /// How many of them are taken.
    pub(super) busy: usize,
    /// What runs there, as far as is known.
    pub(super) running: Vec<Work>,
    /// More about it.
    pub(super) facts: Vec<String>,
}

/// Whether a crew can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It takes tasks.
    Well,
    /// It takes nothing more, as it was told.
    Draining,
    /// Nothing is heard of it; it may come back.
    Away,
    /// It was given up.
    Gone,
}

impl Health {
    /// What people read; nothing of one that is well.
    pub(super) fn word(self, scene: &Scene<'_>) -> Option<&'static str> {
        match self {
            Self::Well => None,
            Self::Draining => Some(scene.pick("draining", "vaciándose")),
            Self::Away => Some(scene.pick("away", "ausente")),
            Self::Gone => Some(scene.pick("gone", "desaparecido")),
        }
    }

    /// The class of its box.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Well => "",
            Self::Draining => "leaving",
            Self::Away | Self::Gone => "lost",
        }
    }
}

/// An attempt that runs, or waits for its turn, in a crew.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) slot: usize,
    pub(super) task: TaskId,
    pub(super) attempt: u64,
    pub(super) kind: String,
    pub(super) elapsed: Duration,
}

/// All crews, this server's own first; and how many more there are.
pub(super) fn crews(scene: &Scene<'_>) -> (Vec<Crew>, usize) {
    let picture = &scene.picture;
    let others = picture
        .others
        .iter()
        .filter(|other| other.report.threads > 0);
    let elsewhere = picture.workers.len() + others.clone().count();
    let is_own_shown = picture.threads > 0 || elsewhere == 0;
    let all = is_own_shown
        .then(|| own(scene))
        .into_iter()
        .chain(picture.workers.iter().map(|worker| remote(scene, worker)))
        .chain(others.map(|other| member(scene, other)));
    let total = elsewhere + usize::from(is_own_shown);
    (
        all.take(CREWS_MAX).collect(),
        total.saturating_sub(CREWS_MAX),
    )
}

fn own(scene: &Scene<'_>) -> Crew {
    let picture = &scene.picture;
    let running = picture.running.iter().filter_map(|slot| {
        let running = slot.running.as_ref()?;
        Some(Work {
            slot: slot.slot,
            task: running.task,
            attempt: running.attempt,
            kind: running.kind.clone(),
            elapsed: running.since,
        })
    });
    let what = scene.pick("threads of this server", "hilos de este servidor");
    Crew {
        key: OWN_POOL.to_owned(),
        name: OWN_POOL.to_owned(),
        what: what.to_owned(),
        health: Health::Well,
        slots: picture.threads,
        busy: picture.running.len(),
        running: running.collect(),
        facts: Vec::new(),
    }
}

fn remote(scene: &Scene<'_>, worker: &WorkerView) -> Crew {
    let what = scene.pick("remote worker", "trabajador remoto");
    // What it holds beyond its slots waits there. One that drains has no slots any more.
    let slots = match worker.slots {
        0 => worker.held.len(),
        slots => usize::from(slots),
    };
    Crew {
        key: format!("worker-{}", worker.session),
        name: worker.name.clone(),
        what: format!("{what} · {}", worker.address),
        health: match worker.state {
            WorkerState::Connected => Health::Well,
            WorkerState::Draining => Health::Draining,
            WorkerState::Away => Health::Away,
        },
        slots,
        busy: worker.running.min(slots),
        running: works(&worker.held, scene.picture.at),
        facts: facts(scene, worker),
    }
}

fn facts(scene: &Scene<'_>, worker: &WorkerView) -> Vec<String> {
    let listed = |of: Vec<&str>| of.join(", ");
    let kinds = listed(worker.kinds.iter().map(|kind| kind.as_str()).collect());
    let queues = listed(worker.queues.iter().map(|queue| queue.as_str()).collect());
    let labels = listed(worker.labels.iter().map(|label| label.as_str()).collect());
    let ended = count(scene.lang, worker.ended);
    let mut facts = vec![
        scene.pick(format!("{ended} ended"), format!("{ended} terminadas")),
        scene.pick(format!("kinds: {kinds}"), format!("tipos: {kinds}")),
    ];
    if !queues.is_empty() {
        facts.push(scene.pick(format!("queues: {queues}"), format!("colas: {queues}")));
    }
    if !labels.is_empty() {
        facts.push(scene.pick(format!("labels: {labels}"), format!("etiquetas: {labels}")));
    }
    facts
}

fn member(scene: &Scene<'_>, other: &MemberView) -> Crew {
    let report = &other.report;
    let what = match report.identity.role {
        MemberRole::Node => scene.pick("worker node", "nodo trabajador").to_owned(),
        MemberRole::Server => {
            let what = scene.pick("threads of server", "hilos del servidor");
            format!("{what} {}", report.identity.address)
        }
    };
    let ended = count(scene.lang, report.ended);
    Crew {
        key: format!("member-{:032x}", other.member.0),
        name: report.identity.name.clone(),
        what,
        health: match other.presence {
            MemberPresence::Here if report.is_draining => Health::Draining,
            MemberPresence::Here => Health::Well,
            MemberPresence::Silent => Health::Away,
            MemberPresence::Gone => Health::Gone,
        },
        slots: usize::from(report.threads),
        busy: report.busy,
        running: works(&report.running, scene.picture.at),
        facts: vec![scene.pick(format!("{ended} ended"), format!("{ended} terminadas"))],
    }
}

fn works(running: &[RunningReport], now: Timestamp) -> Vec<Work> {
    let works = running.iter().map(|running| Work {
        slot: running.slot,
        task: running.task,
        attempt: running.attempt,
        kind: running.kind.to_string(),
        elapsed: now.since(running.since),
    });
    works.collect()
}
