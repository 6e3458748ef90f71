//! What must be true of a server before tasks are entrusted to it.

use std::time::Duration;

use tareas_core::Timestamp;
use tareas_engine::ports::{Clock, SystemClock};

use super::fault::{During, OpenError};
use super::instant::Instant;
use super::link::Link;
use super::options::PostgresOptions;

/// The oldest version that the schema and the plans are made for.
const VERSION_MIN: i32 = 15;
/// Clocks may differ by this much without a word.
const CLOCK_FINE: Duration = Duration::from_secs(1);
/// And by no more than this: ids and due times would be refused or late.
const CLOCK_MAX: Duration = Duration::from_secs(120);

const FACTS: &str = "SELECT current_setting('server_version_num')::int4, \
    pg_is_in_recovery(), current_setting('fsync') = 'on', \
    current_setting('full_page_writes') = 'on', \
    (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'), clock_timestamp()";

/// Refuses a server that cannot keep what it promises; returns what an operator should know.
pub(super) async fn check(
    link: &Link,
    options: &PostgresOptions,
) -> Result<Vec<String>, OpenError> {
    let asked = SystemClock.now();
    let facts = link.client().query_one(FACTS, &[]);
    let facts = facts.await.during("the checks at the start")?;
    let answered = SystemClock.now();
    let found = facts.get::<_, i32>(0) / 10_000;
    if found < VERSION_MIN {
        let needed = VERSION_MIN;
        return Err(OpenError::Version { found, needed });
    }
    if facts.get(1) {
        return Err(OpenError::Standby { at: options.at() });
    }
    let mut warnings = Vec::new();
    for (is_on, setting) in [(2, "fsync"), (3, "full_page_writes")] {
        if facts.get(is_on) {
            continue;
        }
        if !options.accept_unsafe {
            let setting = setting.to_owned();
            return Err(OpenError::Unsafe { setting });
        }
        warnings.push(format!("{setting} is off: acknowledged tasks can be lost"));
    }
    let default: &str = facts.get(4);
    if matches!(default, "off" | "local" | "remote_write") {
        warnings.push(format!(
            "synchronous_commit is {default} by default; tareas uses 'on'"
        ));
    }
    warnings.extend(clock(facts.get::<_, Instant>(5).into(), asked, answered)?);
    Ok(warnings)
}

/// Compares the clocks, as well as the way there and back allows.
fn clock(
    theirs: Timestamp,
    asked: Timestamp,
    answered: Timestamp,
) -> Result<Option<String>, OpenError> {
    let apart = theirs.since(answered).max(asked.since(theirs));
    if apart > CLOCK_MAX {
        let seconds = apart.as_secs();
        return Err(OpenError::Clock { seconds });
    }
    let millis = apart.as_millis();
    Ok((apart > CLOCK_FINE).then(|| format!("its clock differs from ours by {millis} ms")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_within_the_round_trip() {
        let at = Timestamp::from_millis;
        assert!(clock(at(5_500), at(5_000), at(6_000)).unwrap().is_none());
        assert!(clock(at(8_000), at(5_000), at(6_000)).unwrap().is_some());
        assert!(clock(at(3_000), at(5_000), at(6_000)).unwrap().is_some());
        assert!(clock(at(500_000), at(5_000), at(6_000)).is_err());
    }
}
