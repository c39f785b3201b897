//! A limit on everything: how much of each thing one client, one definition or one instance may
//! take.
//!
//! Not here: timings of the protocol that are no bound on a resource but a behaviour (close codes
//! and their meaning: `session::protocol::close`). The limits an operator may change are
//! [`Limits`]; the others are constants, so that every server answers alike.

use std::time::Duration;

pub use definitions::*;
pub use drafts::*;
pub use following::*;
pub use instance_limits::InstanceLimits;
pub use loops::*;
pub use network::network;
pub use pot::{CallerKind, Pot, PotPlace, Taker};
pub use quota::Quota;
pub use refused::Limit;
pub use retention::*;
pub use settings::{Limits, Rates};
pub use tree_limits::TreeLimits;
pub use watermark::{Watermark, Watermarks};
pub use writing::*;

mod definitions;
mod drafts;
mod following;
mod instance_limits;
mod loops;
mod network;
mod pot;
mod quota;
mod refused;
mod retention;
mod settings;
mod tree_limits;
mod watermark;
mod writing;

/// The longest websocket message, in bytes, whole or in fragments. Announced in `welcome`; more
/// closes 1009.
pub const MESSAGE_BYTES: usize = 64 * 1024;
/// The longest first message of a websocket, in bytes: `hello` names everything that may be
/// followed, and the longest token.
pub const FIRST_MESSAGE_BYTES: usize = 128 * 1024;
/// The deepest nesting of objects and arrays in JSON that comes from outside.
pub const JSON_DEPTH: usize = 64;
/// The longest command id, in bytes.
pub const ID_BYTES: usize = 128;
/// What the JSON of one body may take once it is read, roughly counted: many small values take many
/// times their text.
pub const JSON_MEMORY: usize = 16 * 1024 * 1024;
/// JSON that takes up to this is not counted among what all bodies take.
pub const JSON_MEMORY_UNCOUNTED: usize = 64 * 1024;
/// What the large instances in memory may take together, roughly counted; with more they leave
/// memory as soon as they have answered, and are read again when they are wanted.
pub const LIVE_MEMORY: usize = 128 * 1024 * 1024;
/// An instance that takes more than this is a large one.
pub const LARGE_INSTANCE: usize = 16 * 1024;
/// How long what connections bring keeps a thread before it looks who else wants something.
pub const THREAD_TURN: Duration = Duration::from_millis(1);
/// Values in the data of a command up to which its step is done on the arbiter of its instance; one
/// with more counts as long.
pub const VALUES_ON_ARBITER: usize = 4_096;
/// The longest name a client may send (process, action, business key, start condition, user), in
/// bytes.
pub const NAME_BYTES: usize = 256;
/// The longest bearer token, in bytes.
pub const TOKEN_BYTES: usize = 8 * 1024;
/// The longest body of a REST request, in bytes, except definitions and uploads.
pub const REST_BODY_BYTES: usize = 1024 * 1024;
/// The largest file an `uploadFile` action may accept, in bytes.
pub const UPLOAD_BYTES: u64 = 100 * 1024 * 1024;
/// The largest file of an `uploadFile` action without `maxBytes`, in bytes.
pub const UPLOAD_DEFAULT_BYTES: u64 = 10 * 1024 * 1024;
/// The longest name of a file that is kept, in bytes; a longer one is cut off before its extension.
pub const FILE_NAME_BYTES: usize = 200;
/// Files one process instance may have.
pub const FILES_PER_INSTANCE: usize = 1_000;
/// Uploads in progress at the same time; more are answered `busy`.
pub const UPLOADS: usize = 128;
/// Of them, those of one user, or of strangers at one address.
pub const UPLOADS_PER_TAKER: usize = 16;
/// How long an upload may bring no byte before it is given up.
pub const UPLOAD_STALL: Duration = Duration::from_secs(30);
/// How long an upload may take altogether.
pub const UPLOAD_TIME: Duration = Duration::from_secs(30 * 60);

