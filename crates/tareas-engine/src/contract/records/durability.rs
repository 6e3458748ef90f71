//! Positions: what is decided, and from when on it may be told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tareas_core::{Batch, Command, Outcome, Position};

use super::FreshRecords;
use super::given::{
    NOW, accepted, all_durable, apply_at, cancel, claim, id, line, load, page, refused, requeue,
    settle, spec, started, submit, success, text, until_durable,
};
use crate::ports::TaskQuery;

/// Whatever is decided becomes durable without further ado, and then pages show it.
pub async fn a_decision_becomes_durable(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=5 {
        let applied = apply_at(&*store, NOW, vec![submit(spec(number))]).await;
        until_durable(&*store, applied.position).await;
        let query = TaskQuery {
            limit: 1,
            ..TaskQuery::default()
        };
        assert_eq!(page(&*store, &query).await.tasks[0].id(), id(number));
    }
    let position = store
        .pause(&tareas_core::QueueName::default(), true)
        .await
        .unwrap();
    until_durable(&*store, position).await;
}

/// It grows, whoever looks, and never beyond what is decided.
pub async fn durable_never_goes_back(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let end = Arc::new(AtomicU64::new(u64::MAX));
    let watching = tokio::spawn({
        let (store, end) = (Arc::clone(&store), Arc::clone(&end));
        async move {
            let mut last = Position::ZERO;
            while last.0 < end.load(Ordering::SeqCst) {
                let durable = store.durable_after(last).await.expect("the store goes on");
                assert!(durable > last, "{durable:?} after {last:?}");
                assert!(store.durable() >= durable);
                last = durable;
            }
        }
    });
    for number in 1..=200 {
        let applied = apply_at(&*store, NOW, vec![submit(spec(number))]).await;
        assert!(
            store.durable() <= applied.position,
            "nothing else is decided here"
        );
        if number == 199 {
            end.store(applied.position.0, Ordering::SeqCst);
        }
    }
    all_durable(&*store).await;
    watching.await.unwrap();
}

/// Who waits beyond all that is decided is woken by the next decision.
pub async fn waiting_for_durability_ends_with_the_next_decision(fresh: &FreshRecords) {
    let store = fresh.open().await;
    accepted(&*store, 1).await;
    all_durable(&*store).await;
    let durable = store.durable();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.durable_after(durable).await.unwrap() })
        })
        .collect();
    tokio::task::yield_now().await;
    accepted(&*store, 2).await;
    for waiter in waiting {
        assert!(waiter.await.unwrap() > durable);
    }
}

/// Neither the task, nor its place, nor the counts, nor the order of decisions.
pub async fn a_refusal_changes_nothing(fresh: &FreshRecords) {
    let store = fresh.open().await;
    accepted(&*store, 1).await;
    let running = started(&*store, 2).await;
    all_durable(&*store).await;
    let before = (
        load(&*store, id(1)).await,
        load(&*store, id(2)).await,
        store.counts(),
    );
    let position = store.load(&[]).await.unwrap().1;
    let wrong = tareas_core::Spec {
        payload: text("6"),
        ..spec(1)
    };
    let mut settled = settle(&running, success());
    if let Command::Settle { fence, .. } = &mut settled {
        fence.attempt += 1;
    }
    for command in [
        submit(wrong),
        settled,
        claim(id(1), 9),
        requeue(id(2)),
        cancel(id(9)),
    ] {
        refused(&*store, command).await;
    }
    let after = (
        load(&*store, id(1)).await,
        load(&*store, id(2)).await,
        store.counts(),
    );
    assert_eq!(before, after);
    assert_eq!(store.load(&[]).await.unwrap().1, position);
    assert_eq!(line(&*store).await, [id(1)]);
}

/// After an unknown outcome the same batch is applied again: nothing changes, and who asked
/// learns what it would have learned.
pub async fn a_batch_applied_twice_is_applied_once(fresh: &FreshRecords) {
    let store = fresh.open().await;
    started(&*store, 1).await;
    let two = started(&*store, 2).await;
    accepted(&*store, 3).await;
    accepted(&*store, 4).await;
    let commands = vec![
        submit(spec(5)),
        cancel(id(1)),
        settle(&two, success()),
        claim(id(3), 0),
        cancel(id(4)),
    ];
    let first = apply_at(&*store, NOW, commands.clone()).await;
    for _ in 0..2 {
        let again = apply_at(&*store, NOW, commands.clone()).await;
        assert_eq!(again.position, first.position);
        for (one, other) in first.outcomes.iter().zip(&again.outcomes) {
            assert!(matches!(one, Outcome::Done(_)), "{one:?}");
            assert!(matches!(other, Outcome::Already(task) if Some(task) == one.task()));
        }
        all_durable(&*store).await;
    }
}

/// A batch is as its commands one after the other.
pub async fn commands_of_a_batch_are_decided_in_order(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let commands = vec![
        submit(spec(1)),
        submit(spec(2)),
        cancel(id(1)),
        submit(spec(1)),
        requeue(id(1)),
    ];
    let applied = apply_at(&*store, NOW, commands).await;
    let done = applied
        .outcomes
        .iter()
        .map(|outcome| matches!(outcome, Outcome::Done(_)));
    assert_eq!(done.collect::<Vec<_>>(), [true, true, true, false, true]);
    assert_eq!(line(&*store).await, [id(2), id(1)]);
    let nothing = Batch {
        now: NOW,
        commands: Vec::new(),
    };
    assert_eq!(
        store.apply(nothing).await.unwrap().position,
        applied.position
    );
}
