//! `tareas doctor`: what it finds with nothing, with a server, with PostgreSQL and RabbitMQ, and
//! with what is broken.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tareas_services::{Postgres, Rabbitmq, Service, free_port, is_missing};
use tempfile::TempDir;

/// Runs it with these variables; its exit code and what it printed.
fn doctor(folder: &TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let output = program(folder, variables)
        .arg("doctor")
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), said)
}

/// One check, as JSON.
fn check(folder: &TempDir, name: &str, variables: &[(&str, &str)]) -> (i32, Value) {
    let (code, said) = doctor(folder, &["-o", "json"], variables);
    let mut all: Value = serde_json::from_str(&said).unwrap();
    let checks = all["checks"].as_array_mut().unwrap();
    let found = checks.iter().position(|check| check["name"] == name);
    (code, checks.swap_remove(found.unwrap()))
}

fn program(folder: &TempDir, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
    command
        .env_clear()
        .env("TAREAS_DATA", folder.path().join("data"))
        .envs(variables.iter().copied())
        .current_dir(folder.path());
    command
}

/// A running server, killed when it is dropped.
struct Server(Child, String);

impl Server {
    fn start(folder: &TempDir) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut child = program(folder, &[])
            .args(["serve", "--bind", &address])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(said.by_ref().any(|line| line.unwrap().contains("--wait")));
        std::thread::spawn(move || said.for_each(drop));
        Self(child, format!("tcp://{address}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn nobody() -> String {
    format!("tcp://127.0.0.1:{}", free_port())
}

#[test]
fn with_a_server_all_is_well_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder);
    let (code, said) = doctor(&folder, &["-s", &server.1], &[]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with('✓')).count(),
        7,
        "{said}"
    );
    assert!(
        said.contains("in use by a server") && said.contains(": tareas "),
        "{said}"
    );
    let (code, said) = doctor(&folder, &["-s", &server.1, "--lang", "es"], &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("en uso por un servidor"), "{said}");
}

#[test]
fn a_server_that_was_named_and_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let address = nobody();
    let (code, server) = check(&folder, "server", &[("TAREAS_SERVER", &address)]);
    assert_eq!((code, &server["status"]), (1, &Value::from("failed")));
    assert!(server["remedy"].as_str().unwrap().contains("tareas serve"));
    let (_, data) = check(&folder, "data", &[("TAREAS_SERVER", &address)]);
    assert_eq!(data["status"], "ok", "{data}");
    assert!(data["found"].as_str().unwrap().contains("will be made"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_wrong_configuration_is_a_check_that_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (code, found) = check(&folder, "configuration", &[("TAREAS_THREADS", "many")]);
    assert_eq!((code, &found["status"]), (1, &Value::from("failed")));
    assert!(found["found"].as_str().unwrap().contains("many"), "{found}");
}

#[test]
fn postgresql_is_looked_at_and_its_absence_too() {
    let folder = tempfile::tempdir().unwrap();
    let gone = format!("postgres://ana:hidden@127.0.0.1:{}/x", free_port());
    let (code, records) = check(&folder, "records", &[("TAREAS_RECORDS", &gone)]);
    assert_eq!((code, &records["status"]), (1, &Value::from("failed")));
    assert!(!records.to_string().contains("hidden"), "{records}");
    if is_missing(Service::Postgres) {
        return;
    }
    let postgres = Postgres::shared();
    let url = postgres.database();
    let (_, records) = check(&folder, "records", &[("TAREAS_RECORDS", &url)]);
    assert_ne!(records["status"], "failed", "{records}");
    assert!(
        records["found"]
            .as_str()
            .unwrap()
            .starts_with("PostgreSQL "),
        "{records}"
    );
}

#[test]
fn rabbitmq_is_looked_at_and_an_alarm_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let gone = format!("amqp://ana:hidden@127.0.0.1:{}", free_port());
    let (code, queue) = check(&folder, "queue", &[("TAREAS_QUEUE", &gone)]);
    assert_eq!((code, &queue["status"]), (1, &Value::from("failed")));
    assert!(!queue.to_string().contains("hidden"), "{queue}");
    if is_missing(Service::Rabbitmq) {
        return;
    }
    let node = Rabbitmq::start();
    let url = node.url();
    let (_, queue) = check(&folder, "queue", &[("TAREAS_QUEUE", &url)]);
    assert_eq!(queue["status"], "ok", "{queue}");
    assert!(
        queue["found"].as_str().unwrap().starts_with("RabbitMQ 3."),
        "{queue}"
    );
    node.rabbitmqctl(&["set_vm_memory_high_watermark", "0.00001"]);
    let (code, queue) = check(&folder, "queue", &[("TAREAS_QUEUE", &url)]);
    assert_eq!(
        (code, &queue["status"]),
        (1, &Value::from("failed")),
        "{queue}"
    );
    assert!(
        queue["remedy"].as_str().unwrap().contains("alarm"),
        "{queue}"
    );
    node.rabbitmqctl(&["set_vm_memory_high_watermark", "0.4"]);
    let left = node.rabbitmqctl(&["list_queues", "name"]);
    assert!(!left.contains("doctor"), "left behind: {left}");
}
