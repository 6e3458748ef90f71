//! A shared value that may be exchanged while threads use it.
//!
//! A thread keeps the one it has for as long as it likes, and sees with one atomic load whether
//! there is a newer one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The place of the value.
#[derive(Debug)]
pub(super) struct Exchange<T> {
    current: Mutex<Arc<T>>,
    version: AtomicU64,
}

/// A thread's own hold of the value.
#[derive(Debug)]
pub(super) struct Held<T> {
    value: Arc<T>,
    version: u64,
}

impl<T> Exchange<T> {
    pub(super) fn new(value: Arc<T>) -> Self {
        Self {
            current: Mutex::new(value),
            version: AtomicU64::new(0),
        }
    }

    /// Puts another value in its place.
    pub(super) fn replace(&self, value: Arc<T>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = value;
        self.version.fetch_add(1, Ordering::Release);
    }

    /// The value of now, to be kept.
    pub(super) fn hold(&self) -> Held<T> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Held {
            value: Arc::clone(&current),
            version: self.version.load(Ordering::Acquire),
        }
    }
}

impl<T> Held<T> {
    /// The newest value.
    pub(super) fn newest(&mut self, of: &Exchange<T>) -> &T {
        if self.version != of.version.load(Ordering::Acquire) {
            *self = of.hold();
        }
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_sees_the_newest() {
        let exchange = Exchange::new(Arc::new(1));
        let mut held = exchange.hold();
        assert_eq!(*held.newest(&exchange), 1);
        exchange.replace(Arc::new(2));
        assert_eq!(*held.newest(&exchange), 2);
    }
}
