//! `GET /v1/events`: the frames of one view as server-sent events.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::convert::Infallible;
use tareas_protocol::Code;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::frame::Frame;
use super::{Live, Seat, View};
use crate::http::problem::Answer;
use crate::http::visit::{Query, Visit};

/// A stream that has nothing to say shows this often that it is there.
pub(in crate::http) const SILENCE_MAX: Duration = Duration::from_secs(15);
/// When a browser comes back after the stream broke.
pub(in crate::http) const OPENING: &[u8] = b"retry: 2000\n\n";
/// How it shows that.
pub(in crate::http) const STILL_THERE: &[u8] = b":\n\n";

/// The stream: `?view=map` for parts of that page, without it the numbers as JSON.
pub(in crate::http) async fn events(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["view"])?;
    let name = query.get("view").unwrap_or(View::Numbers.name());
    let view = View::from_name(name).ok_or_else(|| {
        let names = View::ALL.map(View::name).join(", ");
        visit.invalid(
            "view",
            &format!("one of {names}"),
            &format!("uno de {names}"),
        )
    })?;
    let seat = Seat::take(&visit.server);
    let seat = seat.ok_or_else(|| visit.problem(visit.error(Code::Overloaded)))?;
    let frames = Live::look(&visit.server, view, visit.lang);
    let frames = frames.ok_or_else(|| visit.not_found())?;
    let boot = visit.server.started_at.as_micros();
    let stream = Stream {
        _seat: seat,
        frames,
        seen: last_seen(&parts.headers, boot),
        stop: visit.stop,
        ended: Box::pin(visit.identity.principal.ended()),
        has_begun: false,
    };
    let chunks = stream::unfold(stream, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((chunk, stream))
    });
    Ok(event_stream(chunks))
}

/// The answer that is a stream of events.
pub(in crate::http) fn event_stream(
    chunks: impl stream::Stream<Item = Bytes> + Send + 'static,
) -> Response {
    let chunks = chunks.map(Ok::<_, Infallible>);
    let fixed = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        // Proxies of the nginx family hold back what they do not know to be a stream.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let fixed = fixed.map(|(name, value)| (name, HeaderValue::from_static(value)));
    (fixed, Body::from_stream(chunks)).into_response()
}

/// The frame that the browser saw last, if it was one of this life of the server.
fn last_seen(headers: &HeaderMap, boot: i64) -> u64 {
    let id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let seen = id
        .and_then(|id| id.split_once('-'))
        .and_then(|(of, number)| {
            let is_ours = i64::from_str_radix(of, 16) == Ok(boot);
            number.parse().ok().filter(|_| is_ours)
        });
    seen.unwrap_or_default()
}

/// One stream. It holds one frame at most, shared with all others.
struct Stream {
    _seat: Seat,
    frames: watch::Receiver<Option<Arc<Frame>>>,
    seen: u64,
    stop: CancellationToken,
    /// The token or session of whoever looks has ended.
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    has_begun: bool,
}

impl Stream {
    /// What to send next, when there is something; `None` at the end of the server, or of the
    /// right to look.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.has_begun {
            self.has_begun = true;
            return Some(Bytes::from_static(OPENING));
        }
        loop {
            if let Some(frame) = self.unseen() {
                return Some(frame);
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = &mut self.ended => return None,
                changed = tokio::time::timeout(SILENCE_MAX, self.frames.changed()) => match changed {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return None,
                    Err(_) => return Some(Bytes::from_static(STILL_THERE)),
                },
            }
        }
    }

    /// The newest frame, if it was not sent: what has changed to those who saw the one before.
    fn unseen(&mut self) -> Option<Bytes> {
        let newest = self.frames.borrow_and_update();
        let frame = newest.as_ref().filter(|frame| frame.number != self.seen)?;
        let is_next = frame.number == self.seen + 1;
        self.seen = frame.number;
        Some(if is_next { &frame.patch } else { &frame.whole }.clone())
    }
}
