//! The supervisor: the only place that spawns services. Stops them twice, early, halfway.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Service;

/// Owns the running services.
#[derive(Clone, Debug, Default)]
pub struct Supervisor {
    shutdown: CancellationToken,
    running: TaskTracker,
    failed: CancellationToken,
}

impl Supervisor {
    /// A supervisor without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a service until the supervisor stops. A service that panics is reported, and
    /// [`failed`](Self::failed) wakes: a system that lost one of its loops must not go on as if
    /// nothing had happened.
    pub fn spawn(&self, service: Box<dyn Service>) {
        let name = service.name();
        let shutdown = self.shutdown.child_token();
        let failed = self.failed.clone();
        self.running.spawn(async move {
            tracing::debug!(service = name, "started");
            let ended = AssertUnwindSafe(service.run(shutdown)).catch_unwind().await;
            if ended.is_err() {
                tracing::error!(service = name, "a service panicked; the process should end");
                failed.cancel();
            }
        });
    }

    /// The token that services and connections watch.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Waits until a service has panicked.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    /// Tells every service to stop and waits for them, at most `grace`; `false` when some have
    /// not ended by then. May be called again.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.shutdown.cancel();
        self.running.close();
        tokio::time::timeout(grace, self.running.wait())
            .await
            .is_ok()
    }
}
