//! Queue patterns: which queues a token is for.

use std::fmt;

use smol_str::SmolStr;
use tareas_core::QueueName;

/// Patterns that one token may have.
const PATTERNS_MAX: usize = 64;

/// A set of queues: names, and names with `*` at their end for all that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueScope(Vec<SmolStr>);

/// A text that is no pattern of queues.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern of queues: a name, a name with * at its end, or *")]
pub struct NotPattern(pub String);

impl QueueScope {
    /// Every queue.
    pub fn every() -> Self {
        Self(vec![SmolStr::new_static("*")])
    }

    /// No queue.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// From patterns with commas between them.
    ///
    /// # Errors
    /// Names the first that is none.
    pub fn parse(text: &str) -> Result<Self, NotPattern> {
        let words = text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        let patterns: Vec<SmolStr> = words.map(pattern).collect::<Result<_, _>>()?;
        match patterns.len() <= PATTERNS_MAX {
            true => Ok(Self(patterns)),
            false => Err(NotPattern(format!("more than {PATTERNS_MAX} patterns"))),
        }
    }

    /// Whether this is every queue there can be.
    pub fn is_every(&self) -> bool {
        self.0.iter().any(|pattern| pattern == "*")
    }

    /// Whether this queue is among them.
    pub fn contains(&self, queue: &QueueName) -> bool {
        self.0
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => queue.as_str().starts_with(start),
                None => pattern == queue.as_str(),
            })
    }

    /// Whether every queue of `other` is among these.
    pub fn covers(&self, other: &Self) -> bool {
        let covered = |wanted: &SmolStr| {
            self.0.iter().any(|own| match own.strip_suffix('*') {
                Some(start) => wanted.trim_end_matches('*').starts_with(start),
                None => own == wanted,
            })
        };
        other.0.iter().all(covered)
    }
}

fn pattern(text: &str) -> Result<SmolStr, NotPattern> {
    let not = || NotPattern(text.chars().take(64).collect());
    let start = text.strip_suffix('*').unwrap_or(text);
    let is_any = start.is_empty() && text == "*";
    match is_any || QueueName::new(start).is_ok() {
        true => Ok(SmolStr::new(text)),
        false => Err(not()),
    }
}

impl fmt::Display for QueueScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> QueueScope {
        QueueScope::parse(text).unwrap()
    }

    fn holds(text: &str, queue: &str) -> bool {
        scope(text).contains(&QueueName::new(queue).unwrap())
    }

    #[test]
    fn a_star_stands_for_every_end() {
        for (patterns, queue, is_in) in [
            ("*", "default", true),
            ("mail", "mail", true),
            ("mail", "mails", false),
            ("mail*", "mail", true),
            ("mail*", "mail.bulk", true),
            ("mail*", "gmail", false),
            ("a,b*", "bb", true),
            ("", "default", false),
        ] {
            assert_eq!(holds(patterns, queue), is_in, "{patterns} {queue}");
        }
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        for (own, wanted, is_covered) in [
            ("*", "*", true),
            ("*", "a*,b", true),
            ("a*", "ab*", true),
            ("a*", "a*", true),
            ("ab*", "a*", false),
            ("a", "a*", false),
            ("a", "a", true),
            ("a,b", "a,c", false),
            ("a", "", true),
        ] {
            assert_eq!(
                scope(own).covers(&scope(wanted)),
                is_covered,
                "{own} {wanted}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        for text in ["**", "a*b", "a b", "*a", "ä"] {
            assert_eq!(QueueScope::parse(text), Err(NotPattern(text.to_owned())));
        }
        assert!(QueueScope::parse(&"a,".repeat(PATTERNS_MAX + 1)).is_err());
    }
}
