//! Limits on everything: how much of each resource one client, one definition or one instance may
//! use.
//!
//! Not here: timings of the protocol that define its behaviour and bound no resource (close codes
//! and their meaning: `session::protocol::close`). How much of a server others may take, an operator
//! may change: the limits in [`Limits`] by an option each, those in `by_name` by `--limits`. The
//! others are constants, because definitions, logs and clients have to work alike on every server.

use std::time::Duration;

pub use adjustable::{Adjustable, Adjustments};
pub use by_name::*;
pub use definitions::*;
pub use drafts::*;
pub use following::*;
pub use instance_limits::InstanceLimits;
pub use live_memory::*;
pub use loops::*;
pub use network::network;
pub use pot::{CallerKind, Pot, PotPlace, Taker};
pub use quota::{Quota, written_bytes};
pub use refused::Limit;
pub use retention::*;
pub use settings::{Limits, Rates};
pub use tokens::*;
pub use tree_limits::TreeLimits;
pub use watermark::{Watermark, Watermarks};
pub use writing::*;

mod adjustable;
mod by_name;
mod definitions;
mod drafts;
mod following;
mod instance_limits;
mod live_memory;
mod loops;
mod network;
mod pot;
mod quota;
mod refused;
mod retention;
mod settings;
mod tokens;
mod tree_limits;
mod watermark;
mod writing;

/// The longest websocket message, in bytes, whole or in fragments. Announced in `welcome`; a longer
/// one closes the connection with 1009.
pub const MESSAGE_BYTES: usize = 64 * 1024;
/// The longest first message of a websocket, in bytes: `hello` names everything to follow, and may
/// contain the longest token.
pub const FIRST_MESSAGE_BYTES: usize = 128 * 1024;
/// The deepest nesting of objects and arrays in JSON from outside.
pub const JSON_DEPTH: usize = 64;
/// The longest command id, in bytes.
pub const ID_BYTES: usize = 128;
/// JSON that takes up to this much is not counted in the memory for bodies.
pub const JSON_MEMORY_UNCOUNTED: usize = 64 * 1024;
/// How long work for connections keeps a thread before it yields to others.
pub const THREAD_TURN: Duration = Duration::from_millis(1);
/// How long steps of one instance keep their thread before others on it go on, even if more commands
/// wait for the instance.
pub const INSTANCE_TURN: Duration = Duration::from_micros(250);
/// Values in the data of a command up to which its step runs on the arbiter of its instance; a step
/// with more counts as long.
pub const VALUES_ON_ARBITER: usize = 4_096;
/// The longest name that a client may send (process, action, business key, start condition, user),
/// in bytes.
pub const NAME_BYTES: usize = 256;
/// The largest file an `uploadFile` action may accept, in bytes.
pub const UPLOAD_BYTES: u64 = 100 * 1024 * 1024;
/// The largest file of an `uploadFile` action without `maxBytes`, in bytes.
pub const UPLOAD_DEFAULT_BYTES: u64 = 10 * 1024 * 1024;
/// The longest stored file name, in bytes; a longer one is cut off before its extension.
pub const FILE_NAME_BYTES: usize = 200;
/// Files of one process instance.
pub const FILES_PER_INSTANCE: usize = 1_000;

/// Bytes of a connection that are read ahead; also the longest head of a request.
pub const READ_AHEAD_BYTES: usize = 32 * 1024;
/// Bodies up to this length are read on the thread of their connection, longer ones on another.
pub const LARGE_BODY_BYTES: usize = 64 * 1024;
/// Longer bodies that are read, and large answers that are written, at the same time; others wait.
pub const LARGE_BODIES_AT_ONCE: usize = 2;
/// Stored bytes of an instance up to which it is decoded on a reader thread that others need; a
/// larger one is read again and decoded on a thread of low priority.
pub const LARGE_READ_BYTES: usize = 64 * 1024;
/// Unread bytes of answers that the operating system buffers per connection.
pub const SEND_BUFFER_BYTES: u32 = 256 * 1024;
/// Bytes of requests not yet read by the server that the operating system buffers per connection.
pub const RECEIVE_BUFFER_BYTES: u32 = 128 * 1024;
/// How much of a body is read after its request was refused, so that the peer sees the answer.
pub const DRAINED_BYTES: u64 = 16 * 1024 * 1024;
/// The same when the request exceeded a rate.
pub const DRAINED_OVER_RATE_BYTES: u64 = 64 * 1024;
/// One user, or the anonymous callers of one address, may take this fraction of the body memory.
pub const BODY_MEMORY_PART: usize = 8;
/// Free bytes that the database keeps; of a large one a quarter. More goes to the file system.
pub const DATABASE_FREE_BYTES: u64 = 64 * 1024 * 1024;
/// Remembered addresses that have recently presented a token.
pub const TRUSTED_ADDRESSES: usize = 10_000;

