//! Random histories of a ledger and its disk, and what holds after every step of all of them.
//!
//! The disk is simulated: it takes cuts of any size as the writer of a store does, checks the
//! version under every update, and is where evicted tasks are read again. Invariants I1 to I12
//! are those of the project's description of its semantics, as far as one store can show them.

mod given;
mod world;

use proptest::prelude::*;
use world::{Step, World};

/// One step of a history, as numbers that [`World::take`] gives a meaning to.
fn step() -> impl Strategy<Value = Step> {
    (any::<u8>(), any::<u8>(), any::<u32>()).prop_map(|(what, whom, chance)| Step {
        what,
        whom,
        chance,
    })
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..120)
}

fn check(mut world: World, history: Vec<Step>) {
    for step in history {
        world.take(step);
        world.check();
    }
    world.flush();
    world.check_disk();
}

proptest! {
    // `PROPTEST_CASES` says how many histories are tried; 256 if not said.
    #[test]
    fn nothing_that_may_happen_breaks_an_invariant(history in history()) {
        check(World::new(usize::MAX), history);
    }

    #[test]
    fn nor_when_tasks_leave_memory_as_soon_as_they_can(history in history()) {
        check(World::new(3), history);
    }

    #[test]
    fn a_small_memory_decides_as_a_large_one(history in history()) {
        let (mut small, mut large) = (World::new(3), World::new(usize::MAX));
        for step in history {
            let (one, other) = (small.take(step), large.take(step));
            prop_assert_eq!(one, other, "at {:?}", step);
        }
    }
}
