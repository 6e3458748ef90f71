//! What the READMEs tell a person to type is typed here, against the real binary.
//!
//! Every `sh` block of both READMEs is either run, with what it must print, or named below with
//! the reason why it is not: a block that is neither fails the test, so none goes stale unseen.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Blocks that are run: a line of the block, and what its output must contain.
const RUN: &[(&str, &[&str])] = &[
    ("printf 'sumar 2 + 2", &["4\n"]),
    (
        "printf '{\"op\":\"square\"",
        &["\"status\":\"queued\"", "\"result\":25"],
    ),
    (
        "curl -s",
        &[
            "\"status\":\"succeeded\"",
            "Resultado de 'procesar datos' procesado",
        ],
    ),
    (
        "client --lang es",
        &["Resultado de 'procesar datos de usuario' procesado correctamente."],
    ),
    ("tareas submit square 12 --wait", &["144"]),
];

/// Blocks that are not run here, and why.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "cargo run --release -- demo",
        "scripts/test runs the demo, with --long as it is built here",
    ),
    (
        "cargo run --release -- serve",
        "it stays up; the server below is the same",
    ),
    ("export TAREAS_QUEUE=", "tests/scaleout runs it"),
    (
        "FROM tareas_resultados",
        "tests/scaleout/picture.rs runs it",
    ),
    ("./scripts/test", "it runs this test"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn blocks(file: &str, language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

struct Server {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(env!("CARGO_BIN_EXE_tareas"))
            .args(["serve", "--bind", &format!("127.0.0.1:{port}")])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self {
            child,
            port,
            folder,
        }
    }

    /// Runs a block as a person would, with the port of this server.
    fn run(&self, block: &str) -> String {
        let bin = Path::new(env!("CARGO_BIN_EXE_tareas")).parent().unwrap();
        let block = block
            .replace("localhost 5000", &format!("127.0.0.1 {}", self.port))
            .replace("localhost:5000", &format!("127.0.0.1:{}", self.port))
            .replace("target/release/tareas", "tareas");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["-c", &block])
            .env("PATH", path)
            .env("TAREAS_SERVER", format!("tcp://127.0.0.1:{}", self.port))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{block}\n{text}\n{output:?}");
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn has_tool(tool: &str) -> bool {
    let found = Command::new("bash")
        .args(["-c", &format!("command -v {tool}")])
        .output();
    let found = found.is_ok_and(|output| output.status.success());
    assert!(found || std::env::var("CI").is_err(), "{tool} is missing");
    found
}

#[test]
fn every_shell_block_of_the_readmes_does_what_it_says() {
    let tools = ["nc", "curl"].map(has_tool);
    if tools.contains(&false) {
        eprintln!("SKIPPED: nc or curl is missing");
        return;
    }
    for file in ["README.md", "README.es.md"] {
        let server = Server::start();
        for block in blocks(file, "sh") {
            if NOT_RUN.iter().any(|(line, _)| block.contains(line)) {
                continue;
            }
            let Some((_, wanted)) = RUN.iter().find(|(line, _)| block.contains(line)) else {
                panic!("{file}: a block that nobody runs:\n{block}");
            };
            let is_list = block.contains("ID");
            let told = if is_list {
                run_every_day(&server, &block)
            } else {
                server.run(&block)
            };
            for text in *wanted {
                assert!(told.contains(text), "{file}: {block}\nprinted {told}");
            }
        }
    }
}

/// The block of everyday commands: each line by itself, with the id of a task that waits.
fn run_every_day(server: &Server, block: &str) -> String {
    let id = server.run("tareas submit sleep 5000 --delay 60s -o id");
    let mut told = String::new();
    for line in block.lines().filter(|line| !line.contains("bench")) {
        told += &server.run(&line.replace("ID", id.trim()));
    }
    told
}

#[test]
fn the_socket_program_of_the_readmes_gets_its_answer() {
    if !has_tool("python3") {
        eprintln!("SKIPPED: python3 is missing");
        return;
    }
    let server = Server::start();
    for file in ["README.md", "README.es.md"] {
        let programs = blocks(file, "python");
        assert_eq!(programs.len(), 1, "{file}");
        let program = programs[0].replace("5000", &server.port.to_string());
        let mut child = Command::new("python3")
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(program.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "4");
    }
}
