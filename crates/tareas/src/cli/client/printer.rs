//! Where the client's lines go: stdout, or above the prompt while somebody types.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use rustyline::ExternalPrinter;

/// Prints lines without breaking the one that is being typed. Clones print to the same place.
#[derive(Clone, Default)]
pub(super) struct Printer {
    above: Arc<Mutex<Option<Box<dyn ExternalPrinter + Send>>>>,
}

impl Printer {
    /// From now on lines go above the prompt.
    pub(super) fn print_above(&self, printer: Box<dyn ExternalPrinter + Send>) {
        *self.above.lock().unwrap_or_else(PoisonError::into_inner) = Some(printer);
    }

    /// Prints one line while a prompt may be open.
    pub(super) fn line(&self, line: &str) {
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        let is_printed = match above.as_mut() {
            Some(printer) => printer.print(format!("{line}\n")).is_ok(),
            None => false,
        };
        if !is_printed {
            self.plain(line);
        }
    }

    /// Prints one line while no prompt is open.
    pub(super) fn plain(&self, line: &str) {
        let mut stdout = std::io::stdout().lock();
        if writeln!(stdout, "{line}")
            .and_then(|()| stdout.flush())
            .is_err()
        {
            // Nobody reads any more; what was submitted goes on.
            std::process::exit(0);
        }
    }
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer").finish_non_exhaustive()
    }
}
