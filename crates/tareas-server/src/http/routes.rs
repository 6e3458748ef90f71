//! Routes that say what they are for.
//!
//! [`Routes`] is the only way to add one, and it takes no route without an [`Action`]: whoever asks
//! passes the judge before the handler is called, and what was done is written down after it.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::{Next, from_fn};
use axum::routing::{MethodRouter, get, post};
use tareas_engine::access::Action;

use super::access;
use super::api::Operation;
use super::visit::Visit;

/// What a route is for: method, path, action.
pub(super) type Entry = (&'static str, &'static str, Action);

/// Routes, each behind the judge.
#[derive(Debug, Default)]
pub(super) struct Routes {
    router: Router,
    entries: Vec<Entry>,
}

impl Routes {
    /// Answers `GET` and `HEAD`.
    pub(super) fn get<H: Handler<T, ()>, T: 'static>(
        self,
        path: &'static str,
        action: Action,
        handler: H,
    ) -> Self {
        self.on(("GET", path, action), get(handler))
    }

    /// Answers `POST`.
    pub(super) fn post<H: Handler<T, ()>, T: 'static>(
        self,
        path: &'static str,
        action: Action,
        handler: H,
    ) -> Self {
        self.on(("POST", path, action), post(handler))
    }

    /// Answers an operation of the API.
    pub(super) fn operation(self, operation: &'static Operation) -> Self {
        let Operation {
            method,
            path,
            action,
            route,
            ..
        } = operation;
        self.on((method.name(), path, *action), route())
    }

    /// These and those.
    pub(super) fn merge(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        Self {
            router: self.router.merge(other.router),
            entries: self.entries,
        }
    }

    /// What each is for.
    #[cfg(test)]
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The routes for axum, to which nothing can be added unseen.
    pub(super) fn into_router(self) -> Router {
        self.router
    }

    fn on(mut self, entry: Entry, handler: MethodRouter) -> Self {
        let (_, path, action) = entry;
        self.entries.push(entry);
        let judged = handler.route_layer(from_fn(
            move |visit: Visit, request: Request, next: Next| {
                access::pass(action, visit, request, next)
            },
        ));
        Self {
            router: self.router.route(path, judged),
            entries: self.entries,
        }
    }
}
