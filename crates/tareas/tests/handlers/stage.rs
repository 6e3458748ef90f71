//! A server with kinds of its own, and a way to ask it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The kinds that are commands.
const CONFIG: &str = r#"
[kinds.one_shot]
command = ["/usr/bin/env", "python3", "HERE/one_shot.py"]

[kinds.persistent]
command = ["/usr/bin/env", "python3", "HERE/persistent.py"]
mode = "persistent"
"#;

pub(crate) struct Stage {
    _server: Process,
    port: u16,
    _folder: tempfile::TempDir,
}

/// A process that ends with the test.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The folder of these tests.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/handlers")
}

impl Stage {
    pub(crate) fn new(threads: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = CONFIG.replace("HERE", here().to_str().unwrap());
        std::fs::write(folder.path().join("tareas.toml"), config).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut serve = Command::new(env!("CARGO_BIN_EXE_tareas"));
        serve
            .arg("serve")
            .args(["--bind", &format!("127.0.0.1:{port}")]);
        serve.args(["--threads", &threads.to_string()]);
        serve.current_dir(folder.path()).stderr(Stdio::null());
        let stage = Self {
            _server: Process::start(&mut serve),
            port,
            _folder: folder,
        };
        stage.until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        stage
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// Says one line and reads the first one that comes back.
    pub(crate) fn say(&self, line: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    pub(crate) fn submit(&self, mut task: Value) -> String {
        task["cmd"] = "submit".into();
        task["wait"] = false.into();
        let answer = self.say(&task);
        let id = answer["task_id"].as_str();
        id.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub(crate) fn task(&self, id: &str) -> Value {
        self.say(&json!({"cmd": "status", "task_id": id}))
    }

    /// The task, once it has ended.
    pub(crate) fn ended(&self, id: &str) -> Value {
        let wait = json!({"cmd": "wait", "task_id": id, "timeout_ms": 30_000});
        let end = self.say(&wait);
        assert!(end.get("timed_out").is_none(), "{}", self.task(id));
        self.task(id)
    }

    /// What the attempts of a task say, as they say it.
    pub(crate) fn follow(&self, id: &str) -> impl Iterator<Item = Value> + use<> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let line = json!({"cmd": "logs", "task_id": id, "follow": true});
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let lines = BufReader::new(stream).lines();
        lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
    }

    /// What the attempts of a task have said.
    pub(crate) fn log(&self, id: &str) -> Value {
        self.get(&format!("/v1/tasks/{id}/log"))
    }

    pub(crate) fn until_worker(&self) {
        self.until(|| {
            let workers = self.get("/v1/workers");
            let workers = workers["workers"].as_array().cloned().unwrap_or_default();
            workers.iter().any(|worker| worker["name"] == "w")
        });
    }

    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let answer = std::io::read_to_string(stream).unwrap_or_default();
        let json = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        serde_json::from_str(json).unwrap_or_default()
    }

    pub(crate) fn until(&self, mut holds: impl FnMut() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < until, "it never held");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
