//! A server that was killed: what it was running arrives, is taken back once, and its attempt
//! numbers are never given again.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::run::Server;
use crate::world::{Shared, are_missing, done, migrate, stop};

const RUNNING: usize = 3;

fn shown(server: &Server, id: &str) -> Value {
    let shown = server.tareas(&["show", id, "-o", "json"]);
    serde_json::from_str(&shown.stdout).unwrap()
}

#[test]
fn what_was_running_goes_on_in_the_new_place() {
    if are_missing() {
        return;
    }
    let shared = Shared::start();
    let mut server = Server::start(&["--threads", "3"]);
    let ids: Vec<String> = (0..RUNNING)
        .map(|_| server.submit(&["sleep", "2000"]))
        .collect();
    let until = Instant::now() + Duration::from_secs(20);
    while server
        .tareas(&["list", "state:running", "-o", "id"])
        .stdout
        .lines()
        .count()
        < RUNNING
    {
        assert!(Instant::now() < until, "they do not start");
    }
    server.signal(Signal::SIGKILL);
    server.ended();
    let folder = std::sync::Arc::clone(&server.folder);
    let data = folder.path().join("data").display().to_string();
    let blobs = format!("file:{}", folder.path().join("blobs").display());
    let there = ["--from", &data, "--to-records", &shared.records];
    let summary = done(&migrate(
        &[&there[..], &["--to-blobs", &blobs]].concat(),
        None,
    ));
    assert_eq!(summary["states"]["running"], RUNNING);

    let server = Server::start(&[
        "--records",
        &shared.records,
        "--lease",
        "1s",
        "--threads",
        "3",
    ]);
    for id in &ids {
        let waited = server.tareas(&["--timeout", "40s", "wait", id]);
        assert_eq!(waited.code, 0, "{waited:?}");
        let task = shown(&server, id);
        assert_eq!(task["status"], "succeeded");
        assert_eq!(task["attempt"], 3, "one number is left out: {task}");
        let lost = task["attempts"].as_array().unwrap();
        assert_eq!(lost.len(), 1, "{task}");
        assert_eq!(lost[0]["outcome"], "lost", "{task}");
    }
    stop(server);
}
