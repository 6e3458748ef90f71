//! Values of kinds: sizes, durations, lists, JSON out of TOML. `None` when it is none.

use std::time::Duration;

use serde_json::{Map, Value};
use toml::de::DeValue;

use crate::config::parse_duration;

pub(super) fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

pub(super) fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    let DeValue::Array(items) = value else {
        return None;
    };
    items.iter().map(|item| text(item.get_ref())).collect()
}

pub(super) fn integer(value: &DeValue<'_>, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
    let DeValue::Integer(number) = value else {
        return None;
    };
    let number = number.to_string().parse().ok()?;
    range.contains(&number).then_some(number)
}

/// `30s`, `10m`, or a number of seconds; more than zero.
pub(super) fn duration(value: &DeValue<'_>) -> Option<Duration> {
    let duration = match value {
        DeValue::String(text) => parse_duration(text),
        DeValue::Integer(number) => parse_duration(&number.to_string()),
        _ => None,
    };
    duration.filter(|duration| !duration.is_zero())
}

/// `64MB`, `512MiB`, `2G`, or a number of bytes.
pub(super) fn size(value: &DeValue<'_>) -> Option<u64> {
    match value {
        DeValue::String(text) => parse_size(text),
        DeValue::Integer(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// The same value in JSON; `None` for what JSON does not have.
pub(super) fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Integer(number) => Value::from(number.to_string().parse::<i64>().ok()?),
        DeValue::Float(number) => Value::from(number.as_str().parse::<f64>().ok()?),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| json(item.get_ref()));
            Value::Array(items.collect::<Option<_>>()?)
        }
        DeValue::Table(members) => {
            let members = members
                .iter()
                .map(|(name, value)| Some((name.get_ref().to_string(), json(value.get_ref())?)));
            Value::Object(members.collect::<Option<Map<_, _>>>()?)
        }
        DeValue::Datetime(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let table = [
            ("5", Some(5)),
            ("64MB", Some(64_000_000)),
            ("1 KiB", Some(1024)),
            ("2g", Some(2 << 30)),
            ("MB", None),
            ("5 parsecs", None),
            ("99999999999999999999", None),
            ("18446744073709551615k", None),
        ];
        for (text, bytes) in table {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }
}
