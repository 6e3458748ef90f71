//! Whether a line that is getting long is a batch, told from its beginning.

use super::outline::Outline;
use crate::limits::BATCH_HEAD_BYTES_MAX;

/// Whether `"cmd":"batch"` stands as a member of the outermost object in the first
/// [`BATCH_HEAD_BYTES_MAX`] bytes of the line.
pub(super) fn is_batch(line: &[u8]) -> bool {
    let head = &line[..line.len().min(BATCH_HEAD_BYTES_MAX)];
    let mut outline = Outline::new();
    for (at, byte) in head.iter().enumerate() {
        let before = outline;
        outline.push(*byte);
        let begins_string = *byte == b'"' && before == Outline::Open(1);
        if begins_string && member_is_batch(&head[at..]) {
            return true;
        }
    }
    false
}

fn member_is_batch(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"\"cmd\"") else {
        return false;
    };
    let Some(value) = rest.trim_ascii_start().strip_prefix(b":") else {
        return false;
    };
    value.trim_ascii_start().starts_with(b"\"batch\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_shows_itself_early_and_at_the_top() {
        let batches = [
            r#"{"cmd":"batch","tasks":[{"op""#,
            r#" { "ref" : 7, "cmd" : "batch" , "#,
            r#"{"ref":"a\"b","cmd":"batch""#,
        ];
        for line in batches {
            assert!(is_batch(line.as_bytes()), "{line}");
        }
        let others = [
            r#"{"op":"echo","text":"{\"cmd\":\"batch\"}"#,
            r#"{"op":"echo","inner":{"cmd":"batch"}"#,
            r#"{"cmd":"batches""#,
            r#"{"cmd":"submit","kind":"batch""#,
            r#"echo "cmd":"batch""#,
        ];
        for line in others {
            assert!(!is_batch(line.as_bytes()), "{line}");
        }
        let late = format!(
            r#"{{"x":"{}","cmd":"batch""#,
            "y".repeat(BATCH_HEAD_BYTES_MAX)
        );
        assert!(!is_batch(late.as_bytes()));
    }
}