/// The longest time of one attempt of a call to another system, with redirects and the body of the
/// answer.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(120);
/// How often a failed attempt of a call may be repeated.
pub const CALL_RETRIES: u32 = 10;
/// The longest first pause between two attempts of a call.
pub const CALL_FIRST_PAUSE: Duration = Duration::from_secs(3600);
/// The longest pause between two attempts of a call, for doubling as well as for `Retry-After`.
pub const CALL_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// The longest address of a call, in bytes.
pub const CALL_URL_BYTES: usize = 8 * 1024;
/// Headers that the modeller may give a call.
pub const CALL_HEADERS: usize = 32;
/// The longest value of such a header, in bytes, without secrets.
pub const CALL_HEADER_BYTES: usize = 8 * 1024;
/// The largest body of an answer, in bytes.
pub const CALL_ANSWER_BYTES: usize = 1024 * 1024;
/// All headers of an answer together, in bytes.
pub const CALL_ANSWER_HEADER_BYTES: usize = 64 * 1024;
/// Redirects a call follows.
pub const CALL_REDIRECTS: usize = 3;
/// Calls in progress of one instance; one more is an incident.
pub const CALLS_PER_INSTANCE: usize = 100;
/// Webhooks of one process.
pub const WEBHOOKS: usize = 8;
/// The largest data that a webhook carries, in bytes of JSON; larger data are left out.
pub const WEBHOOK_DATA_BYTES: usize = 256 * 1024;

/// Below this much free space nothing new starts, unless `--disk-low` says otherwise.
pub const DISK_LOW: Watermark = Watermark::new(1 << 30, 5);
/// Below this much free space only commands that complete or end something are accepted, unless
/// `--disk-critical` says otherwise.
pub const DISK_CRITICAL: Watermark = Watermark::new(256 << 20, 1);
/// The interval at which the free space of the disk is measured.
pub const DISK_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Rows in one part of a list over REST or on a page; the next part is requested by its cursor.
pub const LISTED: usize = 100;
/// Instances that match a filter are counted up to this number; a page says if there are more.
pub const COUNTED_INSTANCES: usize = 10_000;
/// Entries on one page of the job dashboard and history.
pub const JOB_ENTRIES: usize = 1_000;
/// Lines in the log of a job entry; further ones are left out, and a last line says so.
pub const JOB_LOG_LINES: usize = 10_000;
/// Versions of definitions in one part of their list.
pub const DEFINITIONS_LISTED: usize = 1_000;
/// Paths in the data by which a process may make its instances searchable.
pub const SEARCH_KEYS: usize = 16;
/// The longest searchable value, as text in bytes.
pub const SEARCHED_BYTES: usize = 256;
/// Visits, messages or children of an instance in one part of their list.
pub const HISTORY_PART: usize = 1_000;
/// Log rows from which a part of an instance's history is computed; further ones are not read, and
/// the answer says so.
pub const HISTORY_ROWS: usize = 10_000;
/// The number of newest instances that the statistics of a version may cover; a tenth of them
/// unless more are requested.
pub const STATISTICS_INSTANCES: usize = 1_000;
/// Log rows from which statistics are computed; further ones are not read, and the answer says so.
pub const STATISTICS_ROWS: usize = 20_000;

/// Log rows of an instance from which an earlier moment of it is computed.
pub const PAST_ROWS: usize = 10_000;

/// Earlier moments that are computed at the same time; others wait.
pub const PAST_FOLDS: usize = 2;

/// Schemas of action data that a connection remembers having sent; beyond that it sends them again.
pub const SCHEMAS_REMEMBERED: usize = 1_000;
/// Estimated JSON size of the data that an action on offer shows; larger data are not shown.
pub const INITIAL_BYTES: usize = 8 * 1024;
/// Ended instances that a connection keeps following: the newest.
pub const ENDED_FOLLOWED: usize = 8;
/// Live descendants that fit in the cursor of a stream; with more, a reconnect costs a snapshot.
pub const CURSOR_DESCENDANTS: usize = 64;
/// Lines of a followed list; a longer list is cut, newest first, and says so.
pub const TASKS_LISTED: usize = 500;
/// Changed lines of a followed list that may be unreported; with more, the list starts over with a
/// snapshot.
pub const LIST_CHANGES: usize = 1_000;
/// The longest time for which a message may be kept.
pub const MESSAGE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Instances named in the answer to a publication, of those that received it and of those it
/// started.
pub const PUBLICATION_INSTANCES: usize = 100;
/// How long the answer to a publication waits for the instances; those that are not done by then
/// receive it nevertheless.
pub const PUBLISH_WAIT: Duration = Duration::from_secs(5);
/// Publications of one message with its key, or of one signal, that are recognised when repeated:
/// the newest.
pub const PUBLICATIONS_REMEMBERED: usize = 256;
/// Deliveries of a signal in one step; more follow in separate steps.
pub const SIGNAL_FAN_OUT: usize = 64;
/// Bytes of JSON that those deliveries carry together; at least one delivery.
pub const SIGNAL_FAN_OUT_BYTES: usize = 1024 * 1024;
/// The interval between two pings of the server, in seconds. A connection without a frame for twice
/// that long is closed with 4000.
pub const PING_SECONDS: u32 = 25;
/// The interval between two keep-alive comments of a stream.
pub const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The same for the stream of job counts, as the clients of that interface expect.
pub const JOB_COUNTS_KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long the server waits for the peer's Close after its own before it drops the TCP connection.
pub const CLOSE_REPLY: Duration = Duration::from_secs(2);
/// How long a subscription waits for an announced instance before it looks for it again; once the
/// start is no longer in progress, the subscription ends with `not_found`.
pub const ANNOUNCED_INSTANCE: Duration = Duration::from_secs(5);
/// Bytes of a message that count as one message in the rate limit: a client may send many small
/// frames or few large ones, but not many large ones.
pub const RATE_MESSAGE_BYTES: u32 = 32 * 1024;