/// How long the head of a request may take, from the connection's begin or its first byte.
pub const REQUEST_HEAD: Duration = Duration::from_secs(10);
/// Bytes of a connection that are read before earlier ones are taken; the longest head of a request.
pub const READ_AHEAD_BYTES: usize = 32 * 1024;
/// New connections of one address from which nobody has shown a token: more than that wait.
pub const NEW_CONNECTIONS: Quota = Quota::new(500, 200);
/// How long a new connection waits for its turn, or the first token from there, before it is refused.
pub const CONNECTION_TURN: Duration = Duration::from_secs(5);
/// How long a connection may wait for its next request.
pub const IDLE_CONNECTION: Duration = Duration::from_secs(30);
/// How long a peer may send its body, or read its answer, as slowly as it likes.
pub const PEER_GRACE: Duration = Duration::from_secs(10);
/// How much of a body a peer has to send, or of an answer to read, per second after that, while the
/// server waits for it.
pub const PEER_BYTES_PER_SECOND: u64 = 4 * 1024;
/// Bodies up to this length are read on the thread of their connection, longer ones elsewhere.
pub const LARGE_BODY_BYTES: usize = 64 * 1024;
/// Longer ones that are read at the same time; the others wait.
pub const LARGE_BODIES_AT_ONCE: usize = 2;
/// What of an answer the system holds for who does not read it, in bytes, per connection.
pub const SEND_BUFFER_BYTES: u32 = 256 * 1024;
/// What of requests the system holds that the server does not read yet, in bytes, per connection.
pub const RECEIVE_BUFFER_BYTES: u32 = 128 * 1024;
/// What is read of a body behind its refusal, so that the peer sees the answer.
pub const DRAINED_BYTES: u64 = 16 * 1024 * 1024;
/// The same where the request was over a rate.
pub const DRAINED_OVER_RATE_BYTES: u64 = 64 * 1024;
/// How long the body of a request may take altogether, except an upload.
pub const BODY_TIME: Duration = Duration::from_secs(5 * 60);
/// The part of the memory for bodies that one user, or strangers at one address, may take.
pub const BODY_MEMORY_PART: usize = 8;
/// Bytes of the database that may stay free; of a large one a quarter. More goes back to the system.
pub const DATABASE_FREE_BYTES: u64 = 64 * 1024 * 1024;
/// Addresses remembered from which somebody has shown a token recently.
pub const TRUSTED_ADDRESSES: usize = 10_000;

/// Spans that wait for the collector; one that finds no room is dropped and counted.
pub const SPANS_QUEUED: usize = 8_192;

/// The longest one try of a call to the outside may take, in all: with redirects, and with the
/// answer's body.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(120);
/// How often a failed try of a call may be made again.
pub const CALL_RETRIES: u32 = 10;
/// The longest first pause between two tries of a call.
pub const CALL_FIRST_PAUSE: Duration = Duration::from_secs(3600);
/// The longest pause between two tries of a call: doubling ends here, and so does what a
/// `Retry-After` asks for.
pub const CALL_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// The longest address of a call, in bytes.
pub const CALL_URL_BYTES: usize = 8 * 1024;
/// Headers a call may have of the modeller's.
pub const CALL_HEADERS: usize = 32;
/// The longest value of one of them, in bytes, secrets not counted.
pub const CALL_HEADER_BYTES: usize = 8 * 1024;
/// The largest body of an answer, in bytes.
pub const CALL_ANSWER_BYTES: usize = 1024 * 1024;
/// All headers of an answer together, in bytes.
pub const CALL_ANSWER_HEADER_BYTES: usize = 64 * 1024;
/// Redirects a call follows.
pub const CALL_REDIRECTS: usize = 3;
/// Calls made at the same time; more wait in their table.
pub const CALLS_AT_ONCE: usize = 64;
/// Calls made for one process definition at the same time, and for one tenant: slow targets of one
/// leave places for the others.
pub const CALLS_PER_DEFINITION: usize = 16;
/// See [`CALLS_PER_DEFINITION`].
pub const CALLS_PER_TENANT: usize = 48;
/// Timers that fire at the same time.
pub const TIMERS_AT_ONCE: usize = 64;
/// Of them, those of one process definition, and of one tenant: anyone who has very many leaves
/// places for others.
pub const TIMERS_PER_DEFINITION: usize = 16;
/// See [`TIMERS_PER_DEFINITION`].
pub const TIMERS_PER_TENANT: usize = 48;
/// Calls made to one host and port at the same time.
pub const CALLS_PER_HOST: usize = 8;
/// Calls one instance may have in progress; one more is an incident.
pub const CALLS_PER_INSTANCE: usize = 100;
/// Webhooks of one process.
pub const WEBHOOKS: usize = 8;
/// The largest data a webhook takes along, in bytes of JSON; larger ones are left out.
pub const WEBHOOK_DATA_BYTES: usize = 256 * 1024;
/// Webhooks given up that operators can still see; the oldest are forgotten.
pub const WEBHOOKS_GIVEN_UP: usize = 10_000;

