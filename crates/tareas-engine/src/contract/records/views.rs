//! What can be seen: at once by those who decide, and after it is durable by everybody.

use std::collections::BTreeSet;

use tareas_core::{Ending, Kind, Phase, Position, QueueName, Spec, Sweep, Task, TaskId};

use super::given::{
    NOW, accepted, all_durable, apply_at, cancel, claim, delete, done, failed, id, later, line,
    page, pages, queue, settle, spec, submit, submit_due, success,
};
use super::{FreshRecords, Store};
use crate::ports::TaskQuery;

fn all(limit: usize) -> TaskQuery {
    TaskQuery {
        limit,
        ..TaskQuery::default()
    }
}

fn ids(tasks: &[Task]) -> Vec<TaskId> {
    tasks.iter().map(Task::id).collect()
}

/// The decided view needs no waiting, and says when it may be told.
pub async fn load_and_ready_see_what_apply_returned(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let mut last = Position::ZERO;
    for number in 1..=30 {
        let submitted = apply_at(&*store, NOW, vec![submit(spec(number))]).await;
        let (tasks, position) = store.load(&[id(number), id(999)]).await.unwrap();
        assert_eq!(tasks[0].as_ref(), submitted.outcomes[0].task());
        assert_eq!(tasks[1], None);
        assert!(position >= submitted.position && submitted.position > last);
        last = submitted.position;
        assert!(line(&*store).await.contains(&id(number)));
        if number % 3 == 0 {
            done(&*store, claim(id(number), 0)).await;
            assert!(!line(&*store).await.contains(&id(number)));
        }
    }
    let numbers = [30, 1, 999, 7];
    let (tasks, _) = store.load(&numbers.map(id)).await.unwrap();
    let found: Vec<_> = tasks
        .iter()
        .map(|task| task.as_ref().map(Task::id))
        .collect();
    assert_eq!(
        found,
        [Some(id(30)), Some(id(1)), None, Some(id(7))],
        "in the order asked"
    );
}

/// Newest first, and whole tasks. Whether a store goes by the order of acceptance or by the ids
/// is its own affair: here both are the same.
pub async fn a_page_shows_the_newest_first(fresh: &FreshRecords) {
    let store = fresh.open().await;
    assert!(page(&*store, &all(5)).await.tasks.is_empty());
    let numbers = [2, 4, 9];
    for number in numbers {
        accepted(&*store, number).await;
    }
    all_durable(&*store).await;
    let shown = page(&*store, &all(5)).await;
    assert_eq!(ids(&shown.tasks), [9, 4, 2].map(id));
    let (loaded, _) = store.load(&ids(&shown.tasks)).await.unwrap();
    assert_eq!(
        loaded.into_iter().flatten().collect::<Vec<_>>(),
        shown.tasks
    );
}

/// By phase, queue and kind, alone and together.
pub async fn a_page_is_filtered(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let kind = |name: &str| Kind::new(name).expect("a valid name");
    for number in 1..=12 {
        let queue = queue(if number % 2 == 0 { "even" } else { "odd" });
        let kind = kind(if number % 3 == 0 { "third" } else { "other" });
        done(
            &*store,
            submit(Spec {
                queue,
                kind,
                ..spec(number)
            }),
        )
        .await;
        if number > 6 {
            done(&*store, cancel(id(number))).await;
        }
    }
    all_durable(&*store).await;
    let cancelled = TaskQuery {
        phases: vec![Phase::Cancelled, Phase::Failed],
        ..all(3)
    };
    assert_eq!(
        ids(&pages(&*store, cancelled.clone()).await),
        [12, 11, 10, 9, 8, 7].map(id)
    );
    let even = TaskQuery {
        queue: Some(queue("even")),
        ..cancelled
    };
    assert_eq!(
        ids(&pages(&*store, even.clone()).await),
        [12, 10, 8].map(id)
    );
    let third = TaskQuery {
        kind: Some(kind("third")),
        ..even
    };
    assert_eq!(ids(&pages(&*store, third).await), [id(12)]);
    let nobody = TaskQuery {
        queue: Some(queue("nobody")),
        ..all(3)
    };
    assert!(pages(&*store, nobody).await.is_empty());
}

/// A walk through all pages meets everything that was there when it began, once.
pub async fn pages_are_complete_and_without_duplicates_while_tasks_come_in(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=50 {
        accepted(&*store, number).await;
    }
    all_durable(&*store).await;
    let (mut seen, mut query, mut number) = (Vec::new(), all(7), 50);
    loop {
        let page = page(&*store, &query).await;
        seen.extend(ids(&page.tasks));
        number += 1;
        accepted(&*store, number).await;
        done(&*store, cancel(id(number - 50))).await;
        let Some(next) = page.next else { break };
        query.cursor = Some(next);
    }
    let distinct: BTreeSet<TaskId> = seen.iter().copied().collect();
    assert_eq!(distinct.len(), seen.len(), "none is shown twice");
    assert!(
        (1..=50).all(|number| distinct.contains(&id(number))),
        "none is left out"
    );
}

async fn counted(store: &dyn Store) -> [u64; 6] {
    store
        .counts()
        .get(&QueueName::default())
        .copied()
        .unwrap_or_default()
}

/// Maintained counts are right after each step, before and after commits.
pub async fn counts_follow_every_phase(fresh: &FreshRecords) {
    let store = fresh.open().await;
    assert!(
        store
            .counts()
            .values()
            .all(|phases| phases.iter().all(|n| *n == 0))
    );
    for number in 1..=5 {
        accepted(&*store, number).await;
    }
    done(&*store, submit_due(6, later(1))).await;
    assert_eq!(counted(&*store).await, [1, 5, 0, 0, 0, 0]);
    all_durable(&*store).await;
    let running = done(&*store, claim(id(1), 0)).await;
    let other = done(&*store, claim(id(2), 0)).await;
    done(&*store, claim(id(3), 0)).await;
    assert_eq!(counted(&*store).await, [1, 2, 3, 0, 0, 0]);
    done(&*store, settle(&running, success())).await;
    done(&*store, settle(&other, failed("no", false))).await;
    done(&*store, cancel(id(4))).await;
    store.sweep(Sweep::Due, later(1), 9).await.unwrap();
    assert_eq!(counted(&*store).await, [0, 2, 1, 1, 1, 1]);
    all_durable(&*store).await;
    assert_eq!(counted(&*store).await, [0, 2, 1, 1, 1, 1]);
    done(&*store, delete(id(1))).await;
    assert_eq!(counted(&*store).await, [0, 2, 1, 0, 1, 1]);
    let third = done(&*store, claim(id(5), 0)).await;
    done(&*store, settle(&third, Ending::Released)).await;
    all_durable(&*store).await;
    assert_eq!(counted(&*store).await, [0, 2, 1, 0, 1, 1]);
}
