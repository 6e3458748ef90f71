//! show, why, list, wait, result, cancel, requeue, delete, queues, health.

use crate::run::{Server, tareas};

const NOBODY: &str = "0190c1f0-0000-7000-8000-000000000001";

#[test]
fn a_task_is_shown_and_its_result_asked_for_later() {
    let server = Server::start(&[]);
    let id = server.submit(&["sumar", "2 + 2", "--meta", "who=ana"]);
    assert_eq!(server.tareas(&["wait", &id]).stdout, "4\n");
    assert_eq!(server.tareas(&["result", &id]).stdout, "4\n");
    let shown = server.tareas(&["show", &id]);
    assert_eq!(shown.code, 0);
    for row in ["status", "succeeded", "sumar", "2 + 2", "\"who\":\"ana\""] {
        assert!(shown.stdout.contains(row), "{row} in {}", shown.stdout);
    }
    assert!(
        server
            .tareas(&["why", &id])
            .stdout
            .starts_with("it has ended: succeeded")
    );
}

#[test]
fn what_does_not_exist_is_said() {
    let server = Server::start(&[]);
    for command in [
        "show", "why", "wait", "result", "cancel", "requeue", "delete",
    ] {
        let ran = server.tareas(&[command, NOBODY]);
        assert!(ran.code != 0 && ran.stdout.is_empty(), "{command} {ran:?}");
        assert!(ran.stderr.contains("[TAR-1207]"), "{command} {ran:?}");
        assert_eq!(server.tareas(&[command, "x"]).code, 2, "{command}");
    }
}

#[test]
fn a_paused_queue_keeps_its_tasks_and_says_why() {
    let server = Server::start(&[]);
    let ran = server.tareas(&["queues", "pause", "mail"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "queue mail is paused: nothing of it starts\n")
    );
    let id = server.submit(&["square", "5", "--queue", "mail"]);
    let why = server.tareas(&["why", &id]);
    assert!(why.stdout.starts_with("waiting: "), "{why:?}");
    let unfinished = server.tareas(&["result", &id]);
    assert!(unfinished.stderr.contains("[TAR-1212]"), "{unfinished:?}");
    let listed = server.tareas(&["list", "queue:mail", "-o", "id"]);
    assert_eq!(listed.stdout.trim(), id);
    let queues = server.tareas(&["colas"]);
    assert!(
        queues.stdout.contains("mail") && queues.stdout.contains("paused"),
        "{queues:?}"
    );
    assert_eq!(server.tareas(&["queues", "resume", "mail"]).code, 0);
    assert_eq!(server.tareas(&["wait", &id]).stdout, "25\n");
}

#[test]
fn cancel_requeue_delete() {
    let server = Server::start(&[]);
    assert_eq!(server.tareas(&["queues", "pause", "slow"]).code, 0);
    let id = server.submit(&["square", "5", "--queue", "slow"]);
    assert_eq!(
        server.tareas(&["cancel", &id]).stdout,
        format!("{id}  cancelled\n")
    );
    let waited = server.tareas(&["wait", &id]);
    assert_eq!(waited.code, 6, "{waited:?}");
    assert_eq!(server.tareas(&["queues", "resume", "slow"]).code, 0);
    assert_eq!(
        server.tareas(&["requeue", &id]).stdout,
        format!("{id}  queued again\n")
    );
    assert_eq!(server.tareas(&["wait", &id]).stdout, "25\n");
    assert_eq!(
        server.tareas(&["delete", &id]).stdout,
        format!("{id}  deleted\n")
    );
    assert!(server.tareas(&["show", &id]).stderr.contains("[TAR-1207]"));
}

#[test]
fn waiting_in_vain_is_3_and_the_task_goes_on() {
    let server = Server::start(&[]);
    let id = server.submit(&["sleep", "500"]);
    assert_eq!(server.tareas(&["wait", &id, "--timeout", "20ms"]).code, 3);
    assert_eq!(server.tareas(&["wait", &id]).stdout, "500\n");
}

#[test]
fn lists_have_a_table_and_lines() {
    let server = Server::start(&[]);
    let first = server.submit(&["square", "5"]);
    let second = server.submit(&["square", "6"]);
    server.tareas(&["wait", &first, &second]);
    let table = server.tareas(&["list"]);
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert!(
        lines[0].starts_with("ID") && lines[0].contains("STATUS"),
        "{}",
        table.stdout
    );
    assert!(
        lines[1].starts_with(&second),
        "the newest first: {}",
        table.stdout
    );
    assert_eq!(
        server
            .tareas(&["list", "-o", "jsonl"])
            .stdout
            .lines()
            .count(),
        2
    );
    assert_eq!(
        server.tareas(&["list", "state:failed"]).stderr,
        "no tasks\n"
    );
    assert_eq!(server.tareas(&["list", "state:unknown"]).code, 2);
}

#[test]
fn health_is_an_exit_code() {
    let server = Server::start(&[]);
    let ran = server.tareas(&["health"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("ok: "), "{}", ran.stdout);
    let url = server.url.clone();
    drop(server);
    assert_eq!(tareas(&["health", "-s", &url]).code, 69);
}

#[test]
fn a_large_result_comes_whole() {
    let server = Server::start(&[]);
    let ran = server.tareas(&["submit", "text", "600000", "--wait"]);
    assert_eq!((ran.code, ran.stdout.len()), (0, 600_001), "{}", ran.stderr);
}
