//! The live stream: what has changed, pushed to whoever looks.
//!
//! One ticker per server takes the picture once a second, draws each view once in each language
//! and shares the bytes with every stream: a hundred dashboards cost what one does. Nobody
//! looks, nothing ticks. A stream begins with everything and goes on with what has changed; one
//! that is slow misses frames, never queues them, and then gets everything again.

mod frame;
mod stream;
mod view;

pub(super) use stream::{OPENING, SILENCE_MAX, STILL_THERE, event_stream, events};
pub(super) use view::{View, numbers};

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tareas_protocol::Lang;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::pulse::Picture;
use crate::ServerState;
use frame::Frame;

/// Time between two frames, whatever happens in between.
const EVERY: Duration = Duration::from_secs(1);
/// Streams open at once; further ones are asked to come later.
pub(super) const STREAMS_MAX: usize = 512;

/// What all streams of a server share.
#[derive(Debug)]
pub(super) struct Live {
    channels: Vec<Channel>,
    open: AtomicUsize,
    ticks: AtomicU64,
    drawn: AtomicU64,
    is_ticking: Mutex<bool>,
}

/// One view in one language, and its newest frame while somebody looks.
#[derive(Debug)]
struct Channel {
    view: View,
    lang: Lang,
    newest: watch::Sender<Option<Arc<Frame>>>,
}

impl Default for Live {
    fn default() -> Self {
        let each = View::ALL.into_iter().flat_map(|view| {
            [Lang::En, Lang::Es].map(|lang| Channel {
                view,
                lang,
                newest: watch::Sender::new(None),
            })
        });
        Self {
            channels: each.collect(),
            open: AtomicUsize::new(0),
            ticks: AtomicU64::new(0),
            drawn: AtomicU64::new(0),
            is_ticking: Mutex::new(false),
        }
    }
}

/// The right to one stream; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Seat(Arc<ServerState>);

impl Seat {
    /// A seat, unless all are taken.
    pub(super) fn take(server: &Arc<ServerState>) -> Option<Self> {
        let open = &server.http.live.open;
        if open.fetch_add(1, Ordering::Relaxed) >= STREAMS_MAX {
            open.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(Arc::clone(server)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.http.live.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Live {
    /// Streams open now.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Ticks so far, and views drawn in them: each once a tick, however many look.
    pub(super) fn counts(&self) -> [u64; 2] {
        [&self.ticks, &self.drawn].map(|count| count.load(Ordering::Relaxed))
    }

    /// Frames of this view from now on; has the ticker run.
    fn look(
        server: &Arc<ServerState>,
        view: View,
        lang: Lang,
    ) -> Option<watch::Receiver<Option<Arc<Frame>>>> {
        let live = &server.http.live;
        let channel = live
            .channels
            .iter()
            .find(|channel| channel.view == view && channel.lang == lang)?;
        let frames = channel.newest.subscribe();
        let mut is_ticking = live
            .is_ticking
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !*is_ticking {
            *is_ticking = true;
            tokio::spawn(tick(Arc::clone(server)));
        }
        Some(frames)
    }

    /// Ends the ticker when nobody looks.
    fn rest(&self) -> bool {
        let mut is_ticking = self
            .is_ticking
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_watched = |channel: &Channel| channel.newest.receiver_count() > 0;
        *is_ticking = self.channels.iter().any(is_watched);
        !*is_ticking
    }
}

impl Channel {
    /// Draws the view once for all who look; forgets it when nobody does.
    fn show(&self, server: &ServerState, picture: &Arc<Picture>) {
        if self.newest.receiver_count() == 0 {
            self.newest
                .send_if_modified(|newest| newest.take().is_some());
            return;
        }
        server.http.live.drawn.fetch_add(1, Ordering::Relaxed);
        let before = self.newest.borrow().clone();
        let content = self.view.draw(server, self.lang, picture);
        let boot = server.started_at.as_micros();
        // Micros of this life: frames come slower than these grow, so no number comes twice.
        let first = u64::try_from(picture.at.since(server.started_at).as_micros());
        let first = first.unwrap_or_default() + 1;
        if let Some(frame) = Frame::after(before.as_deref(), boot, first, content) {
            self.newest.send_replace(Some(Arc::new(frame)));
        }
    }
}

/// Makes the frames until nobody looks.
async fn tick(server: Arc<ServerState>) {
    let live = &server.http.live;
    let _broken = IfBroken(&live.is_ticking);
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if live.rest() {
            break;
        }
        live.ticks.fetch_add(1, Ordering::Relaxed);
        let picture = server.http.pulse.picture(&server).await;
        for channel in &live.channels {
            channel.show(&server, &picture);
        }
    }
}

/// Lets the next stream start a new ticker after a panic in this one.
struct IfBroken<'a>(&'a Mutex<bool>);

impl Drop for IfBroken<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = false;
        }
    }
}
