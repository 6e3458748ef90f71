//! Instants on the wire: RFC 3339 in UTC with milliseconds, from microseconds since 1970.

use jiff::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// 0000-01-01 and 9999-12-31T23:59:59.999999, the years that four digits can tell.
const EARLIEST_US: i64 = -62_167_219_200_000_000;
pub(crate) const LATEST_US: i64 = 253_402_300_799_999_999;

/// Appends an instant as a JSON string, such as `"2026-11-21T08:30:00.250Z"`.
///
/// Instants outside the years 0 to 9999 are shown as the nearest one inside.
pub fn append_instant(out: &mut Vec<u8>, micros: i64) {
    let micros = micros.clamp(EARLIEST_US, LATEST_US);
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let millis = micros.rem_euclid(MICROS_PER_SECOND) / 1_000;
    let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let mut text = *b"\"0000-00-00T00:00:00.000Z\"";
    digits(&mut text[1..5], year);
    digits(&mut text[6..8], month);
    digits(&mut text[9..11], day);
    digits(&mut text[12..14], second / 3_600);
    digits(&mut text[15..17], second / 60 % 60);
    digits(&mut text[18..20], second % 60);
    digits(&mut text[21..24], millis);
    out.extend_from_slice(&text);
}

/// Reads RFC 3339 with any offset; microseconds since 1970.
#[must_use]
pub fn parse_instant(text: &str) -> Option<i64> {
    let instant: Timestamp = text.parse().ok()?;
    Some(instant.as_microsecond())
}

fn digits(place: &mut [u8], mut number: i64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Counts from 1 March of year 0, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(micros: i64) -> String {
        let mut out = Vec::new();
        append_instant(&mut out, micros);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn instants_are_written_in_utc_with_milliseconds() {
        let table = [
            (0, "\"1970-01-01T00:00:00.000Z\""),
            (-1, "\"1969-12-31T23:59:59.999Z\""),
            (951_782_400_000_000, "\"2000-02-29T00:00:00.000Z\""),
            (1_795_249_800_250_999, "\"2026-11-21T08:30:00.250Z\""),
            (i64::MAX, "\"9999-12-31T23:59:59.999Z\""),
            (i64::MIN, "\"0000-01-01T00:00:00.000Z\""),
        ];
        for (micros, text) in table {
            assert_eq!(written(micros), text);
        }
    }

    #[test]
    fn every_day_of_four_centuries_agrees_with_the_calendar_library() {
        for day in (-200 * 365..250 * 365).step_by(13) {
            let micros = day * SECONDS_PER_DAY * MICROS_PER_SECOND;
            let expected = Timestamp::from_microsecond(micros).unwrap();
            assert_eq!(written(micros), format!("\"{expected:.3}\""));
        }
    }

    #[test]
    fn an_offset_is_understood() {
        assert_eq!(parse_instant("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_instant("1970-01-01T00:00:00.25Z"), Some(250_000));
        assert_eq!(parse_instant("tomorrow"), None);
    }
}
