//! What the writer promises about commits: what is folded, what is shown, who is woken.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod sqlite_support;

use std::sync::Arc;
use std::time::Duration;

use sqlite_support::{
    NOW, SESSION, all_durable, apply, claim, config, done, id, run, settle, spec, submit, success,
    until_durable,
};
use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::SqliteConfig;
use tareas_core::{Command, NewTask, Outcome, Position, QueueName, Rejected, Want};
use tareas_engine::ports::{Records, TaskQuery};

fn quick(number: u128) -> Command {
    let spec = Arc::new(spec(number));
    Command::Submit(NewTask {
        spec,
        due_at: None,
        id_is_fresh: true,
        quick: true,
    })
}

async fn shown(records: &SqliteRecords) -> usize {
    let query = TaskQuery {
        limit: 1_000,
        ..TaskQuery::default()
    };
    records.page(&query).await.unwrap().tasks.len()
}

#[tokio::test]
async fn a_page_shows_nothing_that_is_not_durable() {
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    let hold = records.hold_commits();
    let position = apply(&records, vec![submit(spec(1)), submit(spec(2))])
        .await
        .position;
    assert_eq!(
        (shown(&records).await, records.durable()),
        (0, Position::ZERO)
    );
    assert!(
        records.load(&[id(1)]).await.unwrap().0[0].is_some(),
        "it is decided"
    );
    drop(hold);
    until_durable(&records, position).await;
    assert_eq!(shown(&records).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_page_shows_is_durable_while_commits_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let records = Arc::new(SqliteRecords::open(config(folder.path())).unwrap());
    let writing = Arc::clone(&records);
    let submitting = tokio::spawn(async move {
        for number in 0..400 {
            // One task per decision: the n-th decision accepts the n-th task.
            apply(&writing, vec![submit(spec(number))]).await;
            tokio::task::yield_now().await;
        }
    });
    loop {
        let is_last = submitting.is_finished();
        let shown = shown(&records).await as u64;
        assert!(records.durable() >= Position(shown));
        if is_last {
            break;
        }
    }
    submitting.await.unwrap();
}

#[tokio::test]
async fn a_quick_task_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let patient = Duration::from_millis(500);
    let config = SqliteConfig {
        fold_wait: (patient, patient),
        ..config(folder.path())
    };
    let records = SqliteRecords::open(config).unwrap();
    for number in 0..20 {
        let submitted = apply(&records, vec![quick(number)]).await.position;
        done(&records, claim(id(number), 0)).await;
        done(&records, settle(id(number), 1, success("1"))).await;
        until_durable(&records, submitted).await;
    }
    all_durable(&records).await;
    let stats = records.stats();
    assert_eq!((stats.rows, stats.folded), (20, 20), "{stats:?}");
}

#[tokio::test]
async fn a_slow_task_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let patient = Duration::from_secs(60);
    let config = SqliteConfig {
        fold_wait: (patient, patient),
        ..config(folder.path())
    };
    let records = SqliteRecords::open(config).unwrap();
    let position = apply(&records, vec![submit(spec(1))]).await.position;
    let durable = tokio::time::timeout(Duration::from_secs(20), until_durable(&records, position));
    durable.await.expect("only quick tasks are waited for");
}

#[tokio::test]
async fn transitions_of_many_commits_meet_in_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    for number in 0..50 {
        done(&records, submit(spec(number))).await;
        all_durable(&records).await;
        done(&records, claim(id(number), 0)).await;
        all_durable(&records).await;
        done(&records, settle(id(number), 1, success("1"))).await;
    }
    all_durable(&records).await;
    let stats = records.stats();
    assert_eq!((stats.rows, stats.folded), (150, 0), "{stats:?}");
    assert_eq!(shown(&records).await, 50);
    // What is over leaves memory soon after it was told.
    let forgotten = tokio::time::timeout(Duration::from_secs(20), async {
        while records.stats().live_tasks > 0 {
            tokio::task::yield_now().await;
        }
    });
    forgotten.await.expect("memory is given back");
}

