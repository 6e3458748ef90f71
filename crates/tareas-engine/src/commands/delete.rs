//! Delete: an operator removes a finished task before its retention is over.

use tareas_core::{Actor, Body, Command, Position, TaskId};

use crate::ports::BlobKey;
use crate::{Engine, Refusal};

impl Engine {
    /// Removes a finished task with its attempts and blobs.
    ///
    /// # Errors
    /// `NotFound`, or `WrongState` when it has not ended: cancel it first.
    pub async fn delete(&self, id: TaskId, by: Actor) -> Result<Position, Refusal> {
        self.delete_at(id, by, None).await
    }

    /// The same, only while the task has this version.
    ///
    /// # Errors
    /// As [`delete`](Self::delete), and `Changed` when it has another version.
    pub async fn delete_at(
        &self,
        id: TaskId,
        by: Actor,
        only: Option<u64>,
    ) -> Result<Position, Refusal> {
        let delete = Command::Delete { task: id, by, only };
        let (task, position) = self.apply_one(delete).await?;
        self.until_durable(position).await?;
        self.delete_blobs(&task).await;
        Ok(position)
    }

    /// Removes the blobs of a task whose removal is durable. What cannot be removed now is left
    /// to the sweeper of orphans.
    pub(crate) async fn delete_blobs(&self, task: &tareas_core::Task) {
        for body in [Some(&task.spec.payload), task.result.as_ref()]
            .into_iter()
            .flatten()
        {
            let Body::Blob(blob) = body else { continue };
            let key = BlobKey::parse(&blob.key);
            for key in key.iter().flat_map(BlobKey::with_files) {
                if let Err(error) = self.ports.blobs.delete(&key).await {
                    tracing::warn!(%error, %key, "blob not removed");
                }
            }
        }
    }
}
