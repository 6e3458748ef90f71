//! Why a task waits, in the reader's language.

use tareas_core::{State, Task};
use tareas_engine::{Why, WhyCode};
use tareas_protocol::Lang;

use super::numbers::clock;

/// The sentence and what to do. The engine speaks English; this says the same in Spanish.
pub(super) fn sentence(task: &Task, why: &Why, lang: Lang) -> (String, Option<String>) {
    match lang {
        Lang::En => (why.message.clone(), why.hint.clone()),
        Lang::Es => (in_spanish(task, why), hint_in_spanish(task, why.code)),
    }
}

fn in_spanish(task: &Task, why: &Why) -> String {
    let due = match task.state {
        State::Scheduled { due_at } => clock(due_at),
        _ => String::new(),
    };
    match why.code {
        WhyCode::NotDue => format!("le toca a las {due} UTC"),
        WhyCode::RetryBackoff => {
            format!(
                "el intento {} falló; el siguiente, a las {due} UTC",
                task.attempt
            )
        }
        WhyCode::QueuePaused => format!("la cola `{}` está en pausa", task.spec.queue),
        WhyCode::NoWorkers => "no hay trabajadores y este servidor no tiene hilos".to_owned(),
        WhyCode::NoWorkerForKind => {
            format!(
                "ningún trabajador conectado sabe hacer `{}`",
                task.spec.kind
            )
        }
        WhyCode::NoWorkerForQueue => format!(
            "ningún trabajador con el tipo `{}` toma de la cola `{}`",
            task.spec.kind, task.spec.queue
        ),
        WhyCode::NoWorkerWithLabels => format!(
            "ningún trabajador con el tipo `{}` tiene las etiquetas que exige",
            task.spec.kind
        ),
        WhyCode::UnknownKind => format!("ningún trabajador conoce el tipo `{}`", task.spec.kind),
        WhyCode::BehindOthers => {
            let ahead: String = why.message.chars().filter(char::is_ascii_digit).collect();
            format!("hay {ahead} tareas delante")
        }
        WhyCode::NextInLine => "es la siguiente: todos los hilos están ocupados".to_owned(),
        WhyCode::Running => format!("el intento {} está en curso", task.attempt),
        WhyCode::CancelRequested => "se le pidió parar y todavía no ha respondido".to_owned(),
        WhyCode::Draining => "el servidor se está vaciando: no inicia nada nuevo".to_owned(),
    }
}

fn hint_in_spanish(task: &Task, code: WhyCode) -> Option<String> {
    match code {
        WhyCode::QueuePaused => Some(format!(
            "reanúdela: tareas queues resume {}",
            task.spec.queue
        )),
        WhyCode::NoWorkers => Some("inicie el servidor con --threads 1 o más".to_owned()),
        WhyCode::UnknownKind | WhyCode::NoWorkerForKind => {
            Some("inicie un trabajador que lo conozca".to_owned())
        }
        WhyCode::NoWorkerForQueue => Some(format!(
            "inicie uno: tareas worker --queues {}",
            task.spec.queue
        )),
        WhyCode::NoWorkerWithLabels => {
            let labels = task.spec.options().requires.iter();
            let labels: Vec<String> = labels.map(|label| format!("--label {label}")).collect();
            Some(format!("inicie uno: tareas worker {}", labels.join(" ")))
        }
        WhyCode::BehindOthers => Some("más hilos, o una prioridad más alta".to_owned()),
        WhyCode::NextInLine => Some("más hilos: tareas serve --threads N".to_owned()),
        _ => None,
    }
}
