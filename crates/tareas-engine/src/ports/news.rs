//! The `News` port: which tasks have ended, from process to process.

use std::fmt;

use async_trait::async_trait;
use tareas_core::TaskId;

/// Tells other processes which tasks have ended, so that they need not look for them.
///
/// May lose, double and delay anything: whoever waits looks into the records now and then. Only
/// ids travel; what came of a task is in its record.
#[async_trait]
pub trait News: fmt::Debug + Send + Sync + 'static {
    /// Tells everybody that these have ended and that it is recorded. Never waits.
    fn tell(&self, ended: Vec<TaskId>);

    /// Waits for tasks that have ended, here or elsewhere. What was received is not lost when
    /// the wait is given up.
    async fn hear(&self) -> Vec<TaskId>;
}
