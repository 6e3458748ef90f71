//! The values of conditions: lists, numbers, times.

use std::time::Duration;

use tareas_core::Timestamp;
use tareas_engine::filter::Span;
use tareas_protocol::time::parse_instant;

/// Longest duration that is understood: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Time of day of a date that stands alone.
const MIDNIGHT: &str = "T00:00:00Z";

/// `3`, `>3`, `>=3`, `<3`, `<=3`, `2..5`: both bounds included.
pub(super) fn numbers(text: &str) -> Option<Span<u64>> {
    if let Some((from, to)) = text.split_once("..") {
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        return Some(between(from, to));
    }
    let (sign, number) = signed(text);
    let number: u64 = number.parse().ok()?;
    Some(match sign {
        "" => between(number, number),
        ">=" => at_least(number),
        ">" => at_least(number.checked_add(1)?),
        "<=" => at_most(number),
        _ => at_most(number.checked_sub(1)?),
    })
}

/// `1m` and `>1m` (at least), `<5s` (at most), `1m..5m`.
pub(super) fn durations(text: &str) -> Option<Span<Duration>> {
    if let Some((from, to)) = text.split_once("..") {
        return Some(between(duration(from)?, duration(to)?));
    }
    let (sign, text) = signed(text);
    let duration = duration(text)?;
    Some(if sign.starts_with('<') {
        at_most(duration)
    } else {
        at_least(duration)
    })
}

/// `1h` (so long ago), `2026-11-21` (its midnight in UTC), or RFC 3339.
pub(super) fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(ago) = duration(text) {
        return Some(now - ago);
    }
    let micros = parse_instant(text).or_else(|| parse_instant(&format!("{text}{MIDNIGHT}")))?;
    Some(Timestamp::from_micros(micros))
}

/// The ids that begin so: hexadecimal digits, with or without hyphens.
pub(super) fn ids(text: &str) -> Option<Span<u128>> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits.is_empty() || digits.len() > 32 || !is_hex {
        return None;
    }
    let bound = |fill: &str| {
        let missing = fill.repeat(32 - digits.len());
        u128::from_str_radix(&format!("{digits}{missing}"), 16).ok()
    };
    Some(between(bound("0")?, bound("f")?))
}

/// `500ms`, `30s`, `1h30m`, `7d`.
fn duration(mut text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, rest) = text.split_at(end);
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(end);
        let millis = number.parse::<u64>().ok()?.checked_mul(millis_of(unit)?)?;
        total = total.checked_add(Duration::from_millis(millis))?;
        text = rest;
    }
    (total <= LONGEST).then_some(total)
}

fn millis_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    })
}

fn signed(text: &str) -> (&'static str, &str) {
    for sign in [">=", "<=", ">", "<"] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (sign, rest);
        }
    }
    ("", text)
}

fn between<T>(from: T, to: T) -> Span<T> {
    let (from, to) = (Some(from), Some(to));
    Span { from, to }
}

fn at_least<T>(from: T) -> Span<T> {
    let (from, to) = (Some(from), None);
    Span { from, to }
}

fn at_most<T>(to: T) -> Span<T> {
    let (from, to) = (None, Some(to));
    Span { from, to }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_bounds() {
        let table = [
            ("3", Some(between(3, 3))),
            (">=3", Some(at_least(3))),
            (">3", Some(at_least(4))),
            ("<=3", Some(at_most(3))),
            ("<3", Some(at_most(2))),
            ("2..5", Some(between(2, 5))),
            ("<0", None),
            ("", None),
            ("x", None),
            ("-1", None),
            (">18446744073709551615", None),
        ];
        for (text, span) in table {
            assert_eq!(numbers(text), span, "{text}");
        }
    }

    #[test]
    fn durations_and_moments_are_read_as_people_write_them() {
        let minute = Duration::from_secs(60);
        assert_eq!(durations("1m"), Some(at_least(minute)));
        assert_eq!(durations("<1m"), Some(at_most(minute)));
        assert_eq!(durations("1m..1h30m"), Some(between(minute, minute * 90)));
        for text in [
            "",
            "5",
            "1x",
            "m",
            "1m..",
            "99999999999d",
            "18446744073709551615d",
        ] {
            assert_eq!(durations(text), None, "{text}");
        }
        let now = Timestamp::from_millis(1_800_000_000_000);
        assert_eq!(moment("1m", now), Some(now - minute));
        let day = Some(Timestamp::from_millis(1_767_225_600_000));
        assert_eq!(moment("2026-01-01", now), day);
        assert_eq!(moment("2026-01-01T01:00:00+01:00", now), day);
        assert_eq!(moment("yesterday", now), None);
    }

    #[test]
    fn an_id_is_found_by_its_beginning() {
        let all = ids("0").unwrap();
        assert_eq!((all.from, all.to), (Some(0), Some(u128::MAX >> 4)));
        let one = "0190a0a0-0000-7000-8000-000000000001";
        assert!(ids(one).unwrap().only().is_some());
        assert_eq!(ids(""), None);
        assert_eq!(ids("0190x"), None);
        assert_eq!(ids(&"0".repeat(33)), None);
    }
}
