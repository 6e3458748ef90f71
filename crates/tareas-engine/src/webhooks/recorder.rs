//! The recorder: what has ended becomes deliveries.
//!
//! It takes what the tap holds, waits until that is durable, records deliveries, and moves its mark.
//! What ran over, and what the marks of processes that are gone leave open, is swept up: see `sweep`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Position, Timestamp};
use tokio_util::sync::CancellationToken;

use super::tap::Held;
use super::{Ended, NewDelivery, WebhookId, Webhooks};
use crate::Refusal;
use crate::failpoint;
use crate::ports::{EndMark, PortError};
use crate::services::Service;

/// How often webhooks are read again and the mark is written.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// What ends together is recorded together.
const GATHER: Duration = Duration::from_millis(10);
/// A process that did not write its mark for so long is gone.
const GONE_AFTER: Duration = Duration::from_secs(30);
/// Ends whose deliveries are recorded in one transaction.
const ENDS_MAX: usize = 2_000;
/// Between two removals of what is past.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Old deliveries that are removed at once.
const TIDY_MAX: usize = 20_000;

/// See the module's documentation.
#[derive(Debug)]
pub struct Recorder {
    pub(super) webhooks: Arc<Webhooks>,
    /// What could not be recorded yet.
    unsaved: Held,
    /// The records must be asked what has ended since `upto`, once this is durable.
    gap: Option<Position>,
    /// What ended here before then is recorded.
    upto: Timestamp,
    beat_at: Timestamp,
    tidied_at: Timestamp,
}

impl Recorder {
    /// A recorder for these webhooks.
    pub fn new(webhooks: Arc<Webhooks>) -> Self {
        let upto = webhooks.engine.started_at;
        Self {
            webhooks,
            unsaved: Held::default(),
            gap: None,
            upto,
            beat_at: Timestamp::EPOCH,
            tidied_at: upto,
        }
    }

    /// One pass.
    ///
    /// # Errors
    /// When a store does not answer: the next pass goes on from there.
    pub async fn pass(&mut self) -> Result<(), Refusal> {
        let now = self.webhooks.engine.now();
        let is_beat = now.since(self.beat_at) >= BEAT_EVERY;
        if is_beat {
            self.beat_at = now;
            self.webhooks.refresh().await?;
        }
        self.drain().await?;
        if !self.webhooks.engine.tap.is_open() {
            return self.rest().await;
        }
        if let Some(position) = self.gap {
            self.webhooks.engine.until_durable(position).await?;
            self.gap = None;
            if let Err(error) = self.sweep(self.upto).await {
                self.gap = Some(position);
                return Err(error);
            }
        }
        self.upto = now;
        if is_beat {
            self.webhooks.mark(now).await?;
            self.look_after_others(now).await?;
            self.tidy(now).await?;
        }
        Ok(())
    }

    /// Records what the tap holds, and notes whether it ran over.
    pub(super) async fn drain(&mut self) -> Result<(), Refusal> {
        if self.unsaved.ends.is_empty() {
            self.unsaved = self.webhooks.engine.tap.take();
            if self.unsaved.ran_over {
                let position = self.unsaved.position;
                self.gap = self.gap.max(Some(position));
            }
        }
        if self.unsaved.ends.is_empty() {
            return Ok(());
        }
        let engine = &self.webhooks.engine;
        engine.until_durable(self.unsaved.position).await?;
        failpoint::hit("webhooks_before_record");
        self.record(&self.unsaved.ends).await?;
        self.unsaved = Held::default();
        Ok(())
    }

    /// Records deliveries of these ends to whoever wants them.
    pub(super) async fn record(&self, ends: &[Ended]) -> Result<(), PortError> {
        for part in ends.chunks(ENDS_MAX) {
            let deliveries = self.deliveries(part);
            if !deliveries.is_empty() {
                self.webhooks.record(&deliveries).await?;
            }
        }
        Ok(())
    }

