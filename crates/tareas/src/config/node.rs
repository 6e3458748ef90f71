//! What a worker node needs: stores and a queue that other processes share.

use tareas_protocol::Code;

use super::serve::ServeConfig;
use super::store::{BlobStore, HintQueue, RecordStore};
use crate::output::Failure;
use crate::text::Text;

impl ServeConfig {
    /// Whether other processes can have the same records.
    pub(crate) fn has_shared_records(&self) -> bool {
        !matches!(self.records, RecordStore::Memory | RecordStore::Sqlite(_))
    }

    /// Refuses what a worker node cannot work with: anything that only one process can use.
    pub(crate) fn check_node(&self) -> Result<(), Failure> {
        let wanted = [
            (
                matches!(self.queue, HintQueue::Memory),
                "queue",
                "amqp://USER:PASS@HOST:PORT/VHOST",
            ),
            (
                !self.has_shared_records(),
                "records",
                "postgres://USER:PASS@HOST:PORT/DB",
            ),
            (
                matches!(self.blobs, BlobStore::Folder(_)),
                "blobs",
                "s3://BUCKET/PREFIX?endpoint=http://HOST:PORT",
            ),
        ];
        for (is_private, key, url) in wanted {
            if is_private {
                let text = Text::NodeNeedsShared;
                let failure = Failure::new(
                    Code::InvalidConfiguration,
                    self.lang,
                    text,
                    &[("key", &key)],
                );
                let hint =
                    Text::NodeNeedsSharedHint.fill(self.lang, &[("key", &key), ("url", &url)]);
                return Err(failure.with_hint(hint));
            }
        }
        Ok(())
    }
}
