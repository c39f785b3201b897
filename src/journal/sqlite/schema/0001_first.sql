-- Keys are 16-byte blobs; an entity is one byte of kind and 16 of key. Times are milliseconds since 1970, UTC.

-- One global, growing pos and one other index: more would dirty more pages per row than the row itself fills.
CREATE TABLE log (
    pos        INTEGER PRIMARY KEY,
    partition  INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    tenant     TEXT    NOT NULL,
    entity     BLOB    NOT NULL,
    first_seq  INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    time       INTEGER NOT NULL,
    body       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX log_entity ON log (entity, first_seq);

-- Rows of instances that have ended, packed: they follow each other and stand before those of the log.
CREATE TABLE history (
    entity    BLOB    NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    rows      INTEGER NOT NULL,
    unpacked  INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (entity, first_seq)
) STRICT;

-- Files of instances that are gone, until they are removed.
CREATE TABLE dropped_file (
    instance BLOB NOT NULL,
    file     BLOB NOT NULL,
    PRIMARY KEY (instance, file)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot (
    entity BLOB    NOT NULL PRIMARY KEY,
    seq    INTEGER NOT NULL,
    body   BLOB    NOT NULL
) STRICT;

CREATE TABLE outbox (
    source BLOB    NOT NULL,
    seq    INTEGER NOT NULL,
    target BLOB    NOT NULL,
    body   BLOB    NOT NULL,
    publication INTEGER,
    PRIMARY KEY (source, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE instance (
    key          BLOB    NOT NULL PRIMARY KEY,
    tenant       TEXT    NOT NULL,
    process      TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    -- The 16 bytes of a hash, or a text.
    revision     ANY     NOT NULL,
    -- Its place among all statuses.
    status       INTEGER NOT NULL,
    outcome       TEXT,
    business_key TEXT,
    started_by   TEXT    NOT NULL,
    parent       BLOB,
    -- NULL when it is its own.
    root         BLOB,
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    incidents    INTEGER NOT NULL,
    -- Of a finished one that has Action messages open.
    open_until   INTEGER,
    -- 1 when it was terminated after it had finished.
    descendants_ended INTEGER NOT NULL,
    -- Where the stranger came from who started a live one: a keyed hash.
    origin       BLOB
) STRICT, WITHOUT ROWID;
-- Each group of it is in the order of lists: a list by process, by status or by both is put together from groups.
CREATE INDEX instance_status ON instance (tenant, status, process, created_at);
CREATE INDEX instance_created ON instance (tenant, created_at);
CREATE INDEX instance_starter ON instance (started_by, created_at);
CREATE INDEX instance_business_key ON instance (business_key, created_at) WHERE business_key IS NOT NULL;
-- Live instances that strangers have started.
CREATE INDEX instance_origin ON instance (origin, status) WHERE origin IS NOT NULL;
CREATE INDEX instance_parent ON instance (parent, created_at) WHERE parent IS NOT NULL;
-- The live ones of a tree are found without looking at those that have ended.
CREATE INDEX instance_root ON instance (root, ended_at) WHERE parent IS NOT NULL;
CREATE INDEX instance_open ON instance (root) WHERE open_until IS NOT NULL AND parent IS NOT NULL;

-- How many live instances each version of a process has: what counting them would read all of them for.
CREATE TABLE version_in_use (
    tenant    TEXT    NOT NULL,
    process   TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    -- As in the table instance.
    revision  ANY     NOT NULL,
    instances INTEGER NOT NULL,
    stuck     INTEGER NOT NULL,
    incidents INTEGER NOT NULL,
    PRIMARY KEY (tenant, process, version, revision)
) STRICT, WITHOUT ROWID;

-- How many instances a tenant has started in each minute of the last day.
CREATE TABLE started (
    tenant    TEXT    NOT NULL,
    minute    INTEGER NOT NULL,
    instances INTEGER NOT NULL,
    PRIMARY KEY (tenant, minute)
) STRICT, WITHOUT ROWID;

-- Instances of processes with a number; other instances have no row here. A status is its number on the wire.
CREATE TABLE job (
    instance   BLOB    NOT NULL,
    tenant     TEXT    NOT NULL,
    process    TEXT    NOT NULL,
    started_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    status_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, process, created_at, instance)
) STRICT, WITHOUT ROWID;
-- Each order of a list of jobs is that of an index: of all jobs of a tenant, and of those that one user started.
CREATE INDEX job_status ON job (tenant, process, status, status_at);
CREATE INDEX job_time ON job (tenant, status_at, created_at, instance, process, status);
CREATE INDEX job_starter ON job (tenant, started_by, process, created_at);
CREATE INDEX job_starter_status ON job (tenant, started_by, process, status, status_at);
CREATE INDEX job_starter_time ON job (tenant, started_by, status_at, created_at, instance, process, status);

-- What instances are found by; only those whose process declares search keys have rows.
CREATE TABLE searched (
    instance   BLOB    NOT NULL,
    path       TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (instance, path)
) STRICT, WITHOUT ROWID;
-- Holds the order of lists, so that a value many instances have is read part by part.
CREATE INDEX searched_value ON searched (tenant, path, value, created_at);

CREATE TABLE task (
    instance   BLOB    NOT NULL,
    element    INTEGER NOT NULL,
    tenant     TEXT    NOT NULL,
    process    TEXT    NOT NULL,
    node       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    lane       TEXT,
    assignee   TEXT,
    -- Roles that may take it, separated by blanks; NULL where the owners of the instance may.
    candidates TEXT,
    started_by      TEXT NOT NULL,
    -- NULL when it is the same.
    root_started_by TEXT,
    created_at  INTEGER NOT NULL,
    due_at      INTEGER,
    reminded_at INTEGER,
    -- Which iteration of a multi-instance user task it is, from 1.
    loop_counter INTEGER,
    PRIMARY KEY (instance, element)
) STRICT, WITHOUT ROWID;
-- A task is in exactly one of them (or in two when a child's starter is not its root's): one more page per task, not four.
CREATE INDEX task_assignee ON task (assignee, created_at) WHERE assignee IS NOT NULL;
CREATE INDEX task_owner ON task (started_by, created_at) WHERE assignee IS NULL AND candidates IS NULL;
CREATE INDEX task_root_owner ON task (root_started_by, created_at)
    WHERE assignee IS NULL AND candidates IS NULL AND root_started_by IS NOT NULL;
CREATE INDEX task_candidates ON task (candidates, created_at) WHERE assignee IS NULL AND candidates IS NOT NULL;
-- The list of all: it grows at its end, so that the tasks of a batch share a page.
CREATE INDEX task_created ON task (tenant, created_at);

-- What users have typed into actions of user tasks and not sent.
CREATE TABLE draft (
    instance BLOB    NOT NULL,
    element  INTEGER NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    tenant   TEXT    NOT NULL,
    stranger INTEGER NOT NULL,
    data     TEXT    NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (instance, element, action, subject)
) STRICT, WITHOUT ROWID;

-- Messages kept for those who do not wait for them yet; what they bring is in the log.
CREATE TABLE kept_message (
    kept_until INTEGER NOT NULL,
    entity     BLOB    NOT NULL,
    number     INTEGER NOT NULL,
    tenant     TEXT    NOT NULL,
    PRIMARY KEY (kept_until, entity, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE timer (
    instance   BLOB    NOT NULL,
    element    INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    occurrence INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    tenant     TEXT    NOT NULL,
    process    TEXT    NOT NULL,
    PRIMARY KEY (instance, element, kind, name, occurrence)
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_due ON timer (due);
CREATE INDEX timer_owner ON timer (tenant, process, due);

CREATE TABLE incident (
    instance  BLOB    NOT NULL,
    element   INTEGER NOT NULL,
    tenant    TEXT    NOT NULL,
    process   TEXT    NOT NULL,
    node      TEXT    NOT NULL,
    code      TEXT    NOT NULL,
    message   TEXT    NOT NULL,
    raised_at INTEGER NOT NULL,
    PRIMARY KEY (instance, element)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_tenant ON incident (tenant, raised_at);

CREATE TABLE http_call (
    instance  BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    tenant    TEXT    NOT NULL,
    process   TEXT    NOT NULL,
    node      TEXT,
    action    TEXT,
    host      TEXT    NOT NULL,
    url       TEXT    NOT NULL,
    body      BLOB    NOT NULL,
    placed_at INTEGER NOT NULL,
    attempts  INTEGER NOT NULL,
    -- NULL when it was given up.
    due       INTEGER,
    problem   TEXT,
    PRIMARY KEY (instance, seq)
) STRICT, WITHOUT ROWID;
-- Those that find no place are passed over in the index alone.
CREATE INDEX http_call_due ON http_call (due, host, tenant, process) WHERE due IS NOT NULL;
CREATE INDEX http_call_given_up ON http_call (placed_at) WHERE due IS NULL;

CREATE TABLE definition (
    tenant     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    revision   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    alias      INTEGER,
    name       TEXT    NOT NULL,
    format     TEXT    NOT NULL,
    -- The length of the text as 4 bytes, little-endian, then zlib.
    packed_source BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    PRIMARY KEY (tenant, id, version)
) STRICT;

CREATE TABLE schedule (
    tenant        TEXT    NOT NULL,
    process       TEXT    NOT NULL,
    node          TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    expression    TEXT    NOT NULL,
    begun_at      INTEGER NOT NULL,
    next_due      INTEGER,
    enabled       INTEGER NOT NULL,
    fired         INTEGER NOT NULL,
    last_fired    INTEGER,
    last_instance BLOB,
    last_skipped  INTEGER,
    last_error    TEXT,
    failed_at     INTEGER,
    PRIMARY KEY (tenant, process, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    tenant        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    -- A PHC string; NULL when the user was removed.
    password_hash TEXT,
    -- Separated by blanks.
    roles         TEXT    NOT NULL,
    revoked_at    INTEGER,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT;

-- What administrators, operators and designers did. Numbers grow.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    tenant  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    address TEXT,
    act     TEXT    NOT NULL,
    details TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant);

-- One row: who this log is, and how often it was opened.
CREATE TABLE meta (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    incarnation BLOB    NOT NULL,
    epoch       INTEGER NOT NULL,
    -- What the table history holds, as counting it would read all of it.
    packed_rows  INTEGER NOT NULL DEFAULT 0,
    packed_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
