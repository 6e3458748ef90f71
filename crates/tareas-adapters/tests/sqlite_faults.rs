//! Commits that fail: nothing decided is lost, nothing is told that is not durable.
//!
//! `cargo test -p tareas-adapters --features failpoints --test sqlite_faults`
#![cfg(feature = "failpoints")]

mod sqlite_support;

use std::time::Duration;

use sqlite_support::{
    NOW, all_durable, apply, claim, config, copy_as_killed, done, id, keyed, run, settle, spec,
    submit, success, until_durable,
};
use tareas_adapters::SqliteRecords;
use tareas_core::{Batch, Fence, Outcome, Phase, Position, Rejected};
use tareas_engine::failpoint;
use tareas_engine::ports::{Records, Settings, StoredSession};
use tokio::sync::Mutex;

/// Failpoints are of the whole process: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn a_commit_that_finds_no_room_is_tried_again_whole() {
    let _turn = ONE_AT_A_TIME.lock().await;
    for place in ["before_commit", "mid_statements"] {
        let folder = tempfile::tempdir().unwrap();
        let records = SqliteRecords::open(config(folder.path())).unwrap();
        run(&records, spec(1), success("1")).await;
        all_durable(&records).await;
        assert!(folder.path().join("ballast").exists());
        failpoint::arm(&format!("{place}:1:error_full,{place}:2:error_full"));
        let hold = records.hold_commits();
        run(&records, keyed(2, "k"), success("2")).await;
        done(&records, submit(spec(3))).await;
        let deleted = tareas_core::Command::Delete {
            task: id(1),
            by: tareas_core::Actor::System,
            only: None,
        };
        done(&records, deleted).await;
        drop(hold);
        all_durable(&records).await;
        failpoint::arm("");
        assert_eq!(records.stats().retries, 2, "{place}");
        assert!(
            !folder.path().join("ballast").exists(),
            "it was given to the commit"
        );
        let refused = apply(&records, vec![submit(spec(4))])
            .await
            .outcomes
            .remove(0);
        assert!(
            matches!(refused, Outcome::Refused(Rejected::StorageFull)),
            "{refused:?}"
        );
        // Results go on meanwhile, and admission opens again when there is room.
        done(&records, claim(id(3), 0)).await;
        done(&records, settle(id(3), 1, success("3"))).await;
        let reopened = tokio::time::timeout(Duration::from_secs(20), async {
            while apply(&records, vec![submit(spec(4))]).await.outcomes[0]
                .task()
                .is_none()
            {
                tokio::task::yield_now().await;
            }
        });
        reopened.await.unwrap();
        all_durable(&records).await;
        records.close().await.unwrap();
        drop(records);
        let records = SqliteRecords::open(config(folder.path())).unwrap();
        let (tasks, _) = records.load(&[1, 2, 3, 4].map(id)).await.unwrap();
        let phases: Vec<_> = tasks
            .iter()
            .map(|task| task.as_ref().map(|t| t.phase()))
            .collect();
        let (over, waiting) = (Some(Phase::Succeeded), Some(Phase::Queued));
        assert_eq!(phases, [None, over, over, waiting], "{place}");
    }
}

#[tokio::test]
async fn an_error_of_the_disk_stops_the_store_and_nothing_is_told() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    run(&records, spec(1), success("1")).await;
    all_durable(&records).await;
    failpoint::arm("before_commit:1:error_io");
    let position = apply(&records, vec![submit(spec(2))]).await.position;
    let stopped = records.durable_after(Position(position.0 - 1)).await;
    failpoint::arm("");
    assert!(stopped.unwrap_err().reason.contains("commit failed"));
    assert!(records.durable() < position);
    let batch = Batch {
        now: NOW,
        commands: vec![submit(spec(3))],
    };
    assert!(records.apply(batch).await.is_err());
    assert!(
        records
            .open_session(StoredSession::of_own_pool(sqlite_support::SESSION, 1))
            .await
            .is_err()
    );
    assert!(records.close().await.is_err());
    copy_as_killed(&records, folder.path(), copy.path());
    let next = SqliteRecords::open(config(copy.path())).unwrap();
    assert!(next.boot().unclean);
    let (tasks, _) = next.load(&[1, 2].map(id)).await.unwrap();
    assert!(tasks[0].is_some() && tasks[1].is_none());
}

#[tokio::test]
async fn room_that_does_not_come_back_stops_the_store() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let mut impatient = config(folder.path());
    impatient.retry_for = Duration::from_millis(50);
    let records = SqliteRecords::open(impatient).unwrap();
    let always: Vec<_> = (1..100)
        .map(|n| format!("before_commit:{n}:error_full"))
        .collect();
    failpoint::arm(&always.join(","));
    let position = apply(&records, vec![submit(spec(1))]).await.position;
    let stopped = records.durable_after(Position(position.0 - 1)).await;
    failpoint::arm("");
    assert!(stopped.is_err());
}

#[tokio::test]
async fn what_a_reader_can_see_early_is_shown_late() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    failpoint::arm("after_commit_before_durable:1:sleep_30");
    for number in 0..10 {
        let position = apply(&records, vec![submit(spec(number))]).await.position;
        let query = tareas_engine::ports::TaskQuery {
            limit: 100,
            ..Default::default()
        };
        let shown = records.page(&query).await.unwrap().tasks.len() as u64;
        assert!(records.durable() >= Position(shown), "{shown} shown");
        until_durable(&records, position).await;
    }
    failpoint::arm("");
}

#[tokio::test]
async fn the_controls_break_what_they_say() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let records = SqliteRecords::open(config(folder.path())).unwrap();
    failpoint::arm("tell_before_durable,fence_off");
    let hold = records.hold_commits();
    let position = apply(&records, vec![submit(spec(1))]).await.position;
    assert!(records.durable() >= position, "told too early");
    done(&records, claim(id(1), 0)).await;
    let fence = Fence {
        attempt: 99,
        token: None,
    };
    let settle = tareas_core::Command::Settle {
        task: id(1),
        fence,
        ending: success("1"),
        jitter: tareas_core::Jitter(0),
    };
    done(&records, settle).await;
    drop(hold);
    failpoint::arm("");
}
