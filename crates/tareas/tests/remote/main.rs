//! Remote workers as processes: killed, stopped, drained, and around a restart of the server.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod commands;
mod partitions;
mod stage;
mod wire;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use stage::Stage;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_task_of_a_killed_worker_runs_elsewhere_within_seconds() {
    let stage = Stage::new(&[]);
    let first = stage.worker("first", &[]);
    let id = stage.submit("sleep", r#"{"ms":1500}"#);
    stage.until_running(&id);
    let _second = stage.worker("second", &[]);
    first.signal(Signal::SIGKILL);
    let killed_at = Instant::now();
    let task = stage.ended(&id, 20 * SECOND);
    assert!(
        killed_at.elapsed() < 9 * SECOND,
        "{:?}",
        killed_at.elapsed()
    );
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"succeeded".into(), &2.into())
    );
}

/// Whoever gathers is told of each end, and submits what follows under one key: two who gather, or
/// one who does so again, have one task.
#[test]
fn what_follows_a_fan_comes_once_though_a_worker_dies_in_it() {
    let stage = Stage::new(&[]);
    let dies = stage.worker("dies", &[]);
    let parts = [300, 400, 500, 600].map(|ms| stage.submit("sleep", &format!(r#"{{"ms":{ms}}}"#)));
    stage.until_running(&parts[0]);
    let _other = stage.worker("other", &[]);
    dies.signal(Signal::SIGKILL);
    let gathered: Vec<_> = parts
        .iter()
        .map(|id| stage.ended(id, 60 * SECOND))
        .collect();
    assert!(
        gathered.iter().all(|task| task["status"] == "succeeded"),
        "{gathered:?}"
    );
    let next = r#"{"cmd":"submit","kind":"square","payload":{"n":4},"idempotency_key":"gathered","wait":false}"#;
    let (first, again) = (stage.say(next), stage.say(next));
    assert_eq!(first["task_id"], again["task_id"], "{first} {again}");
    let task = stage.ended(first["task_id"].as_str().unwrap(), 60 * SECOND);
    assert_eq!((&task["result"], &task["attempt"]), (&16.into(), &1.into()));
}

#[test]
fn what_a_stalled_worker_held_is_taken_back_and_its_late_result_is_not_recorded() {
    let stage = Stage::new(&["--session-ttl", "3s"]);
    let stalled = stage.worker("stalled", &[]);
    let id = stage.submit("sleep", r#"{"ms":1000}"#);
    stage.until_running(&id);
    stalled.signal(Signal::SIGSTOP);
    let _other = stage.worker("other", &[]);
    let task = stage.ended(&id, 20 * SECOND);
    assert_eq!(task["attempt"], 2);
    stalled.signal(Signal::SIGCONT);
    // It comes back with a new session, and goes on.
    stage.until_workers(2);
    assert_eq!(stage.task(&id)["attempt"], 2);
    let again = stage.submit("square", "7");
    assert_eq!(stage.ended(&again, 10 * SECOND)["result"], 49);
}

#[test]
fn a_worker_goes_on_with_its_task_across_a_restart_of_the_server() {
    let mut stage = Stage::new(&[]);
    let _worker = stage.worker("steady", &[]);
    let id = stage.submit("sleep", r#"{"ms":4000}"#);
    stage.until_running(&id);
    // It is on disk, and about to reach the worker; a kill before it does is another story.
    std::thread::sleep(SECOND / 2);
    stage.restart_server();
    let task = stage.ended(&id, 20 * SECOND);
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"succeeded".into(), &1.into())
    );
}

#[test]
fn a_worker_that_is_told_to_stop_ends_what_it_runs_and_nothing_else() {
    let stage = Stage::new(&[]);
    let mut worker = stage.worker("leaving", &[]);
    let running = stage.submit("sleep", r#"{"ms":1500}"#);
    stage.until_running(&running);
    let waiting = stage.submit("sleep", r#"{"ms":1}"#);
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.exit_code(), 0);
    let task = stage.task(&running);
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"succeeded".into(), &1.into())
    );
    assert_eq!(stage.task(&waiting)["status"], "queued");
    let _next = stage.worker("next", &[]);
    assert_eq!(stage.ended(&waiting, 10 * SECOND)["status"], "succeeded");
}

#[test]
fn a_second_signal_gives_back_what_runs() {
    let stage = Stage::new(&[]);
    let mut worker = stage.worker("hurried", &[]);
    let id = stage.submit("sleep", r#"{"ms":60000}"#);
    stage.until_running(&id);
    worker.signal(Signal::SIGTERM);
    std::thread::sleep(SECOND / 2);
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.exit_code(), 0);
    let task = stage.task(&id);
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"queued".into(), &1.into())
    );
}

