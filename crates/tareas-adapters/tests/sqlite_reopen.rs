//! How a store ends and begins: in order, killed, by a second process, by another version.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod sqlite_support;

use std::time::Duration;

use sqlite_support::{
    NOW, SESSION, all_durable, apply, claim, config, copy_as_killed, done, failure, id, keyed, run,
    settle, spec, submit, success,
};
use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::{self, OpenError, SqliteConfig};
use tareas_core::{Ending, Outcome, Phase, QueueName, SessionId};
use tareas_engine::ports::{Records, Settings, StoredSession};

/// One task of each state, and what belongs to them.
async fn fill(records: &SqliteRecords) {
    done(records, submit(keyed(1, "queued"))).await;
    done(records, submit(spec(2))).await;
    done(records, claim(id(2), 0)).await;
    run(records, spec(3), success("25")).await;
    run(records, spec(4), failure("no", false)).await;
    run(records, spec(5), failure("not yet", true)).await;
    run(records, spec(6), Ending::Cancelled).await;
    records
        .pause(&QueueName::new("paused").unwrap(), true)
        .await
        .unwrap();
    records
        .open_session(StoredSession::of_own_pool(SESSION, 4))
        .await
        .unwrap();
    all_durable(records).await;
}

#[tokio::test]
async fn everything_is_there_after_a_clean_end() {
    let folder = tempfile::tempdir().unwrap();
    let ids = [1, 2, 3, 4, 5, 6].map(id);
    let first = SqliteRecords::open(config(folder.path())).unwrap();
    assert!(!first.boot().unclean);
    fill(&first).await;
    let before = (
        first.load(&ids).await.unwrap().0,
        first.counts(),
        first.queues(),
    );
    first.close().await.unwrap();
    first.close().await.unwrap();
    assert!(!folder.path().join("tareas.db-wal").exists() || wal_bytes(folder.path()) == 0);
    drop(first);

    let second = SqliteRecords::open(config(folder.path())).unwrap();
    assert_eq!(
        before,
        (
            second.load(&ids).await.unwrap().0,
            second.counts(),
            second.queues()
        )
    );
    let report = second.boot();
    assert!(!report.unclean && report.careful_for.is_zero());
    assert_eq!((report.scheduled, report.queued, report.running), (1, 1, 1));
    assert_eq!(
        second.lost_sessions(),
        [StoredSession::of_own_pool(SESSION, 4)]
    );
    assert_eq!(second.attempts(id(5)).await.unwrap().len(), 1);
    // Nothing is suspect: attempt numbers go on without a gap.
    assert_eq!(done(&second, claim(id(1), 0)).await.attempt, 1);
}

fn wal_bytes(folder: &std::path::Path) -> u64 {
    folder
        .join("tareas.db-wal")
        .metadata()
        .map_or(0, |found| found.len())
}

#[tokio::test]
async fn after_a_kill_attempts_leave_a_gap_and_care_is_asked_for() {
    let mut folders = vec![tempfile::tempdir().unwrap()];
    let mut records = SqliteRecords::open(config(folders[0].path())).unwrap();
    fill(&records).await;
    for (life, seconds) in [(1, 60), (2, 120), (3, 240)] {
        let next = tempfile::tempdir().unwrap();
        copy_as_killed(&records, folders[life - 1].path(), next.path());
        records = SqliteRecords::open(config(next.path())).unwrap();
        folders.push(next);
        assert!(records.boot().unclean);
        assert_eq!(records.boot().careful_for, Duration::from_secs(seconds));
    }
    assert_eq!(done(&records, claim(id(1), 0)).await.attempt, 2);
    // What came after the kill is not suspect.
    done(&records, submit(spec(9))).await;
    assert_eq!(done(&records, claim(id(9), 0)).await.attempt, 1);
    // Suspicion outlives a clean end.
    let folder = folders.last().unwrap();
    done(&records, settle(id(1), 2, Ending::Released)).await;
    records.close().await.unwrap();
    drop(records);
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    assert!(!records.boot().unclean);
    assert_eq!(done(&records, claim(id(1), 2)).await.attempt, 4);
}

