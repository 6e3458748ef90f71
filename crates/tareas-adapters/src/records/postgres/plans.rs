//! Plans of the hot statements, as PostgreSQL makes them on connections of their purpose.
//!
//! One plan serves all executions of a statement, and it must be a nested loop over the primary
//! key of `tasks`, on an empty table as well as on a large one: any other plan is slower by
//! factors, and the planner takes it as soon as an index seems to allow it.

use super::PostgresRecords;
use super::fault::Fault;
use super::link::{Link, Purpose};
use super::statements::BY_ID;
use tareas_engine::ports::PortError;

impl PostgresRecords {
    /// The name and the plan of each statement that must find its tasks by id.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn plans(&self) -> Result<Vec<(&'static str, String)>, PortError> {
        let link = Link::open(&self.shared.options, Purpose::ById).await;
        let link = link.map_err(Fault::into_port_error)?;
        let mut plans = Vec::new();
        for (name, sql, values) in BY_ID {
            let plan = plan(&link, name, sql, values).await;
            plans.push((name, plan.map_err(Fault::into_port_error)?));
        }
        Ok(plans)
    }
}

async fn plan(link: &Link, name: &str, sql: &str, values: usize) -> Result<String, Fault> {
    link.run(&format!("PREPARE tareas_{name} AS {sql}")).await?;
    let nulls = match values {
        0 => String::new(),
        _ => format!("({})", vec!["NULL"; values].join(", ")),
    };
    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE tareas_{name}{nulls}");
    let lines = link.client().query(&explain, &[]).await?;
    let lines: Vec<&str> = lines.iter().map(|line| line.get(0)).collect();
    Ok(lines.join("\n"))
}
