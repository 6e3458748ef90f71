//! The `Records` port: what tasks are.

mod memory;
pub mod sqlite;

pub use self::memory::MemoryRecords;
pub use self::sqlite::SqliteRecords;
