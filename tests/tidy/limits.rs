//! Every limit of `src/limits.rs` has its line in `docs/limits.md`, with its value.
//!
//! Metric labels of limits that refuse work are compared with `docs/metrics.md` by
//! `limits::refused`.

mod written;

use std::fs;

use self::written::{holds, limits};
use super::root;

/// Which constants the rows of the page state: by the words a row begins with.
const ROWS: &[(&str, &[&str])] = &[
    (
        "websocket message;",
        &["MESSAGE_BYTES", "FIRST_MESSAGE_BYTES"],
    ),
    ("JSON depth", &["JSON_DEPTH"]),
    (
        "what the JSON of one body",
        &["JSON_MEMORY", "JSON_MEMORY_UNCOUNTED"],
    ),
    (
        "what large instances",
        &["LIVE_MEMORY", "LARGE_INSTANCE", "PUT_AWAY_AT_ONCE"],
    ),
    ("command id", &["ID_BYTES"]),
    ("room of the database file", &["DATABASE_FREE_BYTES"]),
    ("values in the data", &["VALUES_ON_ARBITER"]),
    ("name in a frame", &["NAME_BYTES"]),
    ("bearer token", &["TOKEN_BYTES"]),
    (
        "tokens of users that the server remembers",
        &["VERIFIED_TOKENS", "VERIFIED_TOKEN_BYTES"],
    ),
    ("a [draft]", &["DRAFT_BYTES"]),
    ("drafts of one user", &["DRAFTS_PER_USER"]),
    (
        "drafts of a tenant",
        &["DRAFTS_PER_TENANT", "DRAFTS_IN_ALL", "DRAFT_OVERHEAD"],
    ),
    (
        "user tasks that one connection",
        &["TASKS_OPEN", "PRESENT_PER_TASK"],
    ),
    ("how long a user counts as typing", &["TYPING"]),
    ("subscriptions per connection", &["SUBSCRIPTIONS"]),
    ("schemas of actions", &["SCHEMAS_REMEMBERED"]),
    (
        "`initial` of an action",
        &["INITIAL_BYTES", "ACTIONS_WITH_INITIAL"],
    ),
    ("active elements, and actions", &["LISTED_ELEMENTS"]),
    ("instances that a connection reads", &["READS_AT_ONCE"]),
    ("frames of more than", &["LONG_FRAME"]),
    ("shorter frames that wait", &["UNSENT_SHORT_BYTES"]),
    ("rows of a followed instance", &["PULL_BYTES"]),
    (
        "trials of drafts in the designer",
        &["TRIALS", "TRIALS_PER_USER"],
    ),
    (
        "trial without a connection",
        &["TRIAL_IDLE", "TRIAL_TIME", "TRIAL_BYTES"],
    ),
    ("processes that a trial runs", &["TRIAL_PROCESSES"]),
    (
        "commands between the first and",
        &["PAST_ROWS", "PAST_FOLDS"],
    ),
    ("unanswered commands", &["UNANSWERED_COMMANDS"]),
    ("fragments of a websocket", &["MESSAGE_FRAGMENTS"]),
    ("subscriptions of all", &["SUBSCRIPTIONS_IN_ALL"]),
    ("lists (`tasks`", &["LISTS"]),
    ("lines of a list |", &["TASKS_LISTED"]),
    ("lines of a list that", &["LIST_CHANGES"]),
    ("frames a subscription", &["REPLAY_FRAMES"]),
    ("frames that wait", &["UNSENT_FRAMES", "UNSENT_BYTES"]),
    ("client without progress", &["SLOW_CONSUMER"]),
    ("comments of the stream of jobs", &["JOB_COUNTS_KEEP_ALIVE"]),
    ("comments of any other stream", &["KEEP_ALIVE"]),
    ("live descendants", &["CURSOR_DESCENDANTS"]),
    ("ended instances that a connection", &["ENDED_FOLLOWED"]),
    ("`hello` after", &["HELLO"]),
    ("no frame from a client", &["PING_SECONDS"]),
    ("answer to the server's Close", &["CLOSE_REPLY"]),
    ("wait for a child", &["ANNOUNCED_INSTANCE"]),
    ("messages per connection", &["RATE_MESSAGE_BYTES", "FLOOD"]),
    ("live instances that were started", &["LIVE_AGAIN"]),
    (
        "`/healthz`",
        &["HEALTH_CHECKS_PER_SECOND", "HEALTH_CHECKS_AT_ONCE"],
    ),
    (
        "addresses, and users, whose rates",
        &["RATES_KEPT", "REST_BODY_BYTES"],
    ),
    (
        "refusal over REST",
        &["HELD_BACK", "HELD_AT_ONCE", "HELD_BACK_LONGEST"],
    ),
    (
        "websocket after a refusal",
        &["AFTER_REFUSED", "AFTER_REFUSED_LONGEST"],
    ),
    (
        "addresses that the server remembers",
        &["TRUSTED_ADDRESSES"],
    ),
    (
        "new TCP connections",
        &[
            "NEW_CONNECTIONS_PER_SECOND",
            "NEW_CONNECTIONS_AT_ONCE",
            "CONNECTION_TURN",
        ],
    ),
    ("head of a request", &["REQUEST_HEAD"]),
    ("connection that waits", &["IDLE_CONNECTION"]),
    ("bytes of a head or body", &["READ_AHEAD_BYTES"]),
    (
        "pace at which a client",
        &["TRANSFER_BYTES_PER_SECOND", "TRANSFER_GRACE"],
    ),
    ("REST body", &["REST_BODY_BYTES", "BODY_TIME"]),
    (
        "body that is parsed on",
        &["LARGE_BODY_BYTES", "LARGE_BODIES_AT_ONCE"],
    ),
    ("stored bytes of an instance", &["LARGE_READ_BYTES"]),
    ("bytes of an answer", &["SEND_BUFFER_BYTES"]),
    (
        "bytes of requests that the system",
        &["RECEIVE_BUFFER_BYTES"],
    ),
    (
        "rest of a body",
        &["DRAINED_BYTES", "DRAINED_OVER_RATE_BYTES"],
    ),
    ("memory for bodies of requests", &["BODY_MEMORY_PART"]),
    ("process definition", &["DEFINITION_BYTES"]),
    ("executable processes of one", &["PROCESSES_PER_SOURCE"]),
    ("problems of a definition", &["DEFINITION_PROBLEMS"]),
    ("sentence of a problem", &["PROBLEM_BYTES"]),
    ("flow nodes and sequence flows", &["DEFINITION_ELEMENTS"]),
    ("memory in which a compiled definition", &["UPSTREAM_BYTES"]),
    (
        "definitions that are being compiled",
        &["DEPLOYS_PER_USER", "DEPLOYS"],
    ),
    (
        "rows in one part",
        &["LISTED", "DEFINITIONS_LISTED", "HISTORY_PART"],
    ),
    ("instances that a page counts", &["COUNTED_INSTANCES"]),
    ("entries on a page", &["JOB_ENTRIES"]),
    ("rows of an instance's log", &["HISTORY_ROWS"]),
    ("size of the rows of a log", &["LOG_PART_BYTES"]),
    (
        "instances that the [statistics]",
        &["STATISTICS_INSTANCES", "STATISTICS_ROWS"],
    ),
    ("lines of a job's log", &["JOB_LOG_LINES"]),
    ("search keys", &["SEARCH_KEYS"]),
    ("value that is searched", &["SEARCHED_BYTES"]),
    ("file of an", &["UPLOAD_BYTES", "UPLOAD_DEFAULT_BYTES"]),
    ("name of a file", &["FILE_NAME_BYTES"]),
    ("files of an instance", &["FILES_PER_INSTANCE"]),
    ("uploads at the same time", &["UPLOADS", "UPLOADS_PER_USER"]),
    (
        "upload: time without a byte",
        &["UPLOAD_STALL", "UPLOAD_TIME"],
    ),
    ("rendered template", &["TEMPLATE_BYTES"]),
    ("elements one command", &["ELEMENTS_PER_COMMAND"]),
    ("elements active at once", &["ACTIVE_ELEMENTS"]),
    ("completed activities", &["COMPENSATIONS"]),
    ("event definitions of one event", &["EVENT_DEFINITIONS"]),
    ("tokens that begin", &["TOKEN_QUANTITY"]),
    ("levels of embedded", &["SUBPROCESS_DEPTH"]),
    ("lanes around a lane", &["LANE_DEPTH"]),
    ("flows that enter", &["JOIN_FLOWS"]),
    ("subprocesses an instance", &["CHILDREN"]),
    ("levels of a tree", &["TREE_LEVELS"]),
    ("live instances of a tree", &["TREE_INSTANCES"]),
    (
        "subprocesses that a tree starts",
        &[
            "TREE_STARTS_PER_SECOND",
            "TREE_STARTS_AT_ONCE",
            "TREE_START_BYTES",
        ],
    ),
    (
        "messages between instances",
        &["TREE_DELIVERIES", "TREE_ENDS"],
    ),
    (
        "iterations of multi-instance activities",
        &["STEP_STARTS", "STEP_START_BYTES"],
    ),
    ("consecutive steps", &["LOOP_TURNS"]),
    (
        "steps in which more iterations",
        &[
            "LOOP_STEPS",
            "LOOP_STEPS_PER_DEFINITION",
            "LOOP_STEPS_PER_TENANT",
        ],
    ),
    (
        "memory for the newest rows of a followed instance",
        &["FOLLOWED_BYTES", "FOLLOWED_BYTES_IN_ALL", "FOLLOWED_SMALL"],
    ),
    (
        "size beyond which a write",
        &[
            "LONG_WRITE",
            "LONG_WRITES_AT_ONCE",
            "LONG_WRITES_BESIDE_SHORT",
        ],
    ),
    ("Action messages open", &["OPEN_MESSAGES"]),
    ("an Action message stays", &["ACTION_MESSAGE_OPEN"]),
    ("delayed actions", &["DELAYED"]),
    ("users who were ever", &["PARTICIPANTS"]),
    ("reminders of a user task", &["REMINDERS"]),
    ("comment of a decision", &["COMMENT_BYTES"]),
    ("iterations of a multi-instance activity", &["ITEMS"]),
    ("its items", &["ITEM_DATA_BYTES"]),
    ("variables that", &["VARIABLE_BYTES"]),
    ("one attempt of a call", &["CALL_TIMEOUT"]),
    ("`retries`", &["CALL_RETRIES", "CALL_FIRST_PAUSE"]),
    ("longest pause", &["CALL_PAUSE"]),
    ("address of a call", &["CALL_URL_BYTES"]),
    ("headers of a call", &["CALL_HEADERS", "CALL_HEADER_BYTES"]),
    (
        "body of a response",
        &["CALL_ANSWER_BYTES", "CALL_ANSWER_HEADER_BYTES"],
    ),
    ("redirects", &["CALL_REDIRECTS"]),
    (
        "messages kept",
        &["MESSAGES_KEPT", "MESSAGES_KEPT_IN_ALL", "MESSAGE_KEPT"],
    ),
    ("publications of one", &["PUBLICATIONS_REMEMBERED"]),
    ("how long the answer to `publish`", &["PUBLISH_WAIT"]),
    ("data of a message or signal", &["PUBLISHED_BYTES"]),
    ("instances that the answer", &["PUBLICATION_INSTANCES"]),
    (
        "deliveries of a signal",
        &["SIGNAL_FAN_OUT", "SIGNAL_FAN_OUT_BYTES"],
    ),
    (
        "calls in progress",
        &["CALLS_AT_ONCE", "CALLS_PER_HOST", "CALLS_PER_INSTANCE"],
    ),
    (
        "calls to other systems at once",
        &["CALLS_PER_DEFINITION", "CALLS_PER_TENANT"],
    ),
    ("webhooks of a process", &["WEBHOOKS", "WEBHOOK_DATA_BYTES"]),
    ("damaged entries", &["DAMAGED_NAMED"]),
    ("webhooks that were given up", &["WEBHOOKS_GIVEN_UP"]),
    ("time after its end", &["ARCHIVE_AFTER", "LEAST_DROP_AFTER"]),
    (
        "retention: rows",
        &["RETENTION_ROWS", "RETENTION_BYTES", "RETENTION_PASS"],
    ),
    ("rows of the audit log; time", &["AUDIT_ROWS", "AUDIT_KEEP"]),
    ("rows of the audit log that wait", &["AUDIT_WAITING"]),
    ("[spans](http-calls.md#traces)", &["SPANS_QUEUED"]),
    ("JSON Schema of a key", &["KEY_SCHEMA_PARTS"]),
    ("check of a value", &["KEY_CHECK_STEPS"]),
    ("… sum over a command", &["KEY_STEPS_ON_ARBITER"]),
    ("… up to which", &["KEY_REASON_STEPS"]),
    ("violations", &["KEY_VIOLATIONS"]),
    ("levels of data taken over", &["DATA_DEPTH"]),
    (
        "starts of processes by processes",
        &["CYCLE_SEARCH_STARTS", "CYCLE_SEARCH_NODES"],
    ),
    ("states that", &["EXPLORED_STATES"]),
    (
        "scripts of a definition",
        &["SCRIPTS_KILLED", "SCRIPTS_STOPPED"],
    ),
    (
        "steps with scripts",
        &[
            "SCRIPTS_WAITING_PER_DEFINITION",
            "SCRIPTS_WAITING_PER_CALLER",
            "SCRIPTS_WAITING_PER_TENANT",
        ],
    ),
    ("text that a script reads", &["SCRIPT_JSON_BYTES"]),
    (
        "script evaluation",
        &["SCRIPT_TIME", "SCRIPT_MEMORY", "SCRIPT_DEADLINE"],
    ),
    ("all scripts of one command", &["STEP_SCRIPT_TIME"]),
    ("code of an error that a script", &["ERROR_CODE_BYTES"]),
    ("what is stored for a message", &["CORRELATION_KEEP"]),
    ("script of a rule", &["RULE_BYTES"]),
    ("output of a rule", &["RULE_OUTPUT_BYTES"]),
    ("start data of a schedule", &["START_DATA_BYTES"]),
    ("missed times of a schedule", &["SCHEDULE_BACKLOG"]),
    (
        "schedules that start",
        &[
            "SCHEDULES_AT_ONCE",
            "SCHEDULES_PER_DEFINITION",
            "SCHEDULES_PER_TENANT",
        ],
    ),
    ("how far the newest recorded", &["CLOCK_AHEAD"]),
    (
        "commands waiting at one instance | 512, see",
        &["INSTANCE_MAILBOX"],
    ),
    ("rows on their way to the disk, over", &["WRITER_QUEUE"]),
    ("unused tickets", &["TICKETS_PER_USER", "TICKETS"]),
    (
        "sign-in link",
        &[
            "SIGN_IN_LINK",
            "TICKET",
            "SIGNED_IN",
            "ANONYMOUS_TOKEN",
            "LOCAL_TOKEN",
        ],
    ),
    ("token that an admin", &["ISSUED_TOKEN"]),
    ("remaining lifetime", &["TOKEN_LIFETIME"]),
    (
        "password;",
        &["PASSWORD_BYTES", "USER_ROLES", "USER_ROLES_BYTES"],
    ),
    ("cookie", &["COOKIE_BYTES"]),
    (
        "refused origins",
        &[
            "REFUSED_ORIGIN_AGAIN",
            "REFUSED_ORIGINS_LOGGED",
            "REFUSED_ORIGIN_BYTES",
        ],
    ),
    (
        "memory of the compiled forms",
        &["DEFINITIONS_MEMORY", "DEFINITIONS_MEMORY_PER_TENANT"],
    ),
    (
        "the same for former versions",
        &["FORMER_DEFINITIONS_MEMORY"],
    ),
    (
        "compiled forms in memory",
        &["COMPILED_MEMORY", "LARGE_DEFINITION"],
    ),
    (
        "timers that fire at the same time",
        &[
            "TIMERS_AT_ONCE",
            "TIMERS_PER_DEFINITION",
            "TIMERS_PER_TENANT",
        ],
    ),
    ("time that a thread spends", &["THREAD_TURN"]),
    ("time that steps of one instance", &["INSTANCE_TURN"]),
    ("copies of a signal's data", &["RATE_OWED"]),
    (
        "bytes that an instance writes by itself",
        &["WRITTEN_AS_A_START"],
    ),
    (
        "wrong passwords for one name",
        &[
            "WRONG_PER_NAME",
            "WRONG_PER_NAME_ANYWHERE",
            "WRONG_PER_ADDRESS",
        ],
    ),
    (
        "wait after a wrong password",
        &["SIGN_IN_WAIT", "WRONG_FORGOTTEN"],
    ),
    (
        "names and addresses whose",
        &["WRONG_COUNTED", "KNOWN_ADDRESSES"],
    ),
    (
        "passwords checked",
        &[
            "HASHES",
            "PASSWORDS_WAITING",
            "PASSWORDS_WAITING_PER_ADDRESS",
        ],
    ),
    ("`disk_low`", &["DISK_LOW"]),
    ("`disk_critical`", &["DISK_CRITICAL"]),
    ("measurement of the disk", &["DISK_CHECK_INTERVAL"]),
];

