//! What may be asked of the engine: a verb a file.

mod cancel;
mod delete;
mod many;
mod pause;
mod publish;
mod requeue;
mod submit;
mod trace;
mod wait;

pub(crate) use cancel::CancelDeadlines;
pub(crate) use many::Acted;
pub use submit::{Accepted, PAYLOAD_BYTES_MAX, Submitted};
pub use wait::Waited;
