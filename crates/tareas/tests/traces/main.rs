//! Traces across processes: what a collector is told of a task, and that nobody waits for one.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod collector;
mod stage;

use collector::{Collector, Manner};
use serde_json::json;
use stage::{Stage, until};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const HEADER: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
const SOON: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "50");
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// A kind that tells what it was given.
const SPAN_TOLD: &str = r#"
[kinds.span]
command = ["/bin/sh", "-c", "printf '\"%s\"' \"$TRACEPARENT $TRACESTATE\""]
"#;

#[test]
fn a_task_is_one_trace_across_client_server_and_worker() {
    let collector = Collector::start(Manner::Takes);
    let endpoint = collector.endpoint();
    let front = [(ENDPOINT, &*endpoint), ("OTEL_SERVICE_NAME", "front"), SOON];
    let back = [(ENDPOINT, &*endpoint), ("OTEL_SERVICE_NAME", "back"), SOON];
    let stage = Stage::new(&front, "0");
    let _worker = stage.worker(&back);
    let body = r#"{"kind":"square","payload":7,"queue":"numbers"}"#;
    let task = stage.ended(HEADER, body);
    assert_eq!(
        (&task["result"], &task["trace_id"]),
        (&json!(49), &json!(TRACE))
    );

    let (send, process) = (
        collector.span("send numbers"),
        collector.span("process numbers"),
    );
    assert_eq!((&*send.service, &*process.service), ("front", "back"));
    assert_eq!((&*send.trace, &*process.trace), (TRACE, TRACE));
    assert_eq!(
        (&*send.parent, &process.parent),
        ("b7ad6b7169203331", &send.id)
    );
    assert_eq!((process.links.len(), &process.links[0]), (1, &send.id));
    // Producer and consumer.
    assert_eq!((send.kind, process.kind), (4, 5));
    for (span, operation) in [(&send, "send"), (&process, "process")] {
        assert_eq!(span.attributes["messaging.system"], "tareas");
        assert_eq!(span.attributes["messaging.operation.type"], operation);
        assert_eq!(span.attributes["messaging.destination.name"], "numbers");
        assert_eq!(
            span.attributes["messaging.message.id"],
            task["task_id"].as_str().unwrap()
        );
        assert!(!span.is_error);
    }
}

#[test]
fn each_task_of_a_batch_has_its_own_place_and_each_attempt_its_own_span() {
    let collector = Collector::start(Manner::Takes);
    let stage = Stage::new(&[(ENDPOINT, &collector.endpoint()), SOON], "1");
    let other = PARENT.replace(TRACE, "11111111111111111111111111111111");
    let line = format!(
        r#"{{"cmd":"batch","tasks":[
            {{"kind":"echo","payload":1,"queue":"a","traceparent":"{PARENT}"}},
            {{"kind":"fail","payload":"no","queue":"b","traceparent":"{other}","max_attempts":2,
              "backoff":{{"initial_ms":1,"max_ms":1}}}},
            {{"kind":"echo","payload":3,"queue":"c"}}]}}"#
    );
    stage.say(&line.replace('\n', ""), 4);
    assert_eq!(collector.span("process a").trace, TRACE);
    assert_eq!(collector.span("process b").trace, "1".repeat(32));
    // One that came without a trace begins one.
    let (begun, rest) = (collector.span("send c"), collector.span("process c"));
    assert_eq!((&*begun.parent, &begun.trace), ("", &rest.trace));
    let attempts = || {
        let all = collector.spans().into_iter();
        all.filter(|span| span.name == "process b")
            .collect::<Vec<_>>()
    };
    until(|| attempts().len() == 2);
    for attempt in attempts() {
        assert!(attempt.is_error, "{attempt:?}");
        assert!(attempt.attributes.contains_key("error.type"), "{attempt:?}");
        assert_eq!(attempt.parent, collector.span("send b").id);
    }
}

