//! Numbers, durations and times as people read them.

use std::time::Duration;

use tareas_core::Timestamp;
use tareas_protocol::Lang;

/// `1,284` or `1 284`; from a million on `1.3 M` or `1,3 M`.
pub(super) fn count(lang: Lang, number: u64) -> String {
    if number >= 1_000_000 {
        let millions = format!("{:.1}", number as f64 / 1e6);
        return format!("{}\u{a0}M", decimal(lang, &millions));
    }
    let digits = number.to_string();
    let Some((head, tail)) = digits.len().checked_sub(3).map(|at| digits.split_at(at)) else {
        return digits;
    };
    let separator = lang.pick(",", "\u{a0}");
    if head.is_empty() {
        digits
    } else {
        format!("{head}{separator}{tail}")
    }
}

/// `0.4/s`, `12/s`.
pub(super) fn rate(lang: Lang, per_second: Option<f64>) -> String {
    match per_second {
        None => "–/s".to_owned(),
        Some(rate) if rate > 0.0 && rate < 9.95 => {
            let text = format!("{rate:.1}");
            format!(
                "{}/s",
                decimal(lang, text.strip_suffix(".0").unwrap_or(&text))
            )
        }
        Some(rate) => format!("{}/s", count(lang, rate.round() as u64)),
    }
}

/// `48 µs`, `1.4 ms`, `12 ms`, `1.2 s`, `3.1 min`, `2.5 h`.
pub(super) fn duration(lang: Lang, duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (number, unit) = match seconds {
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s if s < 60.0 => (s, "s"),
        s if s < 3_600.0 => (s / 60.0, "min"),
        s if s < 86_400.0 => (s / 3_600.0, "h"),
        s => (s / 86_400.0, "d"),
    };
    let digits = usize::from(number < 9.95 && unit != "µs");
    format!(
        "{}\u{a0}{unit}",
        decimal(lang, &format!("{number:.digits$}"))
    )
}

/// `5.2 MB`.
pub(super) fn bytes(lang: Lang, bytes: u64) -> String {
    let (number, unit) = match bytes {
        0..1_000 => return format!("{bytes}\u{a0}B"),
        1_000..1_000_000 => (bytes as f64 / 1e3, "kB"),
        1_000_000..1_000_000_000 => (bytes as f64 / 1e6, "MB"),
        _ => (bytes as f64 / 1e9, "GB"),
    };
    format!("{}\u{a0}{unit}", decimal(lang, &format!("{number:.1}")))
}

/// The time of day in UTC: `14:02:07`.
pub(super) fn clock(at: Timestamp) -> String {
    let seconds = at.as_millis().div_euclid(1_000).rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The whole instant, RFC 3339 in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    crate::http::tasks::instant(at)
}

fn decimal(lang: Lang, number: &str) -> String {
    match lang {
        Lang::En => number.to_owned(),
        Lang::Es => number.replace('.', ","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_ease() {
        let table = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (123_456, "123,456"),
            (1_250_000, "1.2\u{a0}M"),
        ];
        for (number, text) in table {
            assert_eq!(count(Lang::En, number), text);
        }
        assert_eq!(count(Lang::Es, 1_284), "1\u{a0}284");
        assert_eq!(rate(Lang::En, None), "–/s");
        assert_eq!(rate(Lang::En, Some(0.0)), "0/s");
        assert_eq!(rate(Lang::Es, Some(0.44)), "0,4/s");
        assert_eq!(rate(Lang::En, Some(8.01)), "8/s");
        assert_eq!(rate(Lang::En, Some(1_234.4)), "1,234/s");
        assert_eq!(bytes(Lang::En, 5_242_880), "5.2\u{a0}MB");
    }

    #[test]
    fn durations_have_one_unit() {
        let table = [
            (0, "0\u{a0}µs"),
            (400, "400\u{a0}µs"),
            (1_440, "1.4\u{a0}ms"),
            (12_000, "12\u{a0}ms"),
            (1_240_000, "1.2\u{a0}s"),
            (200_000_000, "3.3\u{a0}min"),
            (7_200_000_000, "2.0\u{a0}h"),
            (864_000_000_000, "10\u{a0}d"),
        ];
        for (micros, text) in table {
            assert_eq!(duration(Lang::En, Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn times_are_in_utc() {
        let at = Timestamp::from_millis(1_795_249_800_250);
        assert_eq!(clock(at), "08:30:00");
        assert_eq!(instant(at), "2026-11-21T08:30:00.250Z");
    }
}
