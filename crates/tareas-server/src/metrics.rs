//! What the system has done and does now, as OpenMetrics text.
//!
//! Everything comes from counters that are kept anyway: the cost of a scrape does not depend on
//! how many tasks are stored. Labels are bounded: queue, kind, state and outcome, never a task.

mod readings;
mod text;

use std::sync::atomic::Ordering;

use tareas_core::Phase;
use tareas_engine::tally::Counted;

pub use readings::{NoReadings, Reading, Readings, STORAGE_FULL};

use crate::ServerState;
use text::{Exposition, Family};

/// The content type of [`exposition`]; Prometheus refuses a scrape without the right one.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of a server, as one text.
pub fn exposition(server: &ServerState) -> String {
    let mut out = Exposition::default();
    let counted = server.engine.tally().counted();
    build(&mut out, server);
    tasks(&mut out, &counted);
    times(&mut out, &counted);
    queues(&mut out, server);
    threads(&mut out, server);
    connections(&mut out, server);
    backends(&mut out, server);
    webhooks(&mut out, server);
    out.finish()
}

fn backends(out: &mut Exposition, server: &ServerState) {
    for reading in server.readings.read() {
        let (family, suffix) = match reading.only_grows {
            true => (Family::counter(reading.name, reading.help), "_total"),
            false => (Family::gauge(reading.name, reading.help), ""),
        };
        out.family(match reading.unit {
            Some(unit) => family.unit(unit),
            None => family,
        });
        out.sample(suffix, &[], reading.value);
    }
}

fn webhooks(out: &mut Exposition, server: &ServerState) {
    let Some(webhooks) = &server.config.webhooks else {
        return;
    };
    out.family(Family::gauge(
        "tareas_webhooks",
        "Webhooks by how they are.",
    ));
    for (state, count) in webhooks.health() {
        out.sample("", &[("state", state)], count as u64);
    }
    let tried = webhooks.tried();
    out.family(Family::counter(
        "tareas_webhook_tries",
        "Tries to deliver, by what became of them.",
    ));
    for (outcome, count) in [
        ("delivered", tried.delivered),
        ("retried", tried.retried),
        ("given_up", tried.given_up),
    ] {
        out.sample("_total", &[("outcome", outcome)], count);
    }
}

fn build(out: &mut Exposition, server: &ServerState) {
    let version = server.config.version.as_str();
    let durability = server.config.durability_label();
    out.family(Family::info("tareas_build", "The program that answers."));
    out.sample(
        "_info",
        &[("version", version), ("durability", durability)],
        1_u64,
    );
    let uptime = server.engine.now().since(server.started_at).as_secs_f64();
    out.family(Family::gauge("tareas_uptime_seconds", "Time since the start.").unit("seconds"));
    out.sample("", &[], uptime);
    out.family(Family::gauge(
        "tareas_draining",
        "1 while the server takes nothing new.",
    ));
    out.sample("", &[], u64::from(server.engine.is_draining()));
    out.family(Family::gauge(
        "tareas_backend_up",
        "1 while the backend can be relied on.",
    ));
    out.sample(
        "",
        &[("backend", "records")],
        u64::from(crate::http::store_is_up(server)),
    );
}

fn tasks(out: &mut Exposition, counted: &Counted) {
    out.family(Family::counter(
        "tareas_tasks_submitted",
        "Tasks that were accepted.",
    ));
    for (queue, count) in &counted.submitted {
        out.sample("_total", &[("queue", queue.as_str())], *count);
    }
    out.family(Family::counter(
        "tareas_tasks_refused",
        "Submissions that were refused.",
    ));
    out.sample("_total", &[], counted.refused);
    out.family(Family::counter(
        "tareas_tasks_finished",
        "Tasks that have ended.",
    ));
    for ((queue, kind, outcome), count) in &counted.finished {
        let labels = [
            ("queue", queue.as_str()),
            ("kind", kind.as_str()),
            ("outcome", outcome),
        ];
        out.sample("_total", &labels, *count);
    }
    out.family(Family::counter(
        "tareas_retries",
        "Attempts that will be tried again.",
    ));
    for (queue, count) in &counted.retries {
        out.sample("_total", &[("queue", queue.as_str())], *count);
    }
    out.family(Family::counter(
        "tareas_attempts_lost",
        "Attempts whose executor was lost.",
    ));
    out.sample("_total", &[], counted.lost);
}

