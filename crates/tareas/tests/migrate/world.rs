//! A folder with tasks of every kind of fate, and where they are brought to.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tareas_services::{Bucket, Postgres, Service, is_missing};

use crate::run::{Ran, Server, finish, program};

/// Longest wait for something that must come about by itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most tasks of one page of a list.
const PAGE: &str = "200";
/// Tasks of one batch line.
const BATCH: usize = 2_000;

/// Whether there is nothing to bring tasks to.
pub(crate) fn are_missing() -> bool {
    is_missing(Service::Postgres)
}

/// A database and a bucket, both empty.
pub(crate) struct Shared {
    pub(crate) postgres: Arc<Postgres>,
    pub(crate) records: String,
    pub(crate) blobs: String,
    _bucket: Bucket,
}

impl Shared {
    pub(crate) fn start() -> Self {
        let bucket = Bucket::start();
        let postgres = Postgres::shared();
        Self {
            records: postgres.database(),
            blobs: bucket.url(),
            postgres,
            _bucket: bucket,
        }
    }

    /// As the side that is filled.
    pub(crate) fn as_target(&self) -> [&str; 4] {
        ["--to-records", &self.records, "--to-blobs", &self.blobs]
    }

    /// As the side that is read.
    pub(crate) fn as_source(&self) -> [&str; 4] {
        ["--from-records", &self.records, "--from-blobs", &self.blobs]
    }
}

/// Runs `tareas migrate` with these arguments, and with the keys of the bucket.
pub(crate) fn migrate(arguments: &[&str], failpoint: Option<&str>) -> Ran {
    let mut command = program();
    command.args(["migrate", "-o", "json"]).args(arguments);
    command
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    command.envs(failpoint.map(|text| ("TAREAS_FAILPOINT", text)));
    finish(command, "")
}

/// The summary of a migration that must have been done.
pub(crate) fn done(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A command that leaves a file.
const NOTE: &str = r#"
[kinds.note]
command = ["sh", "-c", "echo kept > $TAREAS_OUT/note.txt"]
"#;

/// A server over a folder, whose tasks have fates. And its tasks with blobs.
pub(crate) fn filled(count: usize) -> (Server, Vec<String>) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("tareas.toml"), NOTE).unwrap();
    let server = Server::start_in(folder, &["--threads", "2"]);
    let mut line = Line::to(&server);
    assert_eq!(server.tareas(&["queues", "pause", "later"]).code, 0);
    let tasks: Vec<Value> = (0..count).map(task).collect();
    for part in tasks.chunks(BATCH) {
        line.batch(part);
    }
    let large = vec![
        server.submit(&["text", "100000"]),
        server.submit(&["sha256", &"x".repeat(100_000)]),
        server.submit(&["note"]),
    ];
    until_quiet(&server);
    let cancelled = server.tareas(&["list", "queue:later", "--limit", "20", "-o", "id"]);
    let ids: Vec<&str> = cancelled.stdout.lines().collect();
    let cancel: Vec<&str> = ["cancel"].into_iter().chain(ids).collect();
    assert_eq!(server.tareas(&cancel).code, 0);
    (server, large)
}

/// One of many fates.
fn task(number: usize) -> Value {
    match number % 10 {
        0 => json!({"kind": "echo", "payload": {"n": number}, "queue": "later", "priority": 9}),
        1 => json!({"kind": "echo", "payload": "ñ\u{0}", "delay_ms": 86_400_000 + number}),
        2 => json!({"kind": "fail", "payload": {"message": "no", "retryable": true},
            "max_attempts": 3, "backoff": {"initial_ms": 1, "max_ms": 2}}),
        3 => json!({"kind": "echo", "payload": [number], "idempotency_key": format!("k{number}"),
            "metadata": {"who": "ana"}, "retention_ms": 86_400_000}),
        4 => json!({"kind": "echo", "payload": "x".repeat(5_000), "queue": "later"}),
        _ => json!({"kind": "square", "payload": {"n": number}}),
    }
}

/// A connection that speaks lines.
struct Line(BufReader<TcpStream>);

impl Line {
    fn to(server: &Server) -> Self {
        Self(BufReader::new(
            TcpStream::connect(server.authority()).unwrap(),
        ))
    }

    /// Submits tasks; those for which the server has no room yet again.
    fn batch(&mut self, tasks: &[Value]) {
        let mut left = tasks.to_vec();
        while !left.is_empty() {
            let line = json!({"cmd": "batch", "tasks": left, "wait": false});
            writeln!(self.0.get_mut(), "{line}").unwrap();
            let mut answer = String::new();
            self.0.read_line(&mut answer).unwrap();
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let answers = answer["tasks"].as_array().unwrap().iter();
            let refused = answers.zip(left).filter(|(answer, _)| {
                let error = &answer["error"];
                assert!(error.is_null() || error["retryable"] == true, "{error}");
                !error.is_null()
            });
            left = refused.map(|(_, task)| task).collect();
        }
    }
}

/// Waits until nothing is going to change by itself.
fn until_quiet(server: &Server) {
    let until = Instant::now() + PATIENCE;
    let is_quiet = || {
        let busy = ["state:running", "state:queued queue:default"].map(|filter| {
            let filters: Vec<&str> = filter.split(' ').collect();
            let list: Vec<&str> = ["list", "-o", "id"].into_iter().chain(filters).collect();
            server.tareas(&list).stdout
        });
        let retries = server
            .tareas(&["list", "state:scheduled", "kind:fail", "-o", "id"])
            .stdout;
        busy.iter().all(String::is_empty) && retries.is_empty()
    };
    while !is_quiet() {
        assert!(Instant::now() < until, "tasks do not end");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Everything that `tareas list -o json` says, byte by byte, without where each page ends; and how
/// many tasks that are.
pub(crate) fn list(server: &Server) -> (Vec<String>, usize) {
    let (mut pages, mut count, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let mut arguments = vec!["list", "--limit", PAGE, "-o", "json"];
        if let Some(cursor) = &cursor {
            arguments.extend(["--cursor", cursor]);
        }
        let page = server.tareas(&arguments);
        assert_eq!(page.code, 0, "{page:?}");
        let told: Value = serde_json::from_str(&page.stdout).unwrap();
        count += told["tasks"].as_array().unwrap().len();
        let (tasks, _) = page.stdout.rsplit_once(r#","next_cursor":"#).unwrap();
        pages.push(tasks.to_owned());
        cursor = told["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return (pages, count);
        }
    }
}

/// SIGTERM, and its end in order.
pub(crate) fn stop(mut server: Server) -> Arc<tempfile::TempDir> {
    server.signal(Signal::SIGTERM);
    let (code, said) = server.ended();
    assert_eq!(code, 0, "{said}");
    Arc::clone(&server.folder)
}
