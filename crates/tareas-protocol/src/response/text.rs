//! Answers to text lines: one line each.

use super::end::append_result_url;
use super::{BlobRef, End, ResultText};
use crate::code::Code;
use crate::error::ErrorObject;
use crate::id::TaskIdBytes;
use crate::json::{append_escaped_controls, append_u64, is_control, unescape};
use crate::lang::Lang;

/// Appends how a task ended, as one line of text: a string without control characters as it
/// is, any other result as JSON, a failure as `error: …`.
pub fn append_end_text(out: &mut Vec<u8>, end: &End<'_>, task_id: &TaskIdBytes, lang: Lang) {
    match end {
        End::Succeeded {
            result: ResultText::Json(json),
        } => append_result(out, json),
        End::Succeeded {
            result: ResultText::Blob(blob),
        } => append_blob(out, blob, task_id),
        End::Failed { error, .. } => error.append_text(out),
        End::Cancelled { reason } => {
            let code = if *reason == "expired" {
                Code::Expired
            } else {
                Code::Cancelled
            };
            ErrorObject::new(code, lang).append_text(out);
        }
    }
}

fn append_result(out: &mut Vec<u8>, json: &[u8]) {
    let Ok(text) = std::str::from_utf8(json) else {
        return append_escaped_controls(out, &String::from_utf8_lossy(json));
    };
    let quoted = text
        .trim()
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if let Some(raw) = quoted {
        let plain = unescape(raw);
        if !plain.chars().any(is_control) {
            out.extend_from_slice(plain.as_bytes());
            return;
        }
    }
    append_escaped_controls(out, text);
}

fn append_blob(out: &mut Vec<u8>, blob: &BlobRef<'_>, task_id: &TaskIdBytes) {
    out.push(b'[');
    append_u64(out, blob.bytes);
    out.extend_from_slice(b" bytes: ");
    append_result_url(out, task_id);
    out.push(b']');
}
