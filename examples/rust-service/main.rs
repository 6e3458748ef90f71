//! A service with state of its own that also runs tasks: a table of exchange rates, kept fresh by
//! the service and used by its handlers.
//!
//! ```sh
//! cargo run -p tareas-client --example rust-service -- tcp://127.0.0.1:5000
//! tareas submit rates.convert '{"amount":100,"from":"EUR","to":"COP"}' --wait
//! ```
//!
//! In a project of your own, `cargo add tareas-client tareas-worker serde --features serde/derive`
//! is all that it needs.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use serde::{Deserialize, Serialize};
use tareas_client::Address;
use tareas_client::worker::{RemoteWorker, WorkerOptions};
use tareas_worker::{Context, HandlerError, Registry};

/// What a unit of each currency is worth in euros.
type Rates = Arc<RwLock<BTreeMap<String, f64>>>;

/// What is asked of `rates.convert`.
#[derive(Debug, Deserialize)]
struct Asked {
    amount: f64,
    from: String,
    to: String,
}

/// What it answers.
#[derive(Debug, Serialize)]
struct Converted {
    amount: f64,
    currency: String,
}

fn convert(rates: &Rates, context: &Context, asked: Asked) -> Result<Converted, HandlerError> {
    let rates = rates
        .read()
        .map_err(|_| HandlerError::retry("the table is being repaired"))?;
    let rate = |currency: &str| {
        let known = rates.get(currency).copied();
        // No later attempt would know it either.
        known.ok_or_else(|| HandlerError::rejected(format!("no rate for {currency}")))
    };
    let amount = asked.amount * rate(&asked.from)? / rate(&asked.to)?;
    context.log(format!(
        "{} {} is {amount} {}",
        asked.amount, asked.from, asked.to
    ));
    Ok(Converted {
        amount,
        currency: asked.to,
    })
}

/// Starts the worker inside of this process; dropping it gives back what it holds.
fn start(server: Address, rates: Rates) -> std::io::Result<RemoteWorker> {
    let mut registry = Registry::new();
    registry.register("rates.convert", move |context: &Context, asked: Asked| {
        convert(&rates, context, asked)
    });
    let options = WorkerOptions {
        name: "rates".to_owned(),
        threads: 2,
        ..WorkerOptions::default()
    };
    RemoteWorker::start(server, Arc::new(registry), options)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = std::env::args().nth(1);
    let server = server.unwrap_or_else(|| "tcp://127.0.0.1:5000".to_owned());
    let rates = Rates::default();
    let _worker = start(server.parse()?, Arc::clone(&rates))?;
    // The service proper: here a line such as `COP 0.00023` on stdin is a new rate.
    for line in std::io::stdin().lines() {
        let line = line?;
        if let Some((currency, rate)) = line.split_once(' ')
            && let Ok(rate) = rate.trim().parse()
            && let Ok(mut rates) = rates.write()
        {
            rates.insert(currency.to_owned(), rate);
        }
    }
    Ok(())
}
