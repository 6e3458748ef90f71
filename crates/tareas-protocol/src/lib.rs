//! What goes over a wire: frames, requests, answers, error codes.
//!
//! No sockets, no clock, no knowledge of the engine. Server and client share this crate, so
//! each shape is written down once:
//!
//! - [`frame`] cuts a stream into lines, [`json`] checks them before anything else looks,
//! - [`request`] says what a line asks for, [`response`] writes and reads what is said back,
//! - [`code`] is the one table of error codes, [`error`] the object that carries one,
//! - [`base64`] is how bytes travel in it,
//! - [`proxy`] reads the header of balancers, [`trace`] the one of tracing systems,
//! - [`limits`] names every bound.
//!
//! The types here belong to the wire and to nothing else. Converting them to and from the types
//! of the core is up to the faces. `docs/protocol.md` describes the wire in prose.

pub mod base64;
pub mod code;
pub mod error;
pub mod frame;
pub mod id;
pub mod json;
pub mod lang;
pub mod lease;
pub mod limits;
pub mod nearest;
pub mod proxy;
pub mod request;
pub mod response;
pub mod time;
pub mod trace;

pub use code::Code;
pub use error::ErrorObject;
pub use id::TaskIdBytes;
pub use lang::Lang;
pub use lease::LeaseBytes;
pub use trace::TraceParent;
