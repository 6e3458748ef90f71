//! What became of spans, for `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tareas_server::metrics::{self, Reading};

use super::exporter::Counts;

/// Other readings, and those of spans.
#[derive(Debug)]
pub(super) struct WithSpans {
    pub(super) others: Box<dyn metrics::Readings>,
    pub(super) counts: Arc<Counts>,
}

impl metrics::Readings for WithSpans {
    fn read(&self) -> Vec<Reading> {
        let mut readings = self.others.read();
        let reading = |name, help, only_grows, count: &AtomicU64| Reading {
            name,
            help,
            unit: None,
            only_grows,
            value: count.load(Ordering::Relaxed) as f64,
        };
        let counts = &self.counts;
        readings.extend([
            reading(
                "tareas_spans_waiting",
                "Spans that wait to be told to the collector of traces.",
                false,
                &counts.waiting,
            ),
            reading(
                "tareas_spans_exported",
                "Spans that the collector of traces has taken.",
                true,
                &counts.exported,
            ),
            reading(
                "tareas_spans_dropped",
                "Spans for which there was no room.",
                true,
                &counts.dropped,
            ),
            reading(
                "tareas_spans_failed",
                "Spans that the collector of traces did not take.",
                true,
                &counts.failed,
            ),
        ]);
        readings
    }
}
