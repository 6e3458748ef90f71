//! The dispatcher: where the threads of this process's pool get their work, and where they
//! bring what has ended.
//!
//! It takes hints from the queue, claims the tasks, and hands them out; it settles attempts,
//! publishes what is to be tried again, and has the listeners told. It decides nothing about
//! states: every claim and every settlement is a command to the records. What hints do not bring
//! it finds by itself when the queue is a shared one ([`gaps`]).

mod ahead;
mod beside;
pub(crate) mod gaps;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tareas_core::{
    Applied, Batch, Command, Ending, Fence, Outcome, Phase, Position, RanBy, Rejected, Task, TaskId,
};

use self::ahead::Ahead;
pub use self::ahead::Claimer;
pub(crate) use self::beside::OnTheirWay;
use self::gaps::Gaps;
use crate::kinds::{nanos, smooth};
use crate::ports::{Delivery, Ended, Receipt};
use crate::{Engine, Refusal, block_on};

/// A thread takes at most this much work at once, by the smoothed run time.
const BATCH_WORK: Duration = Duration::from_millis(1);
/// A thread takes at most this many tasks at once.
const BATCH_TASKS_MAX: usize = 256;
/// Suspects that wait for their lane.
const SUSPECTS_MAX: usize = 1_024;
/// How often a process whose lease is in doubt looks whether it may claim again.
const FENCED_LOOK: Duration = Duration::from_millis(50);
/// How many tasks it takes to move the smoothed run time of all tasks half of the way.
const SMOOTHING: u64 = 64;
/// No task has ended yet.
const UNMEASURED: u64 = 0;

/// A task that was claimed for this pool, with its payload at hand.
#[derive(Debug)]
pub struct Claimed {
    /// The task, running.
    pub task: Task,
    /// Its payload, as JSON text.
    pub payload: Bytes,
}

/// An attempt that has ended.
#[derive(Debug)]
pub struct Settled {
    /// The task.
    pub task: TaskId,
    /// The attempt.
    pub attempt: u64,
    /// How it ended; `None` when it ran over its limit.
    pub ending: Option<Ending>,
    /// Who ran it, when it ran over its limit: an ending tells that itself.
    pub ran_by: Option<RanBy>,
    /// How long it ran.
    pub run_time: Duration,
}

/// Hands out work to the threads of this process's pool.
#[derive(Debug)]
pub struct Dispatcher {
    engine: Arc<Engine>,
    smoothed_ns: AtomicU64,
    idle: AtomicUsize,
    suspects: Mutex<Suspects>,
    /// Only beside a shared queue.
    gaps: Option<Gaps>,
    /// Empty unless a [`Claimer`] serves it.
    ahead: Ahead,
}

/// One thread that waits for work, for as long as it waits: it may give up.
struct Idle<'a>(&'a AtomicUsize);

