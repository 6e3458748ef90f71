//! A disk that is really full: a file system of 40 MiB, in a mount namespace of its own, which
//! ends with the test. Skipped aloud where the system does not allow that.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod sqlite_support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sqlite_support::{
    all_durable, apply, claim, config, done, id, settle, spec, submit, success, text,
};
use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::SqliteConfig;
use tareas_core::{Outcome, Phase, Rejected, Spec};
use tareas_engine::ports::Records;

/// Names the small file system, within the namespace.
const DISK: &str = "TAREAS_SMALL_DISK";

/// Runs the test below again, as another process that sees the small file system.
#[test]
fn a_full_disk_refuses_submissions_and_loses_nothing() {
    let disk = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=40m tmpfs \"$1\"";
    let namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh"]);
        command.arg(disk.path());
        command
    };
    let is_allowed = namespace(mount)
        .output()
        .is_ok_and(|tried| tried.status.success());
    if !is_allowed {
        eprintln!("SKIPPED: this user may not mount a small file system");
        return;
    }
    let again = "exec \"$2\" --ignored --exact on_a_small_disk --nocapture";
    let output = namespace(&format!("{mount} && {again}"))
        .arg(std::env::current_exe().unwrap())
        .env(DISK, disk.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "runs within the test above"]
async fn on_a_small_disk() {
    let disk = std::env::var(DISK).expect("it is started by the test above");
    let folder = Path::new(&disk).join("data");
    // A reserve so small that the disk is full before anybody looks.
    let small = SqliteConfig {
        disk_reserve_bytes: Some(8 << 20),
        ..config(&folder)
    };
    let records = SqliteRecords::open(small.clone()).unwrap();
    done(&records, submit(spec(0))).await;
    done(&records, claim(id(0), 0)).await;
    all_durable(&records).await;
    let filler = Path::new(&disk).join("filler");
    fill(&filler, 64 << 20);
    let payload = format!("\"{}\"", "x".repeat(60_000));
    let mut accepted = vec![id(0)];
    let refused = loop {
        let number = accepted.len() as u128;
        let new = Spec {
            payload: text(&payload),
            ..spec(number)
        };
        match apply(&records, vec![submit(new)]).await.outcomes.remove(0) {
            Outcome::Done(task) => accepted.push(task.id()),
            Outcome::Refused(rejected) => break rejected,
            other => panic!("{other:?}"),
        }
        tokio::time::timeout(Duration::from_millis(20), all_durable(&records))
            .await
            .ok();
    };
    assert_eq!(refused, Rejected::StorageFull);
    // The result of what runs is recorded all the same.
    done(&records, settle(id(0), 1, success("1"))).await;
    fs::remove_file(&filler).unwrap();
    all_durable(&records).await;
    let retries = records.stats().retries;
    records.close().await.unwrap();
    drop(records);
    let records = SqliteRecords::open(small).unwrap();
    let (tasks, _) = records.load(&accepted).await.unwrap();
    assert!(
        tasks.iter().all(Option::is_some),
        "after {retries} more tries"
    );
    assert_eq!(tasks[0].as_ref().unwrap().phase(), Phase::Succeeded);
    eprintln!(
        "{} tasks accepted, {retries} commits tried again",
        accepted.len()
    );
}

fn fill(path: &Path, bytes: usize) {
    use std::io::Write;

    let mut file = fs::File::create(path).unwrap();
    let block = vec![1; 1 << 16];
    for _ in 0..bytes / block.len() {
        if file.write_all(&block).is_err() {
            return;
        }
    }
}
