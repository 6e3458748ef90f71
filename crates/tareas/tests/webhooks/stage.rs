//! A server and a receiver, both as processes of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver as Channel, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tareas_services::free_port;
use tempfile::TempDir;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);
const DOCUMENTATION: &str = include_str!("../../../../docs/webhooks.md");
const RECEIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhooks/receiver.py");

/// Waits until something is so.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it does not come to that");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The message of a request that the receiver has told of.
pub(crate) fn message(told: &Value) -> Value {
    serde_json::from_str(told["body"].as_str().unwrap()).unwrap()
}

/// The code of the documentation in this language.
fn snippet(language: &str) -> &'static str {
    let start = DOCUMENTATION
        .split_once(&format!("```{language}\n"))
        .unwrap()
        .1;
    start.split_once("```").unwrap().0
}

/// A receiver in Python. Dropping it kills it.
pub(crate) struct Receiver {
    child: Child,
    folder: TempDir,
    port: u16,
    told: Mutex<Channel<Value>>,
}

impl Receiver {
    /// One at this port; `None`, which is said, where there is no Python.
    pub(crate) fn start(port: u16) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("verify.py"), snippet("python")).unwrap();
        std::fs::write(folder.path().join("secrets"), "").unwrap();
        let spawned = Command::new("python3")
            .args([RECEIVER, &port.to_string()])
            .arg(folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = spawned else {
            eprintln!("skipped: there is no python3");
            return None;
        };
        let (tell, told) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        let first: Value = told.recv_timeout(PATIENCE).unwrap();
        Some(Self {
            child,
            folder,
            port: u16::try_from(first["port"].as_u64().unwrap()).unwrap(),
            told: Mutex::new(told),
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What signatures are compared with.
    pub(crate) fn set_secrets(&self, secrets: &[&str]) {
        let path = self.folder.path();
        let fresh = path.join("secrets.new");
        std::fs::write(&fresh, secrets.join("\n")).unwrap();
        std::fs::rename(fresh, path.join("secrets")).unwrap();
    }

    /// The next request.
    pub(crate) fn next(&self) -> Value {
        self.told.lock().unwrap().recv_timeout(PATIENCE).unwrap()
    }

    /// The code for Node says the same of this request, where there is Node.
    pub(crate) fn verify_with_node(&self, told: &Value, secret: &str) {
        let folder = self.folder.path();
        std::fs::write(folder.join("verify.mjs"), snippet("js")).unwrap();
        let main = format!(
            "import {{ verify }} from './verify.mjs';\nconst told = {told};\n\
             const body = Buffer.from(told.body);\n\
             console.log(verify({secret:?}, told.headers, body), verify('whsec_AAAA', told.headers, body));"
        );
        std::fs::write(folder.join("main.mjs"), main).unwrap();
        let ran = Command::new("node")
            .arg("main.mjs")
            .current_dir(folder)
            .output();
        let Ok(ran) = ran else {
            eprintln!("skipped: there is no node");
            return;
        };
        let said = String::from_utf8_lossy(&ran.stdout);
        assert_eq!(
            said.trim(),
            "true false",
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server over SQLite. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// One whose webhooks may lead to this machine, unless these variables say otherwise.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let child = spawn(folder.path(), port, variables);
        Self {
            child,
            folder,
            port,
        }
    }

    /// Another life over the same folder.
    pub(crate) fn start_again(&mut self, variables: &[(&str, &str)]) {
        self.child = spawn(self.folder.path(), self.port, variables);
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn wait_for_its_end(&mut self) {
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "it lives on");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Exit code, and what was said on both streams.
    pub(crate) fn try_tareas(&self, arguments: &[&str]) -> (i32, String) {
        let ran = program(self.folder.path())
            .args(["-s", &format!("127.0.0.1:{}", self.port)])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (ran.status.code().unwrap_or(-1), said)
    }

    /// What a command says that does what it should.
    pub(crate) fn tareas(&self, arguments: &[&str]) -> String {
        let (code, said) = self.try_tareas(arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        said
    }

    /// Makes a webhook; its id and its secret.
    pub(crate) fn create(&self, url: &str, more: &[&str]) -> (String, String) {
        let arguments = [&["webhook", "create", "hook", url], more].concat();
        let said = self.tareas(&arguments);
        let mut words = said.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap())
    }

    pub(crate) fn submit(&self, kind: &str, payload: &str) {
        self.tareas(&["submit", kind, payload]);
    }

    /// Submits a task while the server may die; its id if it was told.
    pub(crate) fn try_submit(&self, kind: &str, payload: &str) -> Option<String> {
        let (code, said) = self.try_tareas(&["submit", "-o", "id", kind, payload]);
        let id = said.split_whitespace().next().map(str::to_owned);
        id.filter(|_| code == 0)
    }

    /// Deliveries of a webhook in this state, newest first.
    pub(crate) fn deliveries(&self, id: &str, state: &str) -> Vec<Value> {
        let arguments = ["webhook", "deliveries", id, "--state", state, "-o", "jsonl"];
        let said = self.tareas(&arguments);
        said.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The text of a page.
    pub(crate) fn page(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let host = format!("127.0.0.1:{}", self.port);
        let ask = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
    command
        .env_clear()
        .env("LANG", "C")
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TAREAS_DATA", folder.join("data"))
        .current_dir(folder);
    command
}

fn spawn(folder: &Path, port: u16, variables: &[(&str, &str)]) -> Child {
    let mut child = program(folder)
        .env("TAREAS_WEBHOOK_NETWORKS", "loopback")
        .envs(variables.iter().copied())
        .args(["serve", "--bind", &format!("127.0.0.1:{port}")])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let is_ready = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("--wait"));
    assert!(is_ready, "it does not start");
    std::thread::spawn(move || {
        lines
            .map_while(Result::ok)
            .for_each(|line| eprintln!("{line}"))
    });
    child
}
