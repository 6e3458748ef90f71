//! The reporter: tells the other processes on the same records what this one does.
//!
//! For people who look at any of them. An idle process that has nothing new to say says nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::Engine;
use crate::ports::{MemberReport, Members};

/// How often there is something to say.
const REPORT_EVERY: Duration = Duration::from_secs(2);

/// See the module's documentation.
#[derive(Debug)]
pub struct Reporter {
    engine: Arc<Engine>,
    members: Arc<dyn Members>,
    /// What was said last, and is known to the others.
    said: Option<MemberReport>,
}

impl Reporter {
    /// A reporter of this engine.
    pub fn new(engine: Arc<Engine>, members: Arc<dyn Members>) -> Self {
        Self {
            engine,
            members,
            said: None,
        }
    }

    /// One report; whether there was something new to say.
    pub async fn report(&mut self) -> bool {
        let report = self.engine.own_report();
        if self.said.as_ref() == Some(&report) {
            return false;
        }
        match self.members.report(&report).await {
            Ok(()) => self.said = Some(report),
            Err(error) => tracing::debug!(%error, "what this process does was not reported"),
        }
        true
    }
}

#[async_trait]
impl Service for Reporter {
    fn name(&self) -> &'static str {
        "reporter"
    }

    async fn run(mut self: Box<Self>, shutdown: CancellationToken) {
        loop {
            self.report().await;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.engine.ports.clock.sleep(REPORT_EVERY) => {}
            }
        }
    }
}
