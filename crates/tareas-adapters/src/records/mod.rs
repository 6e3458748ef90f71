//! The `Records` port: what tasks are.

mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
pub(crate) mod row;
pub mod sqlite;

pub use self::memory::MemoryRecords;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresRecords;
pub use self::sqlite::SqliteRecords;
