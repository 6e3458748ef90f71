//! Ids of tasks, made by the client before it sends anything.

use std::fmt;
use std::str::FromStr;

use tareas_protocol::id::{TaskIdBytes, format_id, parse_id};

use crate::Error;

/// The id of a task: a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(TaskIdBytes);

impl TaskId {
    /// A new id (UUID version 7): unique, and in the order of time.
    pub fn new() -> Self {
        Self(*uuid::Uuid::now_v7().as_bytes())
    }

    /// An id from the wire.
    pub const fn from_bytes(bytes: TaskIdBytes) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &TaskIdBytes {
        &self.0
    }
}

impl Default for TaskId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_id(&self.0);
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TaskId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_id(text).map(Self).ok_or_else(|| Error::TaskId {
            text: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_new_in_order_and_read_back() {
        let ids: Vec<TaskId> = (0..1_000).map(|_| TaskId::new()).collect();
        assert!(ids.is_sorted());
        let text = ids[7].to_string();
        assert_eq!(text.parse::<TaskId>().unwrap(), ids[7]);
        assert_eq!(text.as_bytes()[14], b'7');
        assert!("x".parse::<TaskId>().is_err());
    }
}
