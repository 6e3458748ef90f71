//! Which of the two languages a request wants.

use axum::http::{HeaderMap, Uri, header};
use tareas_protocol::Lang;

use super::look;

/// The language of the answer: `?lang=`, else the one chosen in the dashboard, else
/// `Accept-Language`, else the server's own.
pub(super) fn of(uri: &Uri, headers: &HeaderMap, default: Lang) -> Lang {
    let chosen = || look::cookie(headers, look::LANG_COOKIE).and_then(known);
    asked(uri)
        .or_else(chosen)
        .or_else(|| accepted(headers))
        .unwrap_or(default)
}

/// The language that the URL names.
pub(super) fn asked(uri: &Uri) -> Option<Lang> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let mut members = form_urlencoded::parse(query);
    members
        .find(|(name, _)| name == "lang")
        .map(|(_, tag)| Lang::parse(&tag))
}

/// The one of the two languages with the highest weight; the first of equals.
fn accepted(headers: &HeaderMap) -> Option<Lang> {
    let ranges = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(Lang, f32)> = None;
    for range in ranges.split(',') {
        let (tag, weight) = weighed(range);
        let Some(lang) = known(tag) else { continue };
        if weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((lang, weight));
        }
    }
    best.map(|(lang, _)| lang)
}

/// A language range and its weight, 1 if it names none.
fn weighed(range: &str) -> (&str, f32) {
    let (tag, parameter) = range.split_once(';').unwrap_or((range, ""));
    let weight = parameter
        .trim()
        .strip_prefix("q=")
        .and_then(|weight| weight.parse().ok());
    (tag.trim(), weight.unwrap_or(1.0))
}

fn known(tag: &str) -> Option<Lang> {
    let language = tag.split('-').next().unwrap_or_default();
    let is = |name: &str| language.eq_ignore_ascii_case(name);
    if is("es") {
        return Some(Lang::Es);
    }
    is("en").then_some(Lang::En)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(uri: &str, accept: &str) -> Lang {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
        of(&uri.parse().unwrap(), &headers, Lang::En)
    }

    #[test]
    fn the_url_wins_then_the_heaviest_range() {
        assert_eq!(chosen("/", "es-MX,es;q=0.9,en;q=0.8"), Lang::Es);
        assert_eq!(chosen("/", "en;q=0.5, es;q=0.7"), Lang::Es);
        assert_eq!(chosen("/", "fr, en;q=0.3, es;q=0.2"), Lang::En);
        assert_eq!(chosen("/", "fr, es;q=0"), Lang::En);
        assert_eq!(chosen("/?lang=es", "en"), Lang::Es);
        assert_eq!(chosen("/?a=1&lang=en", "es"), Lang::En);
    }
}