/// Below this nothing new begins, unless `--disk-low` says otherwise.
pub const DISK_LOW: Watermark = Watermark::new(1 << 30, 5);
/// Below this only what completes or ends something is taken, unless `--disk-critical` says
/// otherwise.
pub const DISK_CRITICAL: Watermark = Watermark::new(256 << 20, 1);
/// Before the disk's free room is measured again.
pub const DISK_LOOK: Duration = Duration::from_secs(1);

/// Rows of one part of a list over REST or on a page; the next part is asked for by its cursor.
pub const LISTED: usize = 100;
/// Instances that fit a filter are counted up to this number; a page says that there are more.
pub const COUNTED_INSTANCES: usize = 10_000;
/// Entries on one page of the jobs' dashboard and history.
pub const JOB_ENTRIES: usize = 1_000;
/// Lines of the log of a job's entry; what lies beyond is left out, and a last line says so.
pub const JOB_LOG_LINES: usize = 10_000;
/// Versions of definitions in one part of their list.
pub const DEFINITIONS_LISTED: usize = 1_000;
/// Paths of its data that a process may have its instances found by.
pub const SEARCH_KEYS: usize = 16;
/// The longest value an instance is found by, as text in bytes.
pub const SEARCHED_BYTES: usize = 256;
/// Visits, messages or children of an instance in one part of their list.
pub const HISTORY_PART: usize = 1_000;
/// Log rows that a part of an instance's history is made from; what lies beyond is not looked
/// at, and it says so.
pub const HISTORY_ROWS: usize = 10_000;
/// Instances that the statistics of a version may look at, the newest; a tenth of them unless more
/// are asked for.
pub const STATISTICS_INSTANCES: usize = 1_000;
/// Log rows that they are made from; what lies beyond is not looked at, and they say so.
pub const STATISTICS_ROWS: usize = 20_000;

/// Rows of an instance's log that an earlier moment of it is folded from.
pub const PAST_ROWS: usize = 10_000;

/// Earlier moments that are folded at the same time; others wait.
pub const PAST_FOLDS: usize = 2;

