//! Processes of one system, each with an environment of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something holds.
pub(crate) fn until(mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "it never held");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that ends with the test.
pub(crate) struct Process(Child);

impl Process {
    fn start(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
        command.env_clear().env("LANG", "C").current_dir(folder);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(environment.iter().copied()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Has it end, and waits until it has.
    pub(crate) fn end(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server, and workers that connect to it.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    port: u16,
    pub(crate) server: Process,
}

impl Stage {
    pub(crate) fn new(environment: &[(&str, &str)], threads: &str) -> Self {
        Self::with_file(environment, threads, "")
    }

    /// A server with this `tareas.toml`.
    pub(crate) fn with_file(environment: &[(&str, &str)], threads: &str, file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tareas.toml"), file).unwrap();
        let port = tareas_services::free_port();
        let bind = format!("127.0.0.1:{port}");
        let arguments = [
            "serve",
            "--bind",
            &bind,
            "--data",
            "data",
            "--threads",
            threads,
        ];
        let server = Process::start(folder.path(), environment, &arguments);
        until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self {
            folder,
            port,
            server,
        }
    }

    /// A worker with one thread, once it is connected.
    pub(crate) fn worker(&self, environment: &[(&str, &str)]) -> Process {
        let server = format!("tcp://127.0.0.1:{}", self.port);
        let arguments = ["worker", "--server", &server, "--threads", "1"];
        let worker = Process::start(self.folder.path(), environment, &arguments);
        until(|| {
            self.http("GET", "/v1/workers", "", "")
                .contains("connected")
        });
        worker
    }

    /// Runs a command line to its end; what it says.
    pub(crate) fn run(&self, environment: &[(&str, &str)], arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
        command.env_clear().env("LANG", "C").env("NO_COLOR", "1");
        command.env("TAREAS_SERVER", format!("tcp://127.0.0.1:{}", self.port));
        command.envs(environment.iter().copied()).args(arguments);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    /// Says one line and reads so many that come back.
    pub(crate) fn say(&self, line: &str, answers: usize) -> Vec<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let lines = BufReader::new(stream).lines().take(answers);
        let read = |line: std::io::Result<String>| serde_json::from_str(&line.unwrap()).unwrap();
        lines.map(read).collect()
    }

    /// Asks over HTTP; the body. `headers` are whole lines.
    pub(crate) fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Submits over HTTP and waits for the end; the task.
    pub(crate) fn ended(&self, headers: &str, body: &str) -> Value {
        let headers = format!("{headers}Prefer: wait=60\r\n");
        let answer = self.http("POST", "/v1/tasks", &headers, body);
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
    }

    /// The value of a metric; zero when there is none.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let metrics = self.http("GET", "/metrics", "", "");
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|rest| rest.split_whitespace().next_back()?.parse().ok());
        value.unwrap_or_default()
    }
}
