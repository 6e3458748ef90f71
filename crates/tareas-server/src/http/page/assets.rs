//! The style sheet, the scripts and the icons: inside the binary, named after their content, so
//! that a browser may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::http::problem::Answer;
use crate::http::visit::{Visit, path_text};

/// A file and the name it is served under.
pub(super) struct Asset {
    /// Path with the fingerprint of the content.
    pub(super) path: String,
    content: &'static [u8],
    /// What it is.
    pub(super) media_type: &'static str,
}

impl Asset {
    fn new(name: &str, content: &'static [u8]) -> Self {
        let print = fingerprint(content);
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        Self {
            path: format!("/assets/{stem}-{print:016x}.{extension}"),
            content,
            media_type: media_type(extension),
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

fn media_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "image/png",
    }
}

/// Declares files of the folder `assets`, and the list of all.
macro_rules! assets {
    ($($(#[$about:meta])* $asset:ident = $file:literal;)*) => {
        $($(#[$about])*
        pub(super) static $asset: LazyLock<Asset> =
            LazyLock::new(|| Asset::new($file, include_bytes!(concat!("../../../assets/", $file))));)*

        /// All of them.
        static ALL: &[&LazyLock<Asset>] = &[$(&$asset),*];
    };
}

assets! {
    /// The style sheet.
    STYLE_ASSET = "dashboard.css";
    /// The script that keeps a page alive.
    SCRIPT_ASSET = "dashboard.js";
    /// The script of the command palette and the keys.
    PALETTE_ASSET = "palette.js";
    /// The script of the page that is shown while the server cannot be reached.
    OFFLINE_ASSET = "offline.js";
    /// The icon.
    ICON_ASSET = "icon.svg";
    /// The icon for launchers.
    ICON_192_ASSET = "icon-192.png";
    /// The icon for screens of starting applications.
    ICON_512_ASSET = "icon-512.png";
    /// The icon for launchers that cut it into a shape of their own.
    ICON_MASKABLE_ASSET = "icon-maskable-512.png";
    /// The icon for telephones of Apple.
    ICON_TOUCH_ASSET = "icon-touch-180.png";
}

/// `GET /assets/{file}`.
pub(in crate::http) async fn asset(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let file = path_text(&mut parts, &()).await.unwrap_or_default();
    let found = ALL
        .iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(&file));
    found
        .map(|asset| asset.serve())
        .ok_or_else(|| visit.not_found())
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
