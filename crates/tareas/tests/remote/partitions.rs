//! A wire between worker and server on which nothing gets through for a while: longer than the
//! worker's lease, and shorter. `./scripts/test --long` waits as long as real leases last.

use std::time::Duration;

use serde_json::json;
use tareas_services::FaultProxy;

use crate::stage::{Process, Stage};
use crate::wire::Wire;

const SECOND: Duration = Duration::from_secs(1);

/// Says that it has begun, and takes a while.
const CONFIG: &str = r#"
[kinds.slow]
command = ["sh", "-c", "echo x >> begun; sleep 3; echo done"]
"#;

/// A server that can be cut off, and the task that a worker has begun behind the cut.
fn stage(arguments: &[&str]) -> (Stage, FaultProxy, Process, String) {
    let stage = Stage::new(arguments);
    stage.write("tareas.toml", CONFIG);
    let proxy = FaultProxy::start(stage.address());
    let worker = stage.worker_of(proxy.address(), "cut-off", &[]);
    let id = stage.submit("slow", "1");
    stage.until(|| begun(&stage) == 1);
    (stage, proxy, worker, id)
}

/// How often the task was begun.
fn begun(stage: &Stage) -> usize {
    stage.read("begun").lines().count()
}

fn is_long() -> bool {
    std::env::var_os("TAREAS_TEST_LONG").is_some()
}

#[test]
fn what_a_cut_off_worker_ran_runs_elsewhere_and_its_late_result_is_refused() {
    let short: &[&str] = &["--session-ttl", "3s"];
    let (stage, proxy, _cut_off, id) = stage(if is_long() { &[] } else { short });
    proxy.stall();
    let _other = stage.worker("other", &[]);
    if is_long() {
        std::thread::sleep(20 * SECOND);
    }
    let task = stage.ended(&id, 60 * SECOND);
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"succeeded".into(), &2.into()),
        "{task}"
    );
    let lost = &task["attempts"][0];
    assert_eq!(
        (&lost["outcome"], &lost["worker"]),
        (&"lost".into(), &"cut-off".into()),
        "{task}"
    );
    // It had a result of its own, and comes back to say so.
    proxy.resume();
    stage.until_workers(2);
    let again = stage.task(&id);
    assert_eq!(again["attempt"], 2);
    assert_eq!(again["finished_at"], task["finished_at"]);
    assert_eq!(begun(&stage), 2);
}

fn assert_ran_once(stage: &Stage, id: &str) {
    let task = stage.ended(id, 60 * SECOND);
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"succeeded".into(), &1.into()),
        "{task}"
    );
    assert_eq!(begun(stage), 1);
}

#[test]
fn a_worker_that_is_cut_off_for_a_moment_goes_on_and_nothing_is_run_again() {
    let (stage, proxy, _worker, id) = stage(&[]);
    let _other = stage.worker("other", &[]);
    proxy.stall();
    std::thread::sleep(if is_long() { 2 * SECOND } else { SECOND });
    proxy.resume();
    assert_ran_once(&stage, &id);
}

#[test]
fn a_broken_connection_that_is_made_again_runs_nothing_again() {
    let (stage, proxy, _worker, id) = stage(&[]);
    proxy.cut();
    assert_ran_once(&stage, &id);
}

/// Word by word: the server tells the worker what is not its own any more, refuses what it says
/// about it all the same, and stores nothing of it.
#[test]
fn a_stale_attempt_is_dropped_refused_and_its_files_are_kept_nowhere() {
    let stage = Stage::new(&["--session-ttl", "2s"]);
    let mut late = Wire::connect(stage.address());
    let session = late.work(json!({}));
    let id = stage.submit("echo", "[7]");
    let assigned = late.hear("lease");
    // It says nothing for longer than its lease.
    let _other = stage.worker("other", &["--kinds", "echo"]);
    let task = stage.ended(&id, 60 * SECOND);
    assert_eq!(
        (&task["attempt"], &task["result"]),
        (&2.into(), &json!([7])),
        "{task}"
    );
    let mut back = Wire::connect(stage.address());
    let held = json!([[assigned["task_id"], assigned["attempt"], assigned["lease"]]]);
    let welcome = back.work(json!({"resume": session["resume"], "holding": held}));
    assert_eq!(
        (&welcome["resumed"], &welcome["drop"]),
        (&false.into(), &held)
    );
    let before = stage.blobs();
    back.about(
        "artifact",
        &assigned,
        &json!({"name": "late.txt", "chunk": "bGF0ZQ=="}),
    );
    back.about("done", &assigned, &json!({"result": "late"}));
    let refused = back.hear("error");
    assert_eq!(refused["error"]["name"], "stale", "{refused}");
    assert_eq!(
        (stage.blobs(), &stage.task(&id)["result"]),
        (before, &json!([7]))
    );
}
