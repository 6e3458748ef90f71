//! The style sheet, the script and the icon: inside the binary, named after their content, so
//! that a browser may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::http::problem::Answer;
use crate::http::visit::{Visit, path_text};

const STYLE: &str = include_str!("../../../assets/dashboard.css");
const SCRIPT: &str = include_str!("../../../assets/dashboard.js");
const ICON: &str = include_str!("../../../assets/icon.svg");

/// A file and the name it is served under.
pub(super) struct Asset {
    /// Path with the fingerprint of the content.
    pub(super) path: String,
    content: &'static str,
    media_type: &'static str,
}

impl Asset {
    fn new(name: &str, extension: &str, content: &'static str, media_type: &'static str) -> Self {
        let print = fingerprint(content.as_bytes());
        Self {
            path: format!("/assets/{name}-{print:016x}.{extension}"),
            content,
            media_type,
        }
    }

    fn serve(&self) -> Response {
        let fixed = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static(self.media_type),
            ),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=31536000, immutable"),
            ),
        ];
        (fixed, self.content).into_response()
    }
}

/// The style sheet.
pub(super) static STYLE_ASSET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("dashboard", "css", STYLE, "text/css; charset=utf-8"));
/// The script.
pub(super) static SCRIPT_ASSET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("dashboard", "js", SCRIPT, "text/javascript; charset=utf-8"));
/// The icon.
pub(super) static ICON_ASSET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", ICON, "image/svg+xml"));

/// `GET /assets/{file}`.
pub(in crate::http) async fn asset(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let file = path_text(&mut parts, &()).await.unwrap_or_default();
    let all: [&Asset; 3] = [&STYLE_ASSET, &SCRIPT_ASSET, &ICON_ASSET];
    let found = all
        .into_iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(&file));
    found.map(Asset::serve).ok_or_else(|| visit.not_found())
}

/// `GET /favicon.ico`, for browsers that ask without being told.
pub(in crate::http) async fn icon() -> Response {
    ICON_ASSET.serve()
}

/// A number that differs when the content does (FNV-1a). Not for adversaries: it only names
/// what we have written ourselves.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |print, byte| {
        (print ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
