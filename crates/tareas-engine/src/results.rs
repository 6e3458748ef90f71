//! Large results: they go to the blob store before the end of their task is recorded.
//!
//! While the blob store is away a result is kept, and stored as soon as that works: the work is
//! done, and the task's lease stays alive. Only when patience or the process ends is it given up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tareas_core::limits::INLINE_BYTES_MAX;
use tareas_core::{Body, Cause, Ending, Failure, TaskId};

use crate::ports::BlobKey;
use crate::{Engine, Refusal};

/// First and longest break between two tries.
const BREAK_MIN: Duration = Duration::from_millis(100);
const BREAK_MAX: Duration = Duration::from_secs(5);

impl Engine {
    /// The ending as it is recorded: a large result is a blob by then. `patience`: for how long a
    /// result is kept that cannot be stored.
    pub(crate) async fn store_result(
        &self,
        task: TaskId,
        attempt: u64,
        ending: Ending,
        patience: Duration,
    ) -> Ending {
        let Ending::Succeeded(Body::Inline(text)) = &ending else {
            return ending;
        };
        if text.len() <= INLINE_BYTES_MAX {
            return ending;
        }
        let until = self.now() + patience;
        let mut pause = BREAK_MIN;
        loop {
            let refusal = match self.put_result(task, attempt, text.clone()).await {
                Ok(body) => return Ending::Succeeded(body),
                Err(refusal) => refusal,
            };
            tracing::warn!(task.id = %task, error = %refusal, "result not stored");
            if self.is_draining() && !patience.is_zero() {
                // Somebody else does it again.
                return Ending::Released;
            }
            if self.now() + pause > until {
                return not_stored(&refusal);
            }
            self.ports.clock.sleep(pause).await;
            pause = (pause * 2).min(BREAK_MAX);
        }
    }

    async fn put_result(&self, task: TaskId, attempt: u64, text: Bytes) -> Result<Body, Refusal> {
        // A name of its own each time: what was put without an answer is swept later.
        let key = BlobKey::result(task, attempt, self.chance.draw() as u32);
        self.put_blob(key, text).await
    }
}

fn not_stored(refusal: &Refusal) -> Ending {
    Ending::Failed {
        failure: Arc::new(Failure {
            cause: Cause::Handler,
            name: None,
            message: format!("the result could not be stored: {refusal}"),
            backtrace: None,
            ran_by: None,
            process_end: None,
        }),
        retryable: true,
        retry_after: None,
    }
}
