//! The dashboard: pages for people, one file each.
//!
//! The server writes whole pages that work without a script. The script changes what has changed
//! (the parts that [`live_parts`] names) and nothing else. Everything that comes from tasks is
//! escaped by the template engine: nothing here writes markup from text.

mod act;
mod assets;
mod attention;
mod bulk;
mod chart;
mod commands;
mod create;
mod crews;
mod draft;
mod failures;
mod filter;
mod forms;
mod frame;
mod graph;
mod history;
mod home;
mod install;
mod latest;
mod login;
mod map;
mod numbers;
mod palette;
mod panels;
mod queues;
mod reasons;
mod scene;
mod send;
mod sent;
mod states;
mod system;
mod task;
mod tasks;
mod timeline;
mod webhook;
mod webhooks;
mod words;
mod workers;

pub(super) use act::act;
pub(super) use assets::{asset, icon};
pub(super) use bulk::{bulk, bulks, order_bulk, stop_bulk};
pub(super) use create::{create, new_task};
pub(super) use failures::{failures, requeue_group};
pub(super) use forms::{look, takes_form};
pub(super) use frame::{Sheet, Tab, document, problem};
pub(super) use history::history;
pub(super) use home::home;
pub(super) use install::{manifest, offline, service_worker};
pub(super) use login::{lead_to_login, log_in, log_out, login};
pub(super) use queues::{queues, set_queue};
pub(super) use scene::Scene;
pub(super) use send::send;
pub(super) use system::system;
pub(super) use task::task;
pub(super) use tasks::tasks;
pub(super) use webhook::{act_on_webhook, webhook};
pub(super) use webhooks::{create_webhook, webhooks};
pub(super) use workers::workers;

use maud::Markup;

use super::live::View;

/// What moves on a page of this view: the id of an element, and the element.
pub(super) fn live_parts(scene: &Scene<'_>, view: View) -> Vec<(&'static str, Markup)> {
    let mut parts = vec![
        ("health", panels::health(scene)),
        ("failed-count", frame::failed_count(scene)),
    ];
    match view {
        View::Numbers | View::Frame => {}
        View::Map => parts.extend(home::live_parts(scene)),
        View::Queues => parts.push(("queue-list", queues::list(scene))),
        View::Workers => parts.push(("worker-list", workers::list(scene))),
    }
    parts
}
