//! How the dashboard looks to this person: language and colours, kept in two cookies that hold
//! nothing else.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use tareas_protocol::Lang;

use super::language;
use super::visit::Visit;

/// The cookie of the language.
pub(super) const LANG_COOKIE: &str = "tareas_lang";
/// The cookie of the colours.
const THEME_COOKIE: &str = "tareas_theme";
/// How long a browser keeps a choice.
const KEPT_SECONDS: u32 = 365 * 24 * 60 * 60;

/// The colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the system of the reader has it.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The choice that came with a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        cookie(headers, THEME_COOKIE).map_or(Self::Auto, Self::from_name)
    }

    /// The theme of this name; the automatic one for any other.
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    /// The word in cookies and classes.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one that the button leads to.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::Auto,
        }
    }

    /// Has the browser keep it.
    pub(super) fn remember(self, headers: &mut HeaderMap) {
        keep(headers, THEME_COOKIE, self.name());
    }
}

/// Has the browser keep the language that the URL of a page names.
pub(super) fn remember_language(visit: &Visit, response: &mut Response) {
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if let (true, Some(lang)) = (is_page, language::asked(&visit.uri)) {
        keep(response.headers_mut(), LANG_COOKIE, Lang::as_str(lang));
    }
}

/// The cookie of this name, if the request has it.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers.get_all(header::COOKIE).into_iter();
    let mut each = texts
        .filter_map(|text| text.to_str().ok())
        .flat_map(|text| text.split(';'));
    each.find_map(|pair| {
        pair.trim()
            .split_once('=')
            .filter(|(known, _)| *known == name)
    })
    .map(|(_, value)| value)
}

fn keep(headers: &mut HeaderMap, name: &str, value: &str) {
    let cookie = format!("{name}={value}; Path=/; Max-Age={KEPT_SECONDS}; SameSite=Lax; HttpOnly");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; tareas_theme=dark;c".parse().unwrap());
        headers.append(header::COOKIE, "tareas_lang=es".parse().unwrap());
        assert_eq!(Theme::of(&headers), Theme::Dark);
        assert_eq!(cookie(&headers, LANG_COOKIE), Some("es"));
        assert_eq!(cookie(&headers, "tareas"), None);
        assert_eq!(Theme::of(&HeaderMap::new()), Theme::Auto);
    }

    #[test]
    fn the_button_goes_round() {
        assert_eq!(Theme::Auto.next().next().next(), Theme::Auto);
        assert_eq!(Theme::from_name("<script>"), Theme::Auto);
    }
}