#[tokio::test]
async fn a_full_journal_refuses_submissions_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        journal_tasks_max: 2,
        ..config(folder.path())
    };
    let records = SqliteRecords::open(config).unwrap();
    done(&records, submit(spec(1))).await;
    all_durable(&records).await;
    let hold = records.hold_commits();
    done(&records, claim(id(1), 0)).await;
    done(&records, submit(spec(2))).await;
    let refused = apply(&records, vec![submit(spec(3))])
        .await
        .outcomes
        .remove(0);
    assert!(
        matches!(refused, Outcome::Refused(Rejected::Overloaded)),
        "{refused:?}"
    );
    done(&records, settle(id(1), 1, success("1"))).await;
    drop(hold);
    all_durable(&records).await;
    done(&records, submit(spec(3))).await;
}

#[tokio::test]
async fn below_the_disk_reserve_submissions_are_refused_and_results_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    done(&records, submit(spec(1))).await;
    done(&records, claim(id(1), 0)).await;
    records.close().await.unwrap();
    drop(records);
    let config = SqliteConfig {
        disk_reserve_bytes: Some(u64::MAX),
        ..config(folder.path())
    };
    let records = SqliteRecords::open(config).unwrap();
    let refused = apply(&records, vec![submit(spec(2))])
        .await
        .outcomes
        .remove(0);
    assert!(
        matches!(refused, Outcome::Refused(Rejected::StorageFull)),
        "{refused:?}"
    );
    done(&records, settle(id(1), 1, success("1"))).await;
    all_durable(&records).await;
}

#[tokio::test]
async fn the_log_starts_again_and_does_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    let large = "x".repeat(60_000);
    let mut peak = 0;
    for number in 0..1_500 {
        let payload = sqlite_support::text(&format!("\"{large}\""));
        let spec = tareas_core::Spec {
            payload,
            ..spec(number)
        };
        done(&records, submit(spec)).await;
        if number % 50 == 0 {
            all_durable(&records).await;
            peak = peak.max(records.stats().wal_bytes);
        }
    }
    all_durable(&records).await;
    let stats = records.stats();
    assert!(stats.checkpoints > 0, "{stats:?}");
    assert!(peak < 80 << 20, "the log grew to {peak} bytes: {stats:?}");
}

#[tokio::test]
async fn waiters_are_told_when_the_store_ends() {
    let folder = tempfile::tempdir().unwrap();
    let records = Arc::new(SqliteRecords::open(config(folder.path())).unwrap());
    run(&records, spec(1), success("1")).await;
    all_durable(&records).await;
    let waiting = {
        let records = Arc::clone(&records);
        tokio::spawn(async move { records.durable_after(Position(1_000)).await })
    };
    tokio::task::yield_now().await;
    records.close().await.unwrap();
    assert!(waiting.await.unwrap().is_err());
}

/// A task leaves memory with the commit that writes it. Whoever asks for the next at that moment
/// gets it all the same.
#[tokio::test]
async fn a_task_that_is_just_leaving_memory_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let config = SqliteConfig {
        live_max: 1,
        ..config(folder.path())
    };
    let records = SqliteRecords::open(config).unwrap();
    for number in 0..300 {
        for number in [2 * number, 2 * number + 1] {
            done(&records, submit(spec(number))).await;
        }
        // At another moment of the commit each time.
        std::thread::sleep(Duration::from_micros(u64::try_from(number).unwrap() * 3));
        let want = Want {
            queues: vec![QueueName::default()],
            kinds: None,
            labels: None,
            session: SESSION,
            tokens: vec![None; 2],
            now: NOW,
        };
        let claimed = records.claim_next(want).await.unwrap();
        assert_eq!(claimed.outcomes.len(), 2, "{number}");
    }
}
