//! The sender: one lane for each enabled webhook, so that none holds up another.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::lane::Lane;
use super::{WebhookId, Webhooks};
use crate::services::Service;

/// How often lanes are compared with webhooks, whatever is told.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// See the module's documentation.
#[derive(Debug)]
pub struct Sender {
    webhooks: Arc<Webhooks>,
}

/// How to end a lane, and how to wake it.
#[derive(Debug)]
struct Line {
    stop: CancellationToken,
    wake: Arc<Notify>,
}

impl Sender {
    /// A sender for these webhooks.
    pub fn new(webhooks: Arc<Webhooks>) -> Self {
        Self { webhooks }
    }

    /// Begins lanes that are missing, ends those that are not wanted, and wakes the others.
    fn arrange(
        &self,
        lines: &mut HashMap<WebhookId, Line>,
        running: &mut JoinSet<WebhookId>,
        shutdown: &CancellationToken,
    ) {
        let known = self.webhooks.known();
        let is_wanted = |id: &WebhookId| known.iter().any(|w| w.id == *id && w.is_enabled());
        for (id, line) in lines.iter() {
            match is_wanted(id) {
                true => line.wake.notify_one(),
                false => line.stop.cancel(),
            }
        }
        for webhook in known.iter().filter(|webhook| webhook.is_enabled()) {
            if lines.contains_key(&webhook.id) {
                continue;
            }
            let (stop, wake) = (shutdown.child_token(), Arc::new(Notify::new()));
            let lane = Lane::new(&self.webhooks, webhook.id.clone(), &stop, &wake);
            running.spawn(lane.run());
            lines.insert(webhook.id.clone(), Line { stop, wake });
        }
    }
}

#[async_trait]
impl Service for Sender {
    fn name(&self) -> &'static str {
        "webhook-sender"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        let mut lines = HashMap::new();
        let mut running = JoinSet::new();
        loop {
            self.arrange(&mut lines, &mut running, &shutdown);
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.webhooks.stirred.notified() => {}
                () = self.webhooks.engine.ports.clock.sleep(LOOK_EVERY) => {}
                Some(ended) = running.join_next() => match ended {
                    Ok(id) => drop(lines.remove(&id)),
                    Err(error) => {
                        tracing::error!(%error, "a lane of webhooks panicked; all begin anew");
                        lines.values().for_each(|line: &Line| line.stop.cancel());
                        lines.clear();
                    }
                },
            }
        }
        while running.join_next().await.is_some() {}
    }
}
