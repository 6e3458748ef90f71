//! Every path and method, and what each is for: those of programs from the table of the API, those of
//! people here.

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::response::Response;
use tareas_engine::access::Action;
use tareas_protocol::{Code, Lang};

use super::api;
use super::problem::Problem;
use super::routes::Routes;
use super::visit::Visit;
use super::{guard, page};

/// The routes. What they need to know of the server is in each request's [`Visit`].
pub(super) fn routes() -> Router {
    all()
        .into_router()
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(guard::guard))
}

fn all() -> Routes {
    api_routes().merge(login_routes()).merge(page_routes())
}

/// What programs ask: from the table that also describes it.
fn api_routes() -> Routes {
    api::operations().fold(Routes::default(), Routes::operation)
}

fn login_routes() -> Routes {
    Routes::default()
        .get("/assets/{file}", Action::Greet, page::asset)
        .get("/favicon.ico", Action::Greet, page::icon)
        .get("/manifest.webmanifest", Action::Greet, page::manifest)
        .get("/service-worker.js", Action::Greet, page::service_worker)
        .get("/offline", Action::Greet, page::offline)
        .get("/docs", Action::Greet, api::docs)
        .get("/login", Action::Greet, page::login)
        .post("/login", Action::Greet, page::log_in)
        .post("/logout", Action::Greet, page::log_out)
        .post("/look", Action::Greet, page::look)
}

fn page_routes() -> Routes {
    Routes::default()
        .get("/", Action::ViewSystem, page::home)
        .get("/tasks", Action::ViewSystem, page::tasks)
        .post("/tasks", Action::Submit, page::send)
        .get("/tasks/new", Action::ViewSystem, page::new_task)
        .post("/tasks/new", Action::Submit, page::create)
        .get("/tasks/{id}", Action::ViewSystem, page::task)
        .post("/tasks/{id}", Action::OperateTask, page::act)
        .get("/queues", Action::ViewSystem, page::queues)
        .post("/queues/{queue}", Action::PauseQueue, page::set_queue)
        .get("/workers", Action::ViewSystem, page::workers)
        .get("/failures", Action::ViewSystem, page::failures)
        .post("/failures", Action::OperateTasks, page::requeue_group)
        .get("/system", Action::ViewSystem, page::system)
        .get("/webhooks", Action::ManageWebhooks, page::webhooks)
        .post("/webhooks", Action::ManageWebhooks, page::create_webhook)
        .get("/webhooks/{id}", Action::ManageWebhooks, page::webhook)
        .post(
            "/webhooks/{id}",
            Action::ManageWebhooks,
            page::act_on_webhook,
        )
        .get("/history", Action::ViewSystem, page::history)
        .get("/bulk", Action::ViewSystem, page::bulks)
        .post("/bulk", Action::OperateTasks, page::order_bulk)
        .get("/bulk/{id}", Action::ViewSystem, page::bulk)
        .post("/bulk/{id}", Action::OperateTasks, page::stop_bulk)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routes_are_those_of_the_documentation() {
        let line = |(method, path, action): &(&str, &str, Action)| {
            format!("| `{method} {path}` | `{}` |\n", action.name())
        };
        let table: String = all().entries().iter().map(line).collect();
        let page = include_str!("../../../../docs/access.md");
        assert!(
            page.contains(&table),
            "docs/access.md should have this table:\n\n{table}"
        );
    }
}
