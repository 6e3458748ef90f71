//! Servers of the benchmark's own: this program as another process, on a free port.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tareas_client::Address;
use tareas_protocol::Code;

use super::Spawn;
use crate::cli::Session;
use crate::output::Failure;
use crate::text::Text;

/// How long it may take to end in order.
const END_WITHIN: Duration = Duration::from_secs(40);

/// A started server. Dropping it stops it and removes its folder.
#[derive(Debug)]
pub(super) struct Spawned {
    child: Child,
    address: Address,
    _folder: Option<tempfile::TempDir>,
}

impl Spawned {
    /// Starts a task server and waits until it says where it listens.
    pub(super) fn start(spawn: &Spawn, scratch: &Path, session: &Session) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("tareas-bench-")
            .tempdir_in(scratch);
        let folder = folder.map_err(|error| failed(&error.to_string(), session))?;
        let command = command(spawn, folder.path());
        Self::of(command, Some(folder), session)
    }

    /// Starts a server that only answers.
    pub(super) fn bare(session: &Session) -> Result<Self, Failure> {
        let command = std::env::current_exe().map(|program| {
            let mut command = Command::new(program);
            command.args(["bench", "--bare-server"]);
            command
        });
        Self::of(command, None, session)
    }

    fn of(
        command: std::io::Result<Command>,
        folder: Option<tempfile::TempDir>,
        session: &Session,
    ) -> Result<Self, Failure> {
        let spawned = command.and_then(|mut command| {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
        });
        let mut child = spawned.map_err(|error| failed(&error.to_string(), session))?;
        let Some(stderr) = child.stderr.take() else {
            return Err(failed("", session));
        };
        let mut lines = BufReader::new(stderr).lines();
        let mut said = String::new();
        let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
            said += &format!("{line}\n");
            line.split("tcp://")
                .nth(1)
                .and_then(|rest| rest.trim().parse::<Address>().ok())
        });
        let Some(address) = found else {
            // It has ended, or will: it said all that it had to say.
            let _ = child.wait();
            return Err(failed(&said, session));
        };
        // What it says later is of no interest, but must go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            child,
            address,
            _folder: folder,
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }
}

fn failed(cause: &str, session: &Session) -> Failure {
    Failure::new(Code::Unreachable, session.lang(), Text::BenchNoServer, &[])
        .because(cause)
        .with_hint("")
}

fn command(spawn: &Spawn, folder: &Path) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    // An empty file, so that no configuration that lies about is used.
    let config = folder.join("tareas.toml");
    std::fs::write(&config, "")?;
    command
        .args([
            "serve",
            "--bind",
            "127.0.0.1:0",
            "--color",
            "never",
            "--lang",
            "en",
        ])
        .arg("--config")
        .arg(config)
        .arg("--data")
        .arg(folder.join("data"));
    if let Some(threads) = spawn.threads {
        command.arg("--threads").arg(threads.to_string());
    }
    if let Some(durability) = &spawn.durability {
        command.arg("--durability").arg(durability);
    }
    Ok(command)
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).unwrap_or(0);
        if pid > 0 {
            // It may have ended by itself.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let began = Instant::now();
        while began.elapsed() < END_WITHIN {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // It does not end in order, so it is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
