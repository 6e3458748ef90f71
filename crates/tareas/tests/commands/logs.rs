//! What attempts say: printed, followed live, resumed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::server::{Server, program, until};

/// Says a line, waits for a file, and says another.
const CONFIG: &str = r#"
[kinds.talks]
command = ["sh", "-c", "echo one >&2; echo 'progress 50 half' >&3; while [ ! -e go ]; do sleep 0.02; done; printf 'two\\033[31m\\n' >&2; echo done"]

[kinds.twice]
command = ["sh", "-c", "echo attempt $TAREAS_ATTEMPT >&2; test $TAREAS_ATTEMPT = 2"]
retry = { attempts = 2, backoff = "10ms" }

[kinds.wrong]
command = ["sh", "-c", "echo no >&2; exit 65"]
"#;

#[test]
fn a_log_is_followed_until_the_task_has_ended() {
    let server = Server::start(CONFIG);
    let id = server.submit("talks");
    let mut follow = program();
    follow.args(["-s", &server.url, "logs", &id, "-f"]);
    follow
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut follow = follow.spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "one", "it is live");
    server.write("go", "");
    let second = lines.next().unwrap().unwrap();
    assert_eq!(
        second, "two\u{FFFD}[31m",
        "nothing of it is an order to a terminal"
    );
    assert!(lines.next().is_none());
    let ended = follow.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        ended.status.success() && said.contains("50 % half"),
        "{said}"
    );
    assert!(said.contains("it has ended: succeeded"), "{said}");
}

#[test]
fn a_stream_goes_on_where_its_reader_was() {
    let server = Server::start(CONFIG);
    server.write("go", "");
    let id = server.submit("talks");
    server.ended(&id);
    let ask = |after: &str| {
        server.http(&format!(
            "GET /v1/tasks/{id}/log HTTP/1.1\r\nHost: HOST\r\nAccept: text/event-stream\r\n{after}Connection: close\r\n\r\n"
        ))
    };
    let all = ask("");
    for wanted in [
        "content-type: text/event-stream",
        "id: 1.1\nevent: log\ndata: {\"attempt\":1,\"line\":\"one\"}\n\n",
        "id: 1.2\nevent: log\n",
        "event: progress\ndata: {\"attempt\":1,\"percent\":50,\"message\":\"half\"}\n\n",
        "event: end\ndata: {\"task_id\":\"",
    ] {
        assert!(all.contains(wanted), "{wanted}: {all}");
    }
    let rest = ask("Last-Event-ID: 1.1\r\n");
    assert!(
        !rest.contains("id: 1.1\n") && rest.contains("id: 1.2\n"),
        "{rest}"
    );
}

#[test]
fn logs_of_attempts_are_apart_and_the_exit_code_is_that_of_the_end() {
    let server = Server::start(CONFIG);
    let id = server.submit("twice");
    server.ended(&id);
    let ran = server.tareas(&["logs", &id]);
    assert_eq!(ran.stdout, "attempt 1\nattempt 2\n");
    assert!(ran.stderr.contains("attempt 1:") && ran.stderr.contains("attempt 2:"));
    let followed = server.tareas(&["logs", &id, "--follow", "-q"]);
    assert_eq!((followed.code, followed.stdout), (0, ran.stdout));
    let wrong = server.submit("wrong");
    let followed = server.tareas(&["logs", &wrong, "-f", "-o", "jsonl"]);
    assert_eq!(followed.code, 1);
    assert!(
        followed
            .stdout
            .contains("{\"attempt\":1,\"line\":\"no\"}\n"),
        "{followed:?}"
    );
    let absent = server.tareas(&["logs", "019abcde-f012-7345-8678-9abcdef012ff", "-f"]);
    assert!(absent.stderr.contains("[TAR-1207]"), "{absent:?}");
    until("every stream is closed", || {
        server.get("/metrics").contains("tareas_event_streams 0")
    });
}
