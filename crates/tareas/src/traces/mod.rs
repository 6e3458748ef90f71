//! Traces across programs: one span for each submission, one for each attempt, told to a collector
//! by OTLP when the environment names one.
//!
//! | file | what it does |
//! |---|---|
//! | `settings` | the environment: whether traces are told at all, and to whom |
//! | `recorder` | contexts of new spans, and the queue of spans that wait to be told |
//! | `exporter` | tells them, and counts what became of them |
//! | `span` | the two kinds of spans, in the words that everybody uses for messages |
//! | `attempts` | what a pool runs, seen from between the pool and its source |
//!
//! Where no collector is named there is no recorder, and nothing asks for one: not a byte is
//! allocated for a task. Where one is named and does not answer, spans are dropped and counted;
//! tasks do not wait for it.

#[cfg(not(feature = "otlp"))]
mod absent;
#[cfg(feature = "otlp")]
mod attempts;
#[cfg(feature = "otlp")]
mod exporter;
#[cfg(feature = "otlp")]
mod readings;
#[cfg(feature = "otlp")]
mod recorder;
#[cfg(feature = "otlp")]
mod settings;
#[cfg(feature = "otlp")]
mod span;

use std::sync::Arc;

use tareas_engine::ports::Tracer;
use tareas_server::metrics::Readings;
use tareas_worker::Source;

#[cfg(not(feature = "otlp"))]
use absent::Recorder;
#[cfg(feature = "otlp")]
use recorder::Recorder;

/// The traces of this process; empty unless a collector is named.
#[derive(Clone, Debug)]
pub(crate) struct Traces(Option<Arc<Recorder>>);

impl Traces {
    /// Starts to record, if the environment names a collector. What is wrong with that is a warning:
    /// a server does not stay down because nobody watches it.
    pub(crate) fn start() -> Self {
        Self(Recorder::start().map(Arc::new))
    }

    /// Who records submissions.
    pub(crate) fn tracer(&self) -> Option<Arc<dyn Tracer>> {
        self.0.clone().map(|recorder| recorder as Arc<dyn Tracer>)
    }

    /// The source of a pool, as one whose attempts are recorded.
    pub(crate) fn around(&self, source: Arc<dyn Source>) -> Arc<dyn Source> {
        match &self.0 {
            Some(recorder) => Recorder::around(recorder, source),
            None => source,
        }
    }

    /// What is counted, with what became of the spans.
    pub(crate) fn with_counts(&self, readings: Box<dyn Readings>) -> Box<dyn Readings> {
        match &self.0 {
            Some(recorder) => recorder.with_counts(readings),
            None => readings,
        }
    }

    /// Tells what waits, within a limit.
    pub(crate) async fn finish(self) {
        if let Some(recorder) = self.0 {
            // A panic in there loses spans, which may be lost.
            let _ = tokio::task::spawn_blocking(move || recorder.finish()).await;
        }
    }
}
