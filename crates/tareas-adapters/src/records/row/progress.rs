//! How far an import is, as the store that is filled keeps it.

use serde::{Deserialize, Serialize};
use tareas_engine::ports::{Mark, Progress};

/// A type of its own, so that a change in the engine cannot change what is stored.
#[derive(Debug, Serialize, Deserialize)]
struct StoredProgress {
    from: String,
    mark: Option<String>,
    tasks: u64,
}

/// Text for the place where the progress is kept.
pub(crate) fn progress_text(progress: &Progress) -> String {
    let stored = StoredProgress {
        from: progress.from.clone(),
        mark: progress.mark.as_ref().map(|mark| mark.0.clone()),
        tasks: progress.tasks,
    };
    serde_json::to_string(&stored).expect("texts and numbers are JSON")
}

/// Progress from its text.
pub(crate) fn progress(text: &str) -> Result<Progress, serde_json::Error> {
    let StoredProgress { from, mark, tasks } = serde_json::from_str(text)?;
    let mark = mark.map(Mark);
    Ok(Progress { from, mark, tasks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_comes_back() {
        for mark in [None, Some(Mark("7".to_owned()))] {
            let from = "sqlite:/\"ñ".to_owned();
            let tasks = 3;
            let before = Progress { from, mark, tasks };
            assert_eq!(progress(&progress_text(&before)).unwrap(), before);
        }
        assert!(progress("{}").is_err());
    }
}
