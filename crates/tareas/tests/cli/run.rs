//! Running the program: once, or as a server.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program, with an environment that no machine changes.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
    command
        .env_clear()
        .env("LANG", "C")
        .env("TERM", "dumb")
        .env("TZ", "UTC");
    command
        .env("HOME", std::env::temp_dir())
        .env("PATH", std::env::var_os("PATH").unwrap());
    command.current_dir(std::env::temp_dir());
    command
}

/// Runs it with these arguments.
pub(crate) fn tareas(arguments: &[&str]) -> Ran {
    with_input(arguments, "")
}

/// Runs it with these arguments and this on stdin.
pub(crate) fn with_input(arguments: &[&str], input: &str) -> Ran {
    let mut command = program();
    command.args(arguments);
    finish(command, input)
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, input: &str) -> Ran {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read its input may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) folder: Arc<tempfile::TempDir>,
    said: Arc<Mutex<String>>,
}

impl Server {
    /// In a folder of its own.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), arguments)
    }

    /// In the folder of an earlier one, or in one with a configuration in it.
    pub(crate) fn start_in(folder: Arc<tempfile::TempDir>, arguments: &[&str]) -> Self {
        let config = folder.path().join("tareas.toml");
        if !config.exists() {
            std::fs::write(&config, "").unwrap();
        }
        let mut command = program();
        command.args(["serve", "--bind", "127.0.0.1:0", "--config"]);
        command
            .env("TAREAS_THREADS", "2")
            .arg(config)
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (said, url) = listen(stderr);
        Self {
            child,
            url,
            folder,
            said,
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `HOST:PORT`.
    pub(crate) fn authority(&self) -> &str {
        self.url.trim_start_matches("tcp://")
    }

    /// Runs a command of a client against it.
    pub(crate) fn tareas(&self, arguments: &[&str]) -> Ran {
        self.with_input(arguments, "")
    }

    pub(crate) fn with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let all: Vec<&str> = ["-s", &self.url].iter().chain(arguments).copied().collect();
        with_input(&all, input)
    }

    /// Submits and returns the id.
    pub(crate) fn submit(&self, arguments: &[&str]) -> String {
        let all: Vec<&str> = ["submit"].iter().chain(arguments).copied().collect();
        let ran = self.tareas(&all);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout.trim().to_owned()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
    }

    /// Waits for its end; the exit code, and all that it said on stderr.
    pub(crate) fn ended(&mut self) -> (i32, String) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(20));
                return (
                    status.code().unwrap_or(-1),
                    self.said.lock().unwrap().clone(),
                );
            }
            assert!(began.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads stderr until the last line of the banner, and goes on in a thread.
fn listen(mut stderr: BufReader<impl Read + Send + 'static>) -> (Arc<Mutex<String>>, String) {
    let said = Arc::new(Mutex::new(String::new()));
    let mut url = String::new();
    loop {
        let mut line = String::new();
        assert!(
            stderr.read_line(&mut line).unwrap() > 0,
            "{}",
            said.lock().unwrap()
        );
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

/// A configuration file in a folder of its own.
pub(crate) fn config_file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tareas.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

/// Whether a path is there.
pub(crate) fn is_there(path: &Path) -> bool {
    path.exists()
}
