//! Nothing is lost or changed on the way there and back.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::Server;
use crate::world::{Shared, are_missing, done, filled, list, migrate, stop};

const TASKS: usize = 12_000;
const RESULTS: &str = "SELECT id, tarea_texto, resultado_texto, coalesce(archivo_s3_key, '-'), \
    procesado_en FROM tareas_resultados ORDER BY id";

#[test]
fn all_of_it_is_the_same_there_and_back() {
    if are_missing() {
        return;
    }
    let (server, large) = filled(TASKS);
    let (before, count) = list(&server);
    assert_eq!(count, TASKS + large.len());
    let shared = Shared::start();
    let first = stop(server);
    let data = first.path().join("data").display().to_string();

    let planned = done(&migrate(
        &[&["--from", &data, "--dry-run"], &shared.as_target()[..]].concat(),
        None,
    ));
    assert_eq!(planned["tasks"], count);
    assert_eq!(planned["target"], "empty");
    let there = done(&migrate(
        &[&["--from", &data], &shared.as_target()[..]].concat(),
        None,
    ));
    assert_there(&there, &planned);
    let again = [&["--from", &data, "--verify-only"], &shared.as_target()[..]].concat();
    assert_eq!(
        done(&migrate(&again, None))["fingerprint"],
        there["fingerprint"]
    );

    let second = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let back = second.path().join("data").display().to_string();
    let back = done(&migrate(
        &[&shared.as_source()[..], &["--to", &back]].concat(),
        None,
    ));
    assert_there(&back, &planned);
    assert_same_results(first.path(), second.path(), &shared);

    let server = Server::start_in(second, &["--threads", "0"]);
    let (after, _) = list(&server);
    assert_eq!(after.len(), before.len());
    let other = before.iter().zip(&after).find(|(one, other)| one != other);
    assert_eq!(other, None);
    for id in &large {
        let result = server.tareas(&["result", id]);
        assert_eq!(result.code, 0, "{result:?}");
    }
    let files = large.last().expect("its command left one");
    let url = format!("/v1/tasks/{files}/artifacts/note.txt");
    assert!(get(&server, &url).ends_with("\r\n\r\nkept\n"), "{url}");
    let paused = server.tareas(&["queues", "-o", "json"]).stdout;
    assert!(paused.contains("later"), "{paused}");
    let same = r#"{"cmd":"submit","kind":"echo","payload":[3],"idempotency_key":"k3","metadata":{"who":"ana"},"retention_ms":86400000}"#;
    let twice = server.with_input(&["client"], &format!("{same}\n"));
    assert!(twice.stdout.contains("[3]"), "the key is known: {twice:?}");
}

fn get(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.authority()).unwrap();
    let host = server.authority();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn assert_there(summary: &Value, planned: &Value) {
    for member in [
        "tasks",
        "states",
        "attempts",
        "blobs",
        "blob_bytes",
        "fingerprint",
    ] {
        assert_eq!(summary[member], planned[member], "{member}");
    }
    assert_eq!(summary["verified"], true);
    assert!(summary["states"]["failed"].as_u64().unwrap() > TASKS as u64 / 20);
    assert!(summary["states"]["cancelled"].as_u64().unwrap() > 0);
    assert!(summary["blobs"].as_u64().unwrap() >= 2);
    let rate = summary["tasks_per_second"].as_u64().unwrap();
    eprintln!("{} → {}: {rate} tasks/s", summary["from"], summary["to"]);
}

/// The view of the classroom, row by row.
fn assert_same_results(first: &Path, second: &Path, shared: &Shared) {
    let [one, other] = [first, second].map(|folder| {
        let database = folder.join("data/tareas.db");
        let ran = Command::new("sqlite3").arg(database).arg(RESULTS).output();
        // It may not be installed here.
        ran.ok().map(|ran| String::from_utf8(ran.stdout).unwrap())
    });
    assert_eq!(one, other);
    let Some(one) = one else { return };
    let there = shared.postgres.sql_in(&shared.records, RESULTS);
    assert_eq!(one.lines().count(), there.lines().count());
    assert!(one.lines().count() > TASKS / 2);
}
