//! Bulk actions: one thing done to every task that a filter finds, beside everything else.
//!
//! They wait in line and are carried out one after another, a page of tasks at a time and newest
//! first, so that a million tasks cost the others little. What was accepted after an action began
//! is not touched by it. Each page is decided in one batch and counted when that is durable. An
//! action can be stopped at any time, can be a mere count (a dry run), and ends with its process:
//! what it has done stays done.

mod line;
mod view;
mod walk;

use std::sync::Arc;

use async_trait::async_trait;
use tareas_core::{Actor, Phase, Rejected};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use line::{BULKS_KEPT, BULKS_WAITING_MAX};
pub use view::{BulkAction, BulkId, BulkState, BulkView, KINDS_SHOWN, SAMPLES_SHOWN};

pub(crate) use line::Bulks;

use crate::filter::Filter;
use crate::services::Service;
use crate::{Engine, Refusal};

/// What is to be done, and to which tasks.
#[derive(Clone, Debug)]
pub struct BulkOrder {
    /// What is done.
    pub action: BulkAction,
    /// To which tasks.
    pub filter: Filter,
    /// The filter as it was written, for people.
    pub written: String,
    /// Only counts.
    pub is_dry_run: bool,
    /// At most to so many tasks.
    pub most: Option<u64>,
    /// Who asked for it.
    pub by: Actor,
}

impl BulkOrder {
    /// The tasks that the action can be done to at all, among those of the filter; `None` when
    /// there can be none.
    fn narrowed(&self) -> Option<Filter> {
        let mut filter = self.filter.clone();
        let is_asked = |phase: &Phase| filter.phases.is_empty() || filter.phases.contains(phase);
        let phases: Vec<Phase> = self
            .action
            .phases()
            .iter()
            .copied()
            .filter(is_asked)
            .collect();
        filter.phases = phases;
        Some(filter).filter(|filter| !filter.phases.is_empty())
    }
}

impl Engine {
    /// Takes a bulk action into the line.
    ///
    /// # Errors
    /// While draining, and when too many wait already.
    pub fn order_bulk(&self, order: BulkOrder) -> Result<BulkView, Refusal> {
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        let now = self.now();
        let id = self.chance.ids(1, now).next().map(BulkId);
        let taken = id.and_then(|id| self.bulks.take(id, order, now));
        taken.ok_or(Refusal::Rejected(Rejected::Overloaded))
    }

    /// A bulk action of this life of the process, if it is remembered.
    pub fn bulk(&self, id: BulkId) -> Option<BulkView> {
        self.bulks.watch(id).map(|view| view.borrow().clone())
    }

    /// The same, to wait for what comes of it.
    pub fn watch_bulk(&self, id: BulkId) -> Option<watch::Receiver<BulkView>> {
        self.bulks.watch(id)
    }

    /// The bulk actions that are remembered, newest first.
    pub fn bulks(&self) -> Vec<BulkView> {
        self.bulks.all()
    }

    /// Stops a bulk action before its next page; one that has ended stays as it is. `None` when
    /// it is not known.
    pub fn stop_bulk(&self, id: BulkId) -> Option<BulkView> {
        self.bulks.stop(id, self.now())
    }
}

/// The service that carries them out.
#[derive(Debug)]
pub struct BulkWalker {
    engine: Arc<Engine>,
}

impl BulkWalker {
    /// For the bulk actions of this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }
}

#[async_trait]
impl Service for BulkWalker {
    fn name(&self) -> &'static str {
        "bulk"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        let bulks = &self.engine.bulks;
        loop {
            while let Some((id, order)) = bulks.begin(self.engine.now()) {
                let state = self.walk(id, &order, &shutdown).await;
                bulks.end(id, state, self.engine.now());
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = bulks.arrival() => {}
            }
        }
    }
}
