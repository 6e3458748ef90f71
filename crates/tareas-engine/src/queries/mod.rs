//! What may be asked of the engine without changing anything.

mod look;
mod why;

pub use look::TASKS_PER_PAGE_MAX;
pub use why::{Why, WhyCode};
