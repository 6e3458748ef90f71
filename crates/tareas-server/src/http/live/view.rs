//! What can be looked at live.

use std::sync::Arc;

use serde_json::{Value, json};
use tareas_core::Phase;
use tareas_protocol::Lang;

use super::frame::Content;
use crate::ServerState;
use crate::http::page::{self, Scene};
use crate::http::pulse::{Picture, QueueLine};

/// Which parts of the system a stream shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum View {
    /// The numbers, as JSON: for programs.
    Numbers,
    /// What is around every page.
    Frame,
    /// The map.
    Map,
    /// The queues.
    Queues,
    /// The workers.
    Workers,
}

impl View {
    pub(super) const ALL: [Self; 5] = [
        Self::Numbers,
        Self::Frame,
        Self::Map,
        Self::Queues,
        Self::Workers,
    ];

    /// The word in URLs.
    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Frame => "frame",
            Self::Map => "map",
            Self::Queues => "queues",
            Self::Workers => "workers",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }

    /// The view as it is in this picture.
    pub(super) fn draw(self, server: &ServerState, lang: Lang, picture: &Arc<Picture>) -> Content {
        if self == Self::Numbers {
            return Content::Json(numbers(picture).to_string());
        }
        let scene = Scene {
            server,
            lang,
            picture: Arc::clone(picture),
            // Shared by all who look: the script of each page puts its own in.
            form_token: "",
        };
        let parts = page::live_parts(&scene, self);
        let written = parts.into_iter().map(|(id, part)| (id, part.into_string()));
        Content::Parts(written.collect())
    }
}

/// The numbers of a picture, for programs.
pub(in crate::http) fn numbers(picture: &Picture) -> Value {
    let running = picture.running.iter().filter_map(|slot| {
        let running = slot.running.as_ref()?;
        let millis = u64::try_from(running.since.as_millis()).unwrap_or(u64::MAX);
        Some(json!({
            "slot": slot.slot, "task_id": running.task.to_string(), "attempt": running.attempt,
            "kind": running.kind, "running_ms": millis,
        }))
    });
    let rates = picture.rate.map(
        |rate| json!({ "accepted": rate.accepted, "ended": rate.ended, "failed": rate.failed }),
    );
    json!({
        "accepted": picture.accepted, "refused": picture.refused, "ended": picture.ended,
        "per_second": rates, "threads": picture.threads, "running": running.collect::<Vec<_>>(),
        "queues": picture.queues.iter().map(queue).collect::<Vec<_>>(),
        "connections": { "lines": picture.lines, "http": picture.http },
        "draining": picture.is_draining, "store_up": picture.store_is_up,
        "storage_full": picture.is_full,
    })
}

fn queue(queue: &QueueLine) -> Value {
    let mut shown = json!({ "name": queue.name.as_str(), "paused": queue.is_paused });
    for phase in Phase::ALL {
        shown[phase.name()] = queue.of(phase).into();
    }
    shown
}
