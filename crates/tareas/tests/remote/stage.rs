//! A server without threads of its own, and workers as processes of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Stage {
    folder: tempfile::TempDir,
    port: u16,
    arguments: Vec<String>,
    server: Process,
}

/// A process that ends with the test.
pub(crate) struct Process(Child);

impl Process {
    fn start(arguments: &[&str], folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
        command.env_clear().env("LANG", "C").current_dir(folder);
        // Where the programs of commands are.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        kill(pid, signal).unwrap();
    }

    pub(crate) fn exit_code(&mut self) -> i32 {
        self.0.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stage {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let server = serve(&folder, port, &arguments);
        let stage = Self {
            folder,
            port,
            arguments,
            server,
        };
        stage.until_up();
        stage
    }

    pub(crate) fn restart_server(&mut self) {
        self.server.signal(Signal::SIGKILL);
        self.server.exit_code();
        self.server = serve(&self.folder, self.port, &self.arguments);
        self.until_up();
    }

    /// A worker with one thread, once it is connected.
    pub(crate) fn worker(&self, name: &str, more: &[&str]) -> Process {
        self.worker_of(self.address(), name, more)
    }

    /// The same, for a server that is reached there.
    pub(crate) fn worker_of(&self, server: SocketAddr, name: &str, more: &[&str]) -> Process {
        let server = format!("tcp://{server}");
        let mut arguments = vec![
            "worker",
            "--server",
            &server,
            "--threads",
            "1",
            "--name",
            name,
        ];
        arguments.extend(more);
        let process = Process::start(&arguments, self.folder.path());
        self.until(|| self.workers().iter().any(|worker| worker["name"] == name));
        process
    }

    /// Where the server is.
    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Writes a file into the folder in which server and workers start.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// What is in a file of that folder, if it is there.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// How many blobs the server keeps.
    pub(crate) fn blobs(&self) -> usize {
        files_in(&self.folder.path().join("data/blobs"))
    }

    pub(crate) fn until_workers(&self, count: usize) {
        let connected = |worker: &&Value| worker["state"] == "connected";
        self.until(|| self.workers().iter().filter(connected).count() == count);
    }

    /// The body that HTTP answers.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let Ok(mut stream) = TcpStream::connect(self.address()) else {
            return Vec::new();
        };
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // What came before a connection broke is not whole, and looked at as nothing.
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        end.map_or_else(Vec::new, |end| answer.split_off(end + 4))
    }

    pub(crate) fn workers(&self) -> Vec<Value> {
        let workers: Value = serde_json::from_slice(&self.get("/v1/workers")).unwrap_or_default();
        workers["workers"].as_array().cloned().unwrap_or_default()
    }

    fn until_up(&self) {
        self.until(|| TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Says one line and reads the first one that comes back.
    pub(crate) fn say(&self, line: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    pub(crate) fn submit(&self, kind: &str, payload: &str) -> String {
        let line =
            format!(r#"{{"cmd":"submit","kind":"{kind}","payload":{payload},"wait":false}}"#);
        let answer = self.say(&line);
        answer["task_id"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }

    pub(crate) fn task(&self, id: &str) -> Value {
        self.say(&format!(r#"{{"cmd":"status","task_id":"{id}"}}"#))
    }

    pub(crate) fn until_running(&self, id: &str) {
        self.until(|| self.task(id)["status"] == "running");
    }

    /// The task, once it has ended.
    pub(crate) fn ended(&self, id: &str, within: Duration) -> Value {
        let until = Instant::now() + within;
        loop {
            let task = self.task(id);
            let status = task["status"].as_str().unwrap_or_default();
            if ["succeeded", "failed", "cancelled"].contains(&status) {
                return task;
            }
            assert!(Instant::now() < until, "it has not ended: {task}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn until(&self, mut holds: impl FnMut() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < until, "it never held");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn serve(folder: &tempfile::TempDir, port: u16, arguments: &[String]) -> Process {
    let bind = format!("127.0.0.1:{port}");
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let mut all = vec!["serve", "--bind", &bind, "--data", data];
    if !arguments.iter().any(|argument| argument == "--threads") {
        all.extend(["--threads", "0"]);
    }
    all.extend(arguments.iter().map(String::as_str));
    Process::start(&all, folder.path())
}

fn files_in(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let count = |path: std::path::PathBuf| match path.is_dir() {
        true => files_in(&path),
        false => 1,
    };
    entries.map(|entry| count(entry.path())).sum()
}
