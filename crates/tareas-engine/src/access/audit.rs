//! What is written down of who did what.

use smol_str::SmolStr;
use tareas_core::Timestamp;

use super::Action;

/// Longest text about what was done to what.
const DETAIL_CHARS_MAX: usize = 256;

macro_rules! deeds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// What somebody did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Deed { $($(#[$doc])* $variant,)+ }

        impl Deed {
            /// Every deed.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

deeds! {
    /// Began a session of the dashboard.
    LogIn = "log_in",
    /// Ended one.
    LogOut = "log_out",
    /// Showed a wrong token.
    Fail = "fail",
    /// Made a token.
    CreateToken = "create_token",
    /// Revoked a token.
    RevokeToken = "revoke_token",
    /// Made a login link.
    CreateLink = "create_link",
    /// Cancelled a task.
    Cancel = "cancel",
    /// Put a task back in line.
    Requeue = "requeue",
    /// Removed a task.
    Delete = "delete",
    /// Did something to tasks from the dashboard.
    Operate = "operate",
    /// Paused or resumed a queue.
    Pause = "pause",
    /// Made a webhook.
    CreateWebhook = "create_webhook",
    /// Changed, enabled or disabled one.
    ChangeWebhook = "change_webhook",
    /// Removed one.
    DeleteWebhook = "delete_webhook",
    /// Had one signed with another secret.
    RotateWebhook = "rotate_webhook",
    /// Sent a test to one.
    TestWebhook = "test_webhook",
    /// Had a delivery made again.
    ReplayDelivery = "replay_delivery",
    /// Had the configuration read again.
    Reload = "reload",
}

impl Deed {
    /// The deed of this word.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|deed| deed.name() == name)
    }

    /// The deed that is written down when this action was done; `None` for what changes nothing,
    /// and for what has a deed of its own that says more.
    pub const fn of(action: Action) -> Option<Self> {
        match action {
            Action::CancelTask => Some(Self::Cancel),
            Action::RequeueTask => Some(Self::Requeue),
            Action::DeleteTask => Some(Self::Delete),
            Action::OperateTask | Action::OperateTasks => Some(Self::Operate),
            Action::PauseQueue => Some(Self::Pause),
            Action::Greet
            | Action::Probe
            | Action::ListKinds
            | Action::Submit
            | Action::FollowTask
            | Action::InspectTask
            | Action::ListTasks
            | Action::ListQueues
            | Action::ViewQueue
            | Action::ViewSystem
            | Action::Work
            | Action::ManageTokens
            | Action::ManageWebhooks
            | Action::ReadAudit => None,
        }
    }
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: the name and id of a token, or what stands for it.
    pub who: SmolStr,
    /// From where.
    pub address: SmolStr,
    /// What.
    pub deed: Deed,
    /// To what.
    pub detail: String,
}

impl AuditEntry {
    /// A line, its detail shortened to what is stored.
    pub fn new(at: Timestamp, who: &str, address: &str, deed: Deed, detail: &str) -> Self {
        Self {
            at,
            who: who.into(),
            address: address.into(),
            deed,
            detail: detail
                .chars()
                .filter(|c| !c.is_control())
                .take(DETAIL_CHARS_MAX)
                .collect(),
        }
    }
}
