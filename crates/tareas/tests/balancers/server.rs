//! One server process, that listens for a balancer only.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tareas_services::free_port;
use tempfile::TempDir;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    _folder: TempDir,
}

impl Server {
    /// Starts one that takes connections with a PROXY header and leaves in two seconds.
    pub(crate) fn start() -> Self {
        let port = free_port();
        let bind = format!("127.0.0.1:{port},proxy");
        Self::with(port, &["--bind", &bind, "--drain-delay", "2s"], &[])
    }

    /// Starts one with these arguments and variables.
    pub(crate) fn with(port: u16, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("tareas.toml");
        std::fs::write(&config, "").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tareas"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(variables.iter().copied())
            .args(["serve", "--threads", "8", "--durability", "os"])
            .arg("--config")
            .arg(config)
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let is_ready = said.by_ref().any(|line| line.unwrap().contains("--wait"));
        assert!(is_ready, "the server did not start");
        // What it says from now on must not fill the pipe.
        std::thread::spawn(move || said.for_each(drop));
        Self {
            child,
            port,
            _folder: folder,
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    /// Waits for its end; the exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(began.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
