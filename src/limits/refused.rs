//! How often each limit was reached: the metric `stepwire_refused_total{limit="…"}`.
//!
//! Code that refuses work because of a limit counts the refusal here, once, at the place of the
//! refusal: `Limit::Uploads.refused()`. Any layer may do so; it is one atomic addition, and no
//! result depends on it. A new limit is one more line in the list below, and one in
//! `docs/metrics.md`, which a test compares. Not here: the values of the limits (`limits`), and the
//! client's answer (where the work is refused).

use std::sync::atomic::{AtomicU64, Ordering};

/// Declares [`Limit`]: each limit with its documentation and its name as a label.
macro_rules! limits {
    ($($(#[$doc:meta])* $limit:ident = $name:literal,)*) => {
        /// A limit that refuses work; it is the label of the metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Limit { $($(#[$doc])* $limit,)* }

        impl Limit {
            /// All of them.
            pub const ALL: &'static [Limit] = &[$(Limit::$limit,)*];

            /// Its name as label of the metric.
            pub fn name(self) -> &'static str {
                match self { $(Limit::$limit => $name,)* }
            }
        }
    };
}

limits! {
    /// Messages or bytes of one websocket per second.
    MessageRate = "message_rate",
    /// Requests and messages per second of anonymous callers of one address.
    AnonymousRequests = "anonymous_requests",
    /// Bytes per second of anonymous callers of one address.
    AnonymousBytes = "anonymous_bytes",
    /// Starts per second of anonymous callers of one address.
    AnonymousStarts = "anonymous_starts",
    /// Live instances started by anonymous callers of one address.
    AnonymousInstances = "anonymous_instances",
    /// Requests and messages per second of one user.
    UserRequests = "user_requests",
    /// Bytes per second of one user.
    UserBytes = "user_bytes",
    /// Starts per second of one user.
    UserStarts = "user_starts",
    /// Requests and messages per second of all users of one address.
    AddressRequests = "address_requests",
    /// Bytes per second of all users of one address.
    AddressBytes = "address_bytes",
    /// Starts per second of all users of one address.
    AddressStarts = "address_starts",
    /// Requests of health checks per second of one address.
    HealthChecks = "health_checks",
    /// Open connections of one user.
    ConnectionsPerUser = "connections_per_user",
    /// Open connections of one address.
    ConnectionsPerAddress = "connections_per_address",
    /// New connections per second of one address.
    NewConnections = "new_connections",
    /// Open connections in all.
    Connections = "connections",
    /// Request heads that did not arrive in time.
    SlowRequestHeads = "slow_request_heads",
    /// Request heads that are too long.
    RequestHeadBytes = "request_head_bytes",
    /// Request bodies that arrived too slowly.
    SlowBodies = "slow_bodies",
    /// Answers that the peer read too slowly.
    SlowReaders = "slow_readers",
    /// Memory for request bodies.
    BodyMemory = "body_memory",
    /// Request bodies that are too long.
    BodyBytes = "body_bytes",
    /// JSON that takes too much memory once parsed.
    JsonMemory = "json_memory",
    /// Subscriptions in all.
    SubscriptionsInAll = "subscriptions_in_all",
    /// Subscriptions of one connection.
    Subscriptions = "subscriptions",
    /// Followed lists of one connection.
    Lists = "lists",
    /// An earlier moment that is too many rows after the first one.
    PastRows = "past_rows",
    /// Instance trees whose tokens one anonymous connection has presented.
    AnonymousTrees = "anonymous_trees",
    /// Unanswered commands of one connection.
    UnansweredCommands = "unanswered_commands",
    /// Unused tickets.
    Tickets = "tickets",
    /// Delays of sign-in after wrong passwords.
    SignInWait = "sign_in_wait",
    /// Passwords waiting to be checked.
    PasswordChecks = "password_checks",
    /// Trials of drafts at the same time.
    Trials = "trials",
    /// Trials of drafts of one designer.
    TrialsPerUser = "trials_per_user",
    /// Bytes of the records of a trial.
    TrialBytes = "trial_bytes",
    /// Uploads at the same time.
    Uploads = "uploads",
    /// Definitions that are being compiled or wait for it.
    Deploys = "deploys",
    /// Memory of the compiled forms of published versions and drafts.
    DefinitionMemory = "definition_memory",
    /// Commands that wait at one instance.
    InstanceMailbox = "instance_mailbox",
    /// Rows waiting to be written to disk.
    WriterQueue = "writer_queue",
    /// Starts while the free space of the disk is below the low watermark.
    DiskLow = "disk_low",
    /// Commands that neither complete nor end anything, while the free space of the disk is below
    /// the critical watermark.
    DiskCritical = "disk_critical",
    /// Writes while the disk is full.
    DiskFull = "disk_full",
    /// Steps that wait for a script thread, and waiting long steps.
    ScriptsWaiting = "scripts_waiting",
    /// Scripts that took too much processor time.
    ScriptTime = "script_time",
    /// Scripts that took too much memory.
    ScriptMemory = "script_memory",
    /// Scripts that did not end in time: one was killed, or those before it took all the time of the
    /// command.
    ScriptDeadline = "script_deadline",
    /// Steps whose scripts were not run because earlier ones had to be killed.
    ScriptsStopped = "scripts_stopped",
    /// Checks of values against the schema of their key that would take too many steps.
    IntricateValues = "intricate_values",
    /// Codes of errors thrown by scripts.
    ErrorCodes = "error_codes",
    /// Elements that one command activates.
    StepElements = "step_elements",
    /// Active elements of an instance.
    ActiveElements = "active_elements",
    /// Completed activities of an instance that may be compensated.
    Compensations = "compensations",
    /// Subprocesses: children of an instance, levels of a tree, live instances of a tree.
    Children = "children",
    /// Open action messages of an instance.
    OpenMessages = "open_messages",
    /// Delayed actions of an instance.
    DelayedActions = "delayed_actions",
    /// Calls to other systems in progress in an instance.
    Calls = "calls",
    /// Variables that the elements of an instance own.
    Variables = "variables",
    /// Data of messages published to all who wait.
    PublishedBytes = "published_bytes",
    /// Spans waiting for the collector.
    Spans = "spans",
    /// Drafts of one user.
    DraftsPerUser = "drafts_per_user",
    /// Bytes of drafts, of a tenant or of all.
    DraftBytes = "draft_bytes",
    /// Tasks that one connection has open.
    TasksOpen = "tasks_open",
    /// Connections that have one task open.
    PresentAtTask = "present_at_task",
    /// Messages kept until somebody waits for them, of a tenant or in all.
    MessagesKept = "messages_kept",
}

static COUNTS: [AtomicU64; Limit::ALL.len()] = [const { AtomicU64::new(0) }; Limit::ALL.len()];

impl Limit {
    /// Counts one refusal.
    pub fn refused(self) {
        COUNTS[self as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many refusals this process has counted for the limit.
    pub fn count(self) -> u64 {
        COUNTS[self as usize].load(Ordering::Relaxed)
    }

    /// The limit that an incident with this code reports, if any.
    pub fn of_incident(code: &str) -> Option<Self> {
        Some(match code {
            "step_limit" => Self::StepElements,
            "element_limit" | "token_limit" => Self::ActiveElements,
            "compensation_limit" => Self::Compensations,
            "child_limit" => Self::Children,
            "open_message_limit" => Self::OpenMessages,
            "timer_limit" => Self::DelayedActions,
            "call_limit" => Self::Calls,
            "variable_limit" => Self::Variables,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_counts_for_itself() {
        let before = Limit::Calls.count();
        Limit::Calls.refused();
        assert!(Limit::Calls.count() > before);
        assert_eq!(Limit::of_incident("call_limit"), Some(Limit::Calls));
        assert_eq!(
            Limit::of_incident("token_limit"),
            Some(Limit::ActiveElements)
        );
    }

    #[test]
    fn each_limit_is_documented_once_under_a_name_of_its_own() {
        let page = include_str!("../../docs/metrics.md");
        for limit in Limit::ALL {
            let row = format!("| `{}` |", limit.name());
            assert_eq!(
                page.matches(&row).count(),
                1,
                "expected docs/metrics.md to have one row that begins with {row}"
            );
        }
    }
}
