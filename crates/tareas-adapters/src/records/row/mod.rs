//! What the databases have in common in how they keep a task: the columns that its state decides
//! (`image`), and the small JSON texts of what differs from the defaults and of what went wrong
//! (`json`), and how far an import is (`progress`). Types of columns and the reading of rows belong to each database.

mod image;
mod json;
mod progress;

pub(crate) use self::image::{Image, blob_column, inline_column, options_column};
pub(crate) use self::json::{blob, failure, failure_text, options};
pub(super) use self::progress::{progress, progress_text};
