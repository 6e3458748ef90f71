//! Actions: everything that anybody can ask of a server, and which roles may.

use super::Role::{self, Admin, Operate, Read, Submit, Work};

/// What an action is about, and so how far the queues of a token limit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// About nothing that anybody owns: open to all, without a token.
    Open,
    /// About the server as such: the role is enough.
    Server,
    /// About one task: of a queue that is not the token's, it answers as if it did not exist.
    Task,
    /// About one queue that the caller names.
    Queue,
    /// About those of many queues that are the token's: the others are left out.
    Share,
    /// About all queues at once: only for a token of all queues.
    Whole,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $reach:ident, [$($role:ident),*];)+) => {
        /// Everything that anybody can ask of a server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Action { $($(#[$doc])* $variant,)+ }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is about.
            pub const fn reach(self) -> Reach {
                match self { $(Self::$variant => Reach::$reach,)+ }
            }

            /// The roles of which one is enough.
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Self::$variant => &[$($role),*],)+ }
            }
        }
    };
}

actions! {
    /// Say hello, ask for help, leave, load a style sheet, log in.
    Greet = "greet", Open, [];
    /// Ask whether the server is alive and ready.
    Probe = "probe", Open, [];
    /// Learn which kinds of tasks there are.
    ListKinds = "list_kinds", Server, [Submit, Read, Work, Operate, Admin];
    /// Submit a task.
    Submit = "submit", Queue, [Submit, Operate, Admin];
    /// Wait for a task whose id is known, and have its state and result.
    FollowTask = "follow_task", Task, [Submit, Read, Operate, Admin];
    /// Give up a task whose id is known.
    CancelTask = "cancel_task", Task, [Submit, Operate, Admin];
    /// Look at a task closely: why it waits, what it logged, what it left behind.
    InspectTask = "inspect_task", Task, [Read, Operate, Admin];
    /// Put a task back in line.
    RequeueTask = "requeue_task", Task, [Operate, Admin];
    /// Remove a finished task.
    DeleteTask = "delete_task", Task, [Operate, Admin];
    /// Do any of these to one task from its page.
    OperateTask = "operate_task", Task, [Operate, Admin];
    /// Do any of these to many tasks at once.
    OperateTasks = "operate_tasks", Whole, [Operate, Admin];
    /// List tasks.
    ListTasks = "list_tasks", Share, [Read, Operate, Admin];
    /// List queues, with their counts.
    ListQueues = "list_queues", Share, [Read, Operate, Admin];
    /// Look at one queue.
    ViewQueue = "view_queue", Queue, [Read, Operate, Admin];
    /// Pause or resume a queue.
    PauseQueue = "pause_queue", Queue, [Operate, Admin];
    /// See the whole: the dashboard, the live stream, workers, metrics.
    ViewSystem = "view_system", Whole, [Read, Operate, Admin];
    /// Run tasks: be a remote worker.
    Work = "work", Queue, [Work, Admin];
    /// Make, list and revoke tokens.
    ManageTokens = "manage_tokens", Server, [Admin];
    /// Make, change and remove webhooks, and see what was delivered.
    ManageWebhooks = "manage_webhooks", Whole, [Admin];
    /// Read who did what.
    ReadAudit = "read_audit", Whole, [Admin];
}
