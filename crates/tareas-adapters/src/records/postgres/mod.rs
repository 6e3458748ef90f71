//! x
pub struct PostgresRecords;
