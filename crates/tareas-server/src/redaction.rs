//! Members that pages do not show: in payloads and results of tasks, by the names of members.
//!
//! A program that may read a task gets it whole. A page may be looked at by somebody who stands
//! behind, is kept in pictures, and shows many tasks at a time: there, the values of members such
//! as `password` are replaced. Everything else stays as it was sent, byte by byte: numbers are
//! never read as numbers.

use std::borrow::Cow;
use std::ops::Range;

/// What stands where a value is hidden: JSON, as the value was.
const HIDDEN: &str = r#""[hidden]""#;
/// Names that are hidden when nothing else is said.
pub const DEFAULT: &str = "*password*,*secret*,*token*,authorization,api_key,apikey";

/// Names of members, in small letters. A `*` at an end stands for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction(Vec<Name>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    text: String,
    begins_anyhow: bool,
    ends_anyhow: bool,
}

impl Default for Redaction {
    fn default() -> Self {
        Self::of(DEFAULT.split(','))
    }
}

impl Redaction {
    /// Hides members of these names; of no name at all, nothing.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().map(|name| name.trim().to_lowercase());
        Self(
            names
                .filter(|name| !name.is_empty())
                .map(Name::of)
                .collect(),
        )
    }

    /// The JSON text without the values that are hidden.
    pub fn hide<'t>(&self, json: &'t [u8]) -> Cow<'t, [u8]> {
        let mut shown = Vec::new();
        let mut kept = 0;
        let mut at = 0;
        while let Some(found) = next_string(json, at) {
            at = found.end;
            let Some(value) = value_of(json, &found) else {
                continue;
            };
            if self.hides(&json[found]) {
                shown.extend_from_slice(&json[kept..value.start]);
                shown.extend_from_slice(HIDDEN.as_bytes());
                (kept, at) = (value.end, value.end);
            }
        }
        if kept == 0 {
            return Cow::Borrowed(json);
        }
        shown.extend_from_slice(&json[kept..]);
        Cow::Owned(shown)
    }

    /// Whether the member of this name, as it is written in JSON, is hidden.
    fn hides(&self, written: &[u8]) -> bool {
        let name: String = serde_json::from_slice(written).unwrap_or_default();
        let name = name.to_lowercase();
        self.0.iter().any(|known| known.fits(&name))
    }
}

impl Name {
    fn of(text: String) -> Self {
        Self {
            begins_anyhow: text.starts_with('*'),
            ends_anyhow: text.ends_with('*'),
            text: text.trim_matches('*').to_owned(),
        }
    }

    fn fits(&self, name: &str) -> bool {
        match (self.begins_anyhow, self.ends_anyhow) {
            (false, false) => name == self.text,
            (true, false) => name.ends_with(&self.text),
            (false, true) => name.starts_with(&self.text),
            (true, true) => name.contains(&self.text),
        }
    }
}

/// The next string from here on, with its quotes.
fn next_string(json: &[u8], from: usize) -> Option<Range<usize>> {
    let start = from + json.get(from..)?.iter().position(|byte| *byte == b'"')?;
    Some(start..end_of_string(json, start))
}

/// Where the string ends that begins here.
fn end_of_string(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

/// The value of the member whose name this string is; `None` when it is no name. Only names have
/// a colon behind them.
fn value_of(json: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let colon = skip_blanks(json, name.end);
    if json.get(colon) != Some(&b':') {
        return None;
    }
    let start = skip_blanks(json, colon + 1);
    Some(start..end_of_value(json, start))
}

fn skip_blanks(json: &[u8], from: usize) -> usize {
    let rest = json.get(from..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
    from + blanks.count()
}

fn end_of_value(json: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(json, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 0 { at } else { at + 1 },
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            byte if depth == 0 && byte.is_ascii_whitespace() => return at,
            _ => {}
        }
        at += 1;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(json: &str) -> String {
        let redaction = Redaction::default();
        String::from_utf8(redaction.hide(json.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn values_are_hidden_whatever_they_are() {
        let table = [
            (r#"{"password":"a\"b"}"#, r#"{"password":"[hidden]"}"#),
            (
                r#"{"user":"ana","DB_Password" : 12 , "n":1e400}"#,
                r#"{"user":"ana","DB_Password" : "[hidden]" , "n":1e400}"#,
            ),
            (
                r#"[{"tokens":["x",{"y":"]"}]},{"secret":{"a":{"b":"}"}},"c":null}]"#,
                r#"[{"tokens":"[hidden]"},{"secret":"[hidden]","c":null}]"#,
            ),
            (
                r#"{"pass\u0077ord":true}"#,
                r#"{"pass\u0077ord":"[hidden]"}"#,
            ),
            (
                r#"{"a":{"api_key":-0.10}}"#,
                r#"{"a":{"api_key":"[hidden]"}}"#,
            ),
            (r#"{"Authorization":""}"#, r#"{"Authorization":"[hidden]"}"#),
        ];
        for (json, shown) in table {
            assert_eq!(hidden(json), shown);
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for json in [
            r#""password: x""#,
            r#"{"a":"password","b":["token"]}"#,
            r#"{"n":12345678901234567890.0}"#,
            "[]",
            "7",
        ] {
            assert!(matches!(
                Redaction::default().hide(json.as_bytes()),
                Cow::Borrowed(_)
            ));
        }
        let json = br#"{"password":"x"}"#;
        assert_eq!(&*Redaction::of([]).hide(json), json);
    }

    #[test]
    fn names_have_stars_at_their_ends() {
        let redaction = Redaction::of(["pin", "*_key", "card*"]);
        for (name, is_hidden) in [
            ("pin", true),
            ("PIN", true),
            ("spin", false),
            ("my_key", true),
            ("key", false),
            ("card_number", true),
            ("postcard", false),
        ] {
            let json = format!("{{\"{name}\":1}}");
            let shown = redaction.hide(json.as_bytes());
            assert_eq!(&*shown != json.as_bytes(), is_hidden, "{name}");
        }
    }

    #[test]
    fn what_is_no_json_ends_somewhere() {
        for text in [
            r#"{"password":"#,
            r#"{"password":"x"#,
            r#"{"password":[1,"#,
            r#"{"password""#,
            r#""\"#,
            "{\"token\":\\",
        ] {
            let _ = hidden(text);
        }
    }
}
