//! Every path and method, on one page.

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{get, post};
use tareas_protocol::{Code, Lang};

use super::problem::Problem;
use super::visit::Visit;
use super::{errors, guard, health, live, operate, page, socket, tasks};

/// The routes. What they need to know of the server is in each request's [`Visit`].
pub(super) fn routes() -> Router {
    Router::new()
        .merge(task_routes())
        .merge(operator_routes())
        .merge(page_routes())
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(guard::guard))
}

fn task_routes() -> Router {
    Router::new()
        .route("/v1/tasks", get(tasks::list).post(tasks::submit))
        .route("/v1/tasks/batch", post(tasks::batch))
        .route("/v1/tasks/{id}", get(tasks::show).delete(tasks::delete))
        .route("/v1/tasks/{id}/wait", get(tasks::wait))
        .route("/v1/tasks/{id}/why", get(tasks::why))
        .route("/v1/tasks/{id}/log", get(tasks::log))
        .route("/v1/tasks/{id}/result", get(tasks::result))
        .route("/v1/tasks/{id}/artifacts", get(tasks::artifacts))
        .route("/v1/tasks/{id}/artifacts/{name}", get(tasks::artifact))
        .route("/v1/tasks/{id}/cancel", post(tasks::cancel))
        .route("/v1/tasks/{id}/requeue", post(tasks::requeue))
}

fn operator_routes() -> Router {
    Router::new()
        .route("/v1/queues", get(operate::queues))
        .route("/v1/queues/{queue}/pause", post(operate::pause))
        .route("/v1/queues/{queue}/resume", post(operate::resume))
        .route("/v1/workers", get(operate::workers))
        .route("/v1/kinds", get(operate::kinds))
        .route("/v1/events", get(live::events))
        .route(socket::PATH, get(socket::open))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/errors", get(errors::index))
        .route("/errors/{code}", get(errors::one))
}

fn page_routes() -> Router {
    Router::new()
        .route("/", get(page::home))
        .route("/look", post(page::look))
        .route("/tasks", get(page::tasks).post(page::send))
        .route("/tasks/new", get(page::new_task).post(page::create))
        .route("/tasks/{id}", get(page::task).post(page::act))
        .route("/queues", get(page::queues))
        .route("/queues/{queue}", post(page::set_queue))
        .route("/workers", get(page::workers))
        .route("/failures", get(page::failures).post(page::requeue_group))
        .route("/system", get(page::system))
        .route("/assets/{file}", get(page::asset))
        .route("/favicon.ico", get(page::icon))
}

async fn nowhere(visit: Visit, request: Request) -> Response {
    let path: String = request.uri().path().chars().take(128).collect();
    let message = match visit.lang {
        Lang::En => format!("there is nothing at `{path}`"),
        Lang::Es => format!("no hay nada en `{path}`"),
    };
    let hint = visit
        .lang
        .pick("the paths are in docs/protocol.md", "vea docs/protocol.md");
    let problem = visit.problem(visit.error(Code::NotFound).message(message).hint(hint));
    page::problem(&visit, request.headers(), problem).await
}

async fn wrong_method(visit: Visit) -> Problem {
    visit.problem(visit.error(Code::MethodNotAllowed))
}
