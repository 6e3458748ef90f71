//! What tests with RabbitMQ share.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The URL with a prefix that no other test uses.
pub(crate) fn fresh_url(url: &str) -> String {
    let chance = RandomState::new().build_hasher().finish();
    format!("{url}?prefix=t{chance:016x}")
}