#[test]
fn every_limit_is_documented_with_its_value() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is there");
    let folder = fs::read_dir(root().join("src/limits")).expect("it is there");
    let files = folder.map(|file| file.expect("it can be listed").path());
    let files = files.chain([root().join("src/limits.rs")]);
    let files = files.filter(|file| file.extension().is_some_and(|end| end == "rs"));
    let source: String = files
        .map(|file| fs::read_to_string(file).expect("it is there"))
        .collect();
    let page = read("docs/limits.md");
    let values = limits(&source);
    let mut wrong = Vec::new();
    let mut missing: Vec<&str> = values.keys().map(String::as_str).collect();
    for (begin, names) in ROWS {
        let begin = format!("| {begin}");
        let mut rows = page.lines().filter(|line| line.starts_with(&begin));
        let (Some(row), None) = (rows.next(), rows.next()) else {
            wrong.push(format!("expected one row that begins with {begin:?}"));
            continue;
        };
        for name in *names {
            missing.retain(|other| other != name);
            match values.get(*name) {
                None => wrong.push(format!("{name} is no constant of src/limits.rs")),
                Some(value) if !value.forms(&values).iter().any(|form| holds(row, form)) => {
                    let forms = value.forms(&values);
                    wrong.push(format!("expected one of {forms:?} for {name} in {row}"));
                }
                Some(_) => {}
            }
        }
    }
    for name in missing {
        wrong.push(format!(
            "{name} has no row in docs/limits.md: name it in tests/tidy/limits.rs"
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
