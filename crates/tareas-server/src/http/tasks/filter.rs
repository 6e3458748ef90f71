//! Filters of lists: words like `state:failed kind:resize queue:mail`, parsed, never spliced
//! into anything.

use tareas_core::{Kind, Phase, QueueName};
use tareas_protocol::nearest::nearest;

/// Which tasks to list: all conditions hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct Filter {
    /// Any of these; all when empty.
    pub(in crate::http) phases: Vec<Phase>,
    /// This queue.
    pub(in crate::http) queue: Option<QueueName>,
    /// This kind.
    pub(in crate::http) kind: Option<Kind>,
}

/// What is wrong with a filter, for the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum Wrong {
    /// A word without a colon.
    NoColon(String),
    /// A condition that does not exist, and what may have been meant.
    Condition(String, Option<&'static str>),
    /// A state that does not exist, and what may have been meant.
    State(String, Option<&'static str>),
    /// A text that cannot be the name of anything.
    Name(String),
    /// A condition that stands twice and can hold but one.
    Twice(&'static str),
}

const CONDITIONS: [&str; 3] = ["state", "kind", "queue"];

impl Filter {
    /// Reads the words of a filter.
    pub(in crate::http) fn parse(text: &str) -> Result<Self, Wrong> {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            let (condition, value) = word
                .split_once(':')
                .ok_or_else(|| Wrong::NoColon(shown(word)))?;
            filter.add(condition, value)?;
        }
        Ok(filter)
    }

    /// Adds one condition.
    pub(in crate::http) fn add(&mut self, condition: &str, value: &str) -> Result<(), Wrong> {
        match condition {
            "state" | "status" => self.add_states(value),
            "kind" => {
                let kind = Kind::new(value).map_err(|_| Wrong::Name(shown(value)))?;
                set_once(&mut self.kind, kind, "kind")
            }
            "queue" => {
                let queue = QueueName::new(value).map_err(|_| Wrong::Name(shown(value)))?;
                set_once(&mut self.queue, queue, "queue")
            }
            other => Err(Wrong::Condition(shown(other), nearest(other, CONDITIONS))),
        }
    }

    /// `failed,cancelled` means either.
    fn add_states(&mut self, value: &str) -> Result<(), Wrong> {
        for name in value.split(',') {
            let phase = Phase::from_name(name).ok_or_else(|| {
                let known = Phase::ALL.map(Phase::name);
                Wrong::State(shown(name), nearest(name, known))
            })?;
            if !self.phases.contains(&phase) {
                self.phases.push(phase);
            }
        }
        Ok(())
    }
}

impl Wrong {
    /// The story in English and Spanish.
    pub(in crate::http) fn message(&self) -> (String, String) {
        let states = Phase::ALL.map(Phase::name).join(", ");
        match self {
            Self::NoColon(word) => (
                format!("`{word}` is not a condition such as `state:failed`"),
                format!("`{word}` no es una condición como `state:failed`"),
            ),
            Self::Condition(word, _) => (
                format!("there is no condition `{word}`; there are state, kind and queue"),
                format!("no existe la condición `{word}`; existen state, kind y queue"),
            ),
            Self::State(word, _) => (
                format!("there is no state `{word}`; there are {states}"),
                format!("no existe el estado `{word}`; existen {states}"),
            ),
            Self::Name(word) => (
                format!("`{word}` cannot be a name"),
                format!("`{word}` no puede ser un nombre"),
            ),
            Self::Twice(name) => (
                format!("`{name}` stands twice"),
                format!("`{name}` aparece dos veces"),
            ),
        }
    }

    /// What may have been meant.
    pub(in crate::http) fn nearest(&self) -> Option<&'static str> {
        match self {
            Self::Condition(_, nearest) | Self::State(_, nearest) => *nearest,
            _ => None,
        }
    }
}

fn set_once<T: PartialEq>(slot: &mut Option<T>, value: T, name: &'static str) -> Result<(), Wrong> {
    if slot.as_ref().is_some_and(|before| *before != value) {
        return Err(Wrong::Twice(name));
    }
    *slot = Some(value);
    Ok(())
}

fn shown(word: &str) -> String {
    word.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_conditions() {
        let filter = Filter::parse(" state:failed,cancelled  kind:resize queue:mail ").unwrap();
        assert_eq!(filter.phases, [Phase::Failed, Phase::Cancelled]);
        assert_eq!(filter.kind, Some(Kind::new("resize").unwrap()));
        assert_eq!(filter.queue, Some(QueueName::new("mail").unwrap()));
        assert_eq!(Filter::parse(""), Ok(Filter::default()));
        assert_eq!(
            Filter::parse("kind:a:b").unwrap().kind,
            Some(Kind::new("a:b").unwrap())
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let table = [
            ("failed", Wrong::NoColon("failed".into())),
            (
                "staet:failed",
                Wrong::Condition("staet".into(), Some("state")),
            ),
            ("state:faild", Wrong::State("faild".into(), Some("failed"))),
            ("queue:a/b", Wrong::Name("a/b".into())),
            ("queue:", Wrong::Name(String::new())),
            ("kind:a kind:b", Wrong::Twice("kind")),
        ];
        for (text, wrong) in table {
            assert_eq!(Filter::parse(text), Err(wrong), "{text}");
        }
        let injected = Filter::parse("kind:';DROP/**/TABLE");
        assert!(matches!(injected, Err(Wrong::Name(_))));
    }
}