impl<'a> Idle<'a> {
    fn count(idle: &'a AtomicUsize) -> Self {
        idle.fetch_add(1, Ordering::Relaxed);
        Self(idle)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tasks that have killed an executor run one at a time.
#[derive(Debug, Default)]
struct Suspects {
    running: Option<TaskId>,
    waiting: VecDeque<Delivery>,
}

impl Dispatcher {
    /// A dispatcher for the pool of this process. Whoever calls it has entered the runtime
    /// whose timers the ports use.
    pub fn new(engine: Arc<Engine>) -> Self {
        let gaps = engine.ports.queue.is_shared().then(Gaps::default);
        Self {
            engine,
            smoothed_ns: AtomicU64::new(UNMEASURED),
            idle: AtomicUsize::new(0),
            suspects: Mutex::default(),
            gaps,
            ahead: Ahead::default(),
        }
    }

    /// Waits for work; `false` when the system drains and the thread should end. Called by the
    /// pool's own threads.
    pub fn take(&self, into: &mut Vec<Claimed>) -> bool {
        block_on(self.take_async(into))
    }

    /// Takes work if there is any, without waiting for it.
    pub fn try_take(&self) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        if !self.engine.standing.may_claim() {
            return claimed;
        }
        let max = self.batch_size();
        let deliveries = match self.engine.remote.is_matching() {
            true => self.engine.remote.take_own(max),
            false => self.engine.ports.queue.try_receive(max),
        };
        if !deliveries.is_empty() && !self.engine.is_draining() {
            block_on(self.claim_all(deliveries, &mut claimed));
        }
        claimed
    }

    async fn take_async(&self, into: &mut Vec<Claimed>) -> bool {
        if self.ahead.is_served() {
            return self.take_at_hand(&self.ahead, into).await;
        }
        while into.is_empty() {
            if !self.engine.standing.may_claim() && !self.engine.is_draining() {
                self.engine.ports.clock.sleep(FENCED_LOOK).await;
                continue;
            }
            let deliveries = match self.next_suspect() {
                Some(delivery) => vec![delivery],
                None => self.receive_or_look(self.batch_size(), into).await,
            };
            if into.is_empty() && self.engine.is_draining() {
                return false;
            }
            self.claim_all(deliveries, into).await;
        }
        true
    }

    async fn claim_all(&self, deliveries: Vec<Delivery>, into: &mut Vec<Claimed>) {
        if !deliveries.iter().any(|delivery| delivery.hint.suspect) {
            return self.claim(deliveries, into).await;
        }
        let (suspects, others): (Vec<_>, Vec<_>) = deliveries
            .into_iter()
            .partition(|delivery| delivery.hint.suspect);
        self.claim_suspects(suspects, into).await;
        self.claim(others, into).await;
    }

    async fn receive(&self, max: usize) -> Vec<Delivery> {
        if self.engine.remote.is_matching() {
            return self.receive_matched(max).await;
        }
        let at_once = self.engine.ports.queue.try_receive(max);
        if !at_once.is_empty() {
            return at_once;
        }
        let received = {
            let _idle = self.count_idle();
            tokio::select! {
                biased;
                received = self.engine.ports.queue.receive(max) => received,
                // Whoever sorts takes every hint from the queue from now on.
                () = self.engine.remote.until_matching() => return Vec::new(),
            }
        };
        match received {
            // Since it began to wait, tasks are sorted by who can run them.
            Ok(deliveries) if self.engine.remote.is_matching() => {
                self.engine.shelve(deliveries).await;
                Vec::new()
            }
            Ok(deliveries) => deliveries,
            Err(error) => {
                tracing::warn!(%error, "no hints from the queue");
                self.engine
                    .ports
                    .clock
                    .sleep(Duration::from_millis(100))
                    .await;
                Vec::new()
            }
        }
    }

    async fn receive_matched(&self, max: usize) -> Vec<Delivery> {
        let at_once = self.engine.remote.take_own(max);
        if !at_once.is_empty() {
            return at_once;
        }
        let _idle = self.count_idle();
        self.engine.receive_own(max).await
    }

    /// Counts the calling thread as idle; not the service that claims for all of them.
    fn count_idle(&self) -> Option<Idle<'_>> {
        (!self.ahead.is_served()).then(|| Idle::count(&self.idle))
    }

    /// As many tasks as make a millisecond of work, one when they are slow; and never so many
    /// that another thread stays idle.
    fn batch_size(&self) -> usize {
        let smoothed = match self.smoothed_ns.load(Ordering::Relaxed) {
            UNMEASURED => return 1,
            smoothed => smoothed,
        };
        let by_work = usize::try_from(BATCH_WORK.as_nanos() as u64 / smoothed).unwrap_or(1);
        let idle = self.idle.load(Ordering::Relaxed);
        (by_work / (idle + 1)).clamp(1, BATCH_TASKS_MAX)
    }

    fn next_suspect(&self) -> Option<Delivery> {
        let mut suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        if suspects.running.is_some() {
            return None;
        }
        suspects.waiting.pop_front()
    }

