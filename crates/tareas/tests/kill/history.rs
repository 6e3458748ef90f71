//! What clients were told about each submission.

use std::collections::HashMap;
use std::sync::Mutex;

/// What is known about one submission.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The line that was sent; sent again, unchanged, when the answer was lost.
    pub(crate) line: String,
    /// What its handler must give; `None` when it must fail.
    pub(crate) expected: Option<String>,
    /// It was acknowledged: from then on it may not be lost.
    pub(crate) acknowledged: bool,
    /// It was refused for good: it may never start.
    pub(crate) refused: bool,
    /// The first end that was told.
    pub(crate) told: Option<String>,
    /// Ends that were told later and differ.
    pub(crate) changed: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    tasks: Mutex<HashMap<String, Known>>,
}

impl History {
    pub(crate) fn sent(&self, id: &str, line: &str, expected: Option<String>) {
        let known = Known {
            line: line.to_owned(),
            expected,
            acknowledged: false,
            refused: false,
            told: None,
            changed: Vec::new(),
        };
        self.tasks
            .lock()
            .unwrap()
            .entry(id.to_owned())
            .or_insert(known);
    }

    pub(crate) fn acknowledged(&self, id: &str) {
        self.change(id, |known| known.acknowledged = true);
    }

    pub(crate) fn refused(&self, id: &str) {
        self.change(id, |known| known.refused = !known.acknowledged);
    }

    pub(crate) fn told(&self, id: &str, end: &str) {
        self.change(id, |known| match &known.told {
            None => known.told = Some(end.to_owned()),
            Some(before) if before == end => {}
            Some(_) => known.changed.push(end.to_owned()),
        });
    }

    pub(crate) fn all(&self) -> HashMap<String, Known> {
        self.tasks.lock().unwrap().clone()
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.tasks.lock().unwrap().get_mut(id) {
            change(known);
        }
    }
}

impl History {
    /// The line of one submission.
    pub(crate) fn all_line(&self, id: &str) -> Option<String> {
        self.tasks
            .lock()
            .unwrap()
            .get(id)
            .map(|known| known.line.clone())
    }
}
