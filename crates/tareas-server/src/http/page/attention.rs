//! What needs somebody: empty while all is well. Each line names the cause and the next step.

use maud::{Markup, html};
use tareas_core::Phase;
use tareas_engine::ports::{MemberPresence, MemberView};
use tareas_engine::webhooks::{Disabled, Webhook};
use tareas_engine::{WorkerState, WorkerView};

use super::Scene;
use super::forms::token_field;
use super::numbers::{clock, count};

/// Workers and processes that are gone and have a line of their own.
const LOST_SHOWN: usize = 5;
/// Webhooks that have a line of their own.
const WEBHOOKS_SHOWN: usize = 5;
/// Paused queues that have a line of their own.
const QUEUES_SHOWN: usize = 5;

/// One thing that needs somebody.
#[derive(Debug)]
pub(super) struct Trouble {
    /// A sentence without its point.
    pub(super) what: String,
    /// What to do about it.
    step: Step,
}

/// What to do about it.
#[derive(Debug)]
enum Step {
    /// Read this.
    Say(String),
    /// Look there.
    Go(&'static str, String),
    /// Resume this queue.
    Resume(String),
}

/// Everything that needs somebody, the worst first.
pub(super) fn troubles(scene: &Scene<'_>) -> Vec<Trouble> {
    let mut found = Vec::new();
    of_store(scene, &mut found);
    of_others(scene, &mut found);
    of_lost(scene, &mut found);
    of_threads(scene, &mut found);
    of_failures(scene, &mut found);
    of_webhooks(scene, &mut found);
    of_queues(scene, &mut found);
    found
}

fn of_store(scene: &Scene<'_>, found: &mut Vec<Trouble>) {
    let picture = &scene.picture;
    if !picture.store_is_up {
        found.push(Trouble {
            what: scene
                .pick("the store has stopped", "el almacén se detuvo")
                .to_owned(),
            step: Step::Say(
                scene
                    .pick(
                        "start the server again; its log says why",
                        "reinicie el servidor; su registro dice por qué",
                    )
                    .to_owned(),
            ),
        });
    }
    if picture.is_full {
        found.push(Trouble {
            what: scene
                .pick(
                    "storage is full: nothing new is accepted",
                    "almacenamiento lleno: no se acepta nada nuevo",
                )
                .to_owned(),
            step: Step::Say(
                scene
                    .pick(
                        "free some space; what was accepted goes on",
                        "libere espacio; lo aceptado sigue",
                    )
                    .to_owned(),
            ),
        });
    }
    if picture.is_draining {
        found.push(Trouble {
            what: scene
                .pick(
                    "draining: takes nothing new",
                    "vaciándose: no acepta tareas nuevas",
                )
                .to_owned(),
            step: Step::Say(
                scene
                    .pick(
                        "the server was asked to stop and finishes what runs",
                        "se pidió parar el servidor; termina lo que está en curso",
                    )
                    .to_owned(),
            ),
        });
    }
    if picture.read_at < picture.at {
        let since = clock(picture.read_at);
        found.push(Trouble {
            what: scene.pick(
                format!("tasks as of {since}"),
                format!("tareas a las {since}"),
            ),
            step: Step::Say(
                scene
                    .pick("the store does not answer", "el almacén no responde")
                    .to_owned(),
            ),
        });
    }
}

/// Webhooks that fail, and those that were disabled by themselves.
fn of_webhooks(scene: &Scene<'_>, found: &mut Vec<Trouble>) {
    let Some(webhooks) = &scene.server.config.webhooks else {
        return;
    };
    let known = webhooks.known();
    let by_itself = |known: &Webhook| !matches!(known.disabled, None | Some((Disabled::ByHand, _)));
    let is_ill = |known: &&Webhook| {
        by_itself(known) || (known.is_enabled() && known.failing_since.is_some())
    };
    for webhook in known.iter().filter(is_ill).take(WEBHOOKS_SHOWN) {
        let (name, error) = (&webhook.wish.name, &webhook.last_error);
        found.push(Trouble {
            what: match by_itself(webhook) {
                true => scene.pick(
                    format!("webhook {name} was disabled: {error}"),
                    format!("el webhook {name} se desactivó: {error}"),
                ),
                false => scene.pick(
                    format!("webhook {name} does not take deliveries: {error}"),
                    format!("el webhook {name} no acepta entregas: {error}"),
                ),
            },
            step: Step::Go("/webhooks", scene.pick("webhooks", "webhooks").to_owned()),
        });
    }
}

fn of_others(scene: &Scene<'_>, found: &mut Vec<Trouble>) {
    let away = |worker: &&WorkerView| worker.state == WorkerState::Away;
    for worker in scene.picture.workers.iter().filter(away).take(LOST_SHOWN) {
        let (name, held) = (&worker.name, count(scene.lang, worker.running as u64));
        found.push(Trouble {
            what: scene.pick(
                format!("worker {name} is gone; tasks in its hands: {held}"),
                format!("el trabajador {name} no está; tareas en sus manos: {held}"),
            ),
            step: back_elsewhere(scene, false),
        });
    }
    let lost = |other: &&MemberView| other.presence != MemberPresence::Here;
    for other in scene.picture.others.iter().filter(lost).take(LOST_SHOWN) {
        let (name, held) = (
            &other.report.identity.name,
            count(scene.lang, other.report.busy as u64),
        );
        let is_gone = other.presence == MemberPresence::Gone;
        found.push(Trouble {
            what: match is_gone {
                true => scene.pick(
                    format!("process {name} is gone; tasks it was running: {held}"),
                    format!("el proceso {name} no está; tareas que ejecutaba: {held}"),
                ),
                false => scene.pick(
                    format!("process {name} is silent; tasks it was running: {held}"),
                    format!("el proceso {name} calla; tareas que ejecutaba: {held}"),
                ),
            },
            step: back_elsewhere(scene, is_gone),
        });
    }
}

/// Workers that did not come back: what has become of their tasks.
fn of_lost(scene: &Scene<'_>, found: &mut Vec<Trouble>) {
    for lost in scene.picture.lost.iter().take(LOST_SHOWN) {
        let (name, at, held) = (
            &lost.name,
            clock(lost.at),
            count(scene.lang, lost.held as u64),
        );
        found.push(Trouble {
            what: scene.pick(
                format!("worker {name} was lost at {at}; tasks put back in line: {held}"),
                format!(
                    "se perdió el trabajador {name} a las {at}; tareas devueltas a la cola: {held}"
                ),
            ),
            step: Step::Say(
                scene
                    .pick(
                        "start it again, or leave them to the others; nothing is lost",
                        "reinícielo, o déjelas a los demás; nada se pierde",
                    )
                    .to_owned(),
            ),
        });
    }
}

fn back_elsewhere(scene: &Scene<'_>, is_gone: bool) -> Step {
    let text = match is_gone {
        true => scene.pick(
            "they are run elsewhere; nothing is lost",
            "se ejecutan en otro lugar; nada se pierde",
        ),
        false => scene.pick(
            "unless it comes back within seconds, they run elsewhere; nothing is lost",
            "si no vuelve en segundos, se ejecutan en otro lugar; nada se pierde",
        ),
    };
    Step::Say(text.to_owned())
}

fn of_threads(scene: &Scene<'_>, found: &mut Vec<Trouble>) {
    let waiting = scene.picture.of(Phase::Queued);
    if scene.picture.all_threads().1 > 0 || waiting == 0 {
        return;
    }
    let waiting = count(scene.lang, waiting);
    found.push(Trouble {
        what: scene.pick(
            format!("{waiting} waiting and no worker: nothing runs"),
            format!("{waiting} en espera y ningún trabajador: nada se ejecuta"),
        ),
        step: Step::Say(
            scene
                .pick(
                    "start one with `tareas worker`, or the server with --threads 4",
                    "inicie uno con `tareas worker`, o el servidor con --threads 4",
                )
                .to_owned(),
        ),
    });
}

fn of_failures(scene: &Scene<'_>, found: &mut Vec<Trouble>) {
    let failed = scene.picture.failed_lately();
    if failed == 0 {
        return;
    }
    let failed = count(scene.lang, failed);
    found.push(Trouble {
        what: scene.pick(
            format!("{failed} failed within the last minute"),
            format!("{failed} con fallo en el último minuto"),
        ),
        step: Step::Go("/failures", scene.pick("Why?", "¿Por qué?").to_owned()),
    });
}

fn of_queues(scene: &Scene<'_>, found: &mut Vec<Trouble>) {
    let paused = scene.picture.queues.iter().filter(|queue| queue.is_paused);
    for queue in paused.take(QUEUES_SHOWN) {
        let (name, waiting) = (
            queue.name.as_str(),
            count(scene.lang, queue.of(Phase::Queued)),
        );
        found.push(Trouble {
            what: scene.pick(
                format!("queue {name} is paused, {waiting} waiting"),
                format!("la cola {name} está en pausa, {waiting} en espera"),
            ),
            step: Step::Resume(name.to_owned()),
        });
    }
}

/// The strip: hidden while nothing needs anybody.
pub(super) fn strip(scene: &Scene<'_>) -> Markup {
    let troubles = troubles(scene);
    html! {
        section.attention #attention data-live hidden[troubles.is_empty()]
            aria-label=(scene.pick("Needs attention", "Requiere atención")) {
            @if !troubles.is_empty() {
                h2 { "⚠ " (scene.pick("Needs attention", "Requiere atención")) }
                ul { @for trouble in &troubles {
                    li { span { (trouble.what) } (step(scene, &trouble.step)) }
                } }
            }
        }
    }
}

fn step(scene: &Scene<'_>, step: &Step) -> Markup {
    match step {
        Step::Say(text) => html! { span.fine-print { (text) } },
        Step::Go(path, text) => html! { a href=(path) { (text) } },
        Step::Resume(queue) => html! {
            form method="post" action=(format!("/queues/{queue}")) {
                (token_field(scene.token()))
                input type="hidden" name="back" value="/";
                button type="submit" name="action" value="resume" {
                    (scene.pick("Resume", "Reanudar"))
                }
            }
        },
    }
}
