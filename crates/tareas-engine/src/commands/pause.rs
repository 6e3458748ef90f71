//! Pause and resume: whether tasks of a queue are started.

use tareas_core::QueueName;

use crate::{Engine, Refusal};

impl Engine {
    /// Pauses or resumes a queue; durable on return. What runs goes on.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn pause(&self, queue: &QueueName, paused: bool) -> Result<(), Refusal> {
        if paused {
            self.ports.queue.pause(queue, true);
            self.remote.pause(queue, true);
        }
        let position = self.ports.settings.pause(queue, paused).await?;
        self.until_durable(position).await?;
        if !paused {
            self.ports.queue.pause(queue, false);
            self.remote.pause(queue, false);
        }
        Ok(())
    }
}