fn times(out: &mut Exposition, counted: &Counted) {
    let histograms = [
        (
            "tareas_task_wait_seconds",
            "From acceptance to the last start.",
            &counted.wait,
        ),
        (
            "tareas_task_run_seconds",
            "Run time of the last attempt.",
            &counted.run,
        ),
        (
            "tareas_task_total_seconds",
            "From acceptance to the end.",
            &counted.total,
        ),
    ];
    for (name, help, histogram) in histograms {
        out.family(Family::histogram(name, help).unit("seconds"));
        out.histogram(histogram);
    }
}

fn queues(out: &mut Exposition, server: &ServerState) {
    out.family(Family::gauge(
        "tareas_queue_tasks",
        "Stored tasks by queue and state.",
    ));
    for (queue, by_phase) in &server.engine.counts() {
        for (phase, count) in Phase::ALL.iter().zip(by_phase) {
            out.sample(
                "",
                &[("queue", queue.as_str()), ("state", phase.name())],
                *count,
            );
        }
    }
    out.family(Family::gauge(
        "tareas_queue_paused",
        "1 while no task of the queue is started.",
    ));
    for (queue, is_paused) in &server.engine.queues() {
        out.sample("", &[("queue", queue.as_str())], u64::from(*is_paused));
    }
}

fn threads(out: &mut Exposition, server: &ServerState) {
    let threads = u64::from(server.engine.threads());
    let busy = server
        .engine
        .slots()
        .iter()
        .filter(|slot| slot.running.is_some())
        .count() as u64;
    out.family(Family::gauge(
        "tareas_worker_threads",
        "Threads of a pool by what they do.",
    ));
    for (state, count) in [("busy", busy), ("idle", threads.saturating_sub(busy))] {
        out.sample("", &[("worker", "local"), ("state", state)], count);
    }
    out.family(Family::gauge(
        "tareas_workers",
        "Pools of threads that take work.",
    ));
    out.sample("", &[("state", "connected")], u64::from(threads > 0));
    out.family(Family::gauge(
        "tareas_tasks_watched",
        "Tasks whose end somebody waits for.",
    ));
    out.sample("", &[], server.engine.watched() as u64);
}

fn connections(out: &mut Exposition, server: &ServerState) {
    let connections = &server.connections;
    out.family(Family::gauge(
        "tareas_connections",
        "Open connections by what they speak.",
    ));
    for (proto, gauge) in [("lines", &connections.lines), ("http", &connections.http)] {
        out.sample(
            "",
            &[("proto", proto)],
            gauge.load(Ordering::Relaxed) as u64,
        );
    }
    out.family(Family::gauge(
        "tareas_event_streams",
        "Open streams of events.",
    ));
    out.sample("", &[], server.http.streams() as u64);
    let [ticks, drawn] = server.http.drawn();
    out.family(Family::counter(
        "tareas_event_ticks",
        "Times that views were drawn for streams of events.",
    ));
    out.sample("_total", &[], ticks);
    out.family(Family::counter(
        "tareas_event_views_drawn",
        "Views that were drawn then, each once for all who look.",
    ));
    out.sample("_total", &[], drawn);
    let counters = [
        (
            "tareas_connections_accepted",
            "Accepted connections.",
            &connections.accepted,
        ),
        (
            "tareas_connections_refused",
            "Connections without room.",
            &connections.turned_away,
        ),
        (
            "tareas_connections_unproxied",
            "Refused for their PROXY header.",
            &connections.unproxied,
        ),
        (
            "tareas_connections_silenced",
            "Closed as too many said nothing.",
            &connections.silenced,
        ),
        (
            "tareas_connections_stalled",
            "Closed as they took nothing.",
            &connections.stalled,
        ),
    ];
    for (name, help, counter) in counters {
        out.family(Family::counter(name, help));
        out.sample("_total", &[], counter.load(Ordering::Relaxed));
    }
}
