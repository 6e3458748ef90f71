//! Instants as people write them: RFC 3339, a local date and time, a time of day, `tomorrow
//! 09:00`.

use std::time::SystemTime;

use jiff::civil::{DateTime, Time};
use jiff::{Timestamp, ToSpan, Zoned};

/// Reads an instant, seen from `now`; what has no zone is local. A time of day that has passed
/// means that of tomorrow.
pub(super) fn parse(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return Some(now.time_zone().to_zoned(local).ok()?.timestamp());
    }
    let (days, clock) = match text.split_once(' ') {
        Some(("tomorrow" | "mañana", clock)) => (1, clock),
        Some(("today" | "hoy", clock)) => (0, clock),
        Some(_) => return None,
        None => return next_at(text.parse().ok()?, now),
    };
    at(clock.trim().parse().ok()?, days, now)
}

fn next_at(time: Time, now: &Zoned) -> Option<Timestamp> {
    let today = at(time, 0, now)?;
    match today > now.timestamp() {
        true => Some(today),
        false => at(time, 1, now),
    }
}

fn at(time: Time, days: i64, now: &Zoned) -> Option<Timestamp> {
    let date = now.date().checked_add(days.days()).ok()?;
    Some(
        now.time_zone()
            .to_zoned(date.to_datetime(time))
            .ok()?
            .timestamp(),
    )
}

/// The instant for the client.
pub(super) fn system_time(instant: Timestamp) -> SystemTime {
    SystemTime::from(instant)
}

/// The instant with the local zone, for a person.
pub(super) fn spoken(instant: Timestamp, now: &Zoned) -> String {
    let local = instant.to_zoned(now.time_zone().clone());
    local.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_people_write_them() {
        let now: Zoned = "2026-11-21T10:00:00-06:00[America/Mexico_City]"
            .parse()
            .unwrap();
        let table = [
            ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z"),
            ("2026-12-01 09:00", "2026-12-01T15:00:00Z"),
            ("09:00", "2026-11-22T15:00:00Z"),
            ("11:30", "2026-11-21T17:30:00Z"),
            ("tomorrow 09:00", "2026-11-22T15:00:00Z"),
            ("mañana 09:00", "2026-11-22T15:00:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(
                parse(text, &now).map(|at| at.to_string()).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for text in ["", "soon", "25:00", "monday 09:00"] {
            assert_eq!(parse(text, &now), None, "{text}");
        }
    }
}
