//! What is found by its state.

use std::time::Duration;

use tareas_core::{
    Options, Phase, Priority, Reason, SessionId, Spec, Sweep, Task, TaskId, Timestamp, Token,
};

use super::given::{
    NOW, SESSION, accepted, all_durable, apply_at, attempts, claim, delete, done, failed, id,
    keyed, later, line, load, settle, spec, started, submit, submit_due, success, with_options,
};
use super::{FreshRecords, Store};

async fn swept(store: &dyn Store, sweep: Sweep, now: Timestamp, limit: usize) -> Vec<Task> {
    let applied = store
        .sweep(sweep, now, limit)
        .await
        .expect("the store is there");
    applied
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.task().cloned())
        .collect()
}

fn ids(tasks: &[Task]) -> Vec<TaskId> {
    tasks.iter().map(Task::id).collect()
}

/// T2: the earliest first, equals by id, whether they are on disk or not.
pub async fn due_tasks_are_queued_in_order_of_time_then_id(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for (number, seconds) in [(1, 30), (4, 20), (2, 10), (3, 20), (5, 40)] {
        done(&*store, submit_due(number, later(seconds))).await;
        if number == 2 {
            all_durable(&*store).await;
        }
    }
    assert_eq!(
        ids(&swept(&*store, Sweep::Due, later(30), 2).await),
        [2, 3].map(id)
    );
    assert_eq!(
        ids(&swept(&*store, Sweep::Due, later(30), 9).await),
        [4, 1].map(id)
    );
    assert_eq!(line(&*store).await, [2, 3, 4, 1].map(id));
    assert_eq!(
        load(&*store, id(5)).await.unwrap().phase(),
        Phase::Scheduled
    );
}

/// T11: waiting tasks only, and only when it is time.
pub async fn what_was_not_started_in_time_expires(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let until = |seconds| Options {
        expires_at: Some(later(seconds)),
        ..Options::default()
    };
    for (number, seconds) in [(1, 20), (2, 10), (3, 30), (4, 5)] {
        done(&*store, submit(with_options(number, until(seconds)))).await;
    }
    done(&*store, claim(id(4), 0)).await;
    all_durable(&*store).await;
    assert!(swept(&*store, Sweep::Expired, later(9), 9).await.is_empty());
    let expired = swept(&*store, Sweep::Expired, later(20), 9).await;
    assert_eq!(ids(&expired), [2, 1].map(id));
    assert!(
        expired
            .iter()
            .all(|task| task.reason() == Some(Reason::Expired))
    );
    assert_eq!(load(&*store, id(4)).await.unwrap().phase(), Phase::Running);
    assert_eq!(line(&*store).await, [id(3)]);
}

/// T7: a pool starts its claims in order, so only as many as it had slots were under way.
pub async fn of_a_lost_session_only_the_oldest_claims_are_charged(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=5 {
        accepted(&*store, number).await;
        let now = NOW + Duration::from_secs(10 - number as u64);
        apply_at(&*store, now, vec![claim(id(number), 0)]).await;
    }
    accepted(&*store, 6).await;
    let other = tareas_core::Command::Claim {
        task: id(6),
        expected_attempt: 0,
        session: SessionId(8),
        token: Some(Token::new(8)),
    };
    done(&*store, other).await;
    let sweep = Sweep::Reclaim {
        session: SESSION,
        slots: 2,
        worker: Some("w1".into()),
    };
    let mut lost = swept(&*store, sweep.clone(), later(60), 1_000).await;
    lost.sort_by_key(Task::id);
    let crashes: Vec<u32> = lost.iter().map(|task| task.crashes).collect();
    assert_eq!(
        crashes,
        [0, 0, 0, 1, 1],
        "claimed last, in this order: 5, 4"
    );
    all_durable(&*store).await;
    let told = load(&*store, lost[4].id()).await.unwrap().failure.unwrap();
    assert_eq!(told.ran_by.as_ref().unwrap().worker, "w1");
    assert!(swept(&*store, sweep, later(60), 1_000).await.is_empty());
    assert_eq!(line(&*store).await, [1, 2, 3].map(id));
    assert_eq!(load(&*store, id(6)).await.unwrap().phase(), Phase::Running);
}

/// Sweeps until a pass finds nothing. Pruners may take breaks and go in steps.
async fn pruned(store: &dyn Store, now: Timestamp) -> Vec<TaskId> {
    let mut pruned = Vec::new();
    for _ in 0..8 {
        all_durable(store).await;
        pruned.extend(ids(&swept(store, Sweep::Prune, now, 100).await));
    }
    pruned.sort();
    pruned
}

/// T13: not before, and then with its key and its attempts.
pub async fn a_task_is_pruned_after_its_retention_with_all_that_belongs_to_it(
    fresh: &FreshRecords,
) {
    let store = fresh.open().await;
    let hour = Duration::from_secs(3600);
    let short = Options {
        retention: Some(hour),
        ..Options::default()
    };
    done(&*store, submit(with_options(1, short))).await;
    let short_with_key = Options {
        retention: Some(hour),
        ..keyed(2, "k").options.map(|o| *o).unwrap()
    };
    done(&*store, submit(with_options(2, short_with_key))).await;
    for number in 1..=2 {
        let running = done(&*store, claim(id(number), 0)).await;
        done(&*store, settle(&running, failed("no", false))).await;
    }
    let running = started(&*store, 3).await;
    done(&*store, settle(&running, success())).await;
    started(&*store, 4).await;
    assert_eq!(pruned(&*store, NOW + hour / 2).await, []);
    assert_eq!(pruned(&*store, NOW + hour).await, [id(1)]);
    assert_eq!(
        pruned(&*store, NOW + hour * 24).await,
        [id(2)],
        "a key is kept for a day"
    );
    assert_eq!(
        pruned(&*store, NOW + hour * 24 * 365).await,
        [id(3)],
        "and 4 has not ended"
    );
    all_durable(&*store).await;
    for number in 1..=3 {
        assert_eq!(load(&*store, id(number)).await, None);
        assert_eq!(attempts(&*store, id(number)).await, []);
    }
    done(&*store, submit(keyed(9, "k"))).await;
}

/// A pass over nothing is free, and a second pass is one.
pub async fn a_sweep_that_finds_nothing_changes_nothing(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let priority = Priority::HIGHEST;
    done(
        &*store,
        submit(Spec {
            priority,
            ..spec(1)
        }),
    )
    .await;
    done(&*store, submit_due(2, later(3600))).await;
    let running = started(&*store, 3).await;
    done(&*store, settle(&running, success())).await;
    done(&*store, delete(id(3))).await;
    all_durable(&*store).await;
    let position = store.load(&[]).await.unwrap().1;
    let reclaim = Sweep::Reclaim {
        session: SESSION,
        slots: 4,
        worker: None,
    };
    for sweep in [Sweep::Due, Sweep::Expired, reclaim, Sweep::Prune] {
        assert!(
            swept(&*store, sweep.clone(), later(60), 9).await.is_empty(),
            "{sweep:?}"
        );
    }
    assert_eq!(store.load(&[]).await.unwrap().1, position);
}
