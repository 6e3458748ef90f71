//! The frame around every page.

use maud::{DOCTYPE, Markup, html};
use tareas_protocol::Lang;

use super::assets::{ICON_ASSET, SCRIPT_ASSET, STYLE_ASSET};
use crate::http::visit::Visit;

/// A whole page: `here` is its path, for the links to the other language.
pub(in crate::http) fn document(visit: &Visit, title: &str, here: &str, body: &Markup) -> Markup {
    let lang = visit.lang;
    html! {
        (DOCTYPE)
        html lang=(lang.as_str()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" type="image/svg+xml" href=(ICON_ASSET.path);
                link rel="stylesheet" href=(STYLE_ASSET.path);
                script src=(SCRIPT_ASSET.path) defer {}
            }
            body {
                a.skip href="#main" { (lang.pick("Skip to content", "Ir al contenido")) }
                (top(visit, here))
                main #main { (body) }
                (bottom(lang))
            }
        }
    }
}

fn top(visit: &Visit, here: &str) -> Markup {
    let lang = visit.lang;
    html! {
        header.top {
            a.brand href=(format!("/?lang={}", lang.as_str())) {
                img src=(ICON_ASSET.path) alt="" width="28" height="28";
                span { "tareas" }
            }
            span.version { (visit.server.config.version) }
            span.spacer {}
            button.live #live type="button" hidden aria-pressed="false"
                data-live-text=(lang.pick("live", "en vivo"))
                data-paused-text=(lang.pick("paused", "en pausa"))
                data-lost-text=(lang.pick("reconnecting", "reconectando")) {
                span.dot aria-hidden="true" {}
                span.word { (lang.pick("live", "en vivo")) }
            }
            nav.languages aria-label=(lang.pick("Language", "Idioma")) {
                (language(lang, Lang::En, here))
                (language(lang, Lang::Es, here))
            }
        }
    }
}

fn language(current: Lang, other: Lang, here: &str) -> Markup {
    let label = other.pick("EN", "ES");
    let name = other.pick("English", "Español");
    let code = other.as_str();
    html! {
        a href=(format!("{here}?lang={code}")) lang=(code) hreflang=(code) title=(name)
            aria-current=[(current == other).then_some("true")] { (label) }
    }
}

fn bottom(lang: Lang) -> Markup {
    html! {
        footer.bottom {
            noscript {
                p { (lang.pick("Without a script this page stands still: ",
                               "Sin script esta página no se mueve: "))
                    a href=(format!("/?lang={}", lang.as_str())) {
                        (lang.pick("load it again", "vuelva a cargarla"))
                    } "." }
            }
            nav {
                a href="/v1/tasks" { "/v1/tasks" } " · "
                a href="/v1/queues" { "/v1/queues" } " · "
                a href="/v1/workers" { "/v1/workers" } " · "
                a href="/v1/kinds" { "/v1/kinds" } " · "
                a href="/metrics" { "/metrics" } " · "
                a href=(format!("/errors?lang={}", lang.as_str())) { "/errors" }
            }
        }
    }
}