    /// One suspect at a time: the first one that can be claimed runs, the others wait.
    async fn claim_suspects(&self, deliveries: Vec<Delivery>, into: &mut Vec<Claimed>) {
        for delivery in deliveries {
            let task = delivery.hint.task;
            // It may wait long in its lane; a process that dies meanwhile leaves it queued.
            self.engine.ports.queue.acknowledge(&[delivery.receipt]);
            if !self.enter_suspect_lane(delivery.clone()) {
                continue;
            }
            let before = into.len();
            self.claim(vec![delivery], into).await;
            if into.len() == before {
                self.leave_suspect_lane(task).await;
            }
        }
    }

    fn enter_suspect_lane(&self, delivery: Delivery) -> bool {
        let mut suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        if suspects.running.is_some() {
            let task = delivery.hint.task;
            let waits_already = suspects.waiting.iter().any(|told| told.hint.task == task);
            // What does not fit is found again by its state.
            if !waits_already && suspects.waiting.len() < SUSPECTS_MAX {
                suspects.waiting.push_back(delivery);
            }
            return false;
        }
        suspects.running = Some(delivery.hint.task);
        true
    }

    async fn leave_suspect_lane(&self, task: TaskId) {
        let next = {
            let mut suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
            if suspects.running != Some(task) {
                return;
            }
            suspects.running = None;
            suspects.waiting.pop_front()
        };
        self.republish(next.into_iter().collect()).await;
    }

    async fn claim(&self, mut deliveries: Vec<Delivery>, into: &mut Vec<Claimed>) {
        // Shared records find out what became of a claim by its instant: no two of one task then.
        if self.engine.shares_records() {
            deliveries = self.without_repetition(deliveries);
        }
        if deliveries.is_empty() {
            return;
        }
        let now = self.engine.now();
        let session = self.engine.session();
        let commands = deliveries
            .iter()
            .map(|delivery| Command::Claim {
                task: delivery.hint.task,
                expected_attempt: delivery.hint.attempt,
                session,
                token: None,
            })
            .collect();
        match self
            .engine
            .ports
            .records
            .apply(Batch { now, commands })
            .await
        {
            Ok(applied) => {
                let receipts: Vec<Receipt> = deliveries.iter().map(|told| told.receipt).collect();
                self.engine.ports.queue.acknowledge(&receipts);
                self.claimed(deliveries, applied, into).await;
            }
            Err(error) => {
                tracing::warn!(error = %Refusal::from(error), "claims were not decided");
                self.engine
                    .ports
                    .clock
                    .sleep(Duration::from_millis(100))
                    .await;
                self.republish(deliveries).await;
            }
        }
    }

    fn without_repetition(&self, mut deliveries: Vec<Delivery>) -> Vec<Delivery> {
        // Mostly they come in the order in which their ids were made.
        if deliveries.is_sorted_by(|one, next| one.hint.task < next.hint.task) {
            return deliveries;
        }
        let (mut seen, mut repeated) = (HashSet::with_capacity(deliveries.len()), Vec::new());
        deliveries.retain(|told| {
            let is_new = seen.insert(told.hint.task);
            if !is_new {
                repeated.push(told.receipt);
            }
            is_new
        });
        if !repeated.is_empty() {
            self.engine.ports.queue.acknowledge(&repeated);
        }
        deliveries
    }

    async fn claimed(&self, deliveries: Vec<Delivery>, applied: Applied, into: &mut Vec<Claimed>) {
        let position = applied.position;
        let must_wait = self.engine.now() < self.engine.config.careful_until
            || deliveries
                .iter()
                .zip(&applied.outcomes)
                .any(must_be_recorded);
        if must_wait && self.engine.until_durable(position).await.is_err() {
            return;
        }
        for (delivery, outcome) in deliveries.into_iter().zip(applied.outcomes) {
            match outcome {
                Outcome::Done(task) if task.phase() == Phase::Running => {
                    self.hand_out(task, into).await;
                }
                Outcome::Done(task) => self.engine.ended(position, std::iter::once(&task)),
                Outcome::Refused(Rejected::Undurable { until }) => {
                    if self.engine.until_durable(until).await.is_ok() {
                        self.republish(vec![delivery]).await;
                    }
                }
                // Out of date, paused, or gone: whoever changes that publishes again.
                Outcome::Already(_) | Outcome::Refused(_) => {}
            }
        }
    }

