//! The `Prefer` header (RFC 7240): whether to wait for the end of what is submitted.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The request header.
pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The response header that says which preference was heeded.
pub(super) const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// Longest wait of one request, in seconds; a longer one is cut to this.
pub(super) const WAIT_SECONDS_MAX: u64 = 60;

/// How long the caller prefers to wait, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait(u64);

impl Wait {
    /// Reads `Prefer: wait=N`. What cannot be read is no preference: the header is advice.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let lines = headers
            .get_all(PREFER)
            .iter()
            .filter_map(|line| line.to_str().ok());
        let preferences = lines.flat_map(|line| line.split([',', ';']));
        let mut waits = preferences.filter_map(|preference| {
            let (name, value) = preference.split_once('=')?;
            let is_wait = name.trim().eq_ignore_ascii_case("wait");
            is_wait.then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
        });
        let seconds = waits.next().filter(|seconds| *seconds > 0)?;
        Some(Self(seconds.min(WAIT_SECONDS_MAX)))
    }

    /// How long.
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// What to answer under `Preference-Applied`.
    pub(super) fn applied(self) -> HeaderValue {
        let text = format!("wait={}", self.0);
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("wait"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_found_among_preferences() {
        let table = [
            ("wait=10", Some(10)),
            ("respond-async, wait=5", Some(5)),
            ("return=minimal; foo, WAIT = \"7\"", Some(7)),
            ("wait=100000", Some(60)),
            ("wait=0", None),
            ("wait=-1", None),
            ("wait", None),
            ("respond-async", None),
        ];
        for (line, seconds) in table {
            let mut headers = HeaderMap::new();
            headers.insert(PREFER, line.parse().unwrap());
            assert_eq!(Wait::of(&headers), seconds.map(Wait), "{line}");
        }
    }
}
