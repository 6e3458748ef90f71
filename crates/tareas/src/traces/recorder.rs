//! Contexts of new spans, and the queue of spans that wait to be told.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry::trace::{
    SpanContext, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Config, SamplingDecision, SpanData, SpanProcessor,
};
use tareas_core::TraceContext;
use tareas_engine::ports::{Sent, Tracer};
use tareas_server::metrics::Readings;
use tareas_worker::Source;

use super::attempts::RecordedSource;
use super::exporter::{CountingExporter, Counts};
use super::readings::WithSpans;
use super::{settings, span};

/// How many spans wait at most, where the environment does not say it.
const WAITING_MAX: usize = 2_048;
/// How long the last spans may take to be told.
const FINISH_WITHIN: Duration = Duration::from_secs(3);

/// Records spans.
#[derive(Debug)]
pub(super) struct Recorder {
    /// The sampler and the source of ids, as the environment wants them.
    config: Config,
    scope: InstrumentationScope,
    processor: BatchSpanProcessor,
    waiting_max: u64,
    counts: Arc<Counts>,
}

impl Recorder {
    /// A recorder that tells the collector of the environment; `None` when there is none.
    pub(super) fn start() -> Option<Self> {
        let lookup = |name: &str| std::env::var(name).ok();
        if !settings::is_asked_for(&lookup) {
            return None;
        }
        if let Some(protocol) = settings::foreign_protocol(&lookup) {
            tracing::warn!(
                protocol,
                "traces are told as http/protobuf, not by this protocol"
            );
        }
        let counts: Arc<Counts> = Arc::default();
        let exporter = CountingExporter::new(Arc::clone(&counts));
        let exporter = exporter
            .inspect_err(|error| tracing::warn!(%error, "there are no traces"))
            .ok()?;
        let asked = lookup("OTEL_BSP_MAX_QUEUE_SIZE").and_then(|text| text.parse().ok());
        let waiting_max = asked.unwrap_or(WAITING_MAX).max(1);
        let queue = BatchConfigBuilder::default().with_max_queue_size(waiting_max);
        let mut processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(queue.build())
            .build();
        processor.set_resource(&settings::resource(&lookup));
        Some(Self {
            config: Config::default(),
            scope: InstrumentationScope::builder("tareas")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
            processor,
            waiting_max: waiting_max as u64,
            counts,
        })
    }

    /// A source whose attempts are recorded.
    pub(super) fn around(recorder: &Arc<Self>, source: Arc<dyn Source>) -> Arc<dyn Source> {
        Arc::new(RecordedSource::new(source, Arc::clone(recorder)))
    }

    /// Other readings, and what became of the spans.
    pub(super) fn with_counts(&self, others: Box<dyn Readings>) -> Box<dyn Readings> {
        let counts = Arc::clone(&self.counts);
        Box::new(WithSpans { others, counts })
    }

    /// Tells what waits, as far as there is time.
    pub(super) fn finish(&self) {
        if let Err(error) = self.processor.shutdown_with_timeout(FINISH_WITHIN) {
            tracing::warn!(%error, "the last spans were not told");
        }
    }

    /// A new span of this kind below `parent`, or of a new trace; `None` when nobody wants it.
    pub(super) fn new_span(
        &self,
        parent: Option<&TraceContext>,
        kind: &SpanKind,
    ) -> Option<TraceContext> {
        let ids = &self.config.id_generator;
        let trace_id = match parent {
            Some(parent) => TraceId::from(parent.trace_id),
            None => ids.new_trace_id(),
        };
        let above = parent.map(|parent| Context::new().with_remote_span_context(remote(parent)));
        let sampler = &self.config.sampler;
        let sampled = sampler.should_sample(above.as_ref(), trace_id, "", kind, &[], &[]);
        (sampled.decision == SamplingDecision::RecordAndSample).then(|| TraceContext {
            trace_id: u128::from_be_bytes(trace_id.to_bytes()),
            span_id: u64::from_be_bytes(ids.new_span_id().to_bytes()),
            flags: TraceContext::SAMPLED | parent.map_or(0, |parent| parent.flags),
            state: parent.and_then(|parent| parent.state.clone()),
        })
    }

    /// Has a span told, unless too many wait.
    pub(super) fn record(&self, span: SpanData) {
        let counts = &self.counts;
        if counts.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            counts.waiting.fetch_sub(1, Ordering::Relaxed);
            counts.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.processor.on_end(span);
    }

    /// Who says that these are spans.
    pub(super) fn scope(&self) -> InstrumentationScope {
        self.scope.clone()
    }
}

impl Tracer for Recorder {
    fn begin(&self, parent: Option<&TraceContext>) -> Option<TraceContext> {
        self.new_span(parent, &SpanKind::Producer)
    }

    fn sent(&self, sent: Sent<'_>) {
        self.record(span::of_submission(&sent, self.scope()));
    }
}

/// The context as one that came from elsewhere.
pub(super) fn remote(context: &TraceContext) -> SpanContext {
    of(context, true)
}

/// The context of a span of our own.
pub(super) fn own(context: &TraceContext) -> SpanContext {
    of(context, false)
}

fn of(context: &TraceContext, is_remote: bool) -> SpanContext {
    let state = context.state.as_deref().map(TraceState::from_str);
    SpanContext::new(
        context.trace_id.into(),
        context.span_id.into(),
        TraceFlags::new(context.flags),
        is_remote,
        // One that breaks the rules is passed on with the task, and left out of the span.
        state.and_then(Result::ok).unwrap_or_default(),
    )
}
