//! The six states as people see them: an icon, a word and a colour, never the colour alone.

use maud::{Markup, html};
use tareas_core::Phase;
use tareas_protocol::Lang;

/// The sign of a state.
pub(super) fn sign(phase: Phase) -> &'static str {
    match phase {
        Phase::Scheduled => "◷",
        Phase::Queued => "⋯",
        Phase::Running => "▶",
        Phase::Succeeded => "✓",
        Phase::Failed => "✕",
        Phase::Cancelled => "⊘",
    }
}

/// The word for a state.
pub(super) fn word(phase: Phase, lang: Lang) -> &'static str {
    match phase {
        Phase::Scheduled => lang.pick("scheduled", "programada"),
        Phase::Queued => lang.pick("queued", "en cola"),
        Phase::Running => lang.pick("running", "en curso"),
        Phase::Succeeded => lang.pick("succeeded", "terminada"),
        Phase::Failed => lang.pick("failed", "fallida"),
        Phase::Cancelled => lang.pick("cancelled", "cancelada"),
    }
}

/// Icon and word, in the colour of the state.
pub(super) fn badge(phase: Phase, lang: Lang) -> Markup {
    html! {
        span class={ "state " (phase.name()) } {
            span.sign aria-hidden="true" { (sign(phase)) }
            (word(phase, lang))
        }
    }
}
