//! `[kinds.NAME]`: programs as handlers.
//!
//! [`read`] takes the tables of the file apart and points at what is wrong in them, for every
//! command that reads the file; [`CommandKind`] is what a server makes of one: the program found,
//! the user looked up, the schema compiled.

mod prepared;
mod sandbox;
mod schema;
mod table;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tareas_core::{QueueName, RetryPolicy};
use tareas_worker::command::SandboxMode;

pub(crate) use prepared::CommandKind;
pub(super) use table::read;

/// One table, as it stands in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct KindConfig {
    /// Where it stands: the file and the line.
    pub(super) place: (PathBuf, usize),
    pub(super) name: String,
    pub(super) command: Vec<String>,
    pub(super) is_persistent: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) concurrency: Option<usize>,
    pub(super) memory_max: Option<u64>,
    pub(super) cpu_max: Option<Duration>,
    pub(super) max_output: Option<u64>,
    pub(super) stop_grace: Option<Duration>,
    pub(super) recycle_tasks: Option<u64>,
    pub(super) recycle_memory: Option<u64>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) cwd: Option<String>,
    pub(super) user: Option<String>,
    pub(super) sandbox: SandboxConfig,
    pub(super) retry: Option<RetryPolicy>,
    pub(super) queue: Option<QueueName>,
    pub(super) description: String,
    pub(super) example: String,
    pub(super) schema: Option<SchemaSource>,
}

/// What a sandbox takes and leaves, as it stands in the file.
#[derive(Clone, Debug, Default)]
pub(super) struct SandboxConfig {
    pub(super) mode: Option<SandboxMode>,
    pub(super) read: Vec<String>,
    pub(super) write: Vec<String>,
    pub(super) is_required: bool,
}

/// Where a schema is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SchemaSource {
    /// In the table.
    Inline(Value),
    /// In a file of JSON, relative to the folder of the configuration.
    File(String),
}