    fn deliveries(&self, ends: &[Ended]) -> Vec<NewDelivery> {
        let known = self.webhooks.known();
        let mut deliveries = Vec::new();
        for ended in ends {
            let mut wanting = known.iter().filter(|known| known.wants(ended)).peekable();
            if wanting.peek().is_none() {
                continue;
            }
            let message = self.webhooks.writer.end(ended);
            deliveries.extend(wanting.map(|webhook| NewDelivery {
                webhook: webhook.id.clone(),
                message: message.clone(),
                made_at: ended.finished_at,
            }));
        }
        deliveries
    }

    /// No webhook is enabled: nothing is to be found after a crash.
    async fn rest(&mut self) -> Result<(), Refusal> {
        self.gap = None;
        self.upto = self.webhooks.engine.now();
        Ok(self.webhooks.unmark_if_shut().await?)
    }

    /// Sweeps up what processes have left that are gone.
    async fn look_after_others(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let marks = self.webhooks.store.marks().await?;
        let shares = self.webhooks.engine.shares_records();
        let owner = self.webhooks.owner;
        let is_gone = |mark: &EndMark| {
            mark.owner != owner && (!shares || now.since(mark.beat_at) >= GONE_AFTER)
        };
        let gone: Vec<EndMark> = marks.into_iter().filter(is_gone).collect();
        let Some(from) = gone.iter().map(|mark| mark.upto).min() else {
            return Ok(());
        };
        self.sweep(from).await?;
        for mark in gone {
            self.webhooks.store.remove_mark(mark).await?;
        }
        Ok(())
    }

    /// Removes deliveries that are past, and stops what has fallen too far behind.
    async fn tidy(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if now.since(self.tidied_at) < TIDY_EVERY {
            return Ok(());
        }
        self.tidied_at = now;
        let Webhooks { store, terms, .. } = &*self.webhooks;
        let before = now - terms.kept_for;
        store.prune(before, terms.kept_max, TIDY_MAX).await?;
        let known = self.webhooks.known();
        let enabled = known.iter().filter(|known| known.is_enabled());
        let ids: Vec<WebhookId> = enabled.map(|known| known.id.clone()).collect();
        for id in &ids {
            if store.is_behind(id, terms.waiting_max).await? {
                self.webhooks.fell_behind(id).await;
            }
        }
        Ok(())
    }

    /// The last pass beside other services; what ends after it is left to [`Webhooks::close`].
    async fn end(&mut self) {
        match self.pass().await {
            Ok(()) => self.webhooks.leave_the_rest(self.gap.is_none()),
            Err(error) => tracing::warn!(%error, "the next start finds what was not recorded"),
        }
    }
}

impl Webhooks {
    /// Records what ended last, when no service runs any more. If all is recorded, the next start
    /// need not look for anything; otherwise it does.
    pub async fn close(self: &Arc<Self>) {
        if !self.is_left() || !self.is_marked() {
            return;
        }
        let mut last = Recorder::new(Arc::clone(self));
        let recorded = last.drain().await;
        let closed = match (recorded, last.gap) {
            (Ok(()), None) => self.unmark().await.map_err(Refusal::from),
            (recorded, _) => recorded,
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "the next start looks for ends that may be recorded");
        }
    }
}

#[async_trait]
impl Service for Recorder {
    fn name(&self) -> &'static str {
        "webhook-recorder"
    }

    async fn run(mut self: Box<Self>, shutdown: CancellationToken) {
        let engine = Arc::clone(&self.webhooks.engine);
        loop {
            let wait = match self.pass().await {
                Ok(()) => GATHER,
                Err(error) => {
                    tracing::warn!(%error, "ends were not recorded for webhooks; they wait");
                    BEAT_EVERY
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return self.end().await,
                () = engine.ports.clock.sleep(BEAT_EVERY) => {}
                () = engine.tap.filled() => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return self.end().await,
                () = engine.ports.clock.sleep(wait) => {}
            }
        }
    }
}
