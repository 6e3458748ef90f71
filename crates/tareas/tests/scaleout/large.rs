//! Tasks whose results go to the bucket, a few at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::client::fresh_id;
use super::server::{ask, status};

/// Bytes of a result: above those that are kept in the row.
const RESULT_BYTES: u32 = 70_000;
/// Between two submissions.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Large {
    port: u16,
    stop: Arc<AtomicBool>,
    submitting: JoinHandle<Vec<String>>,
}

impl Large {
    pub(crate) fn start(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let submitting = std::thread::spawn(move || {
            let mut chance = Chance::new(u64::from(port));
            let mut ids = Vec::new();
            while !is_over.load(Ordering::SeqCst) {
                let id = fresh_id(&mut chance);
                let told = ask(
                    port,
                    &format!(
                        "{{\"cmd\":\"submit\",\"task_id\":\"{id}\",\"kind\":\"text\",\
                         \"payload\":{{\"bytes\":{RESULT_BYTES}}}}}\n"
                    ),
                );
                assert!(told.contains("queued"), "{told}");
                ids.push(id);
                std::thread::sleep(PAUSE);
            }
            ids
        });
        Self {
            port,
            stop,
            submitting,
        }
    }

    /// Submits no more; how many there were, all of which succeed.
    pub(crate) fn all_succeed_within(self, limit: Duration) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        let ids = self.submitting.join().unwrap();
        let until = Instant::now() + limit;
        for id in &ids {
            while status(self.port, id) != "succeeded" {
                let now = status(self.port, id);
                assert!(Instant::now() < until, "{id} is still {now}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        ids.len()
    }
}
