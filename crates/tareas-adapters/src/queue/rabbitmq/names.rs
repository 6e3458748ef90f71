//! Names of the objects in RabbitMQ.
//!
//! Quorum queues have no priorities, so each queue of tasks has up to three: `tareas.q.NAME` for
//! priorities 4 to 6, `.high` above them and `.low` below. Tasks of a kind that not every pool has
//! are in others of their own, `tareas.k.KIND.q.NAME`, from which those receive that have it.

use tareas_core::{Kind, Priority, QueueName};

/// Longest name of a queue in RabbitMQ.
const NAME_BYTES_MAX: usize = 255;

/// Priorities that share a queue of RabbitMQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Band {
    /// 0 to 3.
    Low,
    /// 4 to 6.
    Middle,
    /// 7 to 9.
    High,
}

impl Band {
    pub(super) const ALL: [Self; 3] = [Self::High, Self::Middle, Self::Low];

    pub(super) fn of(priority: Priority) -> Self {
        match priority.level() {
            0..=3 => Self::Low,
            4..=6 => Self::Middle,
            _ => Self::High,
        }
    }

    /// The priority that stands for the band where only one can be named.
    pub(super) fn priority(self) -> Priority {
        let level = match self {
            Self::Low => 0,
            Self::Middle => 5,
            Self::High => 9,
        };
        Priority::new(level).unwrap_or_default()
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Low => ".low",
            Self::Middle => "",
            Self::High => ".high",
        }
    }
}

/// One queue of RabbitMQ. Two of these may have one name (the middle of `a.low`, the low of
/// `a`), which does no harm: every message says its lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Line {
    pub(super) queue: QueueName,
    pub(super) band: Band,
    /// Whose tasks are in it alone; else it is for all kinds that every pool has.
    pub(super) kind: Option<Kind>,
}

impl Line {
    pub(super) fn name(&self, prefix: &str) -> String {
        let (queue, suffix) = (&self.queue, self.band.suffix());
        match &self.kind {
            None => format!("{prefix}.q.{queue}{suffix}"),
            Some(kind) => format!("{prefix}.k.{kind}.q.{queue}{suffix}"),
        }
    }

    /// The line that everybody receives from, where the name of its own would be too long.
    pub(super) fn within_names(self, prefix: &str) -> Self {
        match self.name(prefix).len() > NAME_BYTES_MAX {
            true => Self { kind: None, ..self },
            false => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_priorities_share_three_queues() {
        let queue = QueueName::new("mail").unwrap();
        let names = (0..10).map(|level| {
            let band = Band::of(Priority::new(level).unwrap());
            assert_eq!(Band::of(band.priority()), band);
            let (queue, kind) = (queue.clone(), None);
            Line { queue, band, kind }.name("t")
        });
        let names: Vec<String> = names.collect();
        assert!(names[..4].iter().all(|name| name == "t.q.mail.low"));
        assert!(names[4..7].iter().all(|name| name == "t.q.mail"));
        assert!(names[7..].iter().all(|name| name == "t.q.mail.high"));
    }

    #[test]
    fn a_kind_has_lines_of_its_own_as_long_as_names_allow() {
        let line = |kind: &str| Line {
            queue: QueueName::new(&"q".repeat(120)).unwrap(),
            band: Band::High,
            kind: Some(Kind::new(kind).unwrap()),
        };
        let short = line("report").within_names("t");
        assert!(short.name("t").starts_with("t.k.report.q.qqq"));
        let long = line(&"k".repeat(128)).within_names("tareas");
        assert_eq!(long.kind, None);
        assert!(long.name("tareas").len() <= NAME_BYTES_MAX);
    }
}
