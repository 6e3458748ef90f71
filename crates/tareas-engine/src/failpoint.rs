//! Failpoints: named places where a test makes the process die, fail or wait.
//!
//! Off unless the crate is built with the feature `failpoints`; then the functions below are
//! empty and cost nothing. With it, `TAREAS_FAILPOINT` (or `arm`) says what happens where:
//!
//! ```text
//! TAREAS_FAILPOINT=name:count[:abort|error_full|error_io|sleep_MS][,…]
//! ```
//!
//! The action is taken at the `count`-th time that the place is passed, once; `sleep_MS` from
//! that time on at every pass. Without an action the process aborts. A bare name (no count)
//! switches something on for good, as asked by [`is_on`]: the controls of the kill test, which
//! show that the test would notice a broken promise.

/// What a failpoint asks the code around it to fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injected {
    /// As if the disk were full.
    Full,
    /// As if the disk had reported an error.
    Io,
}

/// Passes the place called `name`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_name: &str) -> Option<Injected> {
    None
}

/// Whether the control called `name` is switched on.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn is_on(_name: &str) -> bool {
    false
}

#[cfg(feature = "failpoints")]
pub use armed::{arm, hit, is_on};

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    use super::Injected;

    #[derive(Clone, Copy, Debug)]
    enum Action {
        Abort,
        Fail(Injected),
        Sleep(Duration),
        Switch,
    }

    #[derive(Debug)]
    struct Point {
        name: String,
        passes_left: u64,
        action: Action,
    }

    static POINTS: LazyLock<Mutex<Vec<Point>>> = LazyLock::new(|| {
        let text = std::env::var("TAREAS_FAILPOINT").unwrap_or_default();
        Mutex::new(parse(&text))
    });

    fn points() -> MutexGuard<'static, Vec<Point>> {
        POINTS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Arms these failpoints in place of those that were armed before; the text is that of
    /// `TAREAS_FAILPOINT`.
    pub fn arm(text: &str) {
        *points() = parse(text);
    }

    /// Passes the place called `name`: dies, waits, or says what to fail with.
    pub fn hit(name: &str) -> Option<Injected> {
        match due(name)? {
            Action::Abort => std::process::abort(),
            Action::Fail(injected) => Some(injected),
            Action::Sleep(duration) => {
                std::thread::sleep(duration);
                None
            }
            Action::Switch => None,
        }
    }

    /// Whether the control called `name` is switched on.
    pub fn is_on(name: &str) -> bool {
        points()
            .iter()
            .any(|point| point.name == name && matches!(point.action, Action::Switch))
    }

    /// Counts one pass of every point of that name; the action of the first that is due.
    fn due(name: &str) -> Option<Action> {
        let mut due = None;
        for point in points().iter_mut().filter(|point| point.name == name) {
            point.passes_left = point.passes_left.saturating_sub(1);
            if point.passes_left == 0 && due.is_none() {
                due = Some(point.action);
                if !matches!(point.action, Action::Sleep(_)) {
                    point.passes_left = u64::MAX;
                }
            }
        }
        due
    }

    fn parse(text: &str) -> Vec<Point> {
        let points = text.split(',').filter(|point| !point.is_empty());
        points
            .map(|point| parse_point(point).unwrap_or_else(|| refuse(point)))
            .collect()
    }

    fn parse_point(text: &str) -> Option<Point> {
        let mut parts = text.split(':');
        let name = parts.next()?.to_owned();
        let Some(count) = parts.next() else {
            return Some(Point {
                name,
                passes_left: u64::MAX,
                action: Action::Switch,
            });
        };
        let action = match parts.next() {
            None | Some("abort") => Action::Abort,
            Some("error_full") => Action::Fail(Injected::Full),
            Some("error_io") => Action::Fail(Injected::Io),
            Some(other) => {
                let millis = other.strip_prefix("sleep_")?.parse().ok()?;
                Action::Sleep(Duration::from_millis(millis))
            }
        };
        Some(Point {
            name,
            passes_left: count.parse().ok().filter(|n| *n > 0)?,
            action,
        })
    }

    /// A misspelt failpoint would make a test pass for nothing.
    fn refuse(point: &str) -> ! {
        panic!("not a failpoint: {point:?}; write name:count[:action] or a bare name");
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_action_is_taken_once_at_its_pass() {
            arm("here:2:error_full,here:3:error_io,there");
            let seen: Vec<_> = (0..5).map(|_| hit("here")).collect();
            assert_eq!(
                seen,
                [None, Some(Injected::Full), Some(Injected::Io), None, None]
            );
            assert!(is_on("there") && !is_on("here"));
        }
    }
}
