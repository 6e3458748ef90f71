//! Lines in PostgreSQL: rows that name those who entered together.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod postgres_support;

use std::time::Duration;

use postgres_support::{
    NOW, SESSION, claim, done, number, open, runtime, settle, settle_as, sql, submission, submit,
    submit_with, url,
};
use tareas_adapters::PostgresRecords;
use tareas_core::{
    Batch, Command, Ending, Hint, Lane, Phase, Place, Priority, QueueName, TaskId, Want,
};
use tareas_engine::ports::{Clock, Records, SystemClock};

/// Tasks of the line.
const TASKS: u128 = 40;

async fn apply(records: &PostgresRecords, commands: Vec<Command>) -> tareas_core::Applied {
    let now = *NOW;
    records.apply(Batch { now, commands }).await.unwrap()
}

async fn ready(records: &PostgresRecords, limit: usize) -> Vec<TaskId> {
    let lane = Lane {
        queue: QueueName::default(),
        priority: Priority::default(),
    };
    let hints = records.ready(&lane, Place::START, limit).await.unwrap();
    hints.into_iter().map(|hint: Hint| hint.task).collect()
}

fn want(tasks: usize) -> Want {
    Want {
        now: *NOW,
        session: SESSION,
        queues: vec![QueueName::default()],
        tokens: vec![None; tasks],
        kinds: None,
        labels: None,
    }
}

/// One row for each task, rows of which nobody waits, and tasks that two rows name.
#[test]
fn a_line_of_many_rows_is_read_in_order() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let records = open(&url, 1).await;
        let ids: Vec<TaskId> = (0..TASKS).map(|n| TaskId::v7(*NOW, n)).collect();
        for id in &ids {
            apply(&records, vec![submit(submission(*id))]).await;
        }
        assert_eq!(ready(&records, 1_000).await, ids);
        assert_eq!(ready(&records, 7).await, ids[..7]);

        // The first half runs, and one of them comes back to its place.
        let half = ids.len() / 2;
        let claims = ids[..half].iter().map(|id| claim(*id, 0)).collect();
        let claimed = apply(&records, claims).await;
        let back = done(&claimed.outcomes[5]).clone();
        apply(&records, vec![settle_as(&back, Ending::Released)]).await;
        let mut waiting = vec![back.id()];
        waiting.extend(&ids[half..]);
        assert_eq!(ready(&records, 1_000).await, waiting);

        let next = records.claim_next(want(3)).await.unwrap();
        let next: Vec<TaskId> = next.outcomes.iter().map(|told| done(told).id()).collect();
        assert_eq!(next, waiting[..3]);
        let rest = records.claim_next(want(1_000)).await.unwrap();
        assert_eq!(rest.outcomes.len(), waiting.len() - 3);
        assert!(ready(&records, 1_000).await.is_empty());
        until_forgotten(&url).await;
    });
}

/// A statement may see a row of a line and not yet the partition of its tasks. While the row is
/// young, nobody takes that for tasks that are gone.
#[test]
fn a_row_of_tasks_that_are_not_seen_is_kept_while_it_is_young() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let records = open(&url, 1).await;
        let row = |entered, number: u128, has_ends: bool| {
            let id = format!("'{}'::uuid", TaskId::v7(*NOW, number));
            let end = if has_ends { &id } else { "NULL" };
            let entry = TaskId::v7(entered, number);
            format!("('{entry}', 'default', 5, 1, 1, ARRAY[{id}], {end}, {end})")
        };
        let (young, old) = (
            SystemClock.now(),
            SystemClock.now() - Duration::from_secs(60),
        );
        let rows = [
            row(young, 1, true),
            row(young, 2, false),
            row(old, 3, true),
            row(old, 4, false),
        ];
        let insert = format!(
            "INSERT INTO tareas.lines \
               (entry, queue, priority, place, last_place, ids, first_id, last_id) VALUES {}",
            rows.join(", ")
        );
        sql(&url, &insert).await;
        let kept = "SELECT count(*) FROM tareas.lines";
        until(&url, kept, 2).await;
        // Looked at again, and kept.
        SystemClock.sleep(Duration::from_secs(2)).await;
        assert_eq!(number(&url, kept).await, 2);
        until_forgotten(&url).await;
        drop(records);
    });
}

async fn until_forgotten(url: &str) {
    until(url, "SELECT count(*) FROM tareas.lines", 0).await;
}

async fn until(url: &str, query: &str, wanted: i64) {
    for _ in 0..300 {
        if number(url, query).await == wanted {
            return;
        }
        SystemClock.sleep(Duration::from_millis(100)).await;
    }
    panic!("{query}: never {wanted}");
}

/// Statements over the partition of a day, when that is dropped under them and made again.
#[test]
fn a_partition_that_was_dropped_is_made_again() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let records = open(&url, 1).await;
        for number in 0..3 {
            let id = TaskId::v7(*NOW, number);
            let submitted = apply(&records, vec![submit_with(submission(id), true)]).await;
            done(&submitted.outcomes[0]);
            let claimed = apply(&records, vec![claim(id, 0)]).await;
            let claimed = done(&claimed.outcomes[0]);
            let settled = apply(&records, vec![settle(claimed)]).await;
            assert_eq!(done(&settled.outcomes[0]).phase(), Phase::Succeeded);
            let drop_all = "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT inhrelid FROM pg_inherits \
                WHERE inhparent IN ('tareas.tasks'::regclass, 'tareas.attempts'::regclass) \
                LOOP EXECUTE format('DROP TABLE %s', t); END LOOP; END $$";
            sql(&url, drop_all).await;
        }
    });
}

/// What waits is in a line again after it was filled by hand, as a migration does it.
#[test]
fn a_row_goes_only_when_nobody_of_it_waits() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let records = open(&url, 1).await;
        let ids: Vec<TaskId> = (0..TASKS).map(|n| TaskId::v7(*NOW, n)).collect();
        let submitted = ids.iter().map(|id| submit(submission(*id))).collect();
        apply(&records, submitted).await;
        // The last one is claimed, the one that is looked at first; then all but the first.
        for range in [39..40, 1..39] {
            let claims = ids[range].iter().map(|id| claim(*id, 0)).collect();
            apply(&records, claims).await;
            // Longer than one look takes.
            SystemClock.sleep(Duration::from_millis(1_500)).await;
            assert_eq!(number(&url, "SELECT count(*) FROM tareas.lines").await, 1);
        }
        // An old row names only who waits.
        let age = "UPDATE tareas.lines SET entry = tareas.day_start(1)";
        sql(&url, age).await;
        until(&url, "SELECT cardinality(ids)::int8 FROM tareas.lines", 1).await;
        assert_eq!(ready(&records, 1_000).await, ids[..1]);
        sql(&url, "SELECT tareas.line_up()").await;
        assert_eq!(ready(&records, 1_000).await, ids[..1]);
        apply(&records, vec![claim(ids[0], 0)]).await;
        until_forgotten(&url).await;
    });
}
