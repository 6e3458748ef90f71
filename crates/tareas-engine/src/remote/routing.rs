//! Routing: hints from the queue onto the shelves, and from there to the pool of this process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::ledger::hint;
use tareas_core::{Hint, QueueName, Spec, TaskId};
use tokio_util::sync::CancellationToken;

use super::Remote;
use super::fit::Class;
use super::shelves::Taker;
use crate::Engine;
use crate::ports::{Delivery, Receipt};
use crate::services::Service;

/// Hints that are sorted at once.
const ROUTE_MAX: usize = 256;
/// Hints of a shared queue that this process keeps from others.
const SHARED_HINTS_MAX: usize = 2_048;
/// How often there is a look whether there are fewer.
const FULL_LOOK: Duration = Duration::from_millis(5);
/// Before the store is asked again that could not answer.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// The pool of this process, as a taker.
struct OwnPool<'r>(&'r Remote);

impl Taker for OwnPool<'_> {
    fn can_run(&self, _queue: &QueueName, class: &Class) -> bool {
        let remote = self.0;
        remote.has_own_threads && class.requires.is_empty() && remote.is_own_kind(&class.kind)
    }

    fn admits(&mut self, _class: &Class, _is_suspect: bool) -> bool {
        true
    }
}

impl Engine {
    /// Waits for hints that the pool of this process can run; none when the system drains.
    pub(crate) async fn receive_own(&self, max: usize) -> Vec<Delivery> {
        loop {
            // Made before looking, so that nothing is missed in between.
            let ready = self.remote.own_ready.notified();
            if self.is_draining() {
                return Vec::new();
            }
            let taken = self.remote.take_own(max);
            if !taken.is_empty() {
                return taken;
            }
            ready.await;
        }
    }

    /// Sorts hints by who can run their tasks. Hints that are out of date are dropped.
    pub(crate) async fn shelve(&self, deliveries: Vec<Delivery>) {
        if deliveries.is_empty() {
            return;
        }
        let ids: Vec<TaskId> = deliveries
            .iter()
            .map(|delivery| delivery.hint.task)
            .collect();
        let tasks = loop {
            match self.ports.records.load(&ids).await {
                Ok((tasks, _)) => break tasks,
                Err(error) => {
                    tracing::warn!(%error, hints = ids.len(), "hints not sorted");
                    self.ports.clock.sleep(RETRY_AFTER).await;
                }
            }
        };
        let tasks = tasks.iter().flatten();
        // Beside a shared queue others find in the records what nobody here can run.
        let is_shared = self.ports.queue.is_shared();
        let tasks = tasks.filter(|task| !is_shared || self.remote.is_for_anybody(&task.spec));
        let sorted = tasks.filter_map(|task| Some((&*task.spec, hint(task)?)));
        self.remote.put(&sorted.collect::<Vec<_>>());
        // From here on they are in this process alone: like all hints, they may be lost.
        let receipts: Vec<Receipt> = deliveries.iter().map(|delivery| delivery.receipt).collect();
        self.ports.queue.acknowledge(&receipts);
    }
}

impl Remote {
    /// Puts hints onto the shelves where they belong, and wakes those who may want them.
    pub(crate) fn put(&self, sorted: &[(&Spec, Hint)]) {
        if sorted.is_empty() {
            return;
        }
        let mut shelves = self.shelves();
        for (spec, hint) in sorted {
            shelves.put(spec, *hint);
        }
        drop(shelves);
        self.shelved_more();
    }

    /// Takes from the shelves for the pool of this process.
    pub(crate) fn take_own(&self, max: usize) -> Vec<Delivery> {
        let mut pool = OwnPool(self);
        let mut shelves = self.shelves();
        let taken = shelves.take(&mut pool, max);
        let has_more = !taken.is_empty() && shelves.has_any(&pool);
        drop(shelves);
        if has_more {
            self.own_ready.notify_one();
        }
        taken
    }

    /// Forgets the hints that neither the pool of this process nor a worker can use.
    pub(super) fn forget_foreign(&self) {
        let (pool, roster) = (OwnPool(self), self.roster());
        let fits = roster.sessions.values().map(|session| &session.fit);
        let fits: Vec<_> = fits.collect();
        self.shelves().retain(|queue, class| {
            pool.can_run(queue, class) || fits.iter().any(|fit| fit.can_run(queue, class))
        });
    }

    /// There is more on the shelves: wakes those who may want it.
    pub(super) fn shelved_more(&self) {
        if self.shelves().has_any(&OwnPool(self)) {
            self.own_ready.notify_one();
        }
        self.changed.notify_one();
    }
}

/// Takes all hints from the queue, once tasks are matched, and sorts them onto the shelves.
#[derive(Debug)]
pub(crate) struct Router {
    engine: Arc<Engine>,
}

impl Router {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// What is not taken from a shared queue is there for others.
    async fn until_room(&self) {
        let Engine { ports, remote, .. } = &*self.engine;
        while ports.queue.is_shared() && remote.shelved().0 >= SHARED_HINTS_MAX {
            ports.clock.sleep(FULL_LOOK).await;
        }
    }

    async fn route(&self) {
        self.engine.remote.until_matching().await;
        while !self.engine.is_draining() {
            self.until_room().await;
            match self.engine.ports.queue.receive(ROUTE_MAX).await {
                Ok(deliveries) => self.engine.shelve(deliveries).await,
                Err(error) => {
                    tracing::warn!(%error, "no hints from the queue");
                    self.engine.ports.clock.sleep(RETRY_AFTER).await;
                }
            }
        }
    }
}

#[async_trait]
impl Service for Router {
    fn name(&self) -> &'static str {
        "router"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.route() => {}
        }
    }
}
