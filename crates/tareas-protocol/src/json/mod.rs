//! JSON as the wire needs it: checked in one pass, never built into a tree.
//!
//! [`Scanner`] is the first thing that looks at any JSON text from outside. It refuses what
//! RFC 8259 refuses, nesting deeper than [`JSON_DEPTH_MAX`](crate::limits::JSON_DEPTH_MAX) and
//! more keys than [`JSON_KEYS_MAX`](crate::limits::JSON_KEYS_MAX), without recursion and without
//! allocation for what is nested. It also refuses a `\u` escape that is half a surrogate pair,
//! which no string can hold. Numbers stay text: nothing here goes through a float.
//!
//! What it hands out are spans of the text that was scanned; [`unescape`] turns the few strings
//! that need it into what they mean.

mod cursor;
mod scan;
mod text;
mod write;

pub use scan::{Flaw, FlawKind, Member, Object, Scanner, Span, ValueKind};
pub(crate) use text::is_control;
pub use text::unescape;
pub(crate) use write::append_escaped_controls;
pub use write::{append_i64, append_on_one_line, append_string, append_u64};
