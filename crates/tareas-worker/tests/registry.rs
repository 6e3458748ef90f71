//! The ways to register a handler, and what becomes of its errors.

use std::num::ParseIntError;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tareas_worker::{CancelHandle, Context, HandlerError, Registry};

#[derive(Debug, Deserialize)]
struct Resize {
    width: u32,
    height: u32,
}

#[derive(Debug, Serialize)]
struct Thumb {
    pixels: u32,
}

fn resize(_: &Context, wanted: Resize) -> Result<Thumb, HandlerError> {
    Ok(Thumb {
        pixels: wanted.width * wanted.height,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "that the runtime's timers work is what is tested"
)]
async fn resize_async(context: &Context, wanted: Resize) -> Result<Thumb, HandlerError> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    resize(context, wanted)
}

fn run(registry: &Registry, kind: &str, payload: &'static str) -> Result<String, HandlerError> {
    let result = registry.run(&Context::detached(kind), payload.into());
    result.map(|bytes| String::from_utf8(bytes.into()).expect("UTF-8"))
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register("resize", resize);
    registry.register_async("resize_async", resize_async);
    registry.register_async(
        "later",
        async |_: &Context, n: u64| -> Result<u64, HandlerError> {
            tokio::task::yield_now().await;
            Ok(n + 1)
        },
    );
    registry.register(
        "parse",
        |_: &Context, text: String| -> Result<i64, ParseIntError> { text.parse() },
    );
    registry
        .register(
            "strict",
            |_: &Context, text: String| -> Result<i64, ParseIntError> { text.parse() },
        )
        .not_retryable();
    registry.register(
        "panic",
        |_: &Context, text: String| -> Result<(), HandlerError> { panic!("{text}") },
    );
    registry
}

#[test]
fn functions_and_closures_run_sync_and_async() {
    let registry = registry();
    for kind in ["resize", "resize_async"] {
        let result = run(&registry, kind, r#"{"width":4,"height":3}"#);
        assert_eq!(result.unwrap(), r#"{"pixels":12}"#);
        let as_a_line = run(&registry, kind, r#""{\"width\":4,\"height\":3}""#);
        assert_eq!(as_a_line.unwrap(), r#"{"pixels":12}"#);
    }
    assert_eq!(run(&registry, "later", "1").unwrap(), "2");
    assert_eq!(run(&registry, "parse", r#""5""#).unwrap(), "5");
}

#[test]
fn a_payload_that_does_not_fit_is_rejected() {
    let error = run(&registry(), "resize", r#"{"width":4}"#).unwrap_err();
    assert_eq!(error.name, "invalid_payload");
    assert!(error.message.contains("missing field `height`"), "{error}");
    assert!(!error.retryable);
}

#[test]
fn a_kind_decides_for_errors_that_do_not() {
    let registry = registry();
    let error = run(&registry, "parse", r#""x""#).unwrap_err();
    assert_eq!(
        (error.name.as_str(), error.retryable),
        ("ParseIntError", true)
    );
    assert!(!run(&registry, "strict", r#""x""#).unwrap_err().retryable);
}

#[test]
fn a_panic_is_a_failure() {
    let error = run(&registry(), "panic", r#""boom""#).unwrap_err();
    assert_eq!(error.name, "panic");
    assert_eq!(error.message, "the handler panicked: boom");
    assert!(error.retryable);
}

#[test]
fn an_unknown_kind_may_be_known_elsewhere() {
    let error = run(&registry(), "nothing", "{}").unwrap_err();
    assert_eq!(
        (error.name.as_str(), error.retryable),
        ("unknown_kind", true)
    );
}

#[test]
fn a_cancelled_async_handler_is_dropped_where_it_waits() {
    let mut registry = Registry::new();
    registry.register_async(
        "wait",
        async |_: &Context, (): ()| -> Result<(), HandlerError> { std::future::pending().await },
    );
    let cancel = CancelHandle::new();
    let context = Context::detached("wait").with_cancel(cancel.clone());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| registry.run(&context, "null".into()));
        cancel.cancel();
        let error = waiter.join().unwrap().unwrap_err();
        assert_eq!(error.message, "the task was cancelled");
    });
}

#[test]
fn an_alias_is_listed_with_examples_of_its_own() {
    let mut registry = Registry::new();
    registry
        .register("resize", resize)
        .example("resize {}", r#"{"op":"resize"}"#);
    registry.alias("redimensionar", "resize");
    registry.alias("nada", "nothing");
    let names: Vec<_> = registry
        .kinds()
        .iter()
        .map(|kind| kind.name.clone())
        .collect();
    assert_eq!(names, ["redimensionar", "resize"]);
    let alias = registry.kind("redimensionar").unwrap();
    assert_eq!(alias.alias_of.as_deref(), Some("resize"));
    assert_eq!(alias.example_text, "redimensionar {}");
}
