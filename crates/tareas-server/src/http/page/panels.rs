//! The health line and the panels of numbers.

use maud::{Markup, html};
use tareas_core::Phase;

use super::numbers::{count, rate};
use super::{Scene, attention, states};

/// One sentence about how the system is.
pub(super) fn health(scene: &Scene<'_>) -> Markup {
    let (lang, picture) = (scene.lang, &scene.picture);
    let troubles = attention::troubles(scene);
    let of = |number| rate(lang, number);
    let numbers = [
        (
            scene.pick("in", "entran"),
            of(picture.rate.map(|rate| rate.accepted)),
        ),
        (
            scene.pick("out", "salen"),
            of(picture.rate.map(|rate| rate.ended)),
        ),
        (
            scene.pick("waiting", "en espera"),
            count(lang, picture.of(Phase::Queued)),
        ),
        (
            scene.pick("running", "en curso"),
            count(lang, picture.of(Phase::Running)),
        ),
    ];
    html! {
        p.health.bad[!troubles.is_empty()] #health data-live role="status" {
            @match troubles.as_slice() {
                [] => strong { "✓ " (scene.pick("All good", "Todo bien")) },
                [one] => strong { "⚠ " (one.what) },
                [first, ..] => strong { "⚠ " (first.what) " (+" (troubles.len() - 1) ")" },
            }
            @for (word, number) in numbers { span { (number) " " (word) } }
        }
    }
}

/// How many tasks are in each state.
pub(super) fn states(scene: &Scene<'_>) -> Markup {
    let lang = scene.lang;
    html! {
        section.panel.by-state #states data-live {
            h2 { (lang.pick("Tasks by state", "Tareas por estado")) }
            ul {
                @for phase in Phase::ALL {
                    li {
                        a href=(format!("/tasks?state={}", phase.name())) {
                            b { (count(lang, scene.picture.of(phase))) }
                            (states::badge(phase, lang))
                        }
                    }
                }
            }
        }
    }
}

/// How the same program becomes several: said where it is one.
pub(super) fn scale_out(scene: &Scene<'_>) -> Markup {
    if scene.server.config.backends.are_shared() {
        return html! {};
    }
    let en = "All of this is one process. The same program runs as several when its three ports \
              point elsewhere:";
    let es = "Todo esto es un solo proceso. El mismo programa funciona como varios cuando sus tres \
              puertos apuntan a otro sitio:";
    html! {
        details.panel.scale {
            summary { (scene.pick("How this grows", "Cómo crece esto")) }
            p { (scene.pick(en, es)) }
            pre { code {
                "tareas serve --queue amqp://USER@HOST/VHOST \\\n"
                "             --records postgres://USER@HOST/DB \\\n"
                "             --blobs 's3://BUCKET?endpoint=http://HOST:PORT'"
            } }
        }
    }
}
