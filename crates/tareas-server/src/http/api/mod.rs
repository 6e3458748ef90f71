//! The HTTP API as one table: every operation with what it takes and what it answers.
//!
//! The router is made from this table (`router.rs`), and so are the OpenAPI document
//! (`document.rs`, `GET /v1/openapi.json`) and the pages at `/docs` (`viewer.rs`): an operation
//! that is not described cannot be reached, and one that cannot be reached is not described.

mod access;
mod bulk;
mod document;
mod operation;
mod parameters;
mod queues;
mod schemas;
mod system;
mod task;
mod tasks;
mod viewer;
mod webhooks;

pub(super) use document::openapi;
use operation::LANG;
pub(super) use operation::Operation;
pub(super) use viewer::docs;

/// Every operation, by what it is about.
pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    let groups = [
        tasks::OPERATIONS,
        task::OPERATIONS,
        bulk::OPERATIONS,
        queues::OPERATIONS,
        system::OPERATIONS,
        access::OPERATIONS,
        webhooks::OPERATIONS,
    ];
    groups.into_iter().flatten()
}

#[cfg(test)]
mod tests;
