//! The rows, one file per hundred.

mod access;
mod backend;
mod bug;
mod capacity;
mod configuration;
mod connection;
mod outcome;
mod protocol;
mod request;

use super::{Code, Entry};

static GROUPS: [&[Entry]; 9] = [
    connection::ENTRIES,
    access::ENTRIES,
    request::ENTRIES,
    capacity::ENTRIES,
    backend::ENTRIES,
    configuration::ENTRIES,
    protocol::ENTRIES,
    outcome::ENTRIES,
    bug::ENTRIES,
];

/// The row of a code. That each has one is tested.
pub(super) fn entry(code: Code) -> &'static Entry {
    let hundred = code.number() / 100;
    GROUPS
        .iter()
        .filter(|group| {
            group
                .first()
                .is_some_and(|entry| entry.code.number() / 100 == hundred)
        })
        .find_map(|group| group.iter().find(|entry| entry.code == code))
        .expect("every code has a row")
}
