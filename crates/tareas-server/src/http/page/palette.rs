//! The command palette and the sheet of keys. Both are closed until the script opens them, and both
//! only lead to what the pages have anyway.

use maud::{Markup, html};
use tareas_protocol::Lang;

use super::frame::Tab;

/// Both, closed.
pub(super) fn dialogs(lang: Lang) -> Markup {
    html! {
        (palette(lang))
        (keys(lang))
    }
}

/// The button that opens the palette, for those who have no keys.
pub(super) fn opener(lang: Lang) -> Markup {
    let label = lang.pick("Find and act (Ctrl-K)", "Buscar y actuar (Ctrl-K)");
    html! {
        button.find #find type="button" hidden title=(label) aria-label=(label) {
            svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" focusable="false" {
                path d="M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L21 21" {}
            }
        }
    }
}

fn palette(lang: Lang) -> Markup {
    let label = lang.pick("Find and act", "Buscar y actuar");
    let more = [
        ("/tasks/new", lang.pick("New task", "Nueva tarea")),
        (
            "/tasks?state=failed",
            lang.pick("Failed tasks", "Tareas fallidas"),
        ),
        (
            "/tasks?state=running",
            lang.pick("Running tasks", "Tareas en curso"),
        ),
        ("/history", lang.pick("History", "Historia")),
        ("/bulk", lang.pick("Bulk actions", "Acciones masivas")),
        ("/docs", lang.pick("HTTP API", "API HTTP")),
        ("/errors", lang.pick("Error codes", "Códigos de error")),
    ];
    html! {
        dialog.palette #palette aria-label=(label)
            data-go=(lang.pick("page", "página"))
            data-act=(lang.pick("on this page", "en esta página"))
            data-task=(lang.pick("task", "tarea"))
            data-filter=(lang.pick("tasks with this filter", "tareas con este filtro"))
            data-queue=(lang.pick("tasks of this queue", "tareas de esta cola"))
            data-kind=(lang.pick("new task of this kind", "nueva tarea de este tipo")) {
            input #palette-text type="text" role="combobox" aria-expanded="true" aria-autocomplete="list"
                aria-controls="palette-list" aria-label=(label) maxlength="2000"
                autocomplete="off" autocapitalize="none" spellcheck="false"
                placeholder=(lang.pick("page, action, id of a task, filter…", "página, acción, id de una tarea, filtro…"));
            ul #palette-list role="listbox" aria-label=(label) {}
            p.fine-print #palette-empty hidden {
                (lang.pick("Nothing of that name. A filter such as ", "Nada con ese nombre. Un filtro como "))
                code { "kind:resize" } (lang.pick(" works, too.", " también sirve."))
            }
            nav #palette-places hidden {
                @for tab in Tab::ALL { a href=(tab.path()) { (tab.word(lang)) } }
                @for (path, word) in more { a href=(path) { (word) } }
            }
        }
    }
}

fn keys(lang: Lang) -> Markup {
    let title = lang.pick("Keys", "Teclas");
    let rows: [(&[&str], &str); 8] = [
        (&["Ctrl", "K"], lang.pick("find and act", "buscar y actuar")),
        (
            &["/"],
            lang.pick("filter, or find and act", "filtrar, o buscar y actuar"),
        ),
        (
            &["g", "m · t · q · w · f · s · h · b"],
            lang.pick(
                "map, tasks, queues, workers, failures, system, history, bulk actions",
                "mapa, tareas, colas, trabajadores, fallos, sistema, historia, acciones masivas",
            ),
        ),
        (
            &["j", "k"],
            lang.pick("next and previous row", "fila siguiente y anterior"),
        ),
        (&["Enter"], lang.pick("open", "abrir")),
        (&["n"], lang.pick("new task", "nueva tarea")),
        (
            &["p"],
            lang.pick("pause what moves", "pausar lo que se mueve"),
        ),
        (&["?"], lang.pick("this sheet", "esta hoja")),
    ];
    html! {
        dialog.palette #keys aria-labelledby="keys-title" {
            h2 #keys-title { (title) }
            dl.facts { @for (keys, what) in rows {
                dt { @for key in keys { kbd { (key) } " " } } dd { (what) }
            } }
            label.check {
                input #keys-on type="checkbox" checked;
                (lang.pick("keys of one letter work", "las teclas de una letra funcionan"))
            }
            form method="dialog" { button type="submit" { (lang.pick("Close", "Cerrar")) } }
        }
    }
}
