//! The history of a server: written down each second, kept in its data folder.

use std::sync::Arc;

use tareas_adapters::FileChronicle;
use tareas_engine::Engine;
use tareas_engine::services::{self, Historian, Supervisor};

use super::compose::Role;
use crate::config::ServeConfig;

/// In the data folder: what the charts show.
const HISTORY: &str = "history";

/// Starts the services of the engine, and a historian beside them. A node has nobody to show charts to.
pub(super) fn start_services(
    (config, role): (&ServeConfig, Role),
    engine: &Arc<Engine>,
    supervisor: &Supervisor,
) {
    services::start(engine, supervisor);
    if role == Role::Server {
        let chronicle = Box::new(FileChronicle::new(config.data.join(HISTORY)));
        supervisor.spawn(Box::new(Historian::new(Arc::clone(engine), chronicle)));
    }
}