    async fn hand_out(&self, task: Task, into: &mut Vec<Claimed>) {
        if !self.engine.remote.is_for_own_pool(&task.spec) {
            return self.give_to_others(&task).await;
        }
        match self.engine.body_bytes(&task.spec.payload).await {
            Ok(payload) => into.push(Claimed { task, payload }),
            Err(refusal) => {
                let trace_id = task.spec.trace_id();
                tracing::warn!(task.id = %task.id(), trace_id, error = %refusal, "payload not readable");
                self.engine
                    .ports
                    .clock
                    .sleep(Duration::from_millis(100))
                    .await;
                self.release(&task).await;
            }
        }
    }

    /// Claimed before it was known that the pool of this process cannot run it: from now on
    /// tasks are sorted before they are claimed.
    async fn give_to_others(&self, task: &Task) {
        self.engine.remote.start_matching();
        self.release(task).await;
    }

    async fn release(&self, task: &Task) {
        let released = Settled {
            task: task.id(),
            attempt: task.attempt,
            ending: Some(Ending::Released),
            ran_by: None,
            run_time: Duration::ZERO,
        };
        Box::pin(self.settle_async(vec![released])).await;
    }

    async fn republish(&self, deliveries: Vec<Delivery>) {
        let queue = &self.engine.ports.queue;
        for Delivery {
            lane,
            hint,
            receipt,
        } in deliveries
        {
            // A hint that is lost here is made again from the records.
            let _ = queue.publish(&lane, &[hint]).await;
            queue.acknowledge(&[receipt]);
        }
    }

    /// Records what has ended. Called by the pool's own threads.
    pub fn settle(&self, settled: Vec<Settled>) {
        block_on(self.settle_async(settled));
    }

    async fn settle_async(&self, settled: Vec<Settled>) {
        self.learn(&settled);
        let run_times: Vec<Duration> = settled.iter().map(|settled| settled.run_time).collect();
        let ids: Vec<TaskId> = settled.iter().map(|settled| settled.task).collect();
        let mut commands = Vec::with_capacity(settled.len());
        for settled in settled {
            commands.push(self.command(settled).await);
        }
        let Some(applied) = self.engine.apply_until_decided(commands).await else {
            return;
        };
        self.engine.learn_kinds(&applied, &run_times);
        self.engine.settled(&applied, &run_times).await;
        self.leave_lane_of(&ids).await;
    }

    async fn command(&self, settled: Settled) -> Command {
        let Settled {
            task,
            attempt,
            ending,
            ran_by,
            ..
        } = settled;
        let jitter = self.engine.chance.jitter();
        match ending {
            None => Command::Overdue {
                task,
                attempt,
                ran_by,
                jitter,
            },
            Some(ending) => {
                let ending = self.store_result(task, attempt, ending).await;
                let fence = Fence {
                    attempt,
                    token: None,
                };
                Command::Settle {
                    task,
                    fence,
                    ending,
                    jitter,
                }
            }
        }
    }

    async fn leave_lane_of(&self, ids: &[TaskId]) {
        let running = self
            .suspects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .running;
        if let Some(running) = running
            && ids.contains(&running)
        {
            self.leave_suspect_lane(running).await;
        }
    }

    fn learn(&self, settled: &[Settled]) {
        let total: Duration = settled.iter().map(|settled| settled.run_time).sum();
        let count = settled.len().max(1) as u64;
        let average = nanos(total) / count;
        let smoothed = match self.smoothed_ns.load(Ordering::Relaxed) {
            UNMEASURED => average,
            before => smooth(before, average, count, SMOOTHING),
        };
        self.smoothed_ns.store(smoothed.max(1), Ordering::Relaxed);
        self.estimate_anew();
    }
}

/// Whether a start must be on disk before the handler is called: when the task has killed an
/// executor before, or when a start before this one may be unrecorded (then the claim has left a
/// number out, and this number must not be given out again after another kill).
fn must_be_recorded((delivery, outcome): (&Delivery, &Outcome)) -> bool {
    let leaves_out = |task: &Task| task.attempt > delivery.hint.attempt + 1;
    delivery.hint.suspect || outcome.task().is_some_and(leaves_out)
}

