//! `tareas serve`: banner, refusals, signals, what survives.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use nix::sys::signal::Signal;

use crate::run::{Server, finish, program, tareas};

#[test]
fn the_banner_names_everything_in_both_languages() {
    let server = Server::start(&[]);
    let (said, authority) = (server.said(), server.authority());
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("tareas ") && lines[0].contains(" ready in "),
        "{said}"
    );
    let dashboard = format!("├─ Dashboard  http://{authority}");
    assert!(lines[1].starts_with(&dashboard), "{said}");
    assert!(lines[1].ends_with("(open to this machine only)"), "{said}");
    assert_eq!(lines[2], format!("├─ HTTP API   http://{authority}/v1"));
    assert_eq!(lines[3], format!("├─ TCP        tcp://{authority}"));
    assert!(lines[4].starts_with("├─ Data       ") && lines[4].ends_with("SQLite + files"));
    assert_eq!(lines[5], "└─ Worker     embedded, 2 threads, queues: all");
    assert_eq!(lines[6], "Try:  tareas submit sumar 2 + 2 --wait");
    let spanish = Server::start(&["--lang", "es"]).said();
    for part in [
        " listo en ",
        "├─ Panel      ",
        "(solo desde esta máquina)",
        "└─ Trabajador incluido, 2 hilos",
    ] {
        assert!(spanish.contains(part), "{part} in {spanish}");
    }
}

#[test]
fn both_signals_end_it_with_0_and_tasks_survive() {
    let mut folder = None;
    let mut id = String::new();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut server = match folder.take() {
            None => Server::start(&[]),
            Some(folder) => Server::start_in(folder, &[]),
        };
        if !id.is_empty() {
            assert_eq!(server.tareas(&["result", &id]).stdout, "25\n");
        }
        id = server.submit(&["square", "5"]);
        assert_eq!(server.tareas(&["wait", &id]).code, 0);
        server.signal(signal);
        let (code, said) = server.ended();
        assert_eq!(code, 0, "{said}");
        assert!(said.ends_with("stopped\n"), "{said}");
        folder = Some(Arc::clone(&server.folder));
    }
}

