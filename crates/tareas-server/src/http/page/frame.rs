//! The frame around every page: where one is, where one can go, and how the system is.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use tareas_core::Phase;
use tareas_engine::access::{Action, Object};
use tareas_protocol::Lang;

use super::assets::{ICON_ASSET, ICON_TOUCH_ASSET, PALETTE_ASSET, SCRIPT_ASSET, STYLE_ASSET};
use super::forms::token_field;
use super::login::way_out;
use super::numbers::count;
use super::{Scene, install, palette, panels};
use crate::http::live::View;
use crate::http::look::Theme;
use crate::http::problem::Problem;
use crate::http::visit::Visit;

/// The places of the dashboard, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Tab {
    /// The picture of the system.
    Map,
    /// Lists of tasks, and each of them.
    Tasks,
    /// Queues.
    Queues,
    /// Workers.
    Workers,
    /// What has failed.
    Failures,
    /// The server itself.
    System,
    /// A page that is none of these.
    None,
}

impl Tab {
    pub(super) const ALL: [Self; 6] = [
        Self::Map,
        Self::Tasks,
        Self::Queues,
        Self::Workers,
        Self::Failures,
        Self::System,
    ];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Map | Self::None => "/",
            Self::Tasks => "/tasks",
            Self::Queues => "/queues",
            Self::Workers => "/workers",
            Self::Failures => "/failures",
            Self::System => "/system",
        }
    }

    pub(super) fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Map | Self::None => lang.pick("Map", "Mapa"),
            Self::Tasks => lang.pick("Tasks", "Tareas"),
            Self::Queues => lang.pick("Queues", "Colas"),
            Self::Workers => lang.pick("Workers", "Trabajadores"),
            Self::Failures => lang.pick("Failures", "Fallos"),
            Self::System => lang.pick("System", "Sistema"),
        }
    }

    /// On a phone these are behind one word.
    const fn is_rare(self) -> bool {
        matches!(self, Self::Queues | Self::Workers | Self::System)
    }
}

/// What differs from page to page.
#[derive(Debug)]
pub(in crate::http) struct Sheet<'a> {
    /// Its title.
    pub(in crate::http) title: &'a str,
    /// Its place.
    pub(in crate::http) tab: Tab,
    /// What moves on it.
    pub(in crate::http) view: View,
    /// What is on it.
    pub(in crate::http) body: Markup,
}

/// A whole page. Whoever may not see how the system is gets it without that.
pub(in crate::http) fn document(visit: &Visit, scene: &Scene<'_>, sheet: &Sheet<'_>) -> Markup {
    if visit.may(Action::ViewSystem, Object::Unnamed).is_err() {
        return bare(visit, sheet.title, &sheet.body);
    }
    let lang = visit.lang;
    html! {
        (DOCTYPE)
        html lang=(lang.as_str()) class=[theme(visit)] {
            head {
                (head(lang, sheet.title, sheet.tab != Tab::Map))
                script src=(SCRIPT_ASSET.path) defer {}
                script src=(PALETTE_ASSET.path) defer {}
            }
            body data-events=(events(sheet.view, lang)) data-token=(scene.token()) {
                a.skip href="#main" { (lang.pick("Skip to content", "Ir al contenido")) }
                (top(visit, scene, sheet.tab))
                (panels::health(scene))
                main #main tabindex="-1" { (sheet.body) }
                (bottom(lang))
                (phone_tabs(scene, sheet.tab))
                (palette::dialogs(lang))
            }
        }
    }
}

/// A page for somebody who is not logged in: nothing on it tells how the system is.
pub(super) fn bare(visit: &Visit, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(visit.lang.as_str()) class=[theme(visit)] {
            head { (head(visit.lang, title, true)) }
            body {
                header.top {
                    a.brand href="/" {
                        img src=(ICON_ASSET.path) alt="" width="28" height="28";
                        span { "tareas" }
                    }
                    span.spacer {}
                    nav.languages aria-label=(visit.lang.pick("Language", "Idioma")) {
                        (language(visit, Lang::En))
                        (language(visit, Lang::Es))
                    }
                }
                main #main tabindex="-1" { (body) }
            }
        }
    }
}

fn theme(visit: &Visit) -> Option<&'static str> {
    let theme = Some(visit.theme).filter(|theme| *theme != Theme::Auto);
    theme.map(Theme::name)
}

fn head(lang: Lang, title: &str, with_name: bool) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        title { (title) @if with_name { " · tareas" } }
        link rel="icon" type="image/svg+xml" href=(ICON_ASSET.path);
        link rel="apple-touch-icon" href=(ICON_TOUCH_ASSET.path);
        link rel="manifest" href={ "/manifest.webmanifest?lang=" (lang.as_str()) };
        meta name="theme-color" content=(install::COLOUR);
        link rel="stylesheet" href=(STYLE_ASSET.path);
    }
}

fn events(view: View, lang: Lang) -> String {
    format!("/v1/events?view={}&lang={}", view.name(), lang.as_str())
}

fn top(visit: &Visit, scene: &Scene<'_>, tab: Tab) -> Markup {
    let lang = visit.lang;
    html! {
        header.top {
            a.brand href="/" {
                img src=(ICON_ASSET.path) alt="" width="28" height="28";
                span { "tareas" }
            }
            nav.tabs aria-label=(lang.pick("Pages", "Páginas")) {
                @for other in Tab::ALL { (link(other, tab, lang)) }
            }
            span.spacer {}
            a.create href="/tasks/new" { "+ " (lang.pick("New task", "Nueva tarea")) }
            (palette::opener(lang))
            (live_button(lang))
            nav.languages aria-label=(lang.pick("Language", "Idioma")) {
                (language(visit, Lang::En))
                (language(visit, Lang::Es))
            }
            (theme_form(visit, scene))
            (way_out(visit))
        }
    }
}

