//! What only this store decides about its columns: where a payload goes.

use tareas_core::Task;

use super::inline_column;

/// Larger payloads of tasks that have not ended get a row of their own: an UPDATE that changes
/// the size of a row rewrites all of it.
pub(crate) const PAYLOAD_IN_ROW_MAX: usize = 2 * 1024;

/// The payload, when it belongs into the table `payloads` and not into the row.
pub(crate) fn payload_apart(task: &Task) -> Option<&[u8]> {
    let text = inline_column(&task.spec.payload)?;
    (!task.state.is_terminal() && text.len() > PAYLOAD_IN_ROW_MAX).then_some(text)
}
