//! What can be seen: at once by those who decide, and after it is durable by everybody.

use std::collections::BTreeSet;

use tareas_core::{
    Ending, Kind, Phase, Position, Priority, QueueName, Reason, Spec, Sweep, Task, TaskId,
};

use super::given::{
    NOW, accepted, all_durable, apply_at, cancel, claim, delete, done, failed, id, later, line,
    load, page, pages, queue, settle, spec, submit, submit_due, success,
};
use super::{FreshRecords, Store};
use crate::filter::{Filter, Names, Span};
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
    let only = |filter: Filter| TaskQuery { filter, ..all(3) };
    let ended = Filter::of_phases([Phase::Cancelled, Phase::Failed]);
    let cancelled = only(ended.clone());
    assert_eq!(
        ids(&pages(&*store, cancelled.clone()).await),
        [12, 11, 10, 9, 8, 7].map(id)
    );
    let even = Filter {
        queues: Names::only(queue("even")),
        ..ended
    };
    assert_eq!(
        ids(&pages(&*store, only(even.clone())).await),
        [12, 10, 8].map(id)
    );
    let third = Filter {
        kinds: Names::only(kind("third")),
        ..even
    };
    assert_eq!(ids(&pages(&*store, only(third)).await), [id(12)]);
    let nobody = Filter {
        queues: Names::only(queue("nobody")),
        ..Filter::default()
    };
    assert!(pages(&*store, only(nobody)).await.is_empty());
}

fn some<T>(from: Option<T>, to: Option<T>) -> Span<T> {
    Span { from, to }
}

/// Filters of every kind of condition, each with some tasks that it finds and some that it does not.
fn filters() -> Vec<Filter> {
    let names = |any: &[&str], none: &[&str]| Names {
        any: any.iter().map(|name| queue(name)).collect(),
        none: none.iter().map(|name| queue(name)).collect(),
    };
    let open = Filter::default;
    vec![
        Filter {
            queues: names(&["q0", "q2"], &[]),
            ..open()
        },
        Filter {
            queues: names(&[], &["q0", "q1"]),
            ..open()
        },
        Filter {
            queues: names(&["q1", "q2"], &["q1"]),
            ..open()
        },
        Filter {
            reasons: vec![Reason::Requested],
            ..open()
        },
        Filter {
            reasons: vec![Reason::Rejected, Reason::Poison],
            ..open()
        },
        Filter {
            priority: some(Some(3), Some(6)),
            ..open()
        },
        Filter {
            priority: some(None, Some(2)),
            phases: vec![Phase::Queued],
            ..open()
        },
        Filter {
            attempt: some(Some(1), None),
            ..open()
        },
        Filter {
            submitted: some(Some(later(8)), None),
            ..open()
        },
        Filter {
            submitted: some(None, Some(later(7))),
            ..open()
        },
        Filter {
            submitted: some(Some(later(4)), Some(later(15))),
            ..open()
        },
        Filter {
            submitted: some(Some(later(100)), None),
            ..open()
        },
        Filter {
            ended_from: Some(later(9)),
            ..open()
        },
        Filter {
            ids: some(Some(id(5).as_u128()), Some(id(9).as_u128())),
            ..open()
        },
        Filter {
            ids: some(Some(id(5).as_u128()), None),
            phases: vec![Phase::Running],
            ..open()
        },
    ]
}

/// Whatever a filter says: a page finds what [`Filter::finds`] says, page by page and no more.
pub async fn a_page_finds_what_its_filter_means(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let mut tasks = Vec::new();
    for number in 1..=20_u128 {
        let second = u64::try_from(number).unwrap_or_default();
        let spec = Spec {
            queue: queue(&format!("q{}", number % 3)),
            priority: Priority::new((number % 10) as u8).unwrap_or_default(),
            submitted_at: later(second),
            ..spec(number)
        };
        apply_at(&*store, later(second), vec![submit(spec)]).await;
        match number % 4 {
            0 => drop(done(&*store, cancel(id(number))).await),
            1 => drop(done(&*store, claim(id(number), 0)).await),
            2 => {
                let running = done(&*store, claim(id(number), 0)).await;
                done(&*store, settle(&running, failed("no", false))).await;
            }
            _ => {}
        }
        tasks.insert(0, load(&*store, id(number)).await.expect("it is there"));
    }
    all_durable(&*store).await;
    for filter in filters() {
        let wanted: Vec<TaskId> = tasks
            .iter()
            .filter(|task| filter.finds(task))
            .map(Task::id)
            .collect();
        let query = TaskQuery { filter, ..all(3) };
        let found = pages(&*store, query.clone()).await;
        assert_eq!(ids(&found), wanted, "{:?}", query.filter);
    }
}

/// A page that ends with any of its tasks goes on right after it.
pub async fn a_page_may_be_cut_after_any_task(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=6 {
        accepted(&*store, number).await;
    }
    all_durable(&*store).await;
    let whole = page(&*store, &all(6)).await;
    assert_eq!(whole.after.len(), whole.tasks.len());
    for (index, after) in whole.after.iter().enumerate() {
        let cursor = Some(*after);
        let rest = pages(&*store, TaskQuery { cursor, ..all(2) }).await;
        assert_eq!(ids(&rest), ids(&whole.tasks[index + 1..]));
    }
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