fn live_button(lang: Lang) -> Markup {
    html! {
        button.live #live type="button" hidden aria-pressed="false"
            aria-label=(lang.pick("Live updates", "Actualización en vivo"))
            data-live-text=(lang.pick("live", "en vivo"))
            data-paused-text=(lang.pick("paused", "en pausa"))
            data-lost-text=(lang.pick("reconnecting", "reconectando")) {
            span.dot aria-hidden="true" {}
            span.word { (lang.pick("live", "en vivo")) }
        }
    }
}

fn link(tab: Tab, here: Tab, lang: Lang) -> Markup {
    html! {
        a href=(tab.path()) aria-current=[(tab == here).then_some("page")] { (tab.word(lang)) }
    }
}

/// The bar at the bottom of a phone: the frequent places, and the others behind a word.
fn phone_tabs(scene: &Scene<'_>, here: Tab) -> Markup {
    let lang = scene.lang;
    html! {
        nav.phone aria-label=(lang.pick("Pages, short", "Páginas, breve")) {
            (link(Tab::Map, here, lang))
            (link(Tab::Tasks, here, lang))
            a.plus href="/tasks/new" aria-label=(lang.pick("New task", "Nueva tarea")) { "+" }
            a href=(Tab::Failures.path()) aria-current=[(Tab::Failures == here).then_some("page")] {
                (Tab::Failures.word(lang)) (failed_count(scene))
            }
            details.more {
                summary { (lang.pick("More", "Más")) }
                div { @for tab in Tab::ALL.into_iter().filter(|tab| tab.is_rare()) {
                    (link(tab, here, lang))
                } }
            }
        }
    }
}

/// How many tasks have failed, beside the word; nothing when none has.
pub(super) fn failed_count(scene: &Scene<'_>) -> Markup {
    let failed = scene.picture.of(Phase::Failed);
    html! {
        span.count #failed-count data-live hidden[failed == 0] { (count(scene.lang, failed)) }
    }
}

fn language(visit: &Visit, other: Lang) -> Markup {
    let label = other.pick("EN", "ES");
    let code = other.as_str();
    html! {
        a href=(in_language(visit, code)) lang=(code) hreflang=(code)
            title=(other.pick("English", "Español"))
            aria-current=[(visit.lang == other).then_some("true")] { (label) }
    }
}

/// This page in another language, with all that it was asked.
fn in_language(visit: &Visit, code: &str) -> String {
    let query = visit.uri.query().unwrap_or_default();
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "lang");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("lang", code);
    format!("{}?{}", visit.uri.path(), query.finish())
}

fn theme_form(visit: &Visit, scene: &Scene<'_>) -> Markup {
    let lang = visit.lang;
    let (sign, word) = match visit.theme {
        Theme::Auto => ("◐", lang.pick("as the system", "según el sistema")),
        Theme::Light => ("☀", lang.pick("light", "claro")),
        Theme::Dark => ("☾", lang.pick("dark", "oscuro")),
    };
    let label = format!("{}: {word}", lang.pick("Colours", "Colores"));
    let here = visit.uri.path_and_query().map_or("/", |here| here.as_str());
    html! {
        form.theme method="post" action="/look" {
            (token_field(scene.token()))
            input type="hidden" name="back" value=(here);
            button type="submit" name="theme" value=(visit.theme.next().name())
                title=(label) aria-label=(label) { span aria-hidden="true" { (sign) } }
        }
    }
}

fn bottom(lang: Lang) -> Markup {
    html! {
        footer.bottom {
            noscript {
                p { (lang.pick("Without a script this page stands still; load it again to see what is new.",
                               "Sin script esta página no se mueve; recárguela para ver lo nuevo.")) }
            }
            nav aria-label=(lang.pick("For programs", "Para programas")) {
                a href="/v1/tasks" { "/v1/tasks" } " · "
                a href="/v1/queues" { "/v1/queues" } " · "
                a href="/v1/workers" { "/v1/workers" } " · "
                a href="/v1/kinds" { "/v1/kinds" } " · "
                a href="/metrics" { "/metrics" } " · "
                a href="/docs" { (lang.pick("HTTP API", "API HTTP")) } " · "
                a href="/errors" { (lang.pick("error codes", "códigos de error")) }
            }
        }
    }
}

/// What went wrong, as a page for those who want one and as JSON for the others.
pub(in crate::http) async fn problem(
    visit: &Visit,
    asked: &HeaderMap,
    problem: Problem,
) -> Response {
    let accept = asked
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return problem_page(visit, &problem).await;
    }
    problem.into_response()
}

/// What went wrong, as a page.
pub(super) async fn problem_page(visit: &Visit, problem: &Problem) -> Response {
    let scene = Scene::of(visit).await;
    let title = visit.lang.pick("That did not work", "No fue posible");
    let body = html! {
        article.prose {
            h1 { (title) }
            (super::words::alert(problem.error(), visit.lang))
            p { a href="/" { (visit.lang.pick("To the map", "Al mapa")) } }
        }
    };
    let sheet = Sheet {
        title,
        tab: Tab::None,
        view: View::Frame,
        body,
    };
    (problem.status(), document(visit, &scene, &sheet)).into_response()
}
