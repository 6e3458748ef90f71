//! What survives the process.

use tareas_core::{Kind, Outcome, Phase, Priority, QueueName, SessionId, Spec, Sweep};

use super::FreshRecords;
use super::given::{
    NOW, SESSION, accepted, all_durable, apply_at, attempts, cancel, claim, done, failed, id,
    keyed, later, line, load, one, queue, settle, spec, started, submit, submit_due, success,
};
use crate::ports::StoredSession;

/// Every state, with all that belongs to it; and the counts, without counting.
pub async fn what_was_durable_is_there_after_a_restart(fresh: &FreshRecords) {
    let store = fresh.open().await;
    accepted(&*store, 1).await;
    done(&*store, submit_due(2, later(60))).await;
    started(&*store, 3).await;
    let running = started(&*store, 4).await;
    done(&*store, settle(&running, success())).await;
    let running = started(&*store, 5).await;
    done(&*store, settle(&running, failed("no", false))).await;
    started(&*store, 6).await;
    done(&*store, cancel(id(6))).await;
    all_durable(&*store).await;
    let ids = [1, 2, 3, 4, 5, 6].map(id);
    let (before, _) = store.load(&ids).await.unwrap();
    let (counts, kept) = (store.counts(), attempts(&*store, id(5)).await);
    let store = fresh.reopen(store).await;
    let (after, _) = store.load(&ids).await.unwrap();
    assert_eq!(before, after);
    assert_eq!(
        (counts, kept),
        (store.counts(), attempts(&*store, id(5)).await)
    );
}

/// Ids and keys are looked up where they are kept.
pub async fn identities_are_known_after_a_restart(fresh: &FreshRecords) {
    let store = fresh.open().await;
    accepted(&*store, 1).await;
    done(&*store, submit(keyed(2, "k"))).await;
    all_durable(&*store).await;
    let store = fresh.reopen(store).await;
    for again in [
        submit(spec(1)),
        submit(keyed(2, "k")),
        submit(keyed(3, "k")),
    ] {
        assert!(matches!(one(&*store, again).await, Outcome::Already(_)));
    }
    assert_eq!(load(&*store, id(3)).await, None);
}

/// Places go on where they were, even when the clock was set back meanwhile.
pub async fn lines_keep_their_order_across_a_restart(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let task = started(&*store, 3).await;
    accepted(&*store, 1).await;
    all_durable(&*store).await;
    let store = fresh.reopen(store).await;
    let before = NOW - std::time::Duration::from_secs(200);
    apply_at(&*store, before, vec![submit(spec(2))]).await;
    done(&*store, settle(&task, tareas_core::Ending::Released)).await;
    assert_eq!(line(&*store).await, [3, 1, 2].map(id));
}

/// A handler of the life before may still be heard of; its number must not come again.
pub async fn an_attempt_number_is_never_given_twice(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let before = started(&*store, 1).await;
    all_durable(&*store).await;
    let store = fresh.reopen(store).await;
    let lost = Sweep::Reclaim {
        session: SESSION,
        slots: 4,
        worker: None,
    };
    let reclaimed = store.sweep(lost, NOW, 9).await.unwrap();
    assert_eq!(reclaimed.outcomes.len(), 1);
    store.sweep(Sweep::Due, later(60), 9).await.unwrap();
    let again = done(&*store, claim(id(1), 1)).await;
    assert!(again.attempt > before.attempt);
    assert!(!matches!(
        one(&*store, settle(&before, success())).await,
        Outcome::Done(_)
    ));
}

/// A client that heard nothing sends again.
pub async fn a_batch_applied_again_after_a_restart_changes_nothing(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let two = started(&*store, 2).await;
    accepted(&*store, 3).await;
    let commands = vec![submit(spec(1)), settle(&two, success()), claim(id(3), 0)];
    let first = apply_at(&*store, NOW, commands.clone()).await;
    all_durable(&*store).await;
    let store = fresh.reopen(store).await;
    let again = apply_at(&*store, NOW, commands).await;
    for (one, other) in first.outcomes.iter().zip(&again.outcomes) {
        assert!(
            matches!(other, Outcome::Already(task) if Some(task) == one.task()),
            "{other:?}"
        );
    }
}

/// A paused queue stays paused.
pub async fn what_an_operator_has_set_survives_a_restart(fresh: &FreshRecords) {
    let store = fresh.open().await;
    done(
        &*store,
        submit(Spec {
            queue: queue("a"),
            priority: Priority::HIGHEST,
            ..spec(1)
        }),
    )
    .await;
    accepted(&*store, 2).await;
    store.pause(&queue("a"), true).await.unwrap();
    store.pause(&queue("empty"), true).await.unwrap();
    all_durable(&*store).await;
    let store = fresh.reopen(store).await;
    let queues = store.queues();
    let paused = ["a", "empty"].map(|name| queues.get(&queue(name)).copied());
    assert_eq!(paused, [Some(true), Some(true)]);
    assert_ne!(queues.get(&QueueName::default()), Some(&true));
    assert!(!matches!(
        one(&*store, claim(id(1), 0)).await,
        Outcome::Done(_)
    ));
    assert_eq!(load(&*store, id(1)).await.unwrap().phase(), Phase::Queued);
}

/// The next life knows what it must reclaim.
pub async fn sessions_that_were_not_closed_are_lost(fresh: &FreshRecords) {
    let store = fresh.open().await;
    assert_eq!(store.lost_sessions(), []);
    let own = |id, slots| StoredSession::of_own_pool(SessionId(id), slots);
    let remote = StoredSession {
        resume: Some([7; 32]),
        worker: Some("w1".into()),
        ..own(2, 8)
    };
    store.open_session(own(1, 4)).await.unwrap();
    store.open_session(remote.clone()).await.unwrap();
    store.close_session(SessionId(1)).await.unwrap();
    assert_eq!(store.lost_sessions(), [], "they are of this life");
    let store = fresh.reopen(store).await;
    assert_eq!(store.lost_sessions(), [remote]);
    let pool = StoredSession {
        worker: Some("office".into()),
        ..own(3, 1)
    };
    store.open_session(pool.clone()).await.unwrap();
    store.close_session(SessionId(2)).await.unwrap();
    let store = fresh.reopen(store).await;
    assert_eq!(store.lost_sessions(), [pool]);
}

/// A kind stays known, whether its worker is there or not.
pub async fn kinds_that_were_announced_stay_known(fresh: &FreshRecords) {
    let store = fresh.open().await;
    assert_eq!(store.remembered_kinds(), []);
    let kinds = ["resize", "ocr"].map(|name| Kind::new(name).unwrap());
    store.remember_kinds(&kinds).await.unwrap();
    store.remember_kinds(&kinds[..1]).await.unwrap();
    let store = fresh.reopen(store).await;
    let mut known = store.remembered_kinds();
    known.sort();
    assert_eq!(
        known,
        ["ocr", "resize"].map(|name| Kind::new(name).unwrap())
    );
}
