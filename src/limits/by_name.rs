//! The limits that an operator may set by name, each with its default, and which of them may not
//! exceed which.
//!
//! They bound what clients, users, tenants, definitions and instances may take of a server. Not
//! here: what such a limit is (`adjustable`), and how often each was reached (`refused`). The names
//! are listed in `docs/limits.md`, which a test compares.

use super::{
    CURSOR_DESCENDANTS, ENDED_FOLLOWED, MESSAGE_BYTES, TICKET,
    adjustable::{Adjustable, Adjustments, Bytes, Millis, Named, Number, Seconds},
};

/// Declares limits: each with its documentation, its constant, its unit and its default.
macro_rules! by_name {
    ($($(#[$doc:meta])* $limit:ident: $unit:ident = $default:expr;)*) => {
        $(
            $(#[$doc])*
            pub static $limit: Adjustable<$unit> = Adjustable::new(stringify!($limit), $default);
        )*

        /// All of them.
        pub(super) static ALL: &[&dyn Named] = &[$(&$limit),*];
    };
}

by_name! {
    // Connections and requests.
    /// New connections per second and address before one of them has presented a token; more must wait.
    NEW_CONNECTIONS_PER_SECOND: Number = 500;
    /// Such connections at once after a pause.
    NEW_CONNECTIONS_AT_ONCE: Number = 200;
    /// How long a new connection waits for its turn, or its address for a token, before it is refused.
    CONNECTION_TURN: Seconds = 5;
    /// How long a connection may wait for its next request.
    IDLE_CONNECTION: Seconds = 30;
    /// How long the head of a request may take, from the connection's start or its first byte.
    REQUEST_HEAD: Seconds = 10;
    /// The longest body of a REST request, in bytes, except definitions and uploads.
    REST_BODY_BYTES: Bytes = 1024 * 1024;
    /// Memory that the JSON of one body may take once parsed, estimated: many small values take many
    /// times their text.
    JSON_MEMORY: Bytes = 16 * 1024 * 1024;
    /// How long the body of a request may take altogether, except an upload.
    BODY_TIME: Seconds = 5 * 60;
    /// How long a peer may send its body, or read its answer, at any speed.
    TRANSFER_GRACE: Seconds = 10;
    /// Bytes per second that a peer has to send of a body, or read of an answer, after that, while the
    /// server waits for it.
    TRANSFER_BYTES_PER_SECOND: Bytes = 4 * 1024;
    /// Health checks (`/healthz`, `/readyz`) per second and address: more than any load balancer sends.
    HEALTH_CHECKS_PER_SECOND: Number = 100;
    /// Health checks at once after a pause.
    HEALTH_CHECKS_AT_ONCE: Number = 400;
    /// Uploads in progress at the same time; more are answered `busy`.
    UPLOADS: Number = 128;
    /// Of these, uploads of one user, or of anonymous callers of one address.
    UPLOADS_PER_USER: Number = 16;
    /// How long an upload may deliver no byte before it is aborted.
    UPLOAD_STALL: Seconds = 30;
    /// How long an upload may take altogether.
    UPLOAD_TIME: Seconds = 30 * 60;
    // Websockets and streams.
    /// How long a new connection may wait with its `hello` before it is closed with 4002.
    HELLO: Seconds = 10;
    /// How long a connection may continuously exceed its rate before it is closed with 4429.
    FLOOD: Seconds = 10;
    /// How long a client may leave frames unread before its connection is closed with 4001.
    SLOW_CONSUMER: Seconds = 15;
    /// Unanswered commands of one connection; more are answered `busy`.
    UNANSWERED_COMMANDS: Number = 256;
    /// Subscriptions one connection may hold, followed children included.
    SUBSCRIPTIONS: Number = 1_000;
    /// Subscriptions of all connections together.
    SUBSCRIPTIONS_IN_ALL: Number = 262_144;
    /// Lists (`tasks`, `process/ID`) one connection may follow.
    LISTS: Number = 16;
    /// Memory for the newest rows of all followed instances together, estimated. Beyond it, an
    /// instance keeps at most 16 KiB.
    FOLLOWED_BYTES_IN_ALL: Bytes = 64 * 1024 * 1024;
    /// Tasks that one connection has open.
    TASKS_OPEN: Number = 16;
    /// Connections that have one task open.
    PRESENT_PER_TASK: Number = 32;
    /// Drafts of one user; for an anonymous caller, in one instance.
    DRAFTS_PER_USER: Number = 100;
    /// Bytes of the drafts of a tenant, with their overhead.
    DRAFTS_PER_TENANT: Bytes = 16 << 20;
    /// Bytes of all drafts.
    DRAFTS_IN_ALL: Bytes = 64 << 20;
    // Sign-in.
    /// Unused one-time tickets.
    TICKETS: Number = 10_000;
    /// Of these, tickets of one user, or of one address without a user: nobody takes the room of others,
    /// and the reconnecting clients of a user find some.
    TICKETS_PER_USER: Number = 256;
    /// Sign-ins that may wait for their hash; more are answered `busy`.
    PASSWORDS_WAITING: Number = 64;
    /// Of these, sign-ins from one address.
    PASSWORDS_WAITING_PER_ADDRESS: Number = 16;
    /// Wrong passwords for one name from one address that cause no delay.
    WRONG_PER_NAME: Number = 5;
    /// Wrong passwords for one name from all addresses together that cause no delay; addresses from
    /// which the name has signed in before are not delayed by those of others.
    WRONG_PER_NAME_ANYWHERE: Number = 100;
    /// Wrong passwords from one address that cause no delay: a whole office may share one.
    WRONG_PER_ADDRESS: Number = 20;
    /// The longest delay after a wrong password; the first is one second, and each doubles it.
    SIGN_IN_WAIT: Seconds = 15 * 60;
    // Definitions and trials.
    /// Sources of definitions that are being compiled or wait for it, in all: each may hold 2 MiB.
    DEPLOYS: Number = 32;
    /// Sources of definitions of one user that are being compiled or wait for it; more are answered
    /// `busy`.
    DEPLOYS_PER_USER: Number = 4;
    /// Memory of the compiled forms of published versions and drafts of all tenants, estimated; a
    /// deploy that would exceed it is rejected.
    DEFINITIONS_MEMORY: Bytes = 256 * 1024 * 1024;
    /// Of it, memory of the definitions of one tenant.
    DEFINITIONS_MEMORY_PER_TENANT: Bytes = 192 * 1024 * 1024;
    /// Memory of the compiled forms of former versions that are kept because they were used recently.
    FORMER_DEFINITIONS_MEMORY: Bytes = 32 * 1024 * 1024;
    /// When all compiled forms take more than this, instances of a large definition leave memory as
    /// soon as they have answered.
    COMPILED_MEMORY: Bytes = 352 * 1024 * 1024;
    /// Trials of drafts that run at the same time; more are answered `busy`.
    TRIALS: Number = 8;
    /// Of these, trials of one designer; another one ends the oldest.
    TRIALS_PER_USER: Number = 2;
    /// How long a trial remains without a connection or request.
    TRIAL_IDLE: Seconds = 10 * 60;
    /// The longest duration of a trial.
    TRIAL_TIME: Seconds = 2 * 60 * 60;
    /// Bytes of records that a trial may hold before it ends.
    TRIAL_BYTES: Bytes = 32 * 1024 * 1024;
    // Instances.
    /// Commands waiting at one instance; more are answered `busy`. Half of them, the share of anonymous
    /// callers, is what one connection may have unanswered.
    INSTANCE_MAILBOX: Number = 512;
    /// Rows on their way to the disk, over all instances; more commands are
    /// answered `busy`.
    WRITER_QUEUE: Number = 4_096;
    /// Steps of one check of a value against the schema of its key: parts of the schema times parts of
    /// the value. A million take 20 ms in the worst case.
    KEY_CHECK_STEPS: Number = 1_000_000;
    /// Processor time of one evaluation of a script.
    SCRIPT_TIME: Millis = 100;
    /// Memory of one script.
    SCRIPT_MEMORY: Bytes = 16 * 1024 * 1024;
    /// How long one evaluation may take altogether: longer only if native code does not return, then its
    /// process is killed.
    SCRIPT_DEADLINE: Millis = 1_000;
    /// How long all scripts of one command may take together.
    STEP_SCRIPT_TIME: Millis = 3_000;
    /// Steps of one definition that may wait for a script thread; more commands are answered `busy`.
    SCRIPTS_WAITING_PER_DEFINITION: Number = 1_024;
    /// Such steps of one caller, of one definition.
    SCRIPTS_WAITING_PER_CALLER: Number = 256;
    /// Steps of one tenant that may wait for a script thread.
    SCRIPTS_WAITING_PER_TENANT: Number = 4_096;
    /// Scripts of one definition that may have to be killed before its scripts are stopped.
    SCRIPTS_KILLED: Number = 5;
    /// How long the scripts of a definition are stopped after the last one that had to be killed.
    SCRIPTS_STOPPED: Seconds = 60;
    /// Steps that begin further iterations at the same time, over all instances; these iterations are
    /// complete before other steps begin theirs.
    LOOP_STEPS: Number = 8;
    /// Of these, steps of one process definition.
    LOOP_STEPS_PER_DEFINITION: Number = 4;
    /// Of these, steps of one tenant.
    LOOP_STEPS_PER_TENANT: Number = 6;
    /// Live instances of one tree, with the subprocesses being started; one more is an incident.
    TREE_INSTANCES: Number = 10_000;
    /// Subprocesses that one tree may start per second in the long run; further ones wait.
    TREE_STARTS_PER_SECOND: Number = 500;
    /// Subprocesses that one tree may start at once after a pause: the items of a multi-instance call
    /// activity start together.
    TREE_STARTS_AT_ONCE: Number = 1_000;
    /// Messages between the instances of one tree that are delivered at the same time; further ones
    /// wait.
    TREE_DELIVERIES: Number = 16;
    // Timers, schedules, calls and messages.
    /// Timers that fire at the same time.
    TIMERS_AT_ONCE: Number = 64;
    /// Of these, timers of one process definition: one with very many leaves places for others.
    TIMERS_PER_DEFINITION: Number = 16;
    /// Of these, timers of one tenant.
    TIMERS_PER_TENANT: Number = 48;
    /// Schedules that start an instance at the same time; others wait, so that many due at once do not
    /// stall users.
    SCHEDULES_AT_ONCE: Number = 64;
    /// Of these, schedules of one process definition.
    SCHEDULES_PER_DEFINITION: Number = 16;
    /// Of these, schedules of one tenant.
    SCHEDULES_PER_TENANT: Number = 48;
    /// Calls to other systems made at the same time; more wait in their table.
    CALLS_AT_ONCE: Number = 64;
    /// Of these, calls of one process definition: slow targets of one leave places for others.
    CALLS_PER_DEFINITION: Number = 16;
    /// Of these, calls of one tenant.
    CALLS_PER_TENANT: Number = 48;
    /// Of these, calls to one host and port.
    CALLS_PER_HOST: Number = 8;
    /// Failed webhooks that remain visible to operators; the oldest are forgotten.
    WEBHOOKS_GIVEN_UP: Number = 10_000;
    /// Messages of one tenant kept until somebody waits for them.
    MESSAGES_KEPT: Number = 10_000;
    /// Messages of all tenants kept until somebody waits for them.
    MESSAGES_KEPT_IN_ALL: Number = 100_000;
    /// The data of a message or signal that is published to all who wait, in bytes of JSON: each
    /// receiver gets a copy.
    PUBLISHED_BYTES: Bytes = 64 * 1024;
    // Records.
    /// Spans waiting for the collector; one that finds no room is dropped and counted.
    SPANS_QUEUED: Number = 8_192;
    /// Rows that the audit log keeps.
    AUDIT_ROWS: Number = 200_000;
}

/// Pairs of limits of which the first may not exceed the second.
static ORDERED: &[(&dyn Named, &dyn Named)] = &[
    (&UNANSWERED_COMMANDS, &INSTANCE_MAILBOX),
    (&INSTANCE_MAILBOX, &WRITER_QUEUE),
    (&SUBSCRIPTIONS, &SUBSCRIPTIONS_IN_ALL),
    (&TICKETS_PER_USER, &TICKETS),
    (&UPLOADS_PER_USER, &UPLOADS),
    (&UPLOAD_STALL, &UPLOAD_TIME),
    (&PASSWORDS_WAITING_PER_ADDRESS, &PASSWORDS_WAITING),
    (&DEPLOYS_PER_USER, &DEPLOYS),
    (&DEFINITIONS_MEMORY_PER_TENANT, &DEFINITIONS_MEMORY),
    (&TRIALS_PER_USER, &TRIALS),
    (&TRIAL_IDLE, &TRIAL_TIME),
    (&DRAFTS_PER_TENANT, &DRAFTS_IN_ALL),
    (&MESSAGES_KEPT, &MESSAGES_KEPT_IN_ALL),
    (&SCRIPT_TIME, &SCRIPT_DEADLINE),
    (&SCRIPT_DEADLINE, &STEP_SCRIPT_TIME),
    (&SCRIPTS_WAITING_PER_CALLER, &SCRIPTS_WAITING_PER_DEFINITION),
    (&SCRIPTS_WAITING_PER_DEFINITION, &SCRIPTS_WAITING_PER_TENANT),
    (&LOOP_STEPS_PER_DEFINITION, &LOOP_STEPS_PER_TENANT),
    (&LOOP_STEPS_PER_TENANT, &LOOP_STEPS),
    (&TIMERS_PER_DEFINITION, &TIMERS_PER_TENANT),
    (&TIMERS_PER_TENANT, &TIMERS_AT_ONCE),
    (&SCHEDULES_PER_DEFINITION, &SCHEDULES_PER_TENANT),
    (&SCHEDULES_PER_TENANT, &SCHEDULES_AT_ONCE),
    (&CALLS_PER_HOST, &CALLS_AT_ONCE),
    (&CALLS_PER_DEFINITION, &CALLS_PER_TENANT),
    (&CALLS_PER_TENANT, &CALLS_AT_ONCE),
];

/// Subscriptions that a client can always resume: the longest `hello` has space for them.
pub(super) const RESUMED: usize = 1_000;

/// Checks that no limit contradicts another, with these values for some of them.
///
/// # Errors
/// A sentence about the first contradiction.
pub(super) fn check(adjustments: &Adjustments) -> Result<(), String> {
    let written = |limit: &dyn Named| format!("{}={}", limit.name(), adjustments.written(limit));
    for (least, most) in ORDERED {
        if adjustments.units(*least) > adjustments.units(*most) {
            return Err(format!(
                "expected that the limit {} is at most {}: change one of the two",
                written(*least),
                written(*most)
            ));
        }
    }
    let within: [(&dyn Named, usize, usize, &str); 3] = [
        (
            &SUBSCRIPTIONS,
            CURSOR_DESCENDANTS + ENDED_FOLLOWED,
            RESUMED,
            "a client resumes them in one message",
        ),
        (
            &REST_BODY_BYTES,
            MESSAGE_BYTES,
            usize::MAX,
            "what a websocket may send, REST may send, too",
        ),
        (
            &HELLO,
            0,
            TICKET.as_secs() as usize,
            "a ticket is valid for that many seconds",
        ),
    ];
    for (limit, least, most, why) in within {
        let units = adjustments.units(limit) as usize;
        let (bound, word) = if units < least {
            (least, "least")
        } else {
            (most, "most")
        };
        if !(least..=most).contains(&units) {
            return Err(format!(
                "expected that the limit {} is at {word} {bound}: {why}",
                written(limit)
            ));
        }
    }
    Ok(())
}