/// Subscriptions of all connections together. How much of it is whose: [`CallerKind::share`].
pub const SUBSCRIPTIONS_IN_ALL: usize = 262_144;
/// Subscriptions one connection may hold, followed children included.
pub const SUBSCRIPTIONS: usize = 1_000;
/// Schemas of what actions take that a connection remembers having been reported; beyond that it is
/// reported them again.
pub const SCHEMAS_TOLD: usize = 1_000;
/// What an action on offer shows of the data at its keys, as JSON, roughly; more is not shown.
pub const INITIAL_BYTES: usize = 8 * 1024;
/// Followed instances that have ended and are followed on, per connection: the newest.
pub const ENDED_FOLLOWED: usize = 8;
/// Live descendants that the cursor of a stream has room for; with more a cut costs a snapshot.
pub const CURSOR_DESCENDANTS: usize = 64;
/// Lists (`tasks`, `process/ID`) one connection may follow.
pub const LISTS: usize = 16;
/// Lines of a followed list; a longer one is cut, newest first, and says so.
pub const TASKS_LISTED: usize = 500;
/// Lines of a followed list that may have changed without being reported; with more it starts over
/// with a snapshot.
pub const LIST_CHANGES: usize = 1_000;
/// Commands one connection may have sent without having their answers; more are answered `busy`.
pub const UNANSWERED_COMMANDS: usize = 256;
/// How long a client may leave frames unread before it is closed 4001.
pub const SLOW_CONSUMER: Duration = Duration::from_secs(15);
/// How long a new connection may take for its `hello` before it is closed 4002.
pub const HELLO: Duration = Duration::from_secs(10);
/// Messages kept for those who do not wait for them yet, of one tenant.
pub const MESSAGES_KEPT: usize = 10_000;
/// The same of all tenants together.
pub const MESSAGES_KEPT_IN_ALL: usize = 100_000;
/// The data of a message or signal that is published to anyone who waits, in bytes of JSON: each of
/// them gets a copy.
pub const PUBLISHED_BYTES: usize = 64 * 1024;
/// How long a message may be kept.
pub const MESSAGE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Instances that the answer to what was published names; of those it went to and of those it
/// started.
pub const PUBLICATION_INSTANCES: usize = 100;
/// How long the answer to what was published waits for the instances: what is not there by then
/// gets it nevertheless.
pub const PUBLISH_PATIENCE: Duration = Duration::from_secs(5);
/// Publications of one message with its key, or of one signal, that are known again when they are
/// repeated: the newest.
pub const PUBLICATIONS_REMEMBERED: usize = 256;
/// Deliveries of a signal in one step; more follow in steps of their own.
pub const SIGNAL_FAN_OUT: usize = 64;
/// What those deliveries bring together, in bytes of JSON; one at least.
pub const SIGNAL_FAN_OUT_BYTES: usize = 1024 * 1024;
/// Between two pings of the server, in seconds. Without a frame for twice that long a connection is
/// closed 4000.
pub const PING_SECONDS: u32 = 25;
/// Between two comments of a stream of which clients expect some sign of life.
pub const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Between two comments of the stream of jobs' counts, as clients of that interface expect them.
pub const JOB_COUNTS_KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long the server waits for the peer's Close after its own, then drops the TCP connection.
pub const CLOSE_REPLY: Duration = Duration::from_secs(2);
/// How long a subscription waits for an announced instance that is not there yet before it is
/// looked for again; once its start is no longer in progress, that ends with `not_found`.
pub const ANNOUNCED_INSTANCE: Duration = Duration::from_secs(5);
/// How long a connection may be over its rate without a calm second, then it is closed 4429.
pub const FLOOD: Duration = Duration::from_secs(10);
/// Bytes each message of the rate limit stands for: many small frames or few large ones, not many
/// large ones.
pub const RATE_MESSAGE_BYTES: u32 = 32 * 1024;

/// What a rate may owe at most, as the time in which that comes in: what something costs is not
/// always known before.
pub const RATE_OWED: Duration = Duration::from_secs(60);