#[tokio::test]
async fn what_was_decided_and_not_durable_is_not_there_after_a_kill() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    done(&records, submit(spec(1))).await;
    all_durable(&records).await;
    let hold = records.hold_commits();
    tokio::time::timeout(Duration::from_secs(5), async {
        while records.stats().journal_tasks > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    done(&records, submit(spec(2))).await;
    done(&records, claim(id(1), 0)).await;
    copy_as_killed(&records, folder.path(), copy.path());
    drop(hold);
    let killed = SqliteRecords::open(config(copy.path())).unwrap();
    let (tasks, _) = killed.load(&[id(1), id(2)]).await.unwrap();
    assert_eq!(tasks[0].as_ref().unwrap().phase(), Phase::Queued);
    assert_eq!(tasks[1], None);
    // The other life went on, and nothing of it is lost.
    records.close().await.unwrap();
    drop(records);
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    let (tasks, _) = records.load(&[id(1), id(2)]).await.unwrap();
    assert_eq!(tasks[0].as_ref().unwrap().phase(), Phase::Running);
    assert_eq!(tasks[1].as_ref().unwrap().phase(), Phase::Queued);
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    let second = SqliteRecords::open(config(folder.path()));
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    drop(records);
    SqliteRecords::open(config(folder.path())).unwrap();
}

#[tokio::test]
async fn files_of_others_and_of_the_future_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tareas.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs(x)").unwrap();
    drop(other);
    let refused = SqliteRecords::open(config(folder.path()));
    assert!(
        matches!(refused, Err(OpenError::Foreign { .. })),
        "{refused:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    drop(SqliteRecords::open(config(folder.path())).unwrap());
    let later = rusqlite::Connection::open(folder.path().join("tareas.db")).unwrap();
    later.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(later);
    let refused = SqliteRecords::open(config(folder.path()));
    assert!(
        matches!(refused, Err(OpenError::Newer { found: 99, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep/data");
    let records = SqliteRecords::open(config(&data)).unwrap();
    run(&records, spec(1), success("1")).await;
    all_durable(&records).await;
    for entry in std::fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{:?} is {mode:o}", entry.path());
    }
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_closed_store_decides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    let position = apply(&records, vec![submit(spec(1))]).await.position;
    records.close().await.unwrap();
    assert!(records.durable() >= position);
    let batch = tareas_core::Batch {
        now: NOW,
        commands: vec![submit(spec(2))],
    };
    assert!(records.apply(batch).await.is_err());
    assert!(records.durable_after(position).await.is_err());
    assert!(
        records
            .open_session(StoredSession::of_own_pool(SessionId(9), 1))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_backup_is_a_store_and_does_not_stop_the_writer() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    fill(&records).await;
    let target = elsewhere.path().join("tareas.db");
    let (told, progress) = std::sync::mpsc::channel();
    let (from, to) = (folder.path().to_owned(), target.clone());
    let copying = tokio::task::spawn_blocking(move || {
        sqlite::backup(&from, &to, |step| told.send(step).unwrap())
    });
    let writing = async {
        for number in 100..200 {
            run(&records, spec(number), success("1")).await;
        }
        all_durable(&records).await;
    };
    let (copied, ()) = tokio::join!(copying, writing);
    copied.unwrap().unwrap();
    let last = progress.iter().last().unwrap();
    assert_eq!(last.pages_done, last.pages);
    assert!(
        sqlite::backup(folder.path(), &target, |_| {}).is_err(),
        "it is there already"
    );

    let ids = [1, 2, 3, 4, 5, 6].map(id);
    let copy = SqliteRecords::open(config(elsewhere.path())).unwrap();
    assert!(
        copy.boot().unclean,
        "the copy is of a store that was at work"
    );
    assert_eq!(
        copy.load(&ids).await.unwrap().0,
        records.load(&ids).await.unwrap().0
    );
}

#[tokio::test]
async fn a_backlog_does_not_slow_the_start() {
    const TASKS: u128 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let tight = SqliteConfig {
        live_max: 100,
        ..config(folder.path())
    };
    let records = SqliteRecords::open(tight.clone()).unwrap();
    for first in (0..TASKS).step_by(500) {
        let commands = (first..first + 500)
            .map(|number| submit(spec(number)))
            .collect();
        let applied = apply(&records, commands).await;
        assert!(
            applied
                .outcomes
                .iter()
                .all(|outcome| matches!(outcome, Outcome::Done(_)))
        );
        all_durable(&records).await;
    }
    assert!(
        records.stats().live_tasks <= 700,
        "the backlog leaves memory"
    );
    records.close().await.unwrap();
    drop(records);
    let records = SqliteRecords::open(tight).unwrap();
    assert_eq!(records.boot().queued, TASKS as u64);
    assert_eq!(records.stats().live_tasks, 0, "nothing was read");
}
