//! What attempts say: printed, followed live, resumed.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use tareas_client::Followed;

use crate::server::{PATIENCE, Server, program, until};

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

/// Over the line protocol: live, from a place on, and all at once.
#[test]
fn a_line_follows_a_task_and_comes_back_to_where_it_was() {
    let server = Server::start(CONFIG);
    let id = server.submit("talks");
    let ask = |more: &str| {
        let authority = server.url.trim_start_matches("tcp://");
        let mut stream = std::net::TcpStream::connect(authority).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        writeln!(
            stream,
            "{{\"cmd\":\"logs\",\"task_id\":\"{id}\",\"ref\":7{more}}}"
        )
        .unwrap();
        let lines = BufReader::new(stream).lines();
        lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap())
    };
    let mut live = ask(",\"follow\":true");
    let first = live.by_ref().find(|event| event["event"] == "log").unwrap();
    assert_eq!(
        (&first["text"], &first["at"], &first["ref"]),
        (&"one".into(), &"1.1".into(), &7.into())
    );
    server.write("go", "");
    let rest: Vec<_> = live.take_while(|event| event["event"] != "end").collect();
    assert!(rest.iter().any(|event| event["at"] == "1.2"), "{rest:?}");
    let from_there: Vec<_> = ask(",\"follow\":true,\"after\":\"1.1\"").take(3).collect();
    let told: Vec<_> = from_there
        .iter()
        .filter_map(|event| event["at"].as_str())
        .collect();
    assert_eq!(told, ["1.2"], "{from_there:?}");
    let whole = ask("").next().unwrap();
    assert_eq!(
        whole["attempts"][0]["lines"].as_array().unwrap().len(),
        2,
        "{whole}"
    );
}

/// What a program writes is seen before it ends; one that ends at once shows nothing of it twice.
#[test]
fn the_output_of_a_program_is_followed_while_it_runs() {
    let script = "printf 'one '; while [ ! -e go ]; do sleep 0.02; done; printf two";
    let server = Server::start(&format!(
        "[kinds.writes]\ncommand = [\"sh\", \"-c\", {script:?}]\n"
    ));
    let id = server.submit("writes");
    let client = tareas_client::Client::connect(&server.url, Default::default()).unwrap();
    let mut follow = client.follow(id.parse().unwrap());
    let Some(Ok(Followed::Output { attempt: 1, text })) = follow.next() else {
        panic!("nothing was shown");
    };
    assert_eq!(text, "one ");
    server.write("go", "");
    let last = follow.last().unwrap().unwrap();
    assert_eq!(
        last,
        Followed::Ended {
            status: "succeeded".to_owned()
        }
    );
    assert_eq!(server.ended(&id)["result"], "one two");
    let logs = client.logs(id.parse().unwrap()).unwrap();
    assert!(logs.contains("\"output\":\"one "), "{logs}");
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
