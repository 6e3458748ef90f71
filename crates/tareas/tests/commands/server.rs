//! A server with kinds of its own, and looks at what it leaves in the process table.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Nothing here takes longer, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a run of a client left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A running server in a folder of its own.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
    said: Arc<Mutex<String>>,
}

impl Server {
    /// With this configuration.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(config, |_| {})
    }

    /// With more in its environment.
    pub(crate) fn start_with(config: &str, change: impl FnOnce(&mut Command)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), config, change)
    }

    /// In a folder that has what the configuration names.
    pub(crate) fn start_in(
        folder: tempfile::TempDir,
        config: &str,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        std::fs::write(folder.path().join("tareas.toml"), config).unwrap();
        let mut command = program();
        command.args(["serve", "--bind", "127.0.0.1:0", "--threads", "4"]);
        command.current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let (said, url) = listen(BufReader::new(child.stderr.take().unwrap()));
        Self {
            child,
            url,
            folder,
            said,
        }
    }

    /// Writes a file beside the configuration.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command of a client against it.
    pub(crate) fn tareas(&self, arguments: &[&str]) -> Ran {
        let mut command = program();
        command.args(["-s", &self.url]).args(arguments);
        let output = command.stdin(Stdio::null()).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Submits, waits, and returns the result.
    pub(crate) fn result(&self, kind: &str, payload: &str) -> String {
        let ran = self.tareas(&["submit", kind, payload, "--wait"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let printed = ran.stdout.trim_end();
        // A text of several lines is printed as a JSON string.
        serde_json::from_str::<String>(printed).unwrap_or_else(|_| printed.to_owned())
    }

    /// Submits and returns the id.
    pub(crate) fn submit(&self, kind: &str) -> String {
        let ran = self.tareas(&["submit", kind, "5"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout.trim().to_owned()
    }

    /// The task object, once the task has ended.
    pub(crate) fn ended(&self, id: &str) -> Value {
        self.tareas(&["wait", id]);
        self.show(id)
    }

    pub(crate) fn show(&self, id: &str) -> Value {
        let ran = self.tareas(&["show", id, "-o", "json"]);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
    }

    /// What HTTP says at a path.
    pub(crate) fn http(&self, request: &str) -> String {
        use std::io::Write;
        let authority = self.url.trim_start_matches("tcp://");
        let mut stream = std::net::TcpStream::connect(authority).unwrap();
        stream
            .write_all(request.replace("HOST", authority).as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.http(&format!(
            "GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
        ))
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    pub(crate) fn wait(&mut self) {
        self.child.wait().unwrap();
    }

    /// Waits until it has said this on stderr.
    pub(crate) fn until_said(&self, text: &str) {
        until(text, || self.said.lock().unwrap().contains(text));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
    let path = std::env::var_os("PATH").unwrap();
    command.env_clear().env("LANG", "C").env("PATH", path);
    command.env("HOME", std::env::temp_dir());
    command
}

/// Waits until something holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for a file that a program writes its process id to; the id.
pub(crate) fn pid_in(path: &Path) -> i32 {
    let read = || std::fs::read_to_string(path).ok()?.trim().parse().ok();
    until("a process id", || read().is_some());
    read().unwrap()
}

/// Whether a process is there and not a zombie.
pub(crate) fn is_running(pid: i32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != 'Z')
}

/// How many zombies a process has not reaped.
pub(crate) fn zombies_of(parent: i32) -> usize {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| state_and_parent(*pid) == Some(('Z', parent)))
        .count()
}

fn state_and_parent(pid: i32) -> Option<(char, i32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_ascii_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

/// Reads stderr until the last line of the banner, and goes on in a thread.
fn listen(mut stderr: BufReader<impl Read + Send + 'static>) -> (Arc<Mutex<String>>, String) {
    let (said, mut url) = (Arc::new(Mutex::new(String::new())), String::new());
    loop {
        let mut line = String::new();
        let count = stderr.read_line(&mut line).unwrap();
        assert!(count > 0, "{}", said.lock().unwrap());
        said.lock().unwrap().push_str(&line);
        if let Some((_, address)) = line.split_once("tcp://") {
            url = format!("tcp://{}", address.trim());
        }
        if line.contains("--wait") {
            break;
        }
    }
    let keep = Arc::clone(&said);
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let mut said = keep.lock().unwrap();
            said.push_str(&line);
            said.push('\n');
        }
    });
    (said, url)
}
