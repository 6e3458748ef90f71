//! Services: the loops that run beside the requests, and the supervisor that owns them.
//!
//! Each is level-triggered: it looks at the state, so what one pass misses the next one finds.
//! Each owns its state, has one loop with one `select!`, and ends when it is told to.

mod feeder;
mod follower;
mod historian;
mod lease;
mod orphans;
mod pruner;
mod recall;
mod reclaimer;
mod reporter;
mod supervisor;
mod timer;

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use feeder::Feeder;
pub use follower::Follower;
pub use historian::Historian;
pub use lease::LeaseKeeper;
pub use orphans::OrphanSweeper;
pub use pruner::Pruner;
pub use recall::Recall;
pub use reclaimer::Reclaimer;
pub use reporter::Reporter;
pub use supervisor::Supervisor;
pub use timer::Timer;

use crate::Engine;
use crate::bulk::BulkWalker;
use crate::remote::{Assigner, Refiller, Router, Seeker};

/// A loop that runs until it is told to stop.
#[async_trait]
pub trait Service: Send + 'static {
    /// What it is called in logs and threads.
    fn name(&self) -> &'static str;

    /// Runs until `shutdown` is cancelled. Called once.
    async fn run(self: Box<Self>, shutdown: CancellationToken);
}

/// Starts the services that this engine needs. A shared queue is not fed: whoever has room looks
/// into the records by itself.
pub fn start(engine: &Arc<Engine>, supervisor: &Supervisor) {
    supervisor.spawn(Box::new(Timer::new(Arc::clone(engine))));
    match engine.ports.queue.is_shared() {
        true => supervisor.spawn(Box::new(Seeker::new(Arc::clone(engine)))),
        false => supervisor.spawn(Box::new(Feeder::new(Arc::clone(engine)))),
    }
    supervisor.spawn(Box::new(Pruner::new(Arc::clone(engine))));
    supervisor.spawn(Box::new(OrphanSweeper::new(Arc::clone(engine))));
    supervisor.spawn(Box::new(BulkWalker::new(Arc::clone(engine))));
    supervisor.spawn(Box::new(Router::new(Arc::clone(engine))));
    supervisor.spawn(Box::new(Refiller::new(Arc::clone(engine))));
    supervisor.spawn(Box::new(Assigner::new(Arc::clone(engine))));
    if let Some(membership) = engine.config.membership.clone() {
        let keeper = LeaseKeeper::new(Arc::clone(engine), membership.clone());
        supervisor.spawn(Box::new(keeper));
        let follower = Follower::new(Arc::clone(engine), membership.news.clone());
        supervisor.spawn(Box::new(follower));
        let reporter = Reporter::new(Arc::clone(engine), Arc::clone(&membership.members));
        supervisor.spawn(Box::new(reporter));
        supervisor.spawn(Box::new(Recall::new(Arc::clone(engine))));
        supervisor.spawn(Box::new(Reclaimer::new(Arc::clone(engine), membership)));
    }
}
