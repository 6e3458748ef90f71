//! A whole system in memory: records, queue, a blob folder, and a pool of the built-in kinds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tareas_adapters::{FolderBlobs, GuardedEgress, MemoryQueue, MemoryRecords, MemoryWebhooks};
use tareas_core::task::{Cause, Failure};
use tareas_core::{Body, Ending, Kind, SessionId, TaskId};
use tareas_engine::access::Networks;
use tareas_engine::ports::SystemClock;
use tareas_engine::services::{self, Supervisor};
use tareas_engine::webhooks::{Parts, Terms, Webhooks};
use tareas_engine::{
    Claimed, Dispatcher, Engine, EngineConfig, Pool, PoolSlot, Ports, Running, Settled,
};
use tareas_server::webhooks::MessageWriter;
use tareas_server::{ServerConfig, ServerState};
use tareas_worker::{Context, Registry};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// Threads of the pool.
pub(crate) const THREADS: u16 = 2;

/// A running system. Dropping it drains it.
pub(crate) struct World {
    pub(crate) state: Arc<ServerState>,
    pub(crate) stop: CancellationToken,
    supervisor: Supervisor,
    _folder: TempDir,
}

impl World {
    /// A system with all defaults.
    pub(crate) fn new() -> Self {
        Self::with(ServerConfig::default())
    }

    /// A system that is set up so.
    pub(crate) fn with(config: ServerConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = Arc::new(MemoryRecords::default());
        let ports = Ports {
            records: Arc::clone(&records) as _,
            settings: records,
            queue: Arc::new(MemoryQueue::default()),
            blobs: Arc::new(FolderBlobs::open(folder.path()).unwrap()),
            clock: Arc::new(SystemClock),
        };
        let engine = Engine::new(ports, EngineConfig::new(SessionId(7), THREADS, 42));
        let registry = Arc::new(Registry::with_builtins());
        engine.announce_own(registry.kinds().iter().map(|k| Kind::new(&k.name).unwrap()));
        let supervisor = Supervisor::new();
        services::start(&engine, &supervisor);
        start_pool(&engine, &registry);
        let config = ServerConfig {
            webhooks: Some(webhooks(&engine)),
            ..config
        };
        let state = ServerState::new(engine, config);
        Self {
            state,
            stop: CancellationToken::new(),
            supervisor,
            _folder: folder,
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.state.engine.drain();
        self.supervisor.shutdown().cancel();
    }
}

/// What a thread runs: task, attempt, kind, since when.
type InSlot = (TaskId, u64, String, Instant);

/// A pool without any of the care of the real one.
#[derive(Debug, Default)]
struct PlainPool {
    running: Mutex<Vec<Option<InSlot>>>,
}

impl Pool for PlainPool {
    fn cancel(&self, _: TaskId, _: u64) -> bool {
        false
    }

    fn slots(&self) -> Vec<PoolSlot> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = running.iter().enumerate().map(|(slot, running)| PoolSlot {
            slot,
            running: running
                .as_ref()
                .map(|(task, attempt, kind, since)| Running {
                    task: *task,
                    attempt: *attempt,
                    kind: kind.clone(),
                    since: since.elapsed(),
                }),
        });
        slots.collect()
    }
}

/// Webhooks that lead to this machine at most, and whose deliveries nobody makes.
fn webhooks(engine: &Arc<Engine>) -> Arc<Webhooks> {
    let parts = Parts {
        store: Arc::new(MemoryWebhooks::default()),
        egress: Arc::new(GuardedEgress::new(Networks::loopback(), "0")),
        writer: Arc::new(MessageWriter::default()),
        terms: Terms::default(),
    };
    let webhooks = Webhooks::open(Arc::clone(engine), parts);
    tareas_engine::block_on(webhooks).unwrap()
}

fn start_pool(engine: &Arc<Engine>, registry: &Arc<Registry>) {
    let pool = Arc::new(PlainPool::default());
    pool.running
        .lock()
        .unwrap()
        .resize_with(THREADS.into(), || None);
    engine.set_pool(Arc::clone(&pool) as _);
    let dispatcher = Arc::new(Dispatcher::new(Arc::clone(engine)));
    for slot in 0..usize::from(THREADS) {
        let (pool, registry) = (Arc::clone(&pool), Arc::clone(registry));
        let dispatcher = Arc::clone(&dispatcher);
        let runtime = Handle::current();
        std::thread::spawn(move || {
            let _entered = runtime.enter();
            let mut claimed = Vec::new();
            while dispatcher.take(&mut claimed) {
                for claimed in claimed.drain(..) {
                    dispatcher.settle(vec![run(&pool, slot, &registry, claimed)]);
                }
            }
        });
    }
}

fn run(pool: &PlainPool, slot: usize, registry: &Registry, claimed: Claimed) -> Settled {
    let started = Instant::now();
    let (id, attempt) = (claimed.task.id(), claimed.task.attempt);
    let kind = claimed.task.spec.kind.to_string();
    pool.running.lock().unwrap()[slot] = Some((id, attempt, kind.clone(), started));
    let context = Context::detached(kind).with_attempt(attempt);
    let ending = match registry.run(&context, claimed.payload) {
        Ok(result) => Ending::Succeeded(Body::Inline(result)),
        Err(error) => {
            let cause = if error.retryable {
                Cause::Handler
            } else {
                Cause::Rejected
            };
            let message = error.message;
            let failure = Failure {
                cause,
                name: None,
                message,
                backtrace: None,
                ran_by: None,
                process_end: None,
            };
            let retryable = error.retryable;
            Ending::Failed {
                failure: Arc::new(failure),
                retryable,
                retry_after: None,
            }
        }
    };
    pool.running.lock().unwrap()[slot] = None;
    Settled {
        task: id,
        attempt,
        ending: Some(ending),
        ran_by: None,
        run_time: started.elapsed(),
    }
}

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        let _ = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
    }
    panic!("it did not come to be so");
}
