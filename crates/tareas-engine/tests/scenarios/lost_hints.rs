//! A shared queue may lose every hint: tasks are found by their state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tareas_adapters::MemoryQueue;
use tareas_core::{Hint, Lane, Phase, QueueName, TaskId};
use tareas_engine::ports::{Delivery, PortError, Queue, QueueDepth, Receipt, Spilled};
use tareas_engine::services::Timer;
use tareas_engine::{Claimed, Submission, WhyCode};

use crate::world::{World, kind, succeeded};

/// A queue that says that it is shared, and drops what it is given while it is told to.
#[derive(Debug, Default)]
struct LossyQueue {
    inner: MemoryQueue,
    is_losing: AtomicBool,
    has_receivers: AtomicBool,
}

impl LossyQueue {
    fn lose(&self, is_losing: bool) {
        self.is_losing.store(is_losing, Ordering::SeqCst);
    }

    /// Waits until somebody waits for hints.
    fn until_received(&self) {
        while !self.has_receivers.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

#[async_trait]
impl Queue for LossyQueue {
    async fn publish(&self, lane: &Lane, hints: &[Hint]) -> Result<(), PortError> {
        match self.is_losing.load(Ordering::SeqCst) {
            true => Ok(()),
            false => self.inner.publish(lane, hints).await,
        }
    }

    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        self.has_receivers.store(true, Ordering::SeqCst);
        self.inner.receive(max).await
    }

    fn try_receive(&self, max: usize) -> Vec<Delivery> {
        self.inner.try_receive(max)
    }

    fn acknowledge(&self, receipts: &[Receipt]) {
        self.inner.acknowledge(receipts);
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn spilled(&self) -> Vec<Spilled> {
        self.inner.spilled()
    }

    async fn refill(
        &self,
        spilled: &Spilled,
        hints: &[Hint],
        is_all: bool,
    ) -> Result<(), PortError> {
        self.inner.refill(spilled, hints, is_all).await
    }

    fn pause(&self, queue: &QueueName, paused: bool) {
        self.inner.pause(queue, paused);
    }

    fn depth(&self) -> Vec<QueueDepth> {
        self.inner.depth()
    }

    fn close(&self) {
        self.inner.close();
    }
}

fn losing() -> Arc<LossyQueue> {
    let queue = Arc::new(LossyQueue::default());
    queue.lose(true);
    queue
}

/// Takes one task on a thread, as the pool does, while time passes.
fn take_in_time(world: &World) -> Claimed {
    take_after(world, || {})
}

/// Takes one task on a thread that waits already when `then` is done, while time passes.
fn take_after(world: &World, then: impl FnOnce()) -> Claimed {
    take_beside(world, |taking| {
        then();
        while !taking.is_finished() {
            world.clock.advance(Duration::from_millis(10));
            std::thread::yield_now();
        }
    })
}

/// Takes one task on a thread of its own, which is looked after by `beside`.
fn take_beside(
    world: &World,
    beside: impl FnOnce(&std::thread::ScopedJoinHandle<'_, Claimed>),
) -> Claimed {
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Handle::current();
        let taking = scope.spawn(move || {
            let _entered = runtime.enter();
            world.take_one()
        });
        beside(&taking);
        taking.join().unwrap()
    })
}

fn submit(world: &World, n: u64) -> TaskId {
    tareas_engine::block_on(world.submit(world.square(n))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_task_ends_though_no_hint_arrives() {
    let world = World::with_queue(losing());
    let submitted: Vec<Submission> = (0..9).map(|n| world.square(n)).collect();
    world.submit_all(submitted).await;
    for n in 0..9 {
        let claimed = take_in_time(&world);
        assert_eq!(claimed.payload, n.to_string(), "the oldest first");
        world.settle(&claimed, Some(succeeded("1")));
    }
    assert_eq!(world.heard().len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_waits_already_finds_a_task_whose_hint_is_lost() {
    let queue = losing();
    let world = World::with_queue(Arc::<LossyQueue>::clone(&queue));
    let mut lost = None;
    let claimed = take_after(&world, || {
        queue.until_received();
        lost = Some((submit(&world, 1), world.engine.now()));
    });
    let (id, since) = lost.unwrap();
    assert_eq!(claimed.task.id(), id);
    let waited = world.engine.now().since(since);
    assert!(waited >= Duration::from_millis(90), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_pool_does_not_forget_a_task_whose_hint_is_lost() {
    let queue = Arc::new(LossyQueue::default());
    let world = World::with_queue(Arc::<LossyQueue>::clone(&queue));
    take_beside(&world, |_| {
        // The thread has looked and found nothing; it is told of this one. Time stands still: it
        // must not be this one's turn to be found by a look.
        queue.until_received();
        submit(&world, 0);
    });
    queue.lose(true);
    let lost = submit(&world, 1);
    queue.lose(false);
    for n in 2..5 {
        let told = submit(&world, n);
        assert_eq!(world.take_one().task.id(), told, "there is always a hint");
    }
    submit(&world, 5);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.take_one().task.id(), lost, "the oldest of all");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_goes_before_a_backlog_that_is_not() {
    let queue = losing();
    let world = World::with_queue(Arc::<LossyQueue>::clone(&queue));
    let lost: Vec<TaskId> = (0..3).map(|n| submit(&world, n)).collect();
    // The first look finds as much as it asks for. Time stands still: no other one is due.
    assert_eq!(world.take_one().task.id(), lost[0]);
    queue.lose(false);
    let told = submit(&world, 3);
    assert_eq!(world.take_one().task.id(), told);
    // Nobody is told of anything any more: the next look follows at once.
    for lost in &lost[1..] {
        assert_eq!(world.take_one().task.id(), *lost);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_a_pool_lacks_are_left_to_others_and_hold_nobody_up() {
    let world = World::with_queue(losing());
    world.engine.kinds().announce([kind("mail")]);
    let mut foreign = Vec::new();
    for _ in 0..3 {
        let mail = Submission::new(kind("mail"), "1".into());
        foreign.push(world.submit(mail).await.unwrap());
    }
    let own = submit(&world, 1);
    let claimed = take_in_time(&world);
    assert_eq!(claimed.task.id(), own);
    for id in foreign {
        let task = world.task(id).await;
        assert_eq!((task.phase(), task.attempt), (Phase::Queued, 0));
        let why = world.engine.why(&task).await.unwrap();
        assert_eq!(why.code, WhyCode::NoWorkerForKind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_is_found_without_a_hint() {
    let world = World::with_queue(losing());
    let id = world.submit(world.square(1)).await.unwrap();
    assert_eq!(world.take_one().task.id(), id);
    let world = world.reborn_with(losing());
    assert_eq!(world.engine.recover().await.unwrap(), 1);
    world.clock.advance(Duration::from_secs(1));
    Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
    let again = take_in_time(&world);
    assert_eq!((again.task.id(), again.task.crashes), (id, 1));
}
