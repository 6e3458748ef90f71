//! Exit code, signal and stdout → outcome; stderr → log; descriptor 3 → progress.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Server, until, zombies_of};

const ONCE: &str = "retry = { attempts = 1 }\n";

fn kind(name: &str, script: &str, more: &str) -> String {
    format!("[kinds.{name}]\ncommand = [\"sh\", \"-c\", {script:?}]\n{more}\n")
}

#[test]
fn stdout_is_the_result() {
    let config = [
        kind("copy", "cat", ""),
        kind("text", "echo hello; echo you", ""),
        kind("silent", "true", ""),
        kind("digits", "echo 123456789012345678901234567890", ""),
    ];
    let server = Server::start(&config.concat());
    assert_eq!(server.result("copy", "{\"a\": [1, 2]}"), "{\"a\": [1, 2]}");
    assert_eq!(server.result("copy", "some words"), "some words");
    assert_eq!(server.result("text", "x"), "hello\nyou");
    assert_eq!(server.result("silent", "x"), "");
    assert_eq!(
        server.result("digits", "x"),
        "123456789012345678901234567890"
    );
    assert_eq!(zombies_of(server.pid()), 0);
}

#[test]
fn every_row_of_the_table_of_exit_codes() {
    let rows = [
        ("code64", "echo wrong >&2; exit 64", "rejected"),
        ("code65", "exit 65", "rejected"),
        (
            "code1",
            "echo first; echo last words >&2; exit 1",
            "attempts_exhausted",
        ),
        ("code75", "exit 75", "attempts_exhausted"),
        ("killed", "kill -KILL $$", "attempts_exhausted"),
        ("absent", "exec /does/not/exist", "attempts_exhausted"),
    ];
    let config: String = rows
        .iter()
        .map(|(name, script, _)| kind(name, script, ONCE))
        .collect();
    let server = Server::start(&config);
    let ended = |name: &str| server.ended(&server.submit(name));
    for (name, _, reason) in rows {
        let task = ended(name);
        assert_eq!(
            (&task["status"], &task["reason"]),
            (&"failed".into(), &reason.into()),
            "{task}"
        );
    }
    let message = |task: &Value| {
        task["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        message(&ended("code1")),
        "the command ended with code 1: last words"
    );
    assert_eq!(
        message(&ended("killed")),
        "the command was ended by SIGKILL"
    );
    assert_eq!(ended("code64")["attempt"], 1);
}

#[test]
fn code_75_says_when_to_try_again() {
    let script = "test -e again && echo done && exit; touch again; echo retry_after 1 >&3; exit 75";
    let policy = "retry = { backoff = \"1ms\" }";
    let server = Server::start(&kind("later", script, policy));
    let began = Instant::now();
    assert_eq!(server.result("later", "x"), "done");
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn stderr_is_the_log_and_descriptor_3_tells_the_progress_while_it_runs() {
    let script = "echo one >&2; echo 'progress 40 half way' >&3; while test ! -e go; do sleep 0.02; done; echo two >&2";
    let server = Server::start(&kind("talks", script, ""));
    let id = server.submit("talks");
    let log = || server.get(&format!("/v1/tasks/{id}/log"));
    until("the first line, live", || log().contains("\"one\""));
    until("progress, live", || {
        server.show(&id)["progress"]["percent"] == 40
    });
    server.write("go", "");
    assert_eq!(server.ended(&id)["status"], "succeeded");
    assert!(log().contains("[\"one\",\"two\"]"), "{}", log());
}

#[test]
fn too_much_output_is_rejected_and_the_program_ended() {
    let server = Server::start(&kind("floods", "yes; sleep 1000", "max_output = \"1MB\""));
    let task = server.ended(&server.submit("floods"));
    assert_eq!(task["reason"], "rejected");
    let message = task["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "the command wrote more than 1000000 bytes (max_output)"
    );
}

#[test]
fn limits_of_memory_and_processor_time_are_kept() {
    let config = [
        kind("spins", "while :; do :; done", "cpu_max = 1\nretry = { attempts = 1 }"),
        "[kinds.grows]\ncommand = [\"/usr/bin/env\", \"python3\", \"-c\", \"x = bytearray(1 << 30)\"]\n\
         memory_max = \"256MB\"\nretry = { attempts = 1 }\n"
            .to_owned(),
    ];
    let server = Server::start(&config.concat());
    let message = |kind| {
        let task = server.ended(&server.submit(kind));
        task["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(message("spins").contains("SIGXCPU"), "{}", message("spins"));
    assert!(
        message("grows").contains("MemoryError"),
        "{}",
        message("grows")
    );
}

#[test]
fn a_payload_larger_than_every_buffer_arrives() {
    let server = Server::start(&kind("count", "wc -c", ""));
    let text = "x".repeat(900_000);
    server.write("large.txt", &text);
    let file = format!("@{}", server.path("large.txt").display());
    let ran = server.tareas(&["submit", "count", &file, "--wait"]);
    assert_eq!(ran.stdout.trim(), "900002", "{ran:?}");
}