/// One-time tickets that may wait for their use at the same time.
pub const TICKETS: usize = 10_000;
/// Of them, those of one user, or of one address without a user: nobody takes the room of the others, and whatever may be connected
/// may come back at once.
pub const TICKETS_PER_USER: usize = 256;
/// How long a ticket for a websocket or a stream may be used.
pub const TICKET: Duration = Duration::from_secs(30);
/// How long a sign-in link may be used.
pub const SIGN_IN_LINK: Duration = Duration::from_secs(15 * 60);
/// How long a sign-in lasts: the cookie of the pages, and the token a password is given for.
pub const SIGNED_IN: Duration = Duration::from_secs(12 * 3600);
/// How long a token that an admin makes for a user may be good.
pub const ISSUED_TOKEN: Duration = Duration::from_secs(90 * 24 * 3600);
/// The longest password, in bytes.
pub const PASSWORD_BYTES: usize = 1024;
/// Roles one user may have.
pub const USER_ROLES: usize = 64;
/// All roles of one user together, in bytes: the token that names them fits into [`COOKIE_BYTES`].
pub const USER_ROLES_BYTES: usize = 1_536;
/// The longest cookie that browsers keep, its name included, in bytes (RFC 6265, 6.1).
pub const COOKIE_BYTES: usize = 4_096;
/// Passwords hashed at the same time; each takes 19 MiB while it is.
pub const HASHES: usize = 2;
/// Sign-ins that may wait for their hash; more are answered `busy`.
pub const HASHES_WAITING: usize = 64;
/// Of them, those from one address.
pub const HASHES_WAITING_PER_ADDRESS: usize = 16;
/// Wrong passwords for one name from one address that cost no wait.
pub const WRONG_PER_NAME: u32 = 5;
/// Wrong passwords for one name from everywhere together that cost no wait; addresses it has signed
/// in from before never wait for the others.
pub const WRONG_PER_NAME_ANYWHERE: u32 = 100;
/// Addresses remembered per name that it has signed in from, the newest.
pub const KNOWN_ADDRESSES: usize = 8;
/// Wrong passwords from one address that cost no wait: an office may stand behind one.
pub const WRONG_PER_ADDRESS: u32 = 20;
/// The longest wait after a wrong password; the first is a second, each next one twice as long.
pub const SIGN_IN_WAIT: Duration = Duration::from_secs(15 * 60);
/// How long after the last wrong password the count starts anew.
pub const WRONG_FORGOTTEN: Duration = Duration::from_secs(30 * 60);
/// Names, and addresses, whose wrong passwords are counted at the same time; beyond that the least
/// suspicious are forgotten.
pub const WRONG_COUNTED: usize = 10_000;
/// How long a token may last from now, unless `--max-token-lifetime` says otherwise: a year, with a
/// leap day.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(366 * 24 * 3600);
/// How long the token is valid that a server gives to the owner of its data directory; its client
/// gets another one in time.
pub const LOCAL_TOKEN: Duration = Duration::from_secs(15 * 60);
/// Users, and networks of addresses, whose rates are kept at the same time, each of these; those
/// beyond share what one has.
pub const RATES_KEPT: usize = 65_536;
/// What a body of unknown length counts as in the rates of bytes: all that may be read of it.
pub const UNKNOWN_BODY_BYTES: usize = REST_BODY_BYTES;
/// Signs of life (`/healthz`, `/readyz`) of one address: more than any balancer asks for.
pub const LIFE_SIGNS: Quota = Quota::new(100, 400);
/// How long the refusal of a request over a rate is held back, at most, while few of its address are.
pub const HELD_BACK: Duration = Duration::from_millis(250);
/// Refusals of one address that are held back at the same time and that count as few: each as many
/// more hold all of them back that much longer.
pub const HELD_AT_ONCE: u32 = 16;
/// The longest that a refusal is held back, however many are.
pub const HELD_BACK_LONGEST: Duration = Duration::from_secs(4);
/// How long a websocket is not read after a message over a rate, while few of its address are not:
/// refusing many costs little, and who comes faster than that is over the rate nevertheless.
pub const AFTER_REFUSED: Duration = Duration::from_millis(10);
/// The longest that a websocket is not read, however many are not.
pub const AFTER_REFUSED_LONGEST: Duration = Duration::from_secs(1);
/// Fragments of one websocket message, so that it ends although they are empty.
pub const MESSAGE_FRAGMENTS: u32 = 1_024;
/// When a start is worth another try that was refused as too many instances of its address are live.
pub const LIVE_AGAIN: Duration = Duration::from_secs(60);
/// How long the token of an anonymous start is valid.
pub const ANONYMOUS_TOKEN: Duration = Duration::from_secs(24 * 3600);

