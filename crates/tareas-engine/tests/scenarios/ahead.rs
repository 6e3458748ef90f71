//! One service claims for all threads of a pool: what is at hand, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use tareas_core::{Phase, TaskId};
use tareas_engine::services::Supervisor;
use tareas_engine::{Claimed, Claimer, Dispatcher, Settled, Submission};

use super::world::{World, succeeded};

/// A pool for which somebody claims, and which has learned that tasks are quick.
struct Served {
    world: World,
    dispatcher: Arc<Dispatcher>,
    supervisor: Supervisor,
}

impl Served {
    async fn new() -> Self {
        let world = World::new();
        let dispatcher = Arc::new(Dispatcher::new(Arc::clone(&world.engine)));
        let supervisor = Supervisor::new();
        supervisor.spawn(Box::new(Claimer::new(Arc::clone(&dispatcher))));
        let served = Self {
            world,
            dispatcher,
            supervisor,
        };
        served.submit(1).await;
        for claimed in served.take().await {
            served.settle(&claimed);
        }
        served
    }

    async fn submit(&self, count: u64) -> Vec<TaskId> {
        let all: Vec<Submission> = (0..count).map(|n| self.world.square(n)).collect();
        let outcomes = self.world.submit_all(all).await.outcomes.into_iter();
        outcomes.map(|outcome| outcome.unwrap().task.id()).collect()
    }

    async fn take(&self) -> Vec<Claimed> {
        let dispatcher = Arc::clone(&self.dispatcher);
        let taking = tokio::task::spawn_blocking(move || {
            let mut taken = Vec::new();
            dispatcher.take(&mut taken);
            taken
        });
        taking.await.unwrap()
    }

    fn settle(&self, claimed: &Claimed) {
        self.dispatcher.settle_beside(vec![Settled {
            task: claimed.task.id(),
            attempt: claimed.task.attempt,
            ending: Some(succeeded("1")),
            ran_by: None,
            run_time: Duration::from_micros(10),
        }]);
    }

    /// Waits until so many of these tasks are in this phase.
    async fn until(&self, count: usize, of: &[TaskId], phase: Phase) {
        for _ in 0..1_000 {
            let mut found = 0;
            for id in of {
                found += usize::from(self.world.task(*id).await.phase() == phase);
            }
            if found == count {
                return;
            }
            tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>())
                .await
                .unwrap_err();
        }
        panic!("never {count} of them {phase:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quick_tasks_are_claimed_before_a_thread_asks() {
    let served = Served::new().await;
    let ids = served.submit(40).await;
    served.until(40, &ids, Phase::Running).await;
    let mut ended = 0;
    while ended < 40 {
        let taken = served.take().await;
        assert!(!taken.is_empty());
        ended += taken.len();
        taken.iter().for_each(|claimed| served.settle(claimed));
    }
    assert!(
        served
            .world
            .engine
            .until_settled(Duration::from_secs(5))
            .await
    );
    served.until(40, &ids, Phase::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_thread_begins_in_time_is_given_back() {
    let served = Served::new().await;
    let ids = served.submit(9).await;
    served.until(9, &ids, Phase::Running).await;
    served.world.clock.advance(Duration::from_millis(300));
    served.until(9, &ids, Phase::Queued).await;
    // Whoever asks is given them, in order, and the estimate is believed again.
    let taken = served.take().await;
    assert_eq!(taken[0].task.id(), ids[0]);
    assert_eq!(taken[0].task.attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_at_hand_is_cancelled_on_the_spot() {
    let served = Served::new().await;
    let ids = served.submit(3).await;
    served.until(3, &ids, Phase::Running).await;
    assert!(served.dispatcher.cancel_at_hand(ids[1], 1));
    assert!(!served.dispatcher.cancel_at_hand(ids[1], 1));
    served.until(1, &ids, Phase::Cancelled).await;
    let taken = served.take().await;
    let taken: Vec<TaskId> = taken.iter().map(|claimed| claimed.task.id()).collect();
    assert_eq!(taken, [ids[0], ids[2]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_gives_back_what_has_not_begun_and_ends_the_threads() {
    let served = Served::new().await;
    let ids = served.submit(5).await;
    served.until(5, &ids, Phase::Running).await;
    served.world.engine.drain();
    served.until(5, &ids, Phase::Queued).await;
    assert!(served.take().await.is_empty());
    assert!(served.supervisor.stop(Duration::from_secs(5)).await);
}
