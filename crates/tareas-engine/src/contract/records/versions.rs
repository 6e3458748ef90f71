//! What is asked for one version of a task is not done to another.

use tareas_core::{Actor, Command, Outcome, Rejected, TaskId};

use super::FreshRecords;
use super::given::{accepted, all_durable, cancel, done, id, load, one, refused};

fn each(task: TaskId, only: Option<u64>) -> [Command; 3] {
    let by = Actor::System;
    [
        Command::Cancel {
            task,
            by: by.clone(),
            only,
        },
        Command::Requeue {
            task,
            by: by.clone(),
            only,
        },
        Command::Delete { task, by, only },
    ]
}

/// A version that the task had is refused with the one that it has, before that is on disk and
/// after; the one that it has is not. What is so already is told as such.
pub async fn what_has_changed_since_it_was_seen_is_left_alone(fresh: &FreshRecords) {
    for is_on_disk in [false, true] {
        let store = fresh.open().await;
        accepted(&*store, 1).await;
        let seen = load(&*store, id(1)).await.map(|task| task.version);
        done(&*store, cancel(id(1))).await;
        if is_on_disk {
            all_durable(&*store).await;
        }
        let now = load(&*store, id(1)).await.map(|task| task.version);
        let changed = now.map(|version| Rejected::Changed { version });
        let [again, requeue, delete] = each(id(1), seen);
        for late in [requeue, delete] {
            assert_eq!(Some(refused(&*store, late).await), changed);
        }
        let again = one(&*store, again).await;
        assert!(matches!(again, Outcome::Already(_)), "{again:?}");
        let [_, _, delete] = each(id(1), now);
        done(&*store, delete).await;
        assert_eq!(load(&*store, id(1)).await, None);
    }
}