/// How far ahead of the machine's clock the newest time on record may be for a start of the server
/// to continue from it.
pub const CLOCK_AHEAD: Duration = Duration::from_secs(24 * 3600);
/// Schedules that start an instance at the same time; the others wait, so that many due at once do
/// not stall users.
pub const SCHEDULES_AT_ONCE: usize = 64;
/// Of them, those of one process definition, and of one tenant.
pub const SCHEDULES_PER_DEFINITION: usize = 16;
/// See [`SCHEDULES_PER_DEFINITION`].
pub const SCHEDULES_PER_TENANT: usize = 48;
/// Starts of one schedule that are made up for when more times have passed than it could keep;
/// older ones are left out.
pub const SCHEDULE_BACKLOG: usize = 100;
/// The largest start data of a schedule, in bytes of JSON.
pub const START_DATA_BYTES: usize = 64 * 1024;

/// Commands waiting in the mailbox of one instance; more are answered `busy`. How much of it is
/// whose: [`CallerKind::share`]; strangers' share is what one connection may have unanswered.
pub const INSTANCE_MAILBOX: usize = 2 * UNANSWERED_COMMANDS;
/// Children one process instance may have started, ended ones included; one more is an incident.
pub const CHILDREN: usize = 10_000;
/// Levels of a tree of process instances, the root included; a subprocess below them is an
/// incident.
pub const TREE_LEVELS: usize = 32;
/// Instances of one tree that may be live at once, with the starts of subprocesses in progress; one
/// more is an incident.
pub const TREE_INSTANCES: usize = 10_000;
/// Subprocesses one tree may start per second in the long run; the next ones wait.
pub const TREE_STARTS_PER_SECOND: u32 = 500;
/// Subprocesses one tree may start at once after a pause: the items of a multi-instance call
/// activity start together.
pub const TREE_STARTS_AT_ONCE: u32 = 1_000;
/// Bytes of a row with starts in it that count as much as one start more, so that handing large
/// data down has a rate, too.
pub const TREE_START_BYTES: usize = 4 * 1024;
/// Messages between the instances of one tree that are delivered at the same time; the next ones
/// wait.
pub const TREE_DELIVERIES: usize = 16;
/// Instances below an ended one that end at the same time; the next ones wait.
pub const TREE_ENDS: usize = 16;
/// Users who may ever have had a task of one process instance.
pub const PARTICIPANTS: usize = 1_000;
/// Action messages one process instance may have open; one more is an incident.
pub const OPEN_MESSAGES: usize = 1_000;
/// How long an Action message stays open, unless its process says otherwise; longer than an
/// anonymous token is valid, as users come back.
pub const ACTION_MESSAGE_OPEN: Duration = Duration::from_secs(7 * 24 * 3600);
/// Delayed triggerings one process instance may wait for; one more is an incident.
pub const DELAYED: usize = 10_000;
/// The longest comment of a decision in an approval, in bytes.
pub const COMMENT_BYTES: usize = 4_096;
/// How often one user task reminds of itself.
pub const REMINDERS: u32 = 100;
/// Rows handed to the journal's writer and not durable yet, over all instances; more commands are
/// answered `busy`.
pub const WRITER_QUEUE: usize = 4_096;
/// Damaged things of a store that are named in its log and counted by `/readyz`; more are damaged
/// without being counted.
pub const DAMAGED_NAMED: usize = 10_000;
/// Element instances one process instance may have active at once; one more is an incident.
pub const ACTIVE_ELEMENTS: usize = 10_000;
/// Completed activities of one instance that may be compensated; with another one its completion is
/// an incident.
pub const COMPENSATIONS: usize = 1_000;
/// Elements one command may enter; one more is an incident, as of a model with an endless loop.
pub const ELEMENTS_PER_COMMAND: usize = 1_000;
/// Iterations of one multi-instance activity; more are an incident.
pub const ITEMS: usize = 1_000;
/// Tokens that begin an activity, or leave it by one flow.
pub const TOKEN_QUANTITY: u32 = 100;
/// Event definitions of one event.
pub const EVENT_DEFINITIONS: usize = 32;
/// Bytes of JSON of the items and start data of one multi-instance activity; more are an incident.
pub const ITEM_DATA_BYTES: usize = 16 * 1024 * 1024;
/// Variables that the elements of one process instance own together when they declare them, and
/// what all mappings of one element read together, in bytes of JSON; more is an incident.
pub const VARIABLE_BYTES: usize = 16 * 1024 * 1024;
/// Steps of one definition that may wait for a script thread; more commands are answered `busy`.
pub const SCRIPTS_WAITING_PER_DEFINITION: usize = 1_024;
/// Steps of one tenant that may wait for a script thread.
pub const SCRIPTS_WAITING_PER_TENANT: usize = 4_096;
/// Scripts of one definition that may have to be killed before it is stopped.
pub const SCRIPTS_KILLED: u32 = 5;
/// How long a definition is stopped after the last script that had to be killed.
pub const SCRIPTS_STOPPED: Duration = Duration::from_secs(60);
/// Parts of the JSON Schema of one key, what a reference leads to counted each time it is met.
pub const KEY_SCHEMA_PARTS: usize = 1_000;
/// Steps of one check of a value against the schema of its key: parts of the schema times parts of
/// the value. At worst some 20 ms.
pub const KEY_CHECK_STEPS: usize = 1_000_000;
/// Steps of a check up to which a refusal says what is wrong where: it takes memory that grows with
/// them, some 10 MiB at worst.
pub const KEY_REASON_STEPS: usize = 50_000;
/// Steps of the checks of a command up to which they are done on the arbiter of its instance;
/// longer ones go to a script thread.
pub const KEY_STEPS_ON_ARBITER: usize = 50_000;
/// The largest output of one template, in bytes of JSON.
pub const TEMPLATE_BYTES: usize = 64 * 1024;
/// The longest script of a business rule, in bytes.
pub const RULE_BYTES: usize = 64 * 1024;
/// The largest output of one business rule, in bytes of JSON, roughly counted; its depth is at most
/// [`JSON_DEPTH`].
pub const RULE_OUTPUT_BYTES: usize = 256 * 1024;
/// Violations of a key's schema that a refusal names for one value.
pub const KEY_VIOLATIONS: usize = 50;
/// The deepest nesting of data that one instance takes over from another, from a call or a patch.
/// More would not be read back from the log.
pub const DATA_DEPTH: usize = 256;
/// Starts of processes by processes that a deploy looks at for cycles; what lies beyond is not
/// warned of.
pub const STARTS_LOOKED_AT: usize = 100_000;
/// States that `stepwire check --explore` looks at; beyond them there is no verdict.
pub const EXPLORED_STATES: usize = 10_000;
/// How long a refused origin or host is not written to the log again.
pub const REFUSED_ORIGIN_AGAIN: Duration = Duration::from_secs(60);
/// Refused origins and hosts that are written to the log within that time; others are not.
pub const REFUSED_ORIGINS_LOGGED: usize = 8;
/// How much of a refused origin or host is repeated, in bytes.
pub const REFUSED_ORIGIN_BYTES: usize = 80;
/// The longest code of an error that a script throws, in bytes.
pub const ERROR_CODE_BYTES: usize = 256;
/// The longest text that a script reads by `JSON.parse`, in bytes.
pub const SCRIPT_JSON_BYTES: usize = 1024 * 1024;

/// Trials of drafts that run at the same time; more are answered `busy`.
pub const TRIALS: usize = 8;
/// Of them, those of one designer; another one ends the oldest.
pub const TRIALS_PER_USER: usize = 2;
/// How long a trial stays without a connection and a request.
pub const TRIAL_IDLE: Duration = Duration::from_secs(10 * 60);
/// How long a trial may run altogether.
pub const TRIAL_TIME: Duration = Duration::from_secs(2 * 60 * 60);
/// How many bytes of records a trial may hold before it ends.
pub const TRIAL_BYTES: usize = 32 * 1024 * 1024;
/// Processes a trial runs, those that the draft starts or calls among them.
pub const TRIAL_PROCESSES: usize = 32;

#[cfg(test)]
mod tests;
