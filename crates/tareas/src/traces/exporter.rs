//! Tells spans to a collector, and counts what became of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;

/// A collector that does not answer is complained about this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// What became of spans.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Recorded, and not told yet.
    pub(super) waiting: AtomicU64,
    /// Told.
    pub(super) exported: AtomicU64,
    /// There was no room for them.
    pub(super) dropped: AtomicU64,
    /// The collector did not take them.
    pub(super) failed: AtomicU64,
}

/// An exporter that counts.
#[derive(Debug)]
pub(super) struct CountingExporter {
    exporter: SpanExporter,
    counts: Arc<Counts>,
    complained: Mutex<Option<Instant>>,
}

impl CountingExporter {
    /// One that tells the collector of the environment.
    pub(super) fn new(counts: Arc<Counts>) -> Result<Self, opentelemetry_otlp::ExporterBuildError> {
        // Whoever was first has installed the same: there is one provider in this program.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .build()?;
        Ok(Self {
            exporter,
            counts,
            complained: Mutex::default(),
        })
    }

    fn complain(&self, error: &dyn std::fmt::Display, spans: u64) {
        let mut complained = self
            .complained
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            *complained = Some(Instant::now());
            tracing::warn!(%error, spans, "the collector of traces did not take spans");
        }
    }
}

impl opentelemetry_sdk::trace::SpanExporter for CountingExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let exported = self.exporter.export(batch).await;
        self.counts.waiting.fetch_sub(spans, Ordering::Relaxed);
        match &exported {
            Ok(()) => self.counts.exported.fetch_add(spans, Ordering::Relaxed),
            Err(error) => {
                self.complain(error, spans);
                self.counts.failed.fetch_add(spans, Ordering::Relaxed)
            }
        };
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
