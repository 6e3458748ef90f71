//! The link between engine and pool, which know nothing of each other.
//!
//! Downwards, claimed tasks become assignments; upwards, completions become settlements. The
//! ports behind the dispatcher may need the runtime (timers, files), so each call enters it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tareas_core::{Body, Cause, Ending, Failure, ProcessEnd, RanBy, TaskId, TraceContext};
use tareas_engine::{
    Claimed, Dispatcher, Engine, NewArtifact, PoolSlot, Progress, Running, Settled, block_on,
};
use tareas_worker::{Assignment, Completion, HandlerError, Note, Pool, Source, Trace};
use tokio::runtime::Handle;

/// Where the pool gets its work.
#[derive(Debug)]
pub(super) struct PoolLink {
    engine: Arc<Engine>,
    dispatcher: Arc<Dispatcher>,
    runtime: Handle,
    /// What this process is called.
    name: String,
}

impl PoolLink {
    pub(super) fn new(
        engine: Arc<Engine>,
        dispatcher: Arc<Dispatcher>,
        runtime: Handle,
        name: String,
    ) -> Self {
        Self {
            engine,
            dispatcher,
            runtime,
            name,
        }
    }

    fn settle_all(&self, settled: Vec<Settled>) {
        let _entered = self.runtime.enter();
        match self.engine.shares_records() {
            true => self.dispatcher.settle_beside(settled),
            false => self.dispatcher.settle(settled),
        }
    }
}

impl Source for PoolLink {
    fn take(&self, _slot: usize, into: &mut Vec<Assignment>) -> bool {
        let _entered = self.runtime.enter();
        let mut claimed = Vec::new();
        let goes_on = self.dispatcher.take(&mut claimed);
        into.extend(claimed.into_iter().map(assignment));
        goes_on
    }

    fn settle(&self, slot: usize, done: &mut Vec<Completion>) {
        for completion in &*done {
            self.keep_last_progress(completion);
        }
        let settled = done
            .drain(..)
            .map(|completion| self.settled(completion, slot));
        self.settle_all(settled.collect());
    }

    fn put_back(&self, rest: Vec<Assignment>) {
        self.settle_all(rest.iter().map(released).collect());
    }

    fn note(&self, _slot: usize, task_id: u128, attempt: u64, note: Note) {
        let (task, notes) = (TaskId::from_u128(task_id), self.engine.notes());
        match note {
            Note::Progress(told) => notes.progress(task, attempt, progress(&told)),
            Note::Log(line) => notes.log(task, attempt, line),
            Note::Output(piece) => notes.output(task, attempt, piece),
        }
    }

    fn close(&self) {
        self.engine.drain();
    }
}

impl PoolLink {
    fn settled(&self, mut completion: Completion, slot: usize) -> Settled {
        let files = completion.trail.take().map(|trail| trail.artifacts);
        let files = files.filter(|files| !files.is_empty());
        let (task, attempt) = (TaskId::from_u128(completion.task_id), completion.attempt);
        let ending = match (completion.ending, files) {
            (tareas_worker::Ending::Succeeded(result), Some(files)) => {
                let files = files.into_iter().map(new_artifact).collect();
                let _entered = self.runtime.enter();
                let kept = self.engine.keep_artifacts(task, attempt, result, files);
                Some(block_on(kept))
            }
            // Files go with a result, and only with a result.
            (other, _) => ending(other, || self.thread(slot)),
        };
        Settled {
            task,
            attempt,
            ran_by: ending.is_none().then(|| self.thread(slot)),
            ending,
            run_time: completion.run_time,
        }
    }

    fn thread(&self, slot: usize) -> RanBy {
        RanBy {
            worker: self.name.clone(),
            thread: u32::try_from(slot + 1).ok(),
        }
    }

    /// The last progress may have come too soon after the one before to be passed on.
    fn keep_last_progress(&self, completion: &Completion) {
        let Some(last) = completion
            .trail
            .as_ref()
            .and_then(|trail| trail.progress.as_ref())
        else {
            return;
        };
        let task = TaskId::from_u128(completion.task_id);
        self.engine
            .notes()
            .progress(task, completion.attempt, progress(last));
    }
}

fn progress(told: &tareas_worker::Progress) -> Progress {
    Progress {
        percent: told.percent as f32,
        message: told.text.clone(),
    }
}