#[test]
fn the_history_outlives_a_restart() {
    let mut server = Server::start(&[]);
    let id = server.submit(&["square", "5"]);
    assert_eq!(server.tareas(&["wait", &id]).code, 0);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().0, 0);
    let server = Server::start_in(Arc::clone(&server.folder), &[]);
    // Nothing is submitted in this life; what is told is from the one before.
    for _ in 0..3_000 {
        if get(&server, "/v1/history?step=60&queue=default").contains(r#""accepted":1"#) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{}", get(&server, "/v1/history?step=60"));
}

/// The answer to a request that names no host, as no browser sends it.
fn get(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.authority()).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_runs_may_finish_and_a_second_signal_gives_it_back() {
    let mut server = Server::start(&[]);
    let id = server.submit(&["sleep", "400"]);
    wait_until_running(&server, &id);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().0, 0);
    let mut server = Server::start_in(Arc::clone(&server.folder), &[]);
    assert_eq!(
        server.tareas(&["result", &id]).stdout,
        "400\n",
        "it was let finish"
    );
    let long = server.submit(&["sleep", "20000"]);
    wait_until_running(&server, &long);
    server.signal(Signal::SIGTERM);
    std::thread::sleep(std::time::Duration::from_millis(200));
    server.signal(Signal::SIGTERM);
    let (code, said) = server.ended();
    assert_eq!(code, 0, "{said}");
    let server = Server::start_in(Arc::clone(&server.folder), &["--threads", "0"]);
    let shown = server.tareas(&["show", &long, "-o", "json"]);
    assert!(
        shown.stdout.contains(r#""status":"queued""#),
        "given back: {}",
        shown.stdout
    );
}

fn wait_until_running(server: &Server, id: &str) {
    for _ in 0..500 {
        if server
            .tareas(&["show", id, "-o", "json"])
            .stdout
            .contains(r#""status":"running""#)
        {
            return;
        }
    }
    panic!("{id} does not run");
}

#[test]
fn a_killed_server_keeps_what_it_confirmed() {
    let server = Server::start(&["--threads", "0"]);
    let id = server.submit(&["square", "5"]);
    let folder = Arc::clone(&server.folder);
    drop(server);
    let server = Server::start_in(folder, &[]);
    assert!(
        server.said().contains("did not end in order"),
        "{}",
        server.said()
    );
    assert_eq!(server.tareas(&["wait", &id]).stdout, "25\n");
}

#[test]
fn a_folder_in_use_is_75_and_a_taken_port_69() {
    let server = Server::start(&[]);
    let data = server.data().display().to_string();
    let ran = tareas(&["serve", "--bind", "127.0.0.1:0", "--data", &data]);
    assert_eq!(ran.code, 75, "{ran:?}");
    assert!(
        ran.stderr.contains("[TAR-1403]") && ran.stderr.contains("--data"),
        "{ran:?}"
    );
    let other = tempfile::tempdir().unwrap();
    let mut command = program();
    command
        .args(["serve", "--bind", server.authority(), "--data"])
        .arg(other.path());
    let ran = finish(command, "");
    assert_eq!(ran.code, 69, "{ran:?}");
    assert!(
        ran.stderr.contains("[TAR-1404]") && ran.stderr.contains("--bind"),
        "{ran:?}"
    );
}

#[test]
fn beyond_this_machine_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let ran = tareas(&["serve", "--bind", "0.0.0.0:0", "--data", &data]);
    assert_eq!(ran.code, 78, "{ran:?}");
    assert!(
        ran.stderr.contains("[TAR-1504]") && ran.stderr.contains("--insecure"),
        "{ran:?}"
    );
    assert!(!folder.path().join("data").exists(), "nothing was touched");
}

#[test]
fn other_stores_are_named_with_their_feature() {
    for (flag, url, feature, is_built) in [
        (
            "--queue",
            "amqp://u:hidden@h/v",
            "rabbitmq",
            cfg!(feature = "rabbitmq"),
        ),
        (
            "--records",
            "postgres://u:hidden@h/d",
            "postgres",
            cfg!(feature = "postgres"),
        ),
        ("--blobs", "s3://bucket/prefix", "s3", cfg!(feature = "s3")),
    ] {
        if is_built {
            continue;
        }
        let ran = tareas(&["serve", flag, url]);
        assert_eq!((ran.code, ran.stdout.as_str()), (78, ""), "{ran:?}");
        assert!(
            ran.stderr.contains("[TAR-1503]") && ran.stderr.contains(feature),
            "{ran:?}"
        );
        assert!(!ran.stderr.contains("hidden"), "{ran:?}");
    }
}

#[cfg(feature = "rabbitmq")]
#[test]
fn hints_may_go_through_rabbitmq_whether_it_is_there_or_not() {
    use tareas_services::{Rabbitmq, Service, free_port, is_missing};

    let nowhere = format!("amqp://127.0.0.1:{}", free_port());
    let mut urls = vec![nowhere];
    if !is_missing(Service::Rabbitmq) {
        let prefix = std::process::id();
        urls.push(format!("{}?prefix=cli{prefix}", Rabbitmq::shared()));
    }
    for url in urls {
        let server = Server::start(&["--queue", &url]);
        for n in 0..5 {
            let number = n.to_string();
            let ran = server.tareas(&["submit", "square", &number, "--wait"]);
            assert_eq!(ran.stdout, format!("{}\n", n * n), "{url}");
        }
    }
}

#[cfg(feature = "s3")]
#[test]
fn a_bucket_without_keys_or_out_of_reach_is_refused_at_the_start() {
    let url = "s3://bucket/p?endpoint=http://127.0.0.1:9";
    let folder = tempfile::tempdir().unwrap();
    let serve = |keys: &[(&str, &str)]| {
        let mut command = program();
        command
            .args(["serve", "--bind", "127.0.0.1:0", "--blobs", url, "--data"])
            .arg(folder.path().join("data"))
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .envs(keys.iter().copied());
        finish(command, "")
    };
    let ran = serve(&[]);
    assert_eq!(ran.code, 78, "{ran:?}");
    assert!(ran.stderr.contains("AWS_SECRET_ACCESS_KEY"), "{ran:?}");
    let ran = serve(&[
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
    ]);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("blob store is unavailable"), "{ran:?}");
    assert!(!ran.stderr.contains("hidden"), "{ran:?}");
}