/// The largest debt of a rate, as the time in which it is repaid: the cost of a request is not
/// always known before.
pub const RATE_OWED: Duration = Duration::from_secs(60);

/// How long a ticket for a websocket or a stream may be used.
pub const TICKET: Duration = Duration::from_secs(30);
/// How long a sign-in link is valid.
pub const SIGN_IN_LINK: Duration = Duration::from_secs(15 * 60);
/// How long a sign-in lasts: the cookie of the pages, and the token given for a password.
pub const SIGNED_IN: Duration = Duration::from_secs(12 * 3600);
/// The longest lifetime of a token that an admin creates for a user.
pub const ISSUED_TOKEN: Duration = Duration::from_secs(90 * 24 * 3600);
/// The longest password, in bytes.
pub const PASSWORD_BYTES: usize = 1024;
/// Roles one user may have.
pub const USER_ROLES: usize = 64;
/// All roles of one user together, in bytes: the token with them must fit into [`COOKIE_BYTES`].
pub const USER_ROLES_BYTES: usize = 1_536;
/// The longest cookie that browsers store, with its name, in bytes (RFC 6265, 6.1).
pub const COOKIE_BYTES: usize = 4_096;
/// Passwords hashed at the same time; each takes 19 MiB meanwhile.
pub const HASHES: usize = 2;
/// Remembered addresses from which a name has signed in, the newest.
pub const KNOWN_ADDRESSES: usize = 8;
/// How long after the last wrong password the count starts again.
pub const WRONG_FORGOTTEN: Duration = Duration::from_secs(30 * 60);
/// Names, and addresses, whose wrong passwords are counted at the same time; beyond that the least
/// suspicious are forgotten.
pub const WRONG_COUNTED: usize = 10_000;
/// How long the token that a server gives to the owner of its data directory is valid; its client
/// renews it in time.
pub const LOCAL_TOKEN: Duration = Duration::from_secs(15 * 60);
/// Users, and networks of addresses, whose rates are tracked individually, each up to this number;
/// further ones share one rate.
pub const RATES_KEPT: usize = 65_536;
/// How long the refusal of a request over a rate is delayed at most, while its address has few of
/// them.
pub const HELD_BACK: Duration = Duration::from_millis(250);
/// Delayed refusals of one address that count as few: with each further multiple of this number,
/// all are delayed that much longer.
pub const HELD_AT_ONCE: u32 = 16;
/// The longest delay of a refusal, however many there are.
pub const HELD_BACK_LONGEST: Duration = Duration::from_secs(4);
/// How long a websocket is not read after a message over a rate, while its address has few such: a
/// refusal costs little, and a client that sends faster is over the rate anyway.
pub const AFTER_REFUSED: Duration = Duration::from_millis(10);
/// The longest time for which a websocket is not read, however many there are.
pub const AFTER_REFUSED_LONGEST: Duration = Duration::from_secs(1);
/// Fragments of one websocket message, so that a message of empty fragments ends, too.
pub const MESSAGE_FRAGMENTS: u32 = 1_024;
/// When a start refused for the live instances of its address may be tried again.
pub const LIVE_AGAIN: Duration = Duration::from_secs(60);
/// How long the token of an anonymous start is valid.
pub const ANONYMOUS_TOKEN: Duration = Duration::from_secs(24 * 3600);

/// How far the newest recorded time may be ahead of the machine's clock for a server to start and
/// continue from it.
pub const CLOCK_AHEAD: Duration = Duration::from_secs(24 * 3600);
/// Missed starts of one schedule that are made up for; older ones are left out.
pub const SCHEDULE_BACKLOG: usize = 100;
/// The largest start data of a schedule, in bytes of JSON.
pub const START_DATA_BYTES: usize = 64 * 1024;