fn assignment(claimed: Claimed) -> Assignment {
    let Claimed { task, payload } = claimed;
    let metadata = &task.spec.options().metadata;
    Assignment {
        task_id: task.id().as_u128(),
        attempt: task.attempt,
        kind: task.spec.kind.text().clone(),
        payload,
        metadata: (!metadata.is_empty()).then(|| Arc::new(metadata.clone())),
        trace: task.spec.options().trace.as_ref().map(trace),
        queue: task.spec.queue.text().clone(),
        timeout: task.spec.timeout(),
        ticket: 0,
        cancel: None,
    }
}

fn trace(context: &TraceContext) -> Box<Trace> {
    Box::new(Trace {
        parent: tareas_server::trace::parent(context).to_string().into(),
        state: context.state.clone(),
    })
}

fn released(assignment: &Assignment) -> Settled {
    Settled {
        task: TaskId::from_u128(assignment.task_id),
        attempt: assignment.attempt,
        ending: Some(Ending::Released),
        ran_by: None,
        run_time: Duration::ZERO,
    }
}

fn new_artifact(artifact: tareas_worker::Artifact) -> NewArtifact {
    NewArtifact {
        name: artifact.name.into(),
        media_type: artifact.media_type.into(),
        bytes: artifact.bytes,
    }
}

/// `None` for an attempt that ran over its limit.
fn ending(ending: tareas_worker::Ending, by: impl FnOnce() -> RanBy) -> Option<Ending> {
    use tareas_worker::Ending as Ended;
    match ending {
        Ended::Succeeded(result) => Some(Ending::Succeeded(Body::Inline(result))),
        Ended::Failed(error) => Some(failed(error, by())),
        Ended::Cancelled => Some(Ending::Cancelled),
        Ended::Released => Some(Ending::Released),
        Ended::TimedOut => None,
    }
}

fn failed(error: HandlerError, ran_by: RanBy) -> Ending {
    let cause = if error.retryable {
        Cause::Handler
    } else {
        Cause::Rejected
    };
    Ending::Failed {
        retryable: error.retryable,
        retry_after: error.retry_after,
        failure: Arc::new(Failure {
            cause,
            name: Some(error.name.to_string()),
            message: error.message,
            backtrace: error.backtrace.map(String::from),
            ran_by: Some(ran_by),
            process_end: error.process_end.map(process_end),
        }),
    }
}

fn process_end(end: tareas_worker::ProcessEnd) -> ProcessEnd {
    match end {
        tareas_worker::ProcessEnd::Exit(code) => ProcessEnd::Exit(code),
        tareas_worker::ProcessEnd::Signal(number) => ProcessEnd::Signal(number),
    }
}

/// What the engine sees of the pool. Weak, since the pool holds the engine.
#[derive(Debug)]
pub(super) struct PoolView {
    pool: Weak<Pool>,
    dispatcher: Weak<Dispatcher>,
    threads: usize,
}

impl PoolView {
    pub(super) fn of(pool: &Arc<Pool>, dispatcher: &Arc<Dispatcher>) -> Self {
        Self {
            pool: Arc::downgrade(pool),
            dispatcher: Arc::downgrade(dispatcher),
            threads: pool.threads(),
        }
    }
}

impl tareas_engine::Pool for PoolView {
    fn cancel(&self, task: TaskId, attempt: u64) -> bool {
        // In the order in which a task passes through.
        let dispatcher = self.dispatcher.upgrade();
        dispatcher.is_some_and(|dispatcher| dispatcher.cancel_at_hand(task, attempt))
            || self
                .pool
                .upgrade()
                .is_some_and(|pool| pool.cancel(task.as_u128(), attempt))
    }

    fn slots(&self) -> Vec<PoolSlot> {
        let mut slots: Vec<PoolSlot> = (0..self.threads)
            .map(|slot| PoolSlot {
                slot,
                running: None,
            })
            .collect();
        let busy = self
            .pool
            .upgrade()
            .map(|pool| pool.slots())
            .unwrap_or_default();
        for view in busy {
            if let Some(slot) = slots.get_mut(view.slot) {
                slot.running = Some(Running {
                    task: TaskId::from_u128(view.task_id),
                    attempt: view.attempt,
                    kind: view.kind.to_string(),
                    since: view.running_for,
                });
            }
        }
        slots
    }
}
