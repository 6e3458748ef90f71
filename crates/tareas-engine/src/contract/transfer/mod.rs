//! What every adapter of the `Export` and `Import` ports keeps.

mod given;
mod runs;
mod whole;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::runs::*;
pub use self::whole::*;
use super::records::Store;
use crate::ports::{Export, Import};

/// Records in places of their own, for one clause.
#[async_trait]
pub trait Places: Send + Sync {
    /// Opens new records in a new place.
    async fn records(&self) -> Arc<dyn Store>;
    /// Ends these records, and opens them to be read.
    async fn export(&self, records: Arc<dyn Store>) -> Box<dyn Export>;
    /// Opens a new place to be filled.
    async fn import(&self) -> Box<dyn Import>;
    /// Opens the place again that was opened to be filled last, after that was dropped.
    async fn import_again(&self) -> Box<dyn Import>;
    /// Opens that place to serve from it; nothing when that is refused.
    async fn serve(&self) -> Option<Arc<dyn Store>>;
    /// Whether the records that are open to be read can be served from meanwhile.
    async fn can_serve_what_is_read(&self) -> bool;

    /// Whether the service that it needs is not installed.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Whether a clause must be skipped.
pub fn is_absent(places: &dyn Places) -> bool {
    places.is_absent()
}

/// Every clause, as one test each.
#[macro_export]
macro_rules! transfer_contract {
    ($places:expr) => {
        $crate::clauses! { transfer, $places;
        every_task_is_read_once_wherever_the_marks_are,
        what_arrives_is_what_was_sent,
        what_has_arrived_goes_on_as_before,
        what_was_running_is_taken_back_after_the_next_start,
        order_in_line_arrives,
        a_leaf_arrives_once,
        an_import_is_gone_on_with,
        nobody_serves_before_all_has_arrived,
        nobody_serves_while_it_is_read,
        records_with_tasks_are_occupied,
        nothing_at_all_can_be_moved,
        }
    };
}
