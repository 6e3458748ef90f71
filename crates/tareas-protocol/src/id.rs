//! Task ids as text: the 36 characters of a UUID, to and from its 16 bytes.
//!
//! Whether an id is of the right version and age is not decided here.

/// A task id, as the bytes of its UUID.
pub type TaskIdBytes = [u8; 16];

/// Length of an id's text.
pub const ID_TEXT_LEN: usize = 36;

/// Both digits of every byte.
static PAIRS: [[u8; 2]; 256] = pairs();
/// Where in the text each byte's two digits stand.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// What stands in [`VALUES`] for bytes that are no digit: above every value.
const NO_DIGIT: u8 = 0x10;
/// The value of every byte as a hexadecimal digit of either case.
static VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let lower = b"0123456789abcdef"[value as usize];
        values[lower as usize] = value;
        values[lower.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
}

const fn pairs() -> [[u8; 2]; 256] {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
}

/// The text of an id, in lower case.
#[inline]
#[must_use]
pub fn format_id(id: &TaskIdBytes) -> [u8; ID_TEXT_LEN] {
    let mut text = [b'-'; ID_TEXT_LEN];
    write_id(id, &mut text);
    text
}

/// Writes the digits of `id` over a text that has its hyphens already.
#[inline]
pub(crate) fn write_id(id: &TaskIdBytes, text: &mut [u8; ID_TEXT_LEN]) {
    let mut index = 0;
    while index < 16 {
        let place = PLACES[index];
        let pair = PAIRS[id[index] as usize];
        text[place] = pair[0];
        text[place + 1] = pair[1];
        index += 1;
    }
}

/// The text of an id, as a `String`.
#[must_use]
pub fn id_string(id: &TaskIdBytes) -> String {
    format_id(id).iter().map(|byte| char::from(*byte)).collect()
}

/// Reads the text of an id: 36 characters, digits of either case.
#[must_use]
pub fn parse_id(text: &str) -> Option<TaskIdBytes> {
    let text: &[u8; ID_TEXT_LEN] = text.as_bytes().try_into().ok()?;
    if HYPHENS.iter().any(|place| text[*place] != b'-') {
        return None;
    }
    let mut id = [0; 16];
    let mut seen = 0;
    for (byte, place) in id.iter_mut().zip(PLACES) {
        let (high, low) = (
            VALUES[usize::from(text[place])],
            VALUES[usize::from(text[place + 1])],
        );
        *byte = high << 4 | low & 0xf;
        seen |= high | low;
    }
    (seen < NO_DIGIT).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let id = *b"\x01\x9a\xbc\xde\xf0\x12\x73\x45\x86\x78\x9a\xbc\xde\xf0\x12\xff";
        let text = id_string(&id);
        assert_eq!(text, "019abcde-f012-7345-8678-9abcdef012ff");
        assert_eq!(parse_id(&text), Some(id));
        assert_eq!(parse_id(&text.to_uppercase()), Some(id));
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in [
            "",
            "7",
            "019abcdef01273458678 9abcdef012ff",
            "019abcde-f012-7345-8678-9abcdef012fg",
            "019abcde-f012-7345-8678_9abcdef012ff",
            "019abcde-f012-7345-8678-9abcdef012ff0",
        ] {
            assert_eq!(parse_id(text), None, "{text}");
        }
    }
}
