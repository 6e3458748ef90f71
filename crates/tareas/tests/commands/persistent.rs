//! Programs that stay: many tasks each, restarted, recycled, ended.

use std::time::Instant;

use crate::server::{Server, is_running, pid_in, until, zombies_of};

/// Answers with what the payload asks for.
const PROGRAM: &str = r#"
import json, os, sys, time
open("pid", "w").write(str(os.getpid()))
kept = []
for line in sys.stdin:
    asked = json.loads(line)
    payload = asked["payload"]
    if payload == "die":
        sys.stderr.write("last words\n")
        os._exit(3)
    if payload == "sleep":
        time.sleep(1000)
    if payload == "grow":
        kept.append(bytearray(os.urandom(1 << 20) * 64))
    answer = {"result": os.getpid()}
    if payload == "refuse":
        answer = {"error": {"message": "no", "retryable": False}}
    if payload == "big":
        answer = {"result": "x" * 3000000}
    print(json.dumps({"log": "asked " + str(payload), "progress": 50}))
    print(json.dumps(answer), flush=True)
"#;

fn server(more: &str) -> Server {
    let server = Server::start(&format!(
        "[kinds.stays]\ncommand = [\"/usr/bin/env\", \"python3\", \"stays.py\"]\nmode = \"persistent\"\n\
         concurrency = 1\nretry = {{ attempts = 1 }}\n{more}\n"
    ));
    server.write("stays.py", PROGRAM);
    server
}

#[test]
fn one_process_runs_many_tasks() {
    let server = server("");
    let first = server.result("stays", "x");
    for _ in 0..5 {
        assert_eq!(server.result("stays", "x"), first);
    }
    let id = server.submit("stays");
    assert_eq!(server.ended(&id)["progress"]["percent"], 50);
    let log = server.get(&format!("/v1/tasks/{id}/log"));
    assert!(log.contains("asked 5"), "{log}");
    let refused = server.tareas(&["submit", "stays", "refuse", "--wait"]);
    assert!(
        refused.code == 1 && refused.stderr.contains("no"),
        "{refused:?}"
    );
    assert_eq!(
        server.result("stays", "x"),
        first,
        "an error is no reason to start again"
    );
}

#[test]
fn a_process_that_dies_costs_its_attempt_and_another_one_starts() {
    let server = server("");
    let first = server.result("stays", "x");
    let ran = server.tareas(&["submit", "stays", "die", "--wait"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("ended with code 3: last words"),
        "{ran:?}"
    );
    let second = server.result("stays", "x");
    assert_ne!(first, second);
    assert_eq!(zombies_of(server.pid()), 0);
}

#[test]
fn a_process_is_recycled_after_so_many_tasks_or_so_much_memory() {
    let by_count = server("recycle = { tasks = 2 }");
    let pids: Vec<String> = (0..4).map(|_| by_count.result("stays", "x")).collect();
    assert!(
        pids[0] == pids[1] && pids[1] != pids[2] && pids[2] == pids[3],
        "{pids:?}"
    );
    let by_memory = server("recycle = { memory = \"40MB\" }");
    let first = by_memory.result("stays", "x");
    std::thread::sleep(std::time::Duration::from_millis(150));
    by_memory.result("stays", "grow");
    assert_ne!(by_memory.result("stays", "x"), first);
    until("no zombies", || {
        zombies_of(by_count.pid()) + zombies_of(by_memory.pid()) == 0
    });
}

#[test]
fn a_time_out_and_a_cancel_end_the_process() {
    let server = server("timeout = \"1s\"");
    let began = Instant::now();
    let ran = server.tareas(&["submit", "stays", "sleep", "--wait"]);
    assert!(ran.stderr.contains("[TAR-3002]"), "{ran:?}");
    let first = pid_in(&server.path("pid"));
    assert!(!is_running(first) && began.elapsed().as_secs() < 6);
    assert_ne!(server.result("stays", "x"), first.to_string());
    let id = server.tareas(&["submit", "stays", "sleep"]).stdout;
    let second = pid_in(&server.path("pid"));
    until("it runs", || server.show(id.trim())["status"] == "running");
    server.tareas(&["cancel", id.trim()]);
    assert_eq!(server.ended(id.trim())["status"], "cancelled");
    assert!(!is_running(second));
}

#[test]
fn too_large_an_answer_is_rejected_and_the_next_task_is_fine() {
    let server = server("");
    let ran = server.tareas(&["submit", "stays", "big", "--wait"]);
    assert!(ran.stderr.contains("max_output"), "{ran:?}");
    server.result("stays", "x");
}

#[test]
fn idle_processes_end_with_the_server() {
    let mut server = server("");
    server.result("stays", "x");
    let pid = pid_in(&server.path("pid"));
    server.signal(nix::sys::signal::Signal::SIGKILL);
    server.wait();
    until("its end", || !is_running(pid));
}
