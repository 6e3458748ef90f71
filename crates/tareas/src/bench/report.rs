//! What was measured, and how.

use std::time::Duration;

use serde_json::json;
use tareas_client::Address;

use super::commits::Commits;
use super::{Histogram, Load, Plan, Run};
use crate::output::Voice;

const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// All that is told.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    pub(super) address: &'a Address,
    pub(super) runs: &'a [Run],
    pub(super) commits: &'a Commits,
    pub(super) disk: Option<&'a Histogram>,
    /// Tasks per second of a server that only answers.
    pub(super) bare: Option<f64>,
}

impl Report<'_> {
    /// Tells it, as a table or as JSON.
    pub(super) fn tell(&self, voice: &Voice) {
        match voice.format.is_json() {
            true => voice.result(&self.as_json().to_string()),
            false => {
                for (name, value) in self.rows() {
                    voice.result(&format!("{name:<15} {value}"));
                }
            }
        }
    }

    /// The median as a share of what a bare server does.
    fn ratio(&self) -> Option<f64> {
        Some(median(self.runs) / self.bare.filter(|rate| *rate > 0.0)?)
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let Self {
            plan,
            address,
            runs,
            commits,
            disk,
            ..
        } = self;
        let rates: Vec<String> = runs
            .iter()
            .map(|run| format!("{:.0}", run.rate()))
            .collect();
        let tasks: u64 = runs.iter().map(|run| run.tasks).sum();
        let wrong: u64 = runs.iter().map(|run| run.wrong).sum();
        let durability = commits
            .durability
            .clone()
            .unwrap_or_else(|| "unknown".to_owned());
        let mut rows = vec![
            ("method", method(plan)),
            ("server", address.to_string()),
            ("durability", durability),
            (
                "tasks",
                format!(
                    "{tasks} in {} run(s), every result checked, {wrong} wrong",
                    runs.len()
                ),
            ),
            ("rates", format!("{} tasks/s", rates.join(", "))),
            ("median", format!("{:.0} tasks/s", median(runs))),
        ];
        if let Some(latency) = latency(runs) {
            rows.push(("round trip", quantiles(&latency)));
        }
        if let (Some(bare), Some(ratio)) = (self.bare, self.ratio()) {
            let percent = ratio * 100.0;
            rows.push((
                "bare server",
                format!("{bare:.0} tasks/s, nothing stored: {percent:.0} % of it"),
            ));
        }
        if let Some(disk) = disk {
            rows.push(("fdatasync 4 KiB", quantiles(disk)));
        }
        if let Some(rows_per_commit) = commits.rows_per_commit() {
            rows.push(("tasks/commit", format!("{rows_per_commit:.0}")));
        }
        if let Some(share) = commits.folded_share() {
            rows.push(("folded", format!("{:.1} %", share * 100.0)));
        }
        rows
    }

    fn as_json(&self) -> serde_json::Value {
        let Self {
            plan,
            address,
            runs,
            commits,
            disk,
            ..
        } = self;
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        let quantiles = |histogram: &Histogram| {
            let mut object = serde_json::Map::new();
            for (name, share) in QUANTILES {
                object.insert(name.to_owned(), json!(micros(histogram.quantile(share))));
            }
            object.insert("max".to_owned(), json!(micros(histogram.max())));
            serde_json::Value::Object(object)
        };
        let each = runs.iter().map(|run| {
            let seconds = run.elapsed.as_secs_f64();
            json!({"tasks": run.tasks, "seconds": seconds, "rate": run.rate(), "wrong": run.wrong})
        });
        json!({
            "method": method(plan),
            "server": address.to_string(),
            "durability": commits.durability,
            "runs": each.collect::<Vec<_>>(),
            "median_rate": median(runs),
            "bare_server_rate": self.bare,
            "share_of_bare_server": self.ratio(),
            "round_trip_us": latency(runs).as_ref().map(quantiles),
            "fdatasync_4k_us": disk.map(quantiles),
            "tasks_per_commit": commits.rows_per_commit(),
            "folded_share": commits.folded_share(),
        })
    }
}

/// The rate in the middle of the runs.
fn median(runs: &[Run]) -> f64 {
    let mut rates: Vec<f64> = runs.iter().map(Run::rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(0.0)
}

/// The round trips of all runs.
fn latency(runs: &[Run]) -> Option<Histogram> {
    let mut all: Option<Histogram> = None;
    for run in runs {
        if let Some(latency) = &run.latency {
            all.get_or_insert_default().merge(latency);
        }
    }
    all
}

fn method(plan: &Plan) -> String {
    let connections = plan.connections;
    let form = |is_text: bool| if is_text { "text" } else { "JSON" };
    let padded = match plan.payload_bytes {
        0 => String::new(),
        bytes => format!(", payloads of {bytes} bytes"),
    };
    match plan.load {
        Load::Pipelined { window, is_text } => format!(
            "pipelined, {connections} connection(s), window {window}, {} lines `square`{padded}",
            form(is_text)
        ),
        Load::Closed { is_text } => {
            format!(
                "closed loop, {connections} connection(s), {} lines `square`{padded}",
                form(is_text)
            )
        }
        Load::Batches { size } => {
            format!("batches of {size}, {connections} connection(s), acknowledgements alone")
        }
    }
}

fn quantiles(histogram: &Histogram) -> String {
    let mut parts: Vec<String> = QUANTILES
        .iter()
        .map(|(name, share)| format!("{name} {}", shown(histogram.quantile(*share))))
        .collect();
    parts.push(format!("max {}", shown(histogram.max())));
    parts.join(" · ")
}

fn shown(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    match micros {
        ..1_000.0 => format!("{micros:.0} us"),
        ..1_000_000.0 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}
