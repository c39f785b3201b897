//! How often each limit was reached: what the metric `stepwire_refused_total{limit="…"}` tells.
//!
//! Anyone who refuses work because of a limit counts it here, once per refusal, at the place where
//! it is refused: `Limit::Uploads.refused()`. Any layer may; it is one atomic addition, and no
//! result depends on it. A new limit is one more line of the list below, and one in
//! `docs/metrics.md`, which a test compares. Not here: how large the limits are (`limits`), what
//! the client gets (where it is refused).

use std::sync::atomic::{AtomicU64, Ordering};

/// Declares [`Limit`]: each limit with its documentation and its name as a label.
macro_rules! limits {
    ($($(#[$doc:meta])* $limit:ident = $name:literal,)*) => {
        /// A limit that refuses work. The label of the metric says which.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Limit { $($(#[$doc])* $limit,)* }

        impl Limit {
            /// All of them.
            pub const ALL: &'static [Limit] = &[$(Limit::$limit,)*];

            /// Its name, as the metric's label has it.
            pub fn name(self) -> &'static str {
                match self { $(Limit::$limit => $name,)* }
            }
        }
    };
}

limits! {
    /// Messages or bytes of one websocket per second.
    MessageRate = "message_rate",
    /// Requests and messages per second without a user, of one address.
    AnonymousRequests = "anonymous_requests",
    /// Bytes per second without a user, of one address.
    AnonymousBytes = "anonymous_bytes",
    /// Starts per second without a user, of one address.
    AnonymousStarts = "anonymous_starts",
    /// Live instances that were started without a user, of one address.
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
    /// Signs of life per second of one address.
    LifeSigns = "life_signs",
    /// Open connections of one user.
    ConnectionsPerUser = "connections_per_user",
    /// Open connections of one address.
    ConnectionsPerAddress = "connections_per_address",
    /// New connections per second of one address.
    NewConnections = "new_connections",
    /// Open connections in all.
    Connections = "connections",
    /// Request heads that did not come in time.
    SlowRequestHeads = "slow_request_heads",
    /// Request heads that are too long.
    RequestHeadBytes = "request_head_bytes",
    /// Bodies of requests that came in too slowly.
    SlowBodies = "slow_bodies",
    /// Answers that were read too slowly.
    SlowReaders = "slow_readers",
    /// Memory for bodies of requests.
    BodyMemory = "body_memory",
    /// JSON that takes too much memory once it is read.
    JsonMemory = "json_memory",
    /// Subscriptions in all.
    SubscriptionsInAll = "subscriptions_in_all",
    /// Subscriptions of one connection.
    Subscriptions = "subscriptions",
    /// Followed lists of one connection.
    Lists = "lists",
    /// An earlier moment lies too many rows behind the first.
    PastRows = "past_rows",
    /// Trees whose tokens one anonymous connection has shown.
    AnonymousTrees = "anonymous_trees",
    /// Commands of one connection without an answer.
    UnansweredCommands = "unanswered_commands",
    /// Tickets that wait for their use.
    Tickets = "tickets",
    /// Wrong passwords, after which the next try has to wait.
    SignInWait = "sign_in_wait",
    /// Passwords that wait to be checked.
    PasswordChecks = "password_checks",
    /// Trials of drafts at the same time.
    Trials = "trials",
    /// Trials of drafts of one designer.
    TrialsPerUser = "trials_per_user",
    /// Bytes of a trial's records.
    TrialBytes = "trial_bytes",
    /// Uploads at the same time.
    Uploads = "uploads",
    /// Definitions that are compiled or wait for it.
    Deploys = "deploys",
    /// Memory of the compiled forms of published versions and drafts.
    DefinitionMemory = "definition_memory",
    /// Commands that wait at one instance.
    InstanceMailbox = "instance_mailbox",
    /// Rows on their way to the disk.
    WriterQueue = "writer_queue",
    /// Starts while the disk has less room than its low watermark.
    DiskLow = "disk_low",
    /// What neither completes nor ends anything, while the disk has less than its critical one.
    DiskCritical = "disk_critical",
    /// Writes while the disk is full.
    DiskFull = "disk_full",
    /// Steps that wait for a script thread, and long ones that wait.
    ScriptsWaiting = "scripts_waiting",
    /// Steps whose scripts were not run, as those before had to be killed.
    ScriptsStopped = "scripts_stopped",
    /// Checks of values against the schema of their key that would take too many steps.
    IntricateValues = "intricate_values",
    /// Codes of errors that scripts throw.
    ErrorCodes = "error_codes",
    /// Elements that one command activates.
    StepElements = "step_elements",
    /// Elements that are active at once in an instance.
    ActiveElements = "active_elements",
    /// Completed activities of an instance that may be compensated.
    Compensations = "compensations",
    /// Subprocesses: of an instance, levels of a tree, live instances of a tree.
    Children = "children",
    /// Action messages that are open at once in an instance.
    OpenMessages = "open_messages",
    /// Actions of an instance that wait for their time.
    DelayedActions = "delayed_actions",
    /// Calls to other systems that are in progress in an instance.
    Calls = "calls",
    /// Variables that the elements of an instance own.
    Variables = "variables",
    /// Data of what is published to anyone who waits.
    PublishedBytes = "published_bytes",
    /// Spans that wait for the collector.
    Spans = "spans",
    /// Drafts of one user.
    DraftsPerUser = "drafts_per_user",
    /// Bytes of drafts, of a tenant or of all.
    DraftBytes = "draft_bytes",
    /// Tasks that one connection has open.
    TasksOpen = "tasks_open",
    /// Connections that have one task open.
    PresentAtTask = "present_at_task",
    /// Messages kept for those who do not wait for them yet, of a tenant or of all.
    MessagesKept = "messages_kept",
}

static COUNTS: [AtomicU64; Limit::ALL.len()] = [const { AtomicU64::new(0) }; Limit::ALL.len()];

impl Limit {
    /// Counts one refusal.
    pub fn refused(self) {
        COUNTS[self as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many refusals this process has counted.
    pub fn count(self) -> u64 {
        COUNTS[self as usize].load(Ordering::Relaxed)
    }

    /// The limit that an incident with this code reports, if it does.
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
