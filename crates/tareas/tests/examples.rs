//! The examples that are programs beside a server, run as their pages say. (The page for browsers
//! is run by the tests of `clients/js`, the command by `tests/commands`.)

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Server {
    url: String,
    _process: Process,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let mut serve = Command::new(env!("CARGO_BIN_EXE_tareas"));
        serve
            .args(["serve", "--bind", &address])
            .current_dir(folder.path());
        serve
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Self {
            url: format!("tcp://{address}"),
            _process: Process(serve.spawn().unwrap()),
            folder,
        };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < until, "the server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// What a task prints, or says on stderr when it has failed.
    fn result(&self, kind: &str, payload: &str) -> String {
        let mut submit = Command::new(env!("CARGO_BIN_EXE_tareas"));
        submit.args(["-s", &self.url, "submit", kind, payload, "--wait"]);
        let ran = submit.stdin(Stdio::null()).output().unwrap();
        String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap()
    }
}

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(path)
}

/// Says that something is missing; a failure under CI.
fn skip(what: &str) {
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "{what} is missing"
    );
    eprintln!("SKIPPED: {what} is missing");
}

#[test]
fn words_are_counted_by_a_fan_of_tasks() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("python3");
    }
    let server = Server::start();
    let texts = server.folder.path().join("texts");
    std::fs::create_dir_all(texts.join("below")).unwrap();
    std::fs::write(texts.join("one.txt"), "to be or not to be").unwrap();
    std::fs::write(texts.join("below/two.txt"), "ñandú y ñame").unwrap();
    std::fs::write(texts.join("picture.png"), [0xFF, 0xD8]).unwrap();
    let mut count = Command::new("python3");
    count
        .arg(example("word-count/wordcount.py"))
        .arg(&texts)
        .arg(&server.url);
    let ran = count.output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        ["6  one.txt", "3  below/two.txt", "9  in 2 files"],
        "{printed}"
    );
    assert!(String::from_utf8_lossy(&ran.stderr).contains("picture.png"));
}

#[test]
fn a_service_runs_tasks_with_its_own_state() {
    // Built with the tests of tareas-client.
    let deps = std::env::current_exe().unwrap();
    let program = deps
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/rust-service");
    if !program.exists() {
        return skip("the example rust-service (cargo build --examples)");
    }
    let server = Server::start();
    let mut service = Command::new(program);
    service.arg(&server.url).stdin(Stdio::piped());
    let mut service = Process(service.spawn().unwrap());
    let mut rates = service.0.stdin.take().unwrap();
    rates.write_all(b"EUR 1\nCOP 0.00025\n").unwrap();
    let page = std::fs::read_to_string(example("rust-service/README.md")).unwrap();
    let payload = page.split("rates.convert '").nth(1).unwrap();
    let payload = payload.split('\'').next().unwrap();
    until_known(&server.url);
    let printed = server.result("rates.convert", payload);
    assert!(page.contains(printed.trim()), "{printed}");
    let unknown = server.result("rates.convert", r#"{"amount":1,"from":"EUR","to":"XXX"}"#);
    assert!(unknown.contains("no rate for XXX"), "{unknown}");
}

/// Waits until the server has heard of the service.
fn until_known(url: &str) {
    let address = url.trim_start_matches("tcp://");
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = "GET /v1/workers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        if answer.contains("\"rates\"") {
            return;
        }
        assert!(Instant::now() < until, "{answer}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
