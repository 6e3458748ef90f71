//! Every path and method: those of programs from the table of the API, those of people here.

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{get, post};
use tareas_protocol::{Code, Lang};

use super::api::{self, Operation};
use super::problem::Problem;
use super::visit::Visit;
use super::{guard, page};

/// The routes. What they need to know of the server is in each request's [`Visit`].
pub(super) fn routes() -> Router {
    Router::new()
        .merge(api_routes())
        .merge(page_routes())
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(guard::guard))
}

/// What programs ask: from the table that also describes it.
fn api_routes() -> Router {
    let add =
        |router: Router, operation: &Operation| router.route(operation.path, (operation.route)());
    api::operations().fold(Router::new(), add)
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
        .route("/bulk", get(page::bulks).post(page::order_bulk))
        .route("/bulk/{id}", get(page::bulk).post(page::stop_bulk))
        .route("/docs", get(api::docs))
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
        .pick("the paths are at /docs", "las rutas están en /docs");
    let problem = visit.problem(visit.error(Code::NotFound).message(message).hint(hint));
    page::problem(&visit, request.headers(), problem).await
}

async fn wrong_method(visit: Visit) -> Problem {
    visit.problem(visit.error(Code::MethodNotAllowed))
}
