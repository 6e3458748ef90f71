//! Names that travel: kinds, queues, priorities. Checked once, at the edge, then trusted.

use std::fmt;

use smol_str::SmolStr;

use crate::limits::NAME_BYTES_MAX;

/// Why a text cannot be a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing there.
    #[error("a name cannot be empty")]
    Empty,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("a name has at most {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// A character outside `A-Z a-z 0-9 . _ : -`.
    #[error("a name consists of A-Z a-z 0-9 . _ : -")]
    Character,
}

fn checked(text: &str) -> Result<SmolStr, InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(InvalidName::TooLong);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    if !text.bytes().all(plain) {
        return Err(InvalidName::Character);
    }
    Ok(SmolStr::new(text))
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// Checks `text` against the rules for names.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                checked(text).map(Self)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The shared text itself: cheap to clone.
            pub fn text(&self) -> &SmolStr {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name a handler is registered for; `op` on the wire in the short form.
    Kind
}

name! {
    /// A named lane of tasks.
    QueueName
}

impl Default for QueueName {
    fn default() -> Self {
        Self(SmolStr::new_static("default"))
    }
}

/// How urgent a task is: 0 (last) to 9 (first), 5 if not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// The number of priorities.
    pub const COUNT: usize = 10;
    /// The most urgent.
    pub const HIGHEST: Self = Self(9);

    /// `None` beyond 9.
    pub const fn new(level: u8) -> Option<Self> {
        if level <= 9 { Some(Self(level)) } else { None }
    }

    /// 0 to 9.
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(Kind::new("resize.v2_a:b-c").is_ok());
        assert_eq!(Kind::new(""), Err(InvalidName::Empty));
        assert_eq!(Kind::new("a b"), Err(InvalidName::Character));
        assert_eq!(Kind::new("ñ"), Err(InvalidName::Character));
        assert_eq!(Kind::new(&"a".repeat(129)), Err(InvalidName::TooLong));
    }

    #[test]
    fn priorities_are_ten() {
        assert_eq!(Priority::new(9), Some(Priority::HIGHEST));
        assert_eq!(Priority::new(10), None);
        assert_eq!(Priority::default().level(), 5);
    }
}
