//! Where in a trace something belongs: between the text of the wire and the type of the core.

use axum::http::HeaderMap;
use smol_str::SmolStr;
use tareas_core::TraceContext;
use tareas_protocol::TraceParent;
use tareas_protocol::trace::{is_tracestate, parse_traceparent};

/// The context that these two say.
pub fn context(parent: TraceParent, state: Option<&str>) -> TraceContext {
    TraceContext {
        trace_id: parent.trace_id,
        span_id: parent.span_id,
        flags: parent.flags,
        state: state.map(SmolStr::new),
    }
}

/// The `traceparent` of a context.
pub fn parent(context: &TraceContext) -> TraceParent {
    TraceParent {
        trace_id: context.trace_id,
        span_id: context.span_id,
        flags: context.flags,
    }
}

/// The context that a request came with. What cannot be read is no context, as the standard
/// wants: a client must not be refused for it.
pub(crate) fn of_headers(headers: &HeaderMap) -> Option<TraceContext> {
    let text = |name| headers.get(name)?.to_str().ok();
    let parent = parse_traceparent(text("traceparent")?.trim())?;
    let state = text("tracestate").map(str::trim);
    Some(context(parent, state.filter(|state| is_tracestate(state))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read(parent: &'static str, state: &'static str) -> Option<TraceContext> {
        let headers = [
            ("traceparent".parse().unwrap(), parent.parse().unwrap()),
            ("tracestate".parse().unwrap(), state.parse().unwrap()),
        ];
        of_headers(&headers.into_iter().collect())
    }

    #[test]
    fn headers_are_a_context() {
        let read = read(PARENT, "vendor=1").unwrap();
        assert_eq!(parent(&read).to_string(), PARENT);
        assert_eq!(read.state.as_deref(), Some("vendor=1"));
        assert!(read.is_sampled());
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        assert_eq!(read("nonsense", "vendor=1"), None);
        assert_eq!(read(PARENT, "").unwrap().state, None);
        assert_eq!(of_headers(&HeaderMap::new()), None);
    }
}
