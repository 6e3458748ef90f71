//! Queues and workers: what an operator looks at and sets.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use serde::Serialize;
use tareas_core::{Phase, QueueName};
use tareas_engine::PoolSlot;
use tareas_engine::access::{Action, Object};
use tareas_engine::ports::MemberView;

use super::problem::{Answer, Problem};
use super::scale::oldest_ms;
use super::tasks::json;
use super::visit::{Query, Visit, path_text};

use crate::ServerState;
pub(super) use crate::filter::OWN_POOL;

/// One queue: whether it is paused and how many tasks it has in each state.
#[derive(Debug, Serialize)]
struct QueueView<'a> {
    name: &'a str,
    paused: bool,
    scheduled: u64,
    queued: u64,
    running: u64,
    succeeded: u64,
    failed: u64,
    cancelled: u64,
}

#[derive(Serialize)]
struct Queues<'a> {
    queues: Vec<QueueView<'a>>,
}

/// All queues that are known or have tasks, as far as they are there for the caller.
pub(super) async fn queues(visit: Visit) -> Answer {
    let engine = &visit.server.engine;
    let counts = engine.counts();
    let mut known = engine.queues();
    for queue in counts.keys() {
        known.entry(queue.clone()).or_default();
    }
    known.retain(|queue, _| visit.sees(queue));
    let queues = known.iter().map(|(queue, paused)| {
        let by_phase = counts.get(queue).copied().unwrap_or_default();
        QueueView::of(queue, *paused, by_phase)
    });
    let queues = queues.collect();
    written(&visit, &Queues { queues })
}

impl<'a> QueueView<'a> {
    fn of(queue: &'a QueueName, paused: bool, by_phase: [u64; Phase::ALL.len()]) -> Self {
        let of = |phase: Phase| by_phase[phase as usize];
        Self {
            name: queue.as_str(),
            paused,
            scheduled: of(Phase::Scheduled),
            queued: of(Phase::Queued),
            running: of(Phase::Running),
            succeeded: of(Phase::Succeeded),
            failed: of(Phase::Failed),
            cancelled: of(Phase::Cancelled),
        }
    }
}

#[derive(Serialize)]
struct QueueDetail<'a> {
    #[serde(flatten)]
    queue: QueueView<'a>,
    oldest_ms: Option<u64>,
}

/// One queue, with how long the first in line has waited.
pub(super) async fn queue(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let name = path_text(&mut parts, &()).await.unwrap_or_default();
    let queue = queue_name(&visit, &name)?;
    visit.may(Action::ViewQueue, Object::Queue(&queue))?;
    let engine = &visit.server.engine;
    let by_phase = engine.counts().get(&queue).copied();
    let paused = engine.queues().get(&queue).copied();
    if by_phase.is_none() && paused.is_none() {
        return Err(visit.not_found());
    }
    let detail = QueueDetail {
        queue: QueueView::of(
            &queue,
            paused.unwrap_or_default(),
            by_phase.unwrap_or_default(),
        ),
        oldest_ms: oldest_ms(&visit, &queue).await?,
    };
    written(&visit, &detail)
}

/// Starts no more tasks of a queue; what runs goes on.
pub(super) async fn pause(visit: Visit, request: Request) -> Answer {
    set_paused(visit, request, true).await
}

/// Starts tasks of a queue again.
pub(super) async fn resume(visit: Visit, request: Request) -> Answer {
    set_paused(visit, request, false).await
}

#[derive(Serialize)]
struct Paused<'a> {
    queue: &'a str,
    paused: bool,
}

async fn set_paused(visit: Visit, request: Request, paused: bool) -> Answer {
    let (mut parts, _) = request.into_parts();
    let name = path_text(&mut parts, &()).await.unwrap_or_default();
    let queue = queue_name(&visit, &name)?;
    visit.may(Action::PauseQueue, Object::Queue(&queue))?;
    let (engine, of) = (Arc::clone(&visit.server.engine), queue.clone());
    let set = visit.uncut(async move { engine.pause(&of, paused).await });
    set.await?.map_err(|refusal| visit.refused(&refusal))?;
    tracing::info!(%queue, paused, peer = %visit.peer, "a queue was paused or resumed");
    written(
        &visit,
        &Paused {
            queue: queue.as_str(),
            paused,
        },
    )
}

