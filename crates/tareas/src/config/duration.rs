//! Durations as people write them: `500ms`, `30s`, `1h30m`, `7d`; a bare number is seconds.

use std::time::Duration;

/// Reads a duration; `None` when it is none, or longer than ten years.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
    let text = text.trim();
    let total = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => sum_of_parts(text)?,
    };
    (total <= LONGEST).then_some(total)
}

fn sum_of_parts(mut text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    while !text.is_empty() {
        let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at(number_end);
        let unit_end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit_end);
        let seconds = number.parse::<f64>().ok()? * seconds_of(unit.trim())?;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        text = rest;
    }
    Some(total)
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let table = [
            ("30", 30_000),
            ("0.5", 500),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
        ];
        for (text, millis) in table {
            assert_eq!(
                parse_duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in ["", "x", "-1", "5 parsecs", "1h30", "99999d", "NaN", "inf"] {
            assert_eq!(
                parse_duration(text).filter(|_| !text.is_empty()),
                None,
                "{text}"
            );
        }
    }
}
