//! The words of a filter as they were written: split, exchanged, and written again.
//!
//! A word is `name:value` or, for what is not looked for, `-name:value`. A value with spaces
//! stands in quotes, in which `\"` and `\\` are a quote and a backslash.

use std::fmt;
use std::iter::{Enumerate, Peekable};
use std::str::Chars;

use super::wrong::{Fault, Wrong};

/// Longest text of a filter.
pub(crate) const TEXT_BYTES_MAX: usize = 2_000;
/// Most conditions in one.
pub(crate) const WORDS_MAX: usize = 32;

/// One condition, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// What must not hold.
    pub(crate) is_negated: bool,
    /// Before the colon.
    pub(crate) name: String,
    /// Behind it, without quotes.
    pub(crate) value: String,
    /// Where it begins, in characters from 1; 0 when it was not part of a text.
    pub(crate) at: usize,
}

/// The words of a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words(Vec<Word>);

impl Words {
    /// Splits a text.
    pub(crate) fn split(text: &str) -> Result<Self, Wrong> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Wrong::at(0, Fault::TooLong));
        }
        let mut rest: Rest<'_> = text.chars().enumerate().peekable();
        let mut words = Self::default();
        loop {
            while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
            let Some((index, _)) = rest.peek() else {
                return Ok(words);
            };
            let at = index + 1;
            let word = read(&mut rest, at)?;
            words.push(word)?;
        }
    }

    /// Adds a word.
    pub(crate) fn push(&mut self, word: Word) -> Result<(), Wrong> {
        if self.0.len() == WORDS_MAX {
            return Err(Wrong::at(word.at, Fault::TooMany));
        }
        self.0.push(word);
        Ok(())
    }

    /// Adds a condition that was not part of a text.
    pub(crate) fn add(&mut self, name: &str, value: &str) -> Result<(), Wrong> {
        self.push(Word::new(name, value))
    }

    /// The same with this one condition of the name, or none.
    pub(crate) fn with(&self, name: &str, value: Option<&str>) -> Self {
        let others = self.0.iter().filter(|word| word.name != name).cloned();
        Self(
            others
                .chain(value.map(|value| Word::new(name, value)))
                .collect(),
        )
    }

    /// The same without one word.
    pub(crate) fn without(&self, index: usize) -> Self {
        let mut words = self.0.clone();
        words.remove(index);
        Self(words)
    }

    /// The value of the one condition of this name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|word| word.name == name);
        let first = named.next().filter(|word| !word.is_negated)?;
        named.next().is_none().then_some(first.value.as_str())
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Word> {
        self.0.iter()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Word {
    fn new(name: &str, value: &str) -> Self {
        Self {
            is_negated: false,
            name: name.to_owned(),
            value: value.to_owned(),
            at: 0,
        }
    }
}

type Rest<'t> = Peekable<Enumerate<Chars<'t>>>;

fn read(rest: &mut Rest<'_>, at: usize) -> Result<Word, Wrong> {
    let is_negated = rest.next_if(|(_, c)| *c == '-').is_some();
    let mut name = String::new();
    while let Some((_, c)) = rest.next_if(|(_, c)| *c != ':' && !c.is_whitespace()) {
        name.push(c);
    }
    if rest.next_if(|(_, c)| *c == ':').is_none() {
        return Err(Wrong::at(at, Fault::NoColon(name)));
    }
    // An older word for the same.
    if name == "status" {
        name = "state".to_owned();
    }
    let value = value(rest)?;
    Ok(Word {
        is_negated,
        name,
        value,
        at,
    })
}

fn value(rest: &mut Rest<'_>) -> Result<String, Wrong> {
    let mut value = String::new();
    let mut quoted_at = None;
    while let Some((index, c)) = rest.next_if(|(_, c)| quoted_at.is_some() || !c.is_whitespace()) {
        match (c, quoted_at) {
            ('"', None) => quoted_at = Some(index + 1),
            ('"', Some(_)) => quoted_at = None,
            ('\\', Some(_)) => value.extend(rest.next().map(|(_, c)| c)),
            (c, _) => value.push(c),
        }
    }
    match quoted_at {
        None => Ok(value),
        Some(at) => Err(Wrong::at(at, Fault::Unclosed)),
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { " " };
            write!(f, "{before}{word}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negated { "-" } else { "" };
        let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\\');
        if !self.value.is_empty() && self.value.chars().all(is_plain) {
            return write!(f, "{sign}{}:{}", self.name, self.value);
        }
        let escaped = self.value.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "{sign}{}:\"{escaped}\"", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let text = r#"state:failed -kind:a,b error:"no \"such\" file" meta.x:"" key:a\b"#;
        let words = Words::split(text).unwrap();
        let values: Vec<_> = words.iter().map(|word| word.value.as_str()).collect();
        assert_eq!(values, ["failed", "a,b", "no \"such\" file", "", "a\\b"]);
        let written = words.to_string();
        let plain = |words: &Words| words.iter().map(Word::to_string).collect::<Vec<_>>();
        assert_eq!(plain(&Words::split(&written).unwrap()), plain(&words));
        assert_eq!(Words::split("  \n ").unwrap(), Words::default());
    }

    #[test]
    fn words_are_exchanged() {
        let words = Words::split("state:failed kind:a -kind:b").unwrap();
        assert_eq!(
            (words.value("state"), words.value("kind")),
            (Some("failed"), None)
        );
        assert_eq!(words.with("kind", None).to_string(), "state:failed");
        let queued = words.with("state", Some("queued")).to_string();
        assert_eq!(queued, "kind:a -kind:b state:queued");
        assert_eq!(words.without(1).to_string(), "state:failed -kind:b");
    }

    #[test]
    fn a_text_is_bounded_and_its_quotes_are_closed() {
        let fault = |text: &str| Words::split(text).unwrap_err();
        assert_eq!(
            fault("a:1 failed"),
            Wrong::at(5, Fault::NoColon("failed".into()))
        );
        assert_eq!(fault("error:\"x y"), Wrong::at(7, Fault::Unclosed));
        assert_eq!(fault(&"a:b ".repeat(33)), Wrong::at(129, Fault::TooMany));
        assert_eq!(fault(&"a".repeat(2_001)), Wrong::at(0, Fault::TooLong));
    }
}
