//! What the processes of a system say of themselves, for people.

use std::time::Duration;

use tareas_core::{Kind, TaskId, Timestamp};

use super::MemberId;

/// What a process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberRole {
    /// It has faces, and perhaps threads.
    #[default]
    Server,
    /// It has threads alone.
    Node,
}

impl MemberRole {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Server, Self::Node];

    /// The word on wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Node => "node",
        }
    }
}

/// How a process is called. Nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// For people; two processes may have the same.
    pub name: String,
    /// What it is.
    pub role: MemberRole,
    /// Where it listens; empty for a node.
    pub address: String,
}

/// What one thread, or one slot of a worker, runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningReport {
    /// Number of the thread; slots of remote workers are counted as they come.
    pub slot: usize,
    /// The task.
    pub task: TaskId,
    /// The attempt.
    pub attempt: u64,
    /// Its kind.
    pub kind: Kind,
    /// Since when.
    pub since: Timestamp,
}

/// What a process says of itself. It was true when it was written, which is all that it promises.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberReport {
    /// How it is called.
    pub identity: Identity,
    /// When it was started.
    pub started_at: Timestamp,
    /// Threads of its own pool.
    pub threads: u16,
    /// How many of them are busy.
    pub busy: usize,
    /// What they run, of at most [`RUNNING_MAX`](Self::RUNNING_MAX).
    pub running: Vec<RunningReport>,
    /// Remote workers that are connected to it, and how many tasks these run at once.
    pub workers: (u64, u64),
    /// Accepted since its start.
    pub accepted: u64,
    /// Ended since its start.
    pub ended: u64,
    /// Of them, failed.
    pub failed: u64,
    /// It takes nothing new.
    pub is_draining: bool,
}

impl MemberReport {
    /// Running attempts in a report.
    pub const RUNNING_MAX: usize = 32;
}

/// Another process, as it is seen.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberView {
    /// Which.
    pub member: MemberId,
    /// Whether it is there.
    pub presence: MemberPresence,
    /// What it said last.
    pub report: MemberReport,
    /// How old that is.
    pub age: Duration,
}

/// Whether a process is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberPresence {
    /// Its lease holds, and it is connected to the store.
    Here,
    /// Its connection is gone or its lease has run out; it may come back.
    Silent,
    /// It was declared gone, within the last minute or so: others take back what it ran.
    Gone,
}

impl MemberPresence {
    /// The word on wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Silent => "silent",
            Self::Gone => "gone",
        }
    }
}
