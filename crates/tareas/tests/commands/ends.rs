//! Nothing survives: time-out, cancel and the death of the server end the whole tree.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::server::{Server, is_running, pid_in, until, zombies_of};

/// A program that starts another one far away from itself: in a session of its own, orphaned by
/// its parent, deaf to SIGTERM. Both write down who they are.
const ESCAPES: &str = r#"trap '' TERM
(setsid sh -c 'trap "" TERM; echo $$ >far; while :; do sleep 1; done' </dev/null >/dev/null 2>&1 &)
while test ! -s far; do sleep 0.01; done
echo $$ >near
while :; do sleep 1; done"#;

/// Longest time from the request to the end of the last process.
const WITHIN: Duration = Duration::from_secs(6);

fn config(more: &str) -> String {
    format!("[kinds.escapes]\ncommand = [\"sh\", \"escapes.sh\"]\n{more}\n")
}

/// A server whose program has escaped; the two processes.
fn escaped(more: &str) -> (Server, String, [i32; 2]) {
    let server = Server::start(&config(more));
    server.write("escapes.sh", ESCAPES);
    let id = server.submit("escapes");
    let pids = [pid_in(&server.path("near")), pid_in(&server.path("far"))];
    assert!(pids.iter().all(|pid| is_running(*pid)));
    (server, id, pids)
}

fn all_end(pids: [i32; 2], since: Instant) {
    until("the end of the tree", || {
        !pids.iter().any(|pid| is_running(*pid))
    });
    assert!(since.elapsed() < WITHIN, "{:?}", since.elapsed());
}

#[test]
fn a_time_out_ends_the_whole_tree() {
    let more = "timeout = \"2s\"\nretry = { attempts = 1 }";
    let (server, id, pids) = escaped(more);
    let task = server.ended(&id);
    assert_eq!(task["reason"], "timeout", "{task}");
    all_end(pids, Instant::now());
    assert_eq!(zombies_of(server.pid()), 0);
}

#[test]
fn a_cancel_ends_the_whole_tree() {
    let (server, id, pids) = escaped("");
    let asked = Instant::now();
    let ran = server.tareas(&["cancel", &id]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let task = server.ended(&id);
    assert_eq!(task["status"], "cancelled", "{task}");
    all_end(pids, asked);
    assert_eq!(zombies_of(server.pid()), 0);
}

#[test]
fn a_program_that_heeds_sigterm_is_cancelled_at_once() {
    let server = Server::start(
        "[kinds.waits]\ncommand = [\"sh\", \"-c\", \"echo $$ >near; exec sleep 1000\"]\nstop_grace = \"4s\"\n",
    );
    let id = server.submit("waits");
    let pid = pid_in(&server.path("near"));
    let asked = Instant::now();
    server.tareas(&["cancel", &id]);
    assert_eq!(server.ended(&id)["status"], "cancelled");
    assert!(!is_running(pid) && asked.elapsed() < Duration::from_secs(4));
}

#[test]
fn the_death_of_the_server_ends_the_whole_tree() {
    let (mut server, _, pids) = escaped("");
    let killed = Instant::now();
    server.signal(Signal::SIGKILL);
    server.wait();
    all_end(pids, killed);
}

#[test]
fn what_a_program_leaves_behind_ends_with_it() {
    let script = "(setsid sh -c 'echo $$ >far; exec sleep 1000' </dev/null >/dev/null 2>&1 &); \
                  while test ! -s far; do sleep 0.01; done; echo done";
    let server = Server::start(&format!(
        "[kinds.leaves]\ncommand = [\"sh\", \"-c\", {script:?}]\n"
    ));
    assert_eq!(server.result("leaves", "x"), "done");
    assert!(!is_running(pid_in(&server.path("far"))));
}

#[test]
fn the_limit_of_running_processes_is_kept_and_the_others_wait() {
    let script = "mkdir alone || exit 64; sleep 0.1; rmdir alone; echo fine";
    let server = Server::start(&format!(
        "[kinds.alone]\ncommand = [\"sh\", \"-c\", {script:?}]\nconcurrency = 1\n"
    ));
    let ids: Vec<String> = (0..6).map(|_| server.submit("alone")).collect();
    for id in ids {
        assert_eq!(server.ended(&id)["status"], "succeeded");
    }
}
