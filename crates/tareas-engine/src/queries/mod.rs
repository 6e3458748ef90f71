//! What may be asked of the engine without changing anything.

mod look;
mod page;
mod why;

pub use page::{DETAIL_TASKS_MAX, TASKS_PER_PAGE_MAX};
pub use why::{Why, WhyCode};
