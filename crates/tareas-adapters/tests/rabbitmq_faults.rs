//! Whatever happens to RabbitMQ, every task ends: an engine over records in memory, a pool of
//! two threads, and hints through a node that fails in every way that it can.

#![cfg(feature = "rabbitmq")]
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod rabbitmq_support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rabbitmq_support::fresh_url;
use tareas_adapters::queue::rabbitmq::RabbitmqConfig;
use tareas_adapters::{FolderBlobs, MemoryRecords, RabbitmqQueue};
use tareas_core::{Body, Ending, Kind, Phase, Priority, SessionId};
use tareas_engine::ports::SystemClock;
use tareas_engine::services::{self, Supervisor};
use tareas_engine::{Dispatcher, Engine, EngineConfig, Ports, Settled, Submission};
use tareas_services::{FaultProxy, OnQueues, Rabbitmq, Service, Side, is_missing};
use tokio::runtime::Runtime;

/// Threads of the pool.
const THREADS: usize = 2;
/// Tasks of one round.
const TASKS: u64 = 300;
/// All of them end within this, whatever happens.
const ROUND_TIMEOUT: Duration = Duration::from_secs(60);

/// An engine whose hints go through RabbitMQ.
struct Rig {
    engine: Arc<Engine>,
    queue: Arc<RabbitmqQueue>,
    pool: Vec<JoinHandle<()>>,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Rig {
    fn new(url: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let _entered = runtime.enter();
        let folder = tempfile::tempdir().unwrap();
        let records = Arc::new(MemoryRecords::default());
        let config = RabbitmqConfig::parse(&fresh_url(url)).unwrap();
        let queue = Arc::new(RabbitmqQueue::start(config));
        let ports = Ports {
            records: records.clone(),
            settings: records,
            queue: queue.clone(),
            blobs: Arc::new(FolderBlobs::open(folder.path()).unwrap()),
            clock: Arc::new(SystemClock),
        };
        let engine = Engine::new(ports, EngineConfig::new(SessionId(1), THREADS as u16, 7));
        engine.kinds().announce([Kind::new("square").unwrap()]);
        runtime.block_on(engine.recover()).unwrap();
        services::start(&engine, &Supervisor::new());
        let dispatcher = Arc::new(Dispatcher::new(engine.clone()));
        let thread = |_| {
            let (dispatcher, handle) = (dispatcher.clone(), runtime.handle().clone());
            std::thread::spawn(move || {
                let _entered = handle.enter();
                work(&dispatcher);
            })
        };
        let pool = (0..THREADS).map(thread).collect();
        runtime.block_on(queue.until_connected());
        drop(_entered);
        Self {
            engine,
            queue,
            pool,
            runtime,
            _folder: folder,
        }
    }

    fn submit(&self, count: u64) {
        let payload = Bytes::from_static(b"2");
        let submissions = (0..count).map(|n| Submission {
            priority: Priority::new((n % 10) as u8).unwrap(),
            ..Submission::new(Kind::new("square").unwrap(), payload.clone())
        });
        let submitted =
            self.runtime
                .block_on(self.engine.submit(submissions.collect(), None, |_| {}));
        assert!(submitted.outcomes.iter().all(Result::is_ok));
    }

    fn count(&self, phase: Phase) -> u64 {
        let counts = self.engine.counts();
        counts.values().map(|phases| phases[phase as usize]).sum()
    }

    /// Waits until so many tasks have ended.
    fn until_ended(&self, count: u64) {
        let deadline = Instant::now() + ROUND_TIMEOUT;
        while self.count(Phase::Succeeded) < count {
            assert!(
                Instant::now() < deadline,
                "{} of {count} ended; {:?}",
                self.count(Phase::Succeeded),
                self.queue
            );
            sleep(Duration::from_millis(10));
        }
    }

    /// Tasks keep coming while `fault` happens; all of them end.
    fn endures(&self, name: &str, fault: impl FnOnce()) {
        let before = self.count(Phase::Succeeded);
        let began = Instant::now();
        std::thread::scope(|scope| {
            let submitting = scope.spawn(|| {
                for _ in 0..TASKS / 10 {
                    self.submit(10);
                    sleep(Duration::from_millis(20));
                }
            });
            sleep(Duration::from_millis(50));
            fault();
            submitting.join().unwrap();
        });
        self.until_ended(before + TASKS);
        eprintln!(
            "{name}: {TASKS} tasks ended in {:?}, {:?}",
            began.elapsed(),
            self.queue
        );
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.engine.drain();
        for thread in self.pool.drain(..) {
            let _ = thread.join();
        }
    }
}

fn work(dispatcher: &Dispatcher) {
    let mut claimed = Vec::new();
    while dispatcher.take(&mut claimed) {
        let settled = claimed.drain(..).map(|claimed| Settled {
            task: claimed.task.id(),
            attempt: claimed.task.attempt,
            ending: Some(Ending::Succeeded(Body::Inline(Bytes::from_static(b"4")))),
            ran_by: None,
            run_time: Duration::from_micros(500),
        });
        dispatcher.settle(settled.collect());
    }
}

#[test]
fn every_task_ends_whatever_the_node_does() {
    if is_missing(Service::Rabbitmq) {
        return;
    }
    let node = Rabbitmq::start();
    let rig = Rig::new(&node.url());
    rig.endures("nothing", || {});
    assert_eq!(rig.queue.lost(), 0);
    rig.endures("restart", || node.restart());
    rig.endures("crash", || {
        node.kill9();
        node.start_again();
    });
    rig.endures("away for seconds", || {
        node.stop();
        sleep(Duration::from_secs(2));
        node.start_again();
    });
    rig.runtime.block_on(rig.queue.until_connected());
    rig.endures("purged", || node.on_queues(OnQueues::Purge, ""));
    rig.endures("deleted", || node.on_queues(OnQueues::Delete, ""));
    rig.endures("disk alarm", || {
        node.rabbitmqctl(&["set_disk_free_limit", "900GB"]);
        sleep(Duration::from_secs(1));
        node.rabbitmqctl(&["set_disk_free_limit", "50MB"]);
    });
    // It is as good as new: hints flow, and none is lost.
    rig.runtime.block_on(rig.queue.until_connected());
    let lost = rig.queue.lost();
    rig.endures("nothing again", || {});
    assert_eq!(rig.queue.lost(), lost);
}

#[test]
fn every_task_ends_whatever_the_network_does() {
    if is_missing(Service::Rabbitmq) {
        return;
    }
    let url = Rabbitmq::shared();
    let (account, place) = url.rsplit_once('@').unwrap();
    let target: SocketAddr = place.trim_end_matches('/').parse().unwrap();
    let proxy = FaultProxy::start(target);
    let rig = Rig::new(&format!("{account}@{}", proxy.address()));
    // The confirm of a publication: method `ack` of class `basic`.
    proxy.cut_instead_of(Side::Server, &[0, 60, 0, 80]);
    rig.endures("lost confirm", || {});
    assert!(proxy.has_sprung());
    rig.runtime.block_on(rig.queue.until_connected());
    // An acknowledgement of ours that never arrives.
    proxy.cut_instead_of(Side::Client, &[0, 60, 0, 80]);
    rig.endures("lost acknowledgement", || {});
    assert!(proxy.has_sprung());
    rig.endures("stall", || {
        proxy.stall();
        sleep(Duration::from_secs(1));
        proxy.resume();
    });
    rig.endures("cut again and again", || {
        for _ in 0..10 {
            proxy.cut();
            sleep(Duration::from_millis(50));
        }
    });
    rig.endures("refused", || {
        proxy.refuse();
        sleep(Duration::from_secs(1));
        proxy.resume();
    });
}

#[test]
fn two_processes_share_the_work_and_what_one_held_goes_to_the_other() {
    if is_missing(Service::Rabbitmq) {
        return;
    }
    use tareas_engine::ports::Queue;
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let url = fresh_url(Rabbitmq::shared());
        let start = || RabbitmqQueue::start(RabbitmqConfig::parse(&url).unwrap());
        let (one, other) = (start(), start());
        one.until_connected().await;
        other.until_connected().await;
        let queue = tareas_core::QueueName::new("a").unwrap();
        one.pause(&queue, false);
        let hint = |n| tareas_core::Hint {
            task: tareas_core::TaskId::from_u128(n),
            attempt: 0,
            place: tareas_core::Place(n as i64),
            suspect: false,
        };
        let lane = tareas_core::Lane {
            queue: queue.clone(),
            priority: Priority::default(),
        };
        one.publish(&lane, &[hint(1), hint(2)]).await.unwrap();
        // One is told of both, claims the first, and dies.
        let told = one.receive(1).await.unwrap();
        one.acknowledge(&[told[0].receipt]);
        other.pause(&queue, false);
        one.close();
        let mut seen = Vec::new();
        while !seen.contains(&2) {
            let told = other.receive(9).await.unwrap();
            seen.extend(told.iter().map(|told| told.hint.place.0));
        }
    });
}
