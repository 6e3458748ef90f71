//! What makes the dashboard an application that can be installed: its description, and a page for
//! the time in which the server cannot be reached. Nothing about tasks is ever kept in a browser.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde_json::{Value, json};

use super::assets::{
    Asset, ICON_192_ASSET, ICON_512_ASSET, ICON_ASSET, ICON_MASKABLE_ASSET, OFFLINE_ASSET,
    STYLE_ASSET, fingerprint,
};
use crate::http::problem::Answer;
use crate::http::visit::{Query, Visit};

/// Where the page is that is shown while the server cannot be reached.
const OFFLINE: &str = "/offline";
/// What the worker does; the names of what it keeps are put before it.
const WORKER: &str = include_str!("../../../assets/service-worker.js");
/// The colour of the mark, of which launchers make a bar.
pub(super) const COLOUR: &str = "#0a5cc7";

/// `GET /manifest.webmanifest`: name, icons and short ways, in the reader's language.
pub(in crate::http) async fn manifest(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let lang = visit.lang;
    let described = json!({
        "id": "/",
        "name": "tareas",
        "short_name": "tareas",
        "description": lang.pick("A distributed task system", "Un sistema de tareas distribuido"),
        "lang": lang.as_str(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f7f9",
        "theme_color": COLOUR,
        "icons": [
            icon(&ICON_ASSET, "any", "any"),
            icon(&ICON_192_ASSET, "192x192", "any"),
            icon(&ICON_512_ASSET, "512x512", "any"),
            icon(&ICON_MASKABLE_ASSET, "512x512", "maskable"),
        ],
        "shortcuts": [
            { "name": lang.pick("New task", "Nueva tarea"), "url": "/tasks/new" },
            { "name": lang.pick("Failures", "Fallos"), "url": "/failures" },
        ],
    });
    Ok(typed("application/manifest+json", described.to_string()))
}

fn icon(asset: &Asset, sizes: &str, purpose: &str) -> Value {
    json!({ "src": asset.path, "sizes": sizes, "type": asset.media_type, "purpose": purpose })
}

/// `GET /service-worker.js`: its name changes with whatever it keeps.
pub(in crate::http) async fn service_worker() -> Response {
    let kept = json!([
        OFFLINE,
        STYLE_ASSET.path,
        OFFLINE_ASSET.path,
        ICON_ASSET.path
    ]);
    let page = fingerprint(draw_offline().into_string().as_bytes());
    let print = fingerprint(format!("{kept}{page}{WORKER}").as_bytes());
    let named = format!("const NAME = \"tareas-{print:016x}\", KEPT = {kept};\n{WORKER}");
    typed("text/javascript; charset=utf-8", named)
}

/// `GET /offline`: what a browser keeps for the time in which nobody answers. It is kept for
/// whoever looks then, so it speaks both languages.
pub(in crate::http) async fn offline() -> Response {
    draw_offline().into_response()
}

fn draw_offline() -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "tareas" }
                link rel="icon" type="image/svg+xml" href=(ICON_ASSET.path);
                link rel="stylesheet" href=(STYLE_ASSET.path);
                script src=(OFFLINE_ASSET.path) defer {}
            }
            body.offline {
                main {
                    img src=(ICON_ASSET.path) alt="" width="64" height="64";
                    h1 { "The server cannot be reached" }
                    p { "Since " time {} ". This page goes on by itself as soon as the server answers." }
                    h2 lang="es" { "No se puede alcanzar el servidor" }
                    p lang="es" { "Desde las " time {} ". Esta página continúa sola en cuanto el servidor responda." }
                    p { a.button href="" { "Try again · " span lang="es" { "Reintentar" } } }
                }
            }
        }
    }
}

fn typed(media_type: &'static str, text: String) -> Response {
    let media_type = HeaderValue::from_static(media_type);
    ([(header::CONTENT_TYPE, media_type)], text).into_response()
}
