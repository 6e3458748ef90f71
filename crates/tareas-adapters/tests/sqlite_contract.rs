//! The contract of `Records` and `Settings` on the SQLite store: with room for everything in
//! memory, with room for three tasks, and across orderly and disorderly ends.

mod sqlite_support;

use sqlite_support::{Death, Lives};

const ROOMY: usize = 50_000;
const TIGHT: usize = 3;

mod roomy {
    tareas_engine::records_contract!(super::Lives::new(super::Death::Closed, super::ROOMY));
}

mod tight {
    tareas_engine::records_contract!(super::Lives::new(super::Death::Closed, super::TIGHT));
}

mod closed {
    tareas_engine::records_restart_contract!(super::Lives::new(super::Death::Closed, super::ROOMY));
}

/// After a kill attempt numbers leave gaps, so histories no longer equal those of the oracle.
macro_rules! killed_contract {
    ($fresh:expr) => {
        tareas_engine::clauses! { records, $fresh;
        what_was_durable_is_there_after_a_restart,
        identities_are_known_after_a_restart,
        lines_keep_their_order_across_a_restart,
        an_attempt_number_is_never_given_twice,
        a_batch_applied_again_after_a_restart_changes_nothing,
        what_an_operator_has_set_survives_a_restart,
        sessions_that_were_not_closed_are_lost,
        kinds_that_were_announced_stay_known,
        }
    };
}

mod killed {
    killed_contract!(super::Lives::new(super::Death::Killed, super::ROOMY));
}

mod killed_tight {
    killed_contract!(super::Lives::new(super::Death::Killed, super::TIGHT));
}
