//! Ctrl-C while a task is waited for: stops the waiting, not the client and not the task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether Ctrl-C was pressed since it was last asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    pressed: Arc<AtomicBool>,
}

impl Interrupt {
    /// Takes Ctrl-C over from the system, which would end the process. When that is not
    /// possible, Ctrl-C goes on ending it.
    pub(super) fn take_over() -> Self {
        let interrupt = Self::default();
        let pressed = Arc::clone(&interrupt.pressed);
        let listen = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                while tokio::signal::ctrl_c().await.is_ok() {
                    pressed.store(true, Ordering::SeqCst);
                }
            });
        };
        // Without the thread everything else works as before.
        let _ = std::thread::Builder::new()
            .name("tareas-interrupt".to_owned())
            .spawn(listen);
        interrupt
    }

    /// Whether it was pressed; forgets it.
    pub(super) fn was_pressed(&self) -> bool {
        self.pressed.swap(false, Ordering::SeqCst)
    }
}