/// Children that one process instance may have started, with ended ones; one more is an incident.
pub const CHILDREN: usize = 10_000;
/// Levels of a tree of process instances, with the root; a subprocess below them is an incident.
pub const TREE_LEVELS: usize = 32;
/// Bytes of a row with starts that count as one more start, so that handing down large data is
/// limited, too.
pub const TREE_START_BYTES: usize = 4 * 1024;
/// Instances below an ended one that are ended at the same time; further ones wait.
pub const TREE_ENDS: usize = 16;
/// Users who have had a task of one process instance.
pub const PARTICIPANTS: usize = 1_000;
/// Open action messages of one process instance; one more is an incident.
pub const OPEN_MESSAGES: usize = 1_000;
/// How long an action message stays open, unless its process says otherwise; longer than an
/// anonymous token is valid, as users come back.
pub const ACTION_MESSAGE_OPEN: Duration = Duration::from_secs(7 * 24 * 3600);
/// Pending delayed actions of one process instance; one more is an incident.
pub const DELAYED: usize = 10_000;
/// The longest comment of a decision in an approval, in bytes.
pub const COMMENT_BYTES: usize = 4_096;
/// The number of reminders of one user task.
pub const REMINDERS: u32 = 100;
/// Damaged objects of a store that are named in its log and counted by `/readyz`; further ones are
/// not counted.
pub const DAMAGED_NAMED: usize = 10_000;
/// Active element instances of one process instance; one more is an incident.
pub const ACTIVE_ELEMENTS: usize = 10_000;
/// Completed activities of one instance that may be compensated; completing another one is an
/// incident.
pub const COMPENSATIONS: usize = 1_000;
/// Elements that one command may enter; one more is an incident, as in an endless loop.
pub const ELEMENTS_PER_COMMAND: usize = 1_000;
/// Iterations of one multi-instance activity; more are an incident.
pub const ITEMS: usize = 1_000;
/// Tokens that start an activity, or leave it by one flow.
pub const TOKEN_QUANTITY: u32 = 100;
/// Event definitions of one event.
pub const EVENT_DEFINITIONS: usize = 32;
/// Bytes of JSON of the items and start data of one multi-instance activity; more are an incident.
pub const ITEM_DATA_BYTES: usize = 16 * 1024 * 1024;
/// Variables owned by the elements of one process instance together when they are declared, and
/// what all mappings of one element read together, in bytes of JSON; more is an incident.
pub const VARIABLE_BYTES: usize = 16 * 1024 * 1024;
/// Parts of the JSON Schema of one key; a reference counts with all parts of its target.
pub const KEY_SCHEMA_PARTS: usize = 1_000;
/// Steps of a check up to which an error says what is wrong where: that takes memory in proportion,
/// about 10 MiB in the worst case.
pub const KEY_REASON_STEPS: usize = 50_000;
/// Steps of the checks of a command up to which they run on the arbiter of its instance; longer
/// ones go to a script thread.
pub const KEY_STEPS_ON_ARBITER: usize = 50_000;
/// The largest output of one template, in bytes of JSON.
pub const TEMPLATE_BYTES: usize = 64 * 1024;
/// The longest script of a business rule, in bytes.
pub const RULE_BYTES: usize = 64 * 1024;
/// The largest output of one business rule, in bytes of JSON, estimated; its depth is at most
/// [`JSON_DEPTH`].
pub const RULE_OUTPUT_BYTES: usize = 256 * 1024;
/// Violations of the schema of a key that an error names for one value.
pub const KEY_VIOLATIONS: usize = 50;
/// The deepest nesting of data that one instance takes from another, from a call or a patch. Deeper
/// data could not be read back from the log.
pub const DATA_DEPTH: usize = 256;
/// States that `stepwire check --explore` visits; beyond them there is no verdict.
pub const EXPLORED_STATES: usize = 10_000;
/// How long a rejected origin or host is not logged again.
pub const REFUSED_ORIGIN_AGAIN: Duration = Duration::from_secs(60);
/// Rejected origins and hosts that are logged within that time; others are not.
pub const REFUSED_ORIGINS_LOGGED: usize = 8;
/// Bytes of a rejected origin or host that are repeated in the log.
pub const REFUSED_ORIGIN_BYTES: usize = 80;
/// The longest code of an error thrown by a script, in bytes.
pub const ERROR_CODE_BYTES: usize = 256;
/// The longest text that a script may parse by `JSON.parse`, in bytes.
pub const SCRIPT_JSON_BYTES: usize = 1024 * 1024;

/// Processes that a trial runs, including those that the draft starts or calls.
pub const TRIAL_PROCESSES: usize = 32;

#[cfg(test)]
mod tests;