#[test]
fn durability_os_is_named_at_the_start() {
    let server = Server::start(&["--durability", "os"]);
    assert!(server.said().contains("durability os"), "{}", server.said());
    assert_eq!(
        server.tareas(&["submit", "square", "5", "--wait"]).stdout,
        "25\n"
    );
}

#[test]
fn records_in_memory_need_no_folder() {
    let server = Server::start(&["--records", "memory:"]);
    assert_eq!(
        server.tareas(&["submit", "square", "5", "--wait"]).stdout,
        "25\n"
    );
    assert!(!server.data().join("tareas.db").exists());
}

#[test]
#[cfg(feature = "postgres")]
fn a_postgres_that_is_not_there_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let url = format!(
        "postgres://u:hidden@127.0.0.1:{}/d",
        tareas_services::free_port()
    );
    let ran = tareas(&["serve", "--data", &data, "--records", &url]);
    assert_eq!(ran.code, 69, "{ran:?}");
    assert!(ran.stderr.contains("u:***@127.0.0.1"), "{ran:?}");
    assert!(!ran.stderr.contains("hidden"), "{ran:?}");
}

/// A server whose records are in PostgreSQL, through two lives: what waits and what has ended is
/// there again, and what ran is taken back.
#[test]
#[cfg(feature = "postgres")]
fn records_in_postgres_outlive_the_server() {
    if tareas_services::is_missing(tareas_services::Service::Postgres) {
        return;
    }
    let postgres = tareas_services::Postgres::shared();
    let url = postgres.database();
    let flags = ["--records", url.as_str()];
    let server = Server::start(&flags);
    let shown = url.replace("postgres@", "postgres:***@");
    assert!(server.said().contains(&shown), "{}", server.said());
    let submitted = server.tareas(&["submit", "square", "5", "--wait"]);
    assert_eq!(submitted.stdout, "25\n", "{submitted:?}");
    let server = kill_while_it_runs(server, &flags);
    let listed = server.tareas(&["list"]);
    assert!(listed.stdout.contains("succeeded"), "{listed:?}");
    let submitted = server.tareas(&["submit", "square", "6", "--wait"]);
    assert_eq!(submitted.stdout, "36\n", "{submitted:?}");
}

/// What the pool of a server ran when it was killed is taken back by the next one.
#[test]
fn what_ran_in_a_server_that_was_killed_is_told_with_its_name() {
    kill_while_it_runs(Server::start(&[]), &[]);
}

/// The next life of a server. The history of what ran in the one before names it.
fn kill_while_it_runs(mut server: Server, flags: &[&str]) -> Server {
    let asleep = server.submit(&["sleep", "60000"]);
    while !server.tareas(&["show", &asleep]).stdout.contains("running") {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let pid = server.pid();
    server.signal(Signal::SIGKILL);
    server.ended();
    let server = Server::start_in(Arc::clone(&server.folder), flags);
    let shown = server.tareas(&["show", &asleep, "-o", "json"]);
    let task: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let lost = &task["attempts"][0];
    assert_eq!(lost["outcome"], "lost", "{task}");
    let worker = lost["worker"].as_str().unwrap_or_default();
    assert!(worker.ends_with(&format!("-{pid}")), "{task}");
    server
}