#[test]
fn the_servers_own_threads_go_on_when_a_worker_comes() {
    let stage = Stage::new(&["--threads", "2"]);
    // Long enough for both to wait for work.
    let before = stage.submit("square", "3");
    assert_eq!(stage.ended(&before, 60 * SECOND)["result"], 9);
    let _worker = stage.worker("w", &["--kinds", "echo"]);
    for _ in 0..5 {
        let id = stage.submit("square", "5");
        assert_eq!(stage.ended(&id, 30 * SECOND)["result"], 25);
    }
}

#[test]
fn a_task_that_takes_longer_than_every_lease_runs_once() {
    let stage = Stage::new(&["--session-ttl", "1s"]);
    let _worker = stage.worker("w", &[]);
    let _idle = stage.worker("idle", &[]);
    let id = stage.submit("sleep", r#"{"ms":4000}"#);
    let task = stage.ended(&id, 60 * SECOND);
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"succeeded".into(), &1.into())
    );
}

#[test]
fn what_is_due_later_waits_at_the_server_and_not_at_a_worker() {
    let stage = Stage::new(&[]);
    let _worker = stage.worker("w", &["--prefetch", "8192"]);
    let tasks = (0..500).map(|_| r#"{"kind":"square","payload":"2","delay_ms":600000}"#);
    let tasks: Vec<&str> = tasks.collect();
    stage.say(&format!(
        r#"{{"cmd":"batch","wait":false,"tasks":[{}]}}"#,
        tasks.join(",")
    ));
    // Nothing of it is in the way of what is due now.
    let now = stage.submit("square", "3");
    assert_eq!(stage.ended(&now, 60 * SECOND)["result"], 9);
    let worker = &stage.workers()[0];
    assert_eq!(worker["busy"], 0, "{worker}");
}

#[test]
fn a_running_task_is_cancelled_where_it_runs() {
    let stage = Stage::new(&[]);
    let _worker = stage.worker("w", &[]);
    let id = stage.submit("sleep", r#"{"ms":60000}"#);
    stage.until_running(&id);
    stage.say(&format!(r#"{{"cmd":"cancel","task_id":"{id}"}}"#));
    assert_eq!(stage.ended(&id, 5 * SECOND)["status"], "cancelled");
}

#[test]
fn kinds_and_labels_decide_where_a_task_runs() {
    let stage = Stage::new(&[]);
    let _plain = stage.worker("plain", &["--kinds", "square,echo"]);
    let id = stage
        .say(r#"{"cmd":"submit","kind":"sha256","payload":"x","requires":["gpu"],"wait":false}"#);
    let id = id["task_id"].as_str().unwrap_or_default().to_owned();
    let square = stage.submit("square", "3");
    assert_eq!(stage.ended(&square, 10 * SECOND)["result"], 9);
    assert_eq!(stage.task(&id)["why"]["code"], "no_worker_for_kind");
    let _gpu = stage.worker("gpu", &["--kinds", "sha256", "--label", "gpu"]);
    assert_eq!(stage.ended(&id, 10 * SECOND)["status"], "succeeded");
}

#[test]
fn two_workers_share_what_there_is() {
    let stage = Stage::new(&[]);
    let _workers = [stage.worker("a", &[]), stage.worker("b", &[])];
    let began = Instant::now();
    let ids: Vec<String> = (0..6)
        .map(|_| stage.submit("sleep", r#"{"ms":1500}"#))
        .collect();
    for id in &ids {
        stage.ended(id, 20 * SECOND);
    }
    // One alone takes nine seconds.
    assert!(began.elapsed() < 8 * SECOND, "{:?}", began.elapsed());
}
