//! The real binary, started and killed.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tareas_services::free_port;

/// Longest wait for a server to answer or to end.
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

    pub(crate) fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// Where the test handler writes down every start.
    pub(crate) fn starts(&self) -> PathBuf {
        self.temp.path().join("starts")
    }

    fn log(&self) -> PathBuf {
        self.temp.path().join("log")
    }
}

pub(crate) struct Server {
    child: Child,
    port: u16,
}

fn log_file(path: &Path) -> Stdio {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    Stdio::from(file)
}

impl Server {
    pub(crate) fn start(folder: &Folder, careful: bool, failpoint: Option<&str>) -> Self {
        Self::on(free_port(), folder, careful, failpoint)
    }

    fn on(port: u16, folder: &Folder, careful: bool, failpoint: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
        command
            .args([
                "serve",
                "--threads",
                "2",
                "--bind",
                &format!("127.0.0.1:{port}"),
                "--data",
            ])
            .arg(folder.data())
            .env("TAREAS_TEST_STARTS", folder.starts())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_file(&folder.log()));
        if !careful {
            command.env("TAREAS_TEST_CAREFUL_MS", "0");
        }
        if let Some(failpoint) = failpoint {
            command.env("TAREAS_FAILPOINT", failpoint);
        }
        let mut server = Self {
            child: command.spawn().unwrap(),
            port,
        };
        server.wait_until_ready(folder);
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn restart(
        mut self,
        folder: &Folder,
        careful: bool,
        failpoint: Option<&str>,
    ) -> Self {
        self.kill();
        Self::on(self.port, folder, careful, failpoint)
    }

    /// Lets it work for a while; an abort at a failpoint ends the wait early.
    pub(crate) fn run_for(&mut self, moment: Duration) {
        let until = Instant::now() + moment;
        while Instant::now() < until && self.child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        // It may have died at a failpoint already.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// SIGTERM: it must drain and end with 0.
    pub(crate) fn stop_in_order(mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "it ended with {status}");
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not end within {PATIENCE:?} after SIGTERM");
    }

    fn wait_until_ready(&mut self, folder: &Folder) {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.answers_a_ping() {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                if status.code().is_none() {
                    return; // Killed at a failpoint before it was ready: the plan goes on.
                }
                let log = std::fs::read_to_string(folder.log()).unwrap_or_default();
                panic!("it ended with {status} before it was ready:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("not ready within {PATIENCE:?}");
    }

    fn answers_a_ping(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let mut line = String::new();
        stream.write_all(b"{\"cmd\":\"ping\"}\n").is_ok()
            && BufReader::new(stream).read_line(&mut line).is_ok()
            && line.contains("pong")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
