//! What a command kind is: the program and everything that bounds it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sandbox::Sandbox;

/// A program that runs tasks of one kind. It is never started through a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandDefinition {
    /// The file to execute.
    pub program: PathBuf,
    /// Its arguments, the same for every task.
    pub arguments: Vec<String>,
    /// Its whole environment, except for what is added for each task.
    pub environment: Vec<(String, String)>,
    /// The folder it starts in.
    pub folder: PathBuf,
    /// Who runs it, when that is not the user of this process.
    pub account: Option<Account>,
    /// What it may use.
    pub limits: Limits,
    /// What it may reach.
    pub sandbox: Sandbox,
    /// Most bytes of a result.
    pub output_bytes_max: usize,
    /// How many may run at once; `None`: as many as the pool has threads.
    pub concurrency: Option<usize>,
    /// One process for each task, or one for many.
    pub mode: Mode,
    /// From the request to stop (SIGTERM) to the end by force (SIGKILL).
    pub stop_grace: Duration,
}

/// How long a process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For one task: payload on stdin, result on stdout.
    OneShot,
    /// For many tasks, one at a time, as JSON lines.
    Persistent(Recycle),
}

/// When a persistent process is replaced by a fresh one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recycle {
    /// After so many tasks.
    pub tasks: Option<u64>,
    /// When it holds more memory than this after a task.
    pub memory_bytes: Option<u64>,
}

/// A user of the system, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// The user's first group; there are no others.
    pub gid: u32,
}

/// What each process of a command may use, enforced by the system (`setrlimit`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processor time, in seconds.
    pub cpu_seconds: Option<u64>,
}
