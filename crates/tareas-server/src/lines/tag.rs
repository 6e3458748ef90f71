//! Tags: under which number the engine tells a connection of an end, and what it means.

/// What an end is the answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// A JSON line without `ref`: everything to know about it is how long it was.
    Plain {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A JSON line of which more must be known: an entry of the outbox.
    Entry(u64),
    /// A text line, by its number among the text lines.
    Text(u64),
}

const KIND_BITS: u32 = 2;

impl Tag {
    pub(super) fn to_number(self) -> u64 {
        let (value, kind) = match self {
            Self::Plain { bytes } => (bytes as u64, 0),
            Self::Entry(key) => (key, 1),
            Self::Text(number) => (number, 2),
        };
        value << KIND_BITS | kind
    }

    pub(super) fn from_number(number: u64) -> Self {
        let value = number >> KIND_BITS;
        match number & ((1 << KIND_BITS) - 1) {
            0 => Self::Plain {
                bytes: usize::try_from(value).unwrap_or(usize::MAX),
            },
            1 => Self::Entry(value),
            _ => Self::Text(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_comes_back_as_it_went() {
        for tag in [
            Tag::Plain { bytes: 8 << 20 },
            Tag::Entry(u64::MAX >> 2),
            Tag::Text(0),
        ] {
            assert_eq!(Tag::from_number(tag.to_number()), tag);
        }
    }
}