#[test]
fn a_program_is_told_its_span_whether_anybody_records_it_or_not() {
    let collector = Collector::start(Manner::Takes);
    let headers = format!("{HEADER}tracestate: vendor=1\r\n");
    let told = |environment: &[(&str, &str)]| {
        let mut stage = Stage::with_file(environment, "1", SPAN_TOLD);
        let task = stage.ended(&headers, r#"{"kind":"span"}"#);
        stage.server.end();
        task["result"]
            .as_str()
            .unwrap_or_else(|| panic!("{task}"))
            .to_owned()
    };
    assert_eq!(told(&[]), format!("{PARENT} vendor=1"));
    let recorded = told(&[(ENDPOINT, &collector.endpoint()), SOON]);
    let process = collector.span("process default");
    assert_eq!(recorded, format!("00-{TRACE}-{}-01 vendor=1", process.id));
}

#[test]
fn nobody_waits_for_a_collector() {
    let nobody = format!("http://127.0.0.1:{}", tareas_services::free_port());
    let refusing = Collector::start(Manner::Refuses).endpoint();
    let silent = Collector::start(Manner::Silent).endpoint();
    let small = ("OTEL_BSP_MAX_QUEUE_SIZE", "10");
    let brief = ("OTEL_EXPORTER_OTLP_TIMEOUT", "500");
    for endpoint in [nobody, refusing, silent, "no address".to_owned()] {
        let environment = [(ENDPOINT, &*endpoint), SOON, small, brief];
        let mut stage = Stage::new(&environment, "1");
        for number in 0..20 {
            let task = stage.ended("", &format!(r#"{{"kind":"square","payload":{number}}}"#));
            assert_eq!(task["result"], number * number);
        }
        if endpoint.starts_with("http") {
            until(|| stage.metric("tareas_spans_failed_total") > 0.0);
            assert_eq!(stage.metric("tareas_spans_exported_total"), 0.0);
        }
        stage.server.end();
    }
}

#[test]
fn what_finds_no_room_is_dropped_and_counted() {
    let silent = Collector::start(Manner::Silent).endpoint();
    let small = ("OTEL_BSP_MAX_QUEUE_SIZE", "10");
    let stage = Stage::new(&[(ENDPOINT, &silent), SOON, small], "1");
    let tasks = vec![r#"{"kind":"square","payload":3,"wait":false}"#; 50].join(",");
    until(|| {
        stage.say(&format!(r#"{{"cmd":"batch","tasks":[{tasks}]}}"#), 1);
        stage.metric("tareas_spans_dropped_total") > 0.0
    });
    assert!(stage.metric("tareas_spans_waiting") <= 10.0);
}

#[test]
fn what_waits_is_told_at_the_end() {
    let collector = Collector::start(Manner::Takes);
    let late = ("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    let mut stage = Stage::new(&[(ENDPOINT, &collector.endpoint()), late], "1");
    stage.ended("", r#"{"kind":"square","payload":2}"#);
    assert!(collector.spans().is_empty());
    stage.server.end();
    let names: Vec<String> = collector
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["send default", "process default"]);
}

#[test]
fn without_a_collector_or_without_wish_nothing_is_recorded() {
    let collector = Collector::start(Manner::Takes);
    let endpoint = (ENDPOINT, &*collector.endpoint());
    let off: [&[(&str, &str)]; 2] = [&[], &[endpoint, ("OTEL_SDK_DISABLED", "true")]];
    for environment in off {
        let stage = Stage::new(environment, "1");
        let task = stage.ended("", r#"{"kind":"square","payload":2}"#);
        assert!(task.get("trace_id").is_none(), "{task}");
        assert!(
            !stage
                .http("GET", "/metrics", "", "")
                .contains("tareas_spans")
        );
    }
    let unsampled = [endpoint, SOON, ("OTEL_TRACES_SAMPLER", "always_off")];
    let mut stage = Stage::new(&unsampled, "1");
    assert!(
        stage
            .ended("", r#"{"kind":"square","payload":2}"#)
            .get("trace_id")
            .is_none()
    );
    let task = stage.ended(HEADER, r#"{"kind":"square","payload":2}"#);
    assert_eq!(task["trace_id"], TRACE);
    stage.server.end();
    assert!(collector.spans().is_empty());
}

#[test]
fn the_command_line_passes_on_where_it_stands() {
    let stage = Stage::new(&[], "1");
    let trace = |environment: &[(&str, &str)], more: &[&str]| {
        let mut arguments = vec!["submit", "square", "3"];
        arguments.extend(more);
        let id = stage.run(environment, &arguments);
        let shown = stage.run(&[], &["show", id.trim(), "-o", "json"]);
        let task: serde_json::Value = serde_json::from_str(&shown).unwrap();
        task["trace_id"].as_str().map(str::to_owned)
    };
    let other = PARENT.replace(TRACE, "22222222222222222222222222222222");
    assert_eq!(
        trace(&[("TRACEPARENT", PARENT)], &[]).as_deref(),
        Some(TRACE)
    );
    let said = trace(&[("TRACEPARENT", PARENT)], &["--traceparent", &other]);
    assert_eq!(said, Some("2".repeat(32)));
    assert_eq!(trace(&[("TRACEPARENT", "nonsense")], &[]), None);
}
