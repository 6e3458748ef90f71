//! The real binary as a server and as a worker node, started, killed and stopped.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Longest wait for a process to be ready or to end.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Folder {
    temp: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self {
            temp: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.temp.path()
    }

    /// Where the test handler writes down every start.
    pub(crate) fn starts(&self) -> PathBuf {
        self.temp.path().join("starts")
    }
}

/// One process, with its arguments and its log.
struct Process {
    child: Child,
    arguments: Vec<String>,
    starts: PathBuf,
    log: PathBuf,
}

impl Process {
    fn start(folder: &Folder, name: &str, arguments: Vec<String>) -> Self {
        let (starts, log) = (folder.starts(), folder.path().join(format!("{name}.log")));
        let child = spawn(&arguments, &starts, &log);
        Self {
            child,
            arguments,
            starts,
            log,
        }
    }

    fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn restart(&mut self) {
        self.kill();
        self.child = spawn(&self.arguments, &self.starts, &self.log);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).unwrap();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}):\n{}", self.log());
            assert!(Instant::now() < until, "not {what}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGTERM: it must drain and end with 0.
    fn stop_in_order(&mut self) {
        self.signal(Signal::SIGTERM);
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "it ended with {status}:\n{}", self.log());
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not end after SIGTERM:\n{}", self.log());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(arguments: &[String], starts: &Path, log: &Path) -> Child {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    Command::new(env!("CARGO_BIN_EXE_tareas"))
        .args(arguments)
        .env("TAREAS_TEST_STARTS", starts)
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("TAREAS_WEBHOOK_NETWORKS", "loopback")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(log))
        .spawn()
        .unwrap()
}

/// A server that runs no tasks itself.
pub(crate) struct Server {
    process: Process,
    port: u16,
    /// Where its balancer connects.
    proxied: u16,
}

impl Server {
    pub(crate) fn start(folder: &Folder, name: &str, shared: &[String]) -> Self {
        let (port, proxied) = (tareas_services::free_port(), tareas_services::free_port());
        let data = folder.path().join(name);
        let mut arguments: Vec<String> = ["serve", "--threads", "0", "--bind"]
            .map(str::to_owned)
            .to_vec();
        arguments.push(format!("127.0.0.1:{port}"));
        arguments.extend(["--bind".to_owned(), format!("127.0.0.1:{proxied},proxy")]);
        arguments.extend(["--data".to_owned(), data.display().to_string()]);
        arguments.extend_from_slice(shared);
        let process = Process::start(folder, name, arguments);
        let mut server = Self {
            process,
            port,
            proxied,
        };
        server.until_ready();
        server
    }

    fn until_ready(&mut self) {
        let port = self.port;
        let pings = |_: &Process| try_ask(port, "{\"cmd\":\"ping\"}\n").is_some();
        self.process.until("ready", pings);
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn proxied_port(&self) -> u16 {
        self.proxied
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGKILL, and another life as whoever watches over it would give it.
    pub(crate) fn kill_and_restart(&mut self) {
        self.process.restart();
        self.until_ready();
    }

    pub(crate) fn stop_in_order(mut self) {
        self.process.stop_in_order();
    }
}

/// A worker node. It dies with this.
pub(crate) struct Node {
    process: Process,
}

impl Node {
    pub(crate) fn start(folder: &Folder, name: &str, shared: &[String]) -> Self {
        let mut arguments: Vec<String> = ["worker", "--threads", "2"].map(str::to_owned).to_vec();
        arguments.extend_from_slice(shared);
        let mut process = Process::start(folder, name, arguments);
        let ready = ["worker ready", "is connected to"];
        process.until("ready", |process| {
            ready.iter().any(|text| process.log().contains(text))
        });
        Self { process }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGSTOP: its connections stay, and nothing comes over them.
    pub(crate) fn stop_answering(&mut self) {
        self.process.signal(Signal::SIGSTOP);
    }

    pub(crate) fn stop_in_order(mut self) {
        self.process.stop_in_order();
    }
}

/// Sends one line and reads one.
fn try_ask(port: u16, line: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(line.as_bytes()).ok()?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).ok()?;
    answer.ends_with('\n').then_some(answer)
}

pub(crate) fn ask(port: u16, line: &str) -> String {
    try_ask(port, line).expect("an answer")
}

/// The status of a task.
pub(crate) fn status(port: u16, id: &str) -> String {
    let answer = ask(
        port,
        &format!("{{\"cmd\":\"status\",\"task_id\":\"{id}\"}}\n"),
    );
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["status"].as_str().unwrap_or_default().to_owned()
}
