//! `GET /v1/queues/{queue}/scale`: what an autoscaler needs to know of a queue, as plain numbers
//! (the shape that KEDA's metrics-api scaler reads).

use std::time::Duration;

use axum::extract::Request;
use serde::Serialize;
use tareas_core::{Phase, QueueName};
use tareas_engine::access::{Action, Object};
use tareas_engine::tally::Histogram;

use super::operate::{queue_name, written};
use super::problem::{Answer, Problem};
use super::visit::{Query, Visit, path_text};

/// How soon the tasks in line should have begun, if not said.
const WITHIN_DEFAULT: u64 = 30;
const WITHIN_MAX: u64 = 86_400;
/// What is assumed of run times before any was measured.
const RUN_ASSUMED: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Scale<'a> {
    queue: &'a str,
    waiting: u64,
    running: u64,
    oldest_ms: Option<u64>,
    mean_run_ms: f64,
    desired_threads: u64,
}

/// The numbers of a queue; of one that nobody has used yet they are zero.
pub(super) async fn scale(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["within"])?;
    let within = query
        .number(&visit, "within", WITHIN_MAX)?
        .unwrap_or(WITHIN_DEFAULT);
    if within == 0 {
        let (en, es) = ("a number of seconds", "un número de segundos");
        return Err(visit.invalid("within", en, es));
    }
    let name = path_text(&mut parts, &()).await.unwrap_or_default();
    let queue = queue_name(&visit, &name)?;
    visit.may(Action::ViewQueue, Object::Queue(&queue))?;
    let engine = &visit.server.engine;
    let counts = engine.counts().get(&queue).copied().unwrap_or_default();
    let (waiting, running) = (
        counts[Phase::Queued as usize],
        counts[Phase::Running as usize],
    );
    let mean_run = mean(&engine.tally().counted().run);
    let scale = Scale {
        queue: queue.as_str(),
        waiting,
        running,
        oldest_ms: oldest_ms(&visit, &queue).await?,
        mean_run_ms: mean_run.as_secs_f64() * 1e3,
        desired_threads: desired(waiting, running, mean_run, Duration::from_secs(within)),
    };
    written(&visit, &scale)
}

/// How long the first in line has waited, in milliseconds.
pub(super) async fn oldest_ms(visit: &Visit, queue: &QueueName) -> Result<Option<u64>, Problem> {
    let oldest = visit.server.engine.longest_waiting(queue).await;
    let oldest = oldest.map_err(|refusal| visit.refused(&refusal))?;
    Ok(oldest.map(|waited| u64::try_from(waited.as_millis()).unwrap_or(u64::MAX)))
}

fn mean(run: &Histogram) -> Duration {
    match run.sum_micros.checked_div(run.count) {
        Some(micros) => Duration::from_micros(micros),
        None => RUN_ASSUMED,
    }
}

/// The threads that are busy, and as many as work the line off in time: never more than there
/// are tasks for.
fn desired(waiting: u64, running: u64, mean_run: Duration, within: Duration) -> u64 {
    let work = waiting as f64 * mean_run.as_secs_f64();
    let more = (work / within.as_secs_f64()).ceil();
    let more = (more as u64).clamp(u64::from(waiting > 0), waiting);
    running.saturating_add(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_threads_as_work_the_line_off_in_time() {
        let second = Duration::from_secs(1);
        let desired =
            |waiting, running, mean: Duration| desired(waiting, running, mean, second * 30);
        assert_eq!(desired(0, 4, second), 4, "nothing waits");
        assert_eq!(desired(480, 8, second), 24);
        assert_eq!(
            desired(1, 0, Duration::from_millis(1)),
            1,
            "one task wants a thread"
        );
        assert_eq!(
            desired(5, 0, second * 3_600),
            5,
            "no more than there are tasks"
        );
        assert_eq!(desired(u64::MAX, 1, second * 3_600), u64::MAX);
    }

    #[test]
    fn what_was_not_measured_is_assumed() {
        assert_eq!(mean(&Histogram::default()), RUN_ASSUMED);
        let run = Histogram {
            sum_micros: 900,
            count: 3,
            ..Histogram::default()
        };
        assert_eq!(mean(&run), Duration::from_micros(300));
    }
}
