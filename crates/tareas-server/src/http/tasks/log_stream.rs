//! The log of a task as server-sent events, until the task has ended.
//!
//! | event | data |
//! |---|---|
//! | `log` | `{"attempt":1,"line":"…"}`; its id is the attempt and the number of the line |
//! | `output` | `{"attempt":1,"text":"…"}`: a piece of what there is of the result so far |
//! | `progress` | `{"attempt":1,"percent":50,"message":"…"}` |
//! | `truncated` | `{"attempt":1}`: further lines of this attempt are dropped |
//! | `end` | `{"task_id":"…","status":"succeeded"}`; nothing follows |
//!
//! Whoever comes back with `Last-Event-ID` goes on there.

use std::pin::Pin;

use axum::http::HeaderMap;
use bytes::Bytes;
use futures_util::stream;
use tareas_core::Task;
use tareas_engine::Heard;
use tareas_protocol::Code;
use tareas_protocol::json::{append_string, append_u64};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::follow::{Followed, Follower, Place};
use crate::http::live::{OPENING, SILENCE_MAX, STILL_THERE, Seat, event_stream};
use crate::http::problem::Answer;
use crate::http::visit::Visit;

/// The stream of one reader.
struct Reader {
    _seat: Seat,
    follower: Follower,
    stop: CancellationToken,
    /// The token or session of whoever reads has ended.
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    is_opened: bool,
    /// How far it was told: the id of an event.
    place: Place,
}

/// Follows the log of a task.
pub(super) fn follow(visit: Visit, task: &Task, headers: &HeaderMap) -> Answer {
    let seat = Seat::take(&visit.server);
    let seat = seat.ok_or_else(|| visit.problem(visit.error(Code::Overloaded)))?;
    let id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let place = Place::read(id.unwrap_or_default());
    let reader = Reader {
        _seat: seat,
        follower: Follower::new(&visit.server, task.id(), place.seen()),
        stop: visit.stop,
        ended: Box::pin(visit.identity.principal.ended()),
        is_opened: false,
        place,
    };
    Ok(event_stream(stream::unfold(reader, |mut reader| async {
        let chunk = reader.next().await?;
        Some((chunk, reader))
    })))
}

impl Reader {
    /// What to send next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.is_opened {
            self.is_opened = true;
            return Some(Bytes::from_static(OPENING));
        }
        let followed = tokio::select! {
            () = self.stop.cancelled() => return None,
            () = &mut self.ended => return None,
            followed = self.follower.next(SILENCE_MAX) => followed,
        };
        match followed {
            Followed::Heard(heard) => {
                let mut out = Vec::new();
                heard.iter().for_each(|heard| self.append(&mut out, heard));
                Some(out.into())
            }
            Followed::Silence => Some(Bytes::from_static(STILL_THERE)),
            Followed::Ended(status) => Some(self.farewell(status)),
            Followed::Over => None,
        }
    }

    fn farewell(&self, status: &str) -> Bytes {
        let id = self.follower.id();
        let data = format!("{{\"task_id\":\"{id}\",\"status\":\"{status}\"}}");
        format!("event: end\ndata: {data}\n\n").into()
    }

    /// Appends one event.
    fn append(&mut self, out: &mut Vec<u8>, heard: &Heard) {
        let (name, attempt) = match heard {
            Heard::Line { attempt, .. } => ("log", *attempt),
            Heard::Output { attempt, .. } => ("output", *attempt),
            Heard::Progress(attempt, _) => ("progress", *attempt),
            Heard::Truncated(attempt) => ("truncated", *attempt),
        };
        if let Some(place) = self.place.pass(heard) {
            out.extend_from_slice(format!("id: {place}\n").as_bytes());
        }
        out.extend_from_slice(format!("event: {name}\ndata: {{\"attempt\":").as_bytes());
        append_u64(out, attempt);
        append_data(out, heard);
        out.extend_from_slice(b"}\n\n");
    }
}

fn append_data(out: &mut Vec<u8>, heard: &Heard) {
    match heard {
        Heard::Line { text, .. } => {
            out.extend_from_slice(b",\"line\":");
            append_string(out, text);
        }
        Heard::Output { text, .. } => {
            out.extend_from_slice(b",\"text\":");
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
}
