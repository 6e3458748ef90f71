//! The ports: what the engine needs from the outside, in its own words.
//!
//! | port | owns |
//! |---|---|
//! | [`Queue`] | who is *told* that a task is ready: hints, which may be lost or doubled |
//! | [`Records`] | what a task *is*: the only truth |
//! | [`Settings`] | what an operator has set, and who was there: paused queues, sessions, kinds |
//! | [`Blobs`] | bytes that are too large for a record |
//! | [`AccessRecords`] | who may do what, and who did what |
//! | [`WebhookRecords`] | who is told of ended tasks, and what was told |
//! | [`Egress`] | the way out to addresses that others have chosen |
//! | [`Clock`] | what time it is |
//! | [`Chronicle`] | the history of a process, between its lives |
//! | [`Members`], [`News`] | which processes share the records, and what they tell each other |
//! | [`Door`] | submissions that clients leave in a queue of their own |
//! | [`Tracer`] | the spans of traces that go across programs |
//! | [`Export`], [`Import`] | records that nobody serves, read or filled as a whole |
//!
//! Domain types only, no driver's types, nothing optional. Each port has a contract suite in
//! [`crate::contract`], which every adapter runs whole.

mod access;
mod blobs;
mod chronicle;
mod clock;
mod door;
mod error;
mod members;
mod news;
mod queue;
mod records;
mod report;
mod tracer;
mod transfer;
mod webhooks;

pub use access::AccessRecords;
pub use blobs::{BlobKey, Blobs};
pub use chronicle::Chronicle;
pub use clock::{Clock, SystemClock, TestClock};
pub use door::{Door, Letter, LetterReceipt, Reason, ReplyAddress};
pub use error::{ApplyError, BoxError, PortError, Stopped};
pub use members::{MemberId, Members, Missing, Offer};
pub use news::{Ended, News};
pub use queue::{Delivery, Queue, QueueDepth, Receipt, Spilled};
pub use records::{Counts, Page, PageCursor, Records, Settings, StoredSession, TaskQuery};
pub use report::{Identity, MemberPresence, MemberReport, MemberRole, MemberView, RunningReport};
pub use tracer::{Sent, Tracer};
pub use transfer::{
    Beside, Export, Import, LEAF_BYTES_MAX, LEAF_TASKS_MAX, Leaf, Mark, Progress, Standing,
    WholeTask,
};
pub use webhooks::{
    Answered, Egress, EgressFault, Letter as WebhookLetter, Mark as EndMark, WebhookRecords,
};
