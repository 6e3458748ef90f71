//! Webhooks: addresses of others that are told when a task has ended.
//!
//! What ends here is noted by the [`Tap`], which is shut while there is no webhook, and recorded as
//! deliveries, a batch at a time, once the end itself is durable. A *mark* says up to when that is
//! done; after a crash, and where the tap ran over, the records are asked what has ended since, and
//! no finished task is removed before. So every end leads to a delivery, and a delivery is tried
//! until it is taken or given up: at least once, never silently less.
//!
//! | file | what it holds |
//! |---|---|
//! | `webhook`, `delivery`, `ended` | what is stored, and what is told |
//! | `secret` | what deliveries are signed with, after Standard Webhooks 1.0 |
//! | `backoff` | when a delivery is tried again |
//! | `tap` | what has ended here and is not recorded yet |
//! | `registry`, `deeds` | the webhooks that are known, and what administrators do to them |
//! | `recorder`, `sweep` | ends become deliveries |
//! | `sender`, `lane` | deliveries are made |
//!
//! `docs/decisions/0009` tells why it is done so.

mod backoff;
mod deeds;
mod delivery;
mod ended;
mod lane;
mod recorder;
mod registry;
mod secret;
mod sender;
mod sweep;
mod tap;
mod webhook;

pub use backoff::{ATTEMPTS_MAX, RETRY_AFTER_MAX, next_try};
pub use deeds::{Change, DeedFailed};
pub use delivery::{
    ANSWER_CHARS_MAX, Delivery, DeliveryPhase, DeliveryQuery, Made, Message, NewDelivery, Settled,
    Settlement,
};
pub use ended::{Ended, RESULT_BYTES_MAX, ResultNote};
pub use recorder::Recorder;
pub use registry::{Parts, Terms, Tried, Webhooks, Writer};
pub use secret::{NotSecret, SECRET_BYTES, Secrets, WebhookSecret};
pub use sender::Sender;
pub use tap::Tap;
pub use webhook::{
    Disabled, NotWebhookId, SEED_BYTES, Seed, URL_BYTES_MAX, WHY_CHARS_MAX, Webhook, WebhookId,
    Wish,
};
