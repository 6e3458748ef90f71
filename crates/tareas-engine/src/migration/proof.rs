//! The proof: both sides are read as a whole, and must be the same.

use futures_util::future::join;
use tareas_core::{Phase, SessionId};

use super::{Fingerprint, MigrationError, Report, Step, Watch, blobs};
use crate::ports::{Beside, Blobs, Counts, Export, PortError};

/// Records that were read as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Tasks by queue and phase, counted one by one.
    pub counts: Counts,
    /// Attempts that did not succeed.
    pub attempts: u64,
    /// Tasks with an idempotency key.
    pub keys: u64,
    /// Blobs that tasks refer to.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Of all tasks with their attempts.
    pub fingerprint: Fingerprint,
    /// What is beside them.
    pub beside: Beside,
}

impl Whole {
    /// Tasks in all.
    pub fn tasks(&self) -> u64 {
        self.counts.values().flatten().sum()
    }

    /// Tasks by phase.
    pub fn phases(&self) -> [u64; Phase::ALL.len()] {
        let mut sums = [0; Phase::ALL.len()];
        for counts in self.counts.values() {
            sums.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
        }
        sums
    }
}

/// One side of a proof.
#[derive(Debug)]
pub struct Side<'a> {
    /// Its records.
    pub records: &'a mut dyn Export,
    /// Its blobs: each that is referred to is read and compared with what was recorded of it.
    /// Nothing to believe the records.
    pub blobs: Option<&'a dyn Blobs>,
}

/// Reads everything of one side.
///
/// # Errors
/// When a store fails, or a blob is not what was recorded of it.
pub async fn survey(side: Side<'_>, mut tell: impl FnMut(&Whole)) -> Result<Whole, MigrationError> {
    let Side { records, blobs } = side;
    let mut whole = Whole::default();
    let mut mark = None;
    while let Some(leaf) = records.leaf(mark.as_ref()).await.map_err(read)? {
        let amount = match blobs {
            Some(blobs) => blobs::check(&leaf.tasks, blobs).await?,
            None => blobs::referred(&leaf.tasks),
        };
        whole.blobs += amount.blobs;
        whole.blob_bytes += amount.bytes;
        for task in &leaf.tasks {
            let spec = &task.task.spec;
            let counts = whole.counts.entry(spec.queue.clone()).or_default();
            counts[task.task.phase() as usize] += 1;
            whole.attempts += task.attempts.len() as u64;
            whole.keys += u64::from(spec.options().idempotency_key.is_some());
            whole.fingerprint.add(task);
        }
        tell(&whole);
        mark = Some(leaf.mark);
    }
    whole.beside = records.beside().await.map_err(read)?;
    Ok(whole)
}

fn read(error: PortError) -> MigrationError {
    MigrationError::Read(error)
}

/// Proves that what arrived is what was sent: the same tasks with the same attempts, the same
/// counts, also as the target maintains them, the same settings, and every blob with the bytes
/// that were recorded. Returns what is there.
///
/// # Errors
/// [`MigrationError::Differs`] says what the first difference is.
pub async fn prove(
    sent: Side<'_>,
    arrived: Side<'_>,
    watch: &dyn Watch,
) -> Result<Whole, MigrationError> {
    let counts = sent.records.counts().await.map_err(read)?;
    let of = counts.values().flatten().sum();
    let told = |whole: &Whole| {
        watch.report(Report {
            step: Step::Prove,
            tasks: whole.tasks(),
            of,
            blob_bytes: whole.blob_bytes,
        });
    };
    let Side { records, blobs } = arrived;
    let again = Side {
        records: &mut *records,
        blobs,
    };
    let (sent, arrived) = join(survey(sent, |_| {}), survey(again, told)).await;
    let (sent, arrived) = (sent?, arrived?);
    let maintained = records.counts().await.map_err(MigrationError::Write)?;
    match difference(&sent, &arrived, maintained) {
        None => Ok(arrived),
        Some(what) => Err(MigrationError::Differs {
            what,
            sent: Box::new(sent),
            arrived: Box::new(arrived),
        }),
    }
}

/// The first difference, in words.
fn difference(sent: &Whole, arrived: &Whole, maintained: Counts) -> Option<String> {
    let (before, after) = (sent.phases(), arrived.phases());
    for phase in Phase::ALL {
        let (before, after) = (before[phase as usize], after[phase as usize]);
        if before != after {
            return Some(format!("{} {before} → {after}", phase.name()));
        }
    }
    let numbers = [
        ("attempts", sent.attempts, arrived.attempts),
        ("idempotency keys", sent.keys, arrived.keys),
        ("blobs", sent.blobs, arrived.blobs),
        ("bytes of blobs", sent.blob_bytes, arrived.blob_bytes),
    ];
    let other = numbers
        .into_iter()
        .find(|(_, before, after)| before != after);
    if let Some((what, before, after)) = other {
        return Some(format!("{what} {before} → {after}"));
    }
    if sent.fingerprint != arrived.fingerprint {
        let (before, after) = (sent.fingerprint, arrived.fingerprint);
        return Some(format!("fingerprint {before} → {after}"));
    }
    if sent.counts != arrived.counts {
        return Some("tasks per queue".to_owned());
    }
    if filled(maintained) != filled(arrived.counts.clone()) {
        return Some("the counts that the target maintains".to_owned());
    }
    (!are_same(&sent.beside, &arrived.beside)).then(|| "queues, kinds, sessions".to_owned())
}

/// Without queues in which there is nothing.
fn filled(mut counts: Counts) -> Counts {
    counts.retain(|_, phases| phases.iter().any(|n| *n > 0));
    counts
}

/// Whether what is beside tasks is the same. A worker's right to go on with its session may end
/// with a migration, so that is left out.
fn are_same(sent: &Beside, arrived: &Beside) -> bool {
    let slots = |beside: &Beside| -> Vec<(SessionId, u16)> {
        let sessions = beside.sessions.iter();
        sessions.map(|held| (held.id, held.slots)).collect()
    };
    sent.queues == arrived.queues && sent.kinds == arrived.kinds && slots(sent) == slots(arrived)
}
