//! The contract of `Records` and `Settings` on PostgreSQL, and across restarts of the server that
//! uses it.

mod postgres_support;

use postgres_support::Databases;

mod contract {
    tareas_engine::records_contract!(super::Databases::new());
}

mod restarted {
    tareas_engine::records_restart_contract!(super::Databases::new());
}
