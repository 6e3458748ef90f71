//! What the disk costs: how long it takes to put 4 KiB on it for sure.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Histogram;

const WRITES: usize = 200;
const BLOCK: [u8; 4096] = [0x5A; 4096];
const TIME_MAX: Duration = Duration::from_secs(2);

/// Measures `fdatasync` after appending 4 KiB; `None` when the folder cannot be written.
pub(super) fn measure(folder: &Path) -> Option<Histogram> {
    let mut file = tempfile::tempfile_in(folder).ok()?;
    let mut histogram = Histogram::default();
    let began = Instant::now();
    for _ in 0..WRITES {
        file.write_all(&BLOCK).ok()?;
        let before = Instant::now();
        file.sync_data().ok()?;
        histogram.add(before.elapsed());
        if began.elapsed() > TIME_MAX {
            break;
        }
    }
    Some(histogram)
}
