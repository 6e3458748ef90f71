//! Handlers of three sorts, called once each without any pool.
//!
//! Run with `cargo run -p tareas-worker --example handlers`.

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tareas_worker::{Context, HandlerError, Interrupted, Registry};

#[derive(Debug, Deserialize)]
struct Resize {
    width: u32,
    height: u32,
}

#[derive(Debug, Serialize)]
struct Thumb {
    pixels: u64,
}

/// A plain function: wrong input is rejected, which is final.
fn resize(_: &Context, wanted: Resize) -> Result<Thumb, HandlerError> {
    if wanted.width == 0 || wanted.height == 0 {
        return Err(HandlerError::rejected("a picture has at least one pixel"));
    }
    let pixels = u64::from(wanted.width) * u64::from(wanted.height);
    Ok(Thumb { pixels })
}

/// A long one: says how far it is, and ends when the task is cancelled.
fn count_down(context: &Context, from: u32) -> Result<&'static str, Interrupted> {
    for left in (0..from).rev() {
        context.sleep(Duration::from_millis(1))?;
        context.progress(f64::from(from - left) / f64::from(from) * 100.0, "counting");
    }
    Ok("lift-off")
}

/// An async one: any error is a failure that is tried again.
async fn fetch(_: &Context, address: String) -> Result<u16, std::io::Error> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(listener.local_addr()?.port())
}

fn main() {
    let mut registry = Registry::new();
    registry
        .register("resize", resize)
        .describe("Makes a picture smaller.", "Reduce una imagen.");
    registry.register("count_down", count_down);
    registry.register_async("fetch", fetch).not_retryable();

    for (kind, payload) in [
        ("resize", r#"{"width":640,"height":480}"#),
        ("resize", r#"{"width":0,"height":480}"#),
        ("count_down", "3"),
        ("fetch", r#""nowhere""#),
    ] {
        let result = registry.run(&Context::detached(kind), payload.into());
        println!("{kind} {payload} → {result:?}");
    }
}
