//! The log of a task as server-sent events, until the task has ended.
//!
//! | event | data |
//! |---|---|
//! | `log` | `{"attempt":1,"line":"…"}`; its id is the attempt and the number of the line |
//! | `progress` | `{"attempt":1,"percent":50,"message":"…"}` |
//! | `truncated` | `{"attempt":1}`: further lines of this attempt are dropped |
//! | `end` | `{"task_id":"…","status":"succeeded"}`; nothing follows |
//!
//! A stream holds nothing but how much was seen: what a slow reader has not read waits in the
//! notes of the engine, which are bounded. Whoever comes back with `Last-Event-ID` goes on there.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::HeaderMap;
use bytes::Bytes;
use futures_util::stream;
use tareas_core::{Task, TaskId};
use tareas_engine::{Heard, Seen, Waited};
use tareas_protocol::Code;
use tareas_protocol::json::{append_string, append_u64};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::ServerState;
use crate::http::live::{OPENING, SILENCE_MAX, STILL_THERE, Seat, event_stream};
use crate::http::problem::Answer;
use crate::http::visit::Visit;

/// The stream of one reader.
struct Follower {
    _seat: Seat,
    server: Arc<ServerState>,
    id: TaskId,
    more: Arc<Notify>,
    seen: Seen,
    stop: CancellationToken,
    /// The token or session of whoever reads has ended.
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Opening,
    Following,
    /// The task has ended with this status; what was said before is still to be told.
    Ended(&'static str),
    Over,
}

/// Follows the log of a task.
pub(super) fn follow(visit: Visit, task: &Task, headers: &HeaderMap) -> Answer {
    let seat = Seat::take(&visit.server);
    let seat = seat.ok_or_else(|| visit.problem(visit.error(Code::Overloaded)))?;
    let follower = Follower {
        _seat: seat,
        id: task.id(),
        more: visit.server.engine.notes().follow(task.id()),
        server: visit.server,
        seen: seen_by(headers),
        stop: visit.stop,
        ended: Box::pin(visit.identity.principal.ended()),
        phase: Phase::Opening,
    };
    Ok(event_stream(stream::unfold(
        follower,
        |mut follower| async {
            let chunk = follower.next().await?;
            Some((chunk, follower))
        },
    )))
}

/// What the reader has seen, if it says so.
fn seen_by(headers: &HeaderMap) -> Seen {
    let id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let parts = id.and_then(|id| id.split_once('.'));
    let seen = parts
        .and_then(|(attempt, lines)| Some(Seen::up_to(attempt.parse().ok()?, lines.parse().ok()?)));
    seen.unwrap_or_default()
}

impl Follower {
    /// What to send next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.phase == Phase::Opening {
            self.phase = Phase::Following;
            return Some(Bytes::from_static(OPENING));
        }
        loop {
            let more = Arc::clone(&self.more);
            // Before it looks: what is said from here on wakes it.
            let mut notified = std::pin::pin!(more.notified());
            notified.as_mut().enable();
            let heard = self.server.engine.notes().unseen(self.id, &mut self.seen);
            if !heard.is_empty() {
                let mut out = Vec::new();
                heard.iter().for_each(|heard| append(&mut out, heard));
                return Some(out.into());
            }
            match self.phase {
                Phase::Ended(status) => {
                    self.phase = Phase::Over;
                    return Some(self.farewell(status));
                }
                Phase::Over => return None,
                Phase::Opening | Phase::Following => {}
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = &mut self.ended => return None,
                () = notified => {}
                waited = self.server.engine.wait(self.id, SILENCE_MAX) => match waited {
                    Ok(Waited::Ended(task)) => self.phase = Phase::Ended(task.phase().name()),
                    Ok(Waited::TimedOut(_)) => return Some(Bytes::from_static(STILL_THERE)),
                    // Removed meanwhile, or the store is away: the reader may ask again.
                    Err(_) => return None,
                },
            }
        }
    }

    fn farewell(&self, status: &str) -> Bytes {
        let data = format!("{{\"task_id\":\"{}\",\"status\":\"{status}\"}}", self.id);
        format!("event: end\ndata: {data}\n\n").into()
    }
}

/// Appends one event.
fn append(out: &mut Vec<u8>, heard: &Heard) {
    let (name, attempt) = match heard {
        Heard::Line {
            attempt, number, ..
        } => {
            out.extend_from_slice(format!("id: {attempt}.{number}\n").as_bytes());
            ("log", *attempt)
        }
        Heard::Progress(attempt, _) => ("progress", *attempt),
        Heard::Truncated(attempt) => ("truncated", *attempt),
    };
    out.extend_from_slice(format!("event: {name}\ndata: {{\"attempt\":").as_bytes());
    append_u64(out, attempt);
    match heard {
        Heard::Line { text, .. } => {
            out.extend_from_slice(b",\"line\":");
            append_string(out, text);
        }
        Heard::Progress(_, progress) => {
            out.extend_from_slice(b",\"percent\":");
            append_u64(out, progress.percent.clamp(0.0, 100.0) as u64);
            out.extend_from_slice(b",\"message\":");
            append_string(out, &progress.message);
        }
        Heard::Truncated(_) => {}
    }
    out.extend_from_slice(b"}\n\n");
}