/// The queue of this name.
pub(super) fn queue_name(visit: &Visit, name: &str) -> Result<QueueName, Problem> {
    QueueName::new(name).map_err(|_| {
        let (en, es) = ("the name of a queue", "el nombre de una cola");
        visit.invalid("queue", en, es)
    })
}

#[derive(Serialize)]
struct Workers {
    workers: Vec<AnyWorker>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum AnyWorker {
    Own(WorkerView),
    Remote(RemoteView),
    Member(MemberPool),
}

/// The threads of another process on the same records, as that process last told of them.
#[derive(Serialize)]
pub(super) struct MemberPool {
    name: String,
    role: &'static str,
    address: String,
    state: &'static str,
    threads: u16,
    busy: usize,
    ended: u64,
    reported_ms: u64,
}

impl MemberPool {
    fn of(member: &MemberView) -> Option<Self> {
        let report = &member.report;
        (report.threads > 0).then(|| Self {
            name: report.identity.name.clone(),
            role: report.identity.role.name(),
            address: report.identity.address.clone(),
            state: member.presence.name(),
            threads: report.threads,
            busy: report.busy,
            ended: report.ended,
            reported_ms: u64::try_from(member.age.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// A worker of another process.
#[derive(Serialize)]
pub(super) struct RemoteView {
    name: String,
    session: String,
    address: String,
    state: &'static str,
    threads: u16,
    busy: usize,
    ended: u64,
    kinds: Vec<String>,
    queues: Vec<String>,
    labels: Vec<String>,
    silent_ms: u64,
}

impl RemoteView {
    fn of(worker: tareas_engine::WorkerView) -> Self {
        Self {
            name: worker.name,
            session: worker.session,
            address: worker.address,
            state: worker.state.name(),
            threads: worker.slots,
            busy: worker.running,
            ended: worker.ended,
            kinds: worker.kinds.iter().map(ToString::to_string).collect(),
            queues: worker.queues.iter().map(ToString::to_string).collect(),
            labels: worker.labels.iter().map(ToString::to_string).collect(),
            silent_ms: u64::try_from(worker.silent_for.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// A pool of threads and what each runs.
#[derive(Serialize)]
pub(super) struct WorkerView {
    name: &'static str,
    threads: u16,
    busy: usize,
    slots: Vec<SlotView>,
}

#[derive(Serialize)]
struct SlotView {
    slot: usize,
    #[serde(flatten)]
    running: Option<RunningView>,
}

#[derive(Serialize)]
struct RunningView {
    task_id: String,
    attempt: u64,
    kind: String,
    running_ms: u64,
}

/// The workers: the server's own pool, remote workers, and the pools of other processes. Those are
/// of the newest picture, which outlives an outage of the store.
pub(super) async fn workers(visit: Visit) -> Answer {
    let server = &visit.server;
    let picture = server.http.pulse.picture(server).await;
    let workers = workers_of(server, &picture.others);
    written(&visit, &Workers { workers })
}

/// Each of them as it is shown.
pub(super) fn workers_of(server: &ServerState, others: &[MemberView]) -> Vec<AnyWorker> {
    let engine = &server.engine;
    let slots: Vec<SlotView> = engine.slots().into_iter().map(slot_view).collect();
    let busy = slots.iter().filter(|slot| slot.running.is_some()).count();
    let own = WorkerView {
        name: OWN_POOL,
        threads: engine.threads(),
        busy,
        slots,
    };
    let own = Some(own).filter(|own| own.threads > 0).map(AnyWorker::Own);
    let remote = engine.workers().into_iter().map(RemoteView::of);
    own.into_iter()
        .chain(remote.map(AnyWorker::Remote))
        .chain(
            others
                .iter()
                .filter_map(MemberPool::of)
                .map(AnyWorker::Member),
        )
        .collect()
}

fn slot_view(slot: PoolSlot) -> SlotView {
    let running = slot.running.map(|running| RunningView {
        task_id: running.task.to_string(),
        attempt: running.attempt,
        kind: running.kind,
        running_ms: u64::try_from(running.since.as_millis()).unwrap_or(u64::MAX),
    });
    SlotView {
        slot: slot.slot,
        running,
    }
}

/// A view as the answer.
pub(super) fn written(visit: &Visit, view: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(view);
    let text = text.map_err(|_| visit.problem(visit.error(tareas_protocol::Code::Bug)))?;
    Ok(json(visit, StatusCode::OK, text))
}
