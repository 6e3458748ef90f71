//! Webhooks as JSON: what is asked for, what is shown of them, and the messages that they get.

mod message;
mod request;
mod view;

pub use message::MessageWriter;
pub use request::{OVERLAP_DEFAULT, RotateRequest, WebhookChange, WebhookRequest};
pub(crate) use request::{parse, wrong};
pub use view::{DeliveryList, DeliveryView, WebhookList, WebhookView};
