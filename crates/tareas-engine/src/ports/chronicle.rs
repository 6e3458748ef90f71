//! The `Chronicle` port: where the history of a process is kept between its lives.

use async_trait::async_trait;

use super::BoxError;

/// Keeps one text of bytes, whole: whoever reads it gets what was written last or before that,
/// never a part. Losing it loses charts, and nothing else.
#[async_trait]
pub trait Chronicle: std::fmt::Debug + Send + Sync + 'static {
    /// What was kept last; `None` when nothing was.
    async fn read(&self) -> Result<Option<Vec<u8>>, BoxError>;

    /// Keeps these bytes instead.
    async fn write(&self, bytes: Vec<u8>) -> Result<(), BoxError>;
}
