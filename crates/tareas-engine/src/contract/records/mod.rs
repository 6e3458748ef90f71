//! What every adapter of the `Records` and `Settings` ports keeps.

mod attempts;
mod durability;
pub(super) mod given;
mod identity;
mod oracle;
mod order;
mod restart;
mod sweeps;
mod versions;
mod views;

pub use self::attempts::*;
pub use self::durability::*;
pub use self::identity::*;
pub use self::oracle::*;
pub use self::order::*;
pub use self::restart::*;
pub use self::sweeps::*;
pub use self::versions::*;
pub use self::views::*;
use super::Fresh;
use crate::ports::{Records, Settings};

/// Both ports: one adapter type implements them.
pub trait Store: Records + Settings {}

impl<T: Records + Settings> Store for T {}

/// A database, or the like, for one clause.
pub type FreshRecords = dyn Fresh<dyn Store>;

/// Whether a clause must be skipped: see [`Fresh::is_absent`].
pub fn is_absent(fresh: &FreshRecords) -> bool {
    fresh.is_absent()
}

/// Every clause of the `Records` contract, as one test each.
#[macro_export]
macro_rules! records_contract {
    ($fresh:expr) => {
        $crate::clauses! { records, $fresh;
        a_submission_is_queued_or_scheduled,
        one_id_is_one_task,
        one_key_is_one_task_in_all_queues,
        a_key_that_nobody_has_may_be_used,
        an_id_from_another_time_is_refused,
        what_was_asked_comes_back_as_it_was,
        payloads_and_results_of_64_kib_come_back,
        references_to_blobs_come_back,
        one_of_eight_claims_wins,
        a_claim_that_is_out_of_date_is_refused,
        both_halves_of_the_fence_are_needed,
        a_completion_is_recorded_once,
        a_failed_task_is_tried_again_and_then_fails,
        a_task_that_runs_is_asked_to_stop,
        a_finished_task_changes_by_requeue_and_removal_only,
        a_requeue_keeps_the_attempt_number,
        attempts_that_did_not_succeed_are_kept_in_order,
        a_deleted_task_is_gone_at_once,
        what_has_changed_since_it_was_seen_is_left_alone,
        what_does_not_exist_is_not_found,
        a_line_is_in_the_order_of_acceptance,
        a_released_task_keeps_its_place,
        a_requeued_task_goes_to_the_end_of_the_line,
        claim_next_goes_by_priority_then_place,
        claim_next_claims_no_more_than_there_are_tokens,
        claim_next_leaves_suspects_to_their_lane,
        claim_next_passes_over_other_kinds,
        claim_next_passes_over_other_labels,
        claim_next_ends_what_has_expired,
        a_paused_queue_is_not_claimed,
        due_tasks_are_queued_in_order_of_time_then_id,
        what_was_not_started_in_time_expires,
        of_a_lost_session_only_the_oldest_claims_are_charged,
        a_task_is_pruned_after_its_retention_with_all_that_belongs_to_it,
        a_sweep_that_finds_nothing_changes_nothing,
        load_and_ready_see_what_apply_returned,
        a_page_shows_the_newest_first,
        a_page_is_filtered,
        a_page_finds_what_its_filter_means,
        a_page_may_be_cut_after_any_task,
        pages_are_complete_and_without_duplicates_while_tasks_come_in,
        counts_follow_every_phase,
        a_decision_becomes_durable,
        durable_never_goes_back,
        waiting_for_durability_ends_with_the_next_decision,
        a_refusal_changes_nothing,
        a_batch_applied_twice_is_applied_once,
        commands_of_a_batch_are_decided_in_order,
        random_batches_are_decided_as_the_oracle_decides_them,
        random_batches_at_once_leave_what_the_counts_say,
        }
    };
}

/// What holds across restarts, for adapters that survive them.
#[macro_export]
macro_rules! records_restart_contract {
    ($fresh:expr) => {
        $crate::clauses! { records, $fresh;
        what_was_durable_is_there_after_a_restart,
        identities_are_known_after_a_restart,
        lines_keep_their_order_across_a_restart,
        an_attempt_number_is_never_given_twice,
        a_batch_applied_again_after_a_restart_changes_nothing,
        what_an_operator_has_set_survives_a_restart,
        sessions_that_were_not_closed_are_lost,
        kinds_that_were_announced_stay_known,
        random_histories_with_restarts_equal_the_oracle,
        }
    };
}
