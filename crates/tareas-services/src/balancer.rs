//! What both balancers have in common: one file of configuration, one child, one port.

use std::fs::{self, File};
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::presence::Service;

/// How long one may take to listen, on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long one may take to end before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How a balancer is run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) service: Service,
    /// The arguments that have it check a file.
    pub(crate) check: fn(&mut Command, &Path),
    /// The arguments that have it run in the foreground.
    pub(crate) run: fn(&mut Command, &Path),
}

/// A running balancer.
#[derive(Debug)]
pub(crate) struct Balancer {
    child: Child,
    folder: TempDir,
}

impl Balancer {
    pub(crate) fn start(program: &Program, config: &str, port: u16) -> Self {
        Self::try_start(program, config, port).expect("the balancer starts")
    }

    pub(crate) fn check(program: &Program, config: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a folder for the configuration");
        let file = written(&folder, config).expect("the configuration is written");
        let mut command = command(program, &folder);
        (program.check)(&mut command, &file);
        let output = command.output().expect("the balancer runs");
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn try_start(program: &Program, config: &str, port: u16) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = written(&folder, config)?;
        let log = File::create(log_of(&folder))?;
        let mut command = command(program, &folder);
        (program.run)(&mut command, &file);
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut started = Self { child, folder };
        started.until_it_listens(port)?;
        Ok(started)
    }

    fn until_it_listens(&mut self, port: u16) -> io::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                return Err(io::Error::other(self.said()));
            }
            sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// What it has written to its log.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(log_of(&self.folder)).unwrap_or_default()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the balancer said:\n{}", self.said());
        }
        // A request first: one with processes of its own ends them only then.
        if let Ok(id) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(LOOK_AGAIN);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &Program, folder: &TempDir) -> Command {
    let path = program
        .service
        .program()
        .expect("the balancer is installed");
    let mut command = Command::new(path);
    command.current_dir(folder.path());
    command
}

fn written(folder: &TempDir, config: &str) -> io::Result<PathBuf> {
    let file = folder.path().join("config");
    fs::write(&file, config)?;
    Ok(file)
}

fn log_of(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}