impl Engine {
    /// What ran must be recorded: tries again while the store is unavailable. `None` when it
    /// has stopped; then nobody is told, and the next boot decides.
    pub(crate) async fn apply_until_decided(&self, commands: Vec<Command>) -> Option<Applied> {
        loop {
            let batch = Batch {
                now: self.now(),
                commands: commands.clone(),
            };
            match self.ports.records.apply(batch).await {
                Ok(applied) => return Some(applied),
                Err(error) => {
                    tracing::warn!(error = %Refusal::from(error), "settlements were not decided");
                    self.tap.doubt();
                    if self.has_stopped_within(Duration::from_millis(100)).await {
                        return None;
                    }
                }
            }
        }
    }

    /// Waits a moment; whether the store stopped meanwhile.
    async fn has_stopped_within(&self, wait: Duration) -> bool {
        let after = self.durable();
        tokio::select! {
            durable = self.durable_after(after) => durable.is_err(),
            () = self.ports.clock.sleep(wait) => false,
        }
    }

    /// After settlements: has listeners told of ends, publishes what goes on.
    pub(crate) async fn settled(&self, applied: &Applied, run_times: &[Duration]) {
        let done = || {
            let both = applied.outcomes.iter().zip(run_times);
            both.filter_map(|(outcome, run_time)| match outcome {
                Outcome::Done(task) => Some((task, *run_time)),
                _ => None,
            })
        };
        self.tally.settled(done());
        self.ended(applied.position, done().map(|(task, _)| task));
        let goes_on = |task: &&Task| !task.state.is_terminal();
        if done().any(|(task, _)| goes_on(&task)) {
            self.publish(done().map(|(task, _)| task).filter(goes_on))
                .await;
        }
    }

    /// How long kinds take at the pool of this process.
    fn learn_kinds(&self, applied: &Applied, run_times: &[Duration]) {
        let mut run: Option<(&tareas_core::Kind, Duration, u32)> = None;
        for (outcome, run_time) in applied.outcomes.iter().zip(run_times) {
            let Outcome::Done(task) = outcome else {
                continue;
            };
            match &mut run {
                Some((kind, total, count)) if **kind == task.spec.kind => {
                    *total += *run_time;
                    *count += 1;
                }
                _ => {
                    if let Some((kind, total, count)) = run {
                        self.kinds.learn(kind, total / count, count.into());
                    }
                    run = Some((&task.spec.kind, *run_time, 1));
                }
            }
        }
        if let Some((kind, total, count)) = run {
            self.kinds.learn(kind, total / count, count.into());
        }
    }

    /// Has the listeners of the ended ones among these tasks told.
    pub(crate) fn ended<'a>(&self, position: Position, tasks: impl Iterator<Item = &'a Task>) {
        let ended: Vec<&Task> = tasks.filter(|task| task.state.is_terminal()).collect();
        self.open.fetch_sub(ended.len() as i64, Ordering::Relaxed);
        self.tell_others(&ended);
        self.tap.note(position, ended.iter().copied());
        self.watches.tell(position, ended.into_iter());
    }

    /// Has the listeners told of tasks that another process has ended.
    pub(crate) fn ended_elsewhere(&self, position: Position, ended: &[Task]) {
        self.open.fetch_sub(ended.len() as i64, Ordering::Relaxed);
        self.watches.tell(position, ended.iter());
    }

    /// Tells the other processes of tasks for which nobody waits here.
    fn tell_others(&self, ended: &[&Task]) {
        let membership = self.config.membership.as_ref();
        let Some(news) = membership.and_then(|membership| membership.news.as_ref()) else {
            return;
        };
        let told = self.watches.unwatched(ended);
        if !told.is_empty() {
            news.tell(told.into_iter().map(Ended::of).collect());
        }
    }

    /// After one attempt that was settled by the system itself.
    pub(crate) async fn after_attempt(&self, position: Position, task: &Task) {
        self.tally.settled(std::iter::once((task, Duration::ZERO)));
        self.ended(position, std::iter::once(task));
        self.publish(std::iter::once(task)).await;
    }
}
