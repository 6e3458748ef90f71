//! Who can run what: a task has a kind, a queue and labels that it requires; a worker has kinds,
//! queues and labels.

use std::collections::{BTreeSet, HashSet};

use smol_str::SmolStr;
use tareas_core::{Kind, QueueName, Spec};

/// What tasks have in common that the same workers can run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    pub(super) kind: Kind,
    /// In order, without repetition.
    pub(super) requires: Vec<SmolStr>,
}

impl Class {
    pub(super) fn of(spec: &Spec) -> Self {
        let mut requires = spec.options().requires.clone();
        requires.sort_unstable();
        requires.dedup();
        let kind = spec.kind.clone();
        Self { kind, requires }
    }

    /// The same without a copy, for a look-up.
    pub(super) fn is_of(&self, spec: &Spec) -> bool {
        if self.kind != spec.kind {
            return false;
        }
        match &spec.options {
            None => self.requires.is_empty(),
            Some(options) if options.requires.is_empty() => self.requires.is_empty(),
            Some(_) => *self == Self::of(spec),
        }
    }
}

/// What a worker can run.
#[derive(Clone, Debug, Default)]
pub(super) struct Fit {
    pub(super) kinds: HashSet<Kind>,
    /// All when empty.
    pub(super) queues: HashSet<QueueName>,
    pub(super) labels: BTreeSet<SmolStr>,
}

impl Fit {
    pub(super) fn takes_from(&self, queue: &QueueName) -> bool {
        self.queues.is_empty() || self.queues.contains(queue)
    }

    pub(super) fn has_labels(&self, requires: &[SmolStr]) -> bool {
        requires.iter().all(|label| self.labels.contains(label))
    }

    pub(super) fn can_run(&self, queue: &QueueName, class: &Class) -> bool {
        self.takes_from(queue)
            && self.kinds.contains(&class.kind)
            && self.has_labels(&class.requires)
    }
}
