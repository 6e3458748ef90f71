//! What pages cost: counted in steps of the database, which do not depend on the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tareas_core::{Kind, Phase, Priority, QueueName, Reason, Timestamp};
use tareas_engine::filter::{Names, Span};

use super::*;

/// Steps between two looks of the counter.
const STEP: i32 = 10;
/// The rows of a small and of a large table; in both more have failed than one page looks at.
const ROWS: [u32; 2] = [50_000, 200_000];

/// A table with rows as a server leaves them: every other has failed, one in a thousand waits.
fn table(rows: u32) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let schema = include_str!("../schema/001_tasks.sql");
    connection.execute_batch(schema).unwrap();
    let fill = format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) \
         INSERT INTO tasks(seq, id, version, state, reason, queue, kind, priority, place, \
         attempt, submitted_at, finished_at, prune_at, payload, result) \
         SELECT n, CAST(printf('%016d', n) AS BLOB), 3, \
         CASE WHEN n % 1000 = 0 THEN 1 WHEN n % 2 = 1 THEN 4 ELSE 3 END, \
         CASE WHEN n % 2 = 1 THEN 1 END, 'default', 'square', 5, \
         CASE WHEN n % 1000 = 0 THEN n END, 1, n * 1000, n * 1000, n * 1000, x'35', x'3235' FROM n"
    );
    connection.execute_batch(&fill).unwrap();
    connection
}

/// Every question that pages and lists ask.
fn questions() -> Vec<(&'static str, Filter)> {
    let of = |phase| Filter {
        phases: vec![phase],
        ..Filter::default()
    };
    let named = |queue: &str, kind: &str| Filter {
        queues: Names {
            any: vec![QueueName::new(queue).unwrap()],
            none: Vec::new(),
        },
        kinds: Names {
            any: vec![Kind::new(kind).unwrap()],
            none: Vec::new(),
        },
        ..Filter::default()
    };
    vec![
        ("all", Filter::default()),
        ("succeeded", of(Phase::Succeeded)),
        ("failed", of(Phase::Failed)),
        ("cancelled", of(Phase::Cancelled)),
        ("running", of(Phase::Running)),
        ("queued", of(Phase::Queued)),
        ("scheduled", of(Phase::Scheduled)),
        ("of a queue and kind", named("default", "square")),
        ("of a kind that nobody has", named("default", "resize")),
        (
            "of a reason",
            Filter {
                reasons: vec![Reason::Poison],
                ..Filter::default()
            },
        ),
        (
            "urgent",
            Filter {
                priority: Span {
                    from: Some(Priority::HIGHEST.level()),
                    to: None,
                },
                ..Filter::default()
            },
        ),
        (
            "of a moment",
            Filter {
                submitted: Span {
                    from: Some(Timestamp::from_millis(10)),
                    to: Some(Timestamp::from_millis(20)),
                },
                ..Filter::default()
            },
        ),
    ]
}

/// A page, and how many steps it took.
fn stepped(connection: &mut Connection, filter: &Filter) -> (Page, u64) {
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(STEP as u64, Ordering::Relaxed);
        false
    };
    connection.progress_handler(STEP, Some(count)).unwrap();
    let query = TaskQuery {
        filter: filter.clone(),
        cursor: None,
        limit: 50,
    };
    let page = page(connection, &query).unwrap();
    connection
        .progress_handler(0, None::<fn() -> bool>)
        .unwrap();
    (page, steps.load(Ordering::Relaxed))
}

#[test]
fn no_page_costs_more_in_a_larger_table() {
    let [mut small, mut large] = ROWS.map(table);
    for (name, filter) in questions() {
        let ((_, few), (_, many)) = (stepped(&mut small, &filter), stepped(&mut large, &filter));
        // The halves by which a moment is searched are two more.
        assert!(many <= few + 200, "{name}: {few} steps, then {many}");
    }
}

#[test]
fn a_page_that_is_full_at_once_looks_no_further() {
    let mut table = table(ROWS[0]);
    for (name, filter) in questions() {
        let (page, steps) = stepped(&mut table, &filter);
        let is_common = ["all", "succeeded", "of a queue and kind"].contains(&name);
        if is_common {
            assert_eq!(page.tasks.len(), 50, "{name}");
            assert!(steps < 10_000, "{name}: {steps} steps");
        }
    }
}

#[test]
fn pages_go_on_across_a_gap_as_wide_as_many_pages() {
    let connection = table(1_000);
    let moved = "UPDATE tasks SET seq = seq + 10000000 WHERE seq > 500";
    connection.execute_batch(moved).unwrap();
    let filter = Filter {
        phases: vec![Phase::Queued, Phase::Failed],
        ..Filter::default()
    };
    let (mut found, mut cursor, mut pages) = (0, None, 0);
    loop {
        let filter = filter.clone();
        let query = TaskQuery {
            filter,
            cursor,
            limit: 1_000,
        };
        let page = page(&connection, &query).unwrap();
        found += page.tasks.len();
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (501, 2));
}
