//! What hurts users of other task systems, as far as handlers and workers are concerned, and the
//! tests which show that it does not happen here. This one only looks that they are there.

use std::path::Path;

/// A pain, and tests against it: the file, and the name of a function in it.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

const PAINS: &[Row] = &[
    (
        "01 a killed worker loses its task",
        &[
            (
                "tareas/tests/remote/main.rs",
                "the_task_of_a_killed_worker_runs_elsewhere_within_seconds",
            ),
            (
                "tareas/tests/scaleout/main.rs",
                "nothing_is_lost_when_a_node_is_killed",
            ),
        ],
    ),
    (
        "02 a task that outlasts a time-out of the queue runs again",
        &[(
            "tareas/tests/remote/main.rs",
            "a_task_that_takes_longer_than_every_lease_runs_once",
        )],
    ),
    (
        "03 RabbitMQ's consumer_timeout closes the channel under a long task",
        &[(
            "tareas/tests/scaleout/remote.rs",
            "workers_get_the_tasks_of_every_server",
        )],
    ),
    (
        "04 delayed tasks fill the memory of workers",
        &[(
            "tareas/tests/remote/main.rs",
            "what_is_due_later_waits_at_the_server_and_not_at_a_worker",
        )],
    ),
    (
        "05 one worker hoards while others are idle",
        &[
            (
                "tareas/tests/remote/main.rs",
                "two_workers_share_what_there_is",
            ),
            (
                "tareas-engine/tests/scenarios/remote.rs",
                "a_worker_holds_no_more_than_it_can_begin_soon",
            ),
        ],
    ),
    (
        "06 a worker takes nothing any more after a lost connection",
        &[
            (
                "tareas/tests/remote/main.rs",
                "what_a_stalled_worker_held_is_taken_back_and_its_late_result_is_not_recorded",
            ),
            (
                "tareas/tests/remote/partitions.rs",
                "a_broken_connection_that_is_made_again_runs_nothing_again",
            ),
        ],
    ),
    (
        "07 workers that live long leak memory",
        &[
            (
                "tareas/tests/commands/persistent.rs",
                "a_process_is_recycled_after_so_many_tasks_or_so_much_memory",
            ),
            (
                "tareas-engine/src/notes.rs",
                "output_has_a_bound_of_its_own_and_all_notes_have_one",
            ),
        ],
    ),
    (
        "08 what runs cannot be cancelled from outside",
        &[
            (
                "tareas/tests/remote/main.rs",
                "a_running_task_is_cancelled_where_it_runs",
            ),
            (
                "tareas/tests/commands/ends.rs",
                "a_cancel_ends_the_whole_tree",
            ),
        ],
    ),
    (
        "09 a cancelled task gets no final state",
        &[
            (
                "tareas-engine/tests/scenarios/main.rs",
                "a_running_task_is_asked_to_stop_and_given_up_on_after_the_grace",
            ),
            (
                "tareas-core/tests/lifecycle.rs",
                "a_task_that_was_asked_to_stop_ends_however_its_attempt_does",
            ),
        ],
    ),
    (
        "10 it takes long to notice a crash",
        &[
            (
                "tareas/tests/remote/main.rs",
                "the_task_of_a_killed_worker_runs_elsewhere_within_seconds",
            ),
            (
                "tareas/tests/remote/partitions.rs",
                "what_a_cut_off_worker_ran_runs_elsewhere_and_its_late_result_is_refused",
            ),
        ],
    ),
    (
        "11 a task is rescued from a worker that lives",
        &[
            (
                "tareas/tests/remote/partitions.rs",
                "a_worker_that_is_cut_off_for_a_moment_goes_on_and_nothing_is_run_again",
            ),
            (
                "tareas/tests/remote/main.rs",
                "a_worker_goes_on_with_its_task_across_a_restart_of_the_server",
            ),
        ],
    ),
    (
        "12 a task runs for ever in the books, and processes stay as zombies",
        &[
            (
                "tareas-engine/tests/scenarios/remote.rs",
                "an_attempt_that_is_not_reported_in_time_is_ended_by_the_server",
            ),
            (
                "tareas/tests/commands/ends.rs",
                "the_death_of_the_server_ends_the_whole_tree",
            ),
        ],
    ),
    (
        "13 what follows a fan of tasks never comes, or comes twice",
        &[(
            "tareas/tests/remote/main.rs",
            "what_follows_a_fan_comes_once_though_a_worker_dies_in_it",
        )],
    ),
    (
        "14 no limit to what runs of one kind at once",
        &[(
            "tareas/tests/commands/ends.rs",
            "the_limit_of_running_processes_is_kept_and_the_others_wait",
        )],
    ),
    (
        "15 results cannot be had without polling",
        &[
            ("tareas/tests/handlers/main.rs", "a_worker_in_python"),
            (
                "tareas/tests/commands/logs.rs",
                "a_line_follows_a_task_and_comes_back_to_where_it_was",
            ),
            (
                "tareas/tests/commands/logs.rs",
                "the_output_of_a_program_is_followed_while_it_runs",
            ),
        ],
    ),
];

#[test]
fn every_pain_has_its_tests() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (pain, tests) in PAINS {
        for (file, name) in *tests {
            let text = std::fs::read_to_string(crates.join(file)).unwrap_or_default();
            assert!(
                text.contains(&format!("fn {name}()")),
                "{pain}: {file} has no {name}"
            );
        }
    }
}
