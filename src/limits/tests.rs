//! What one limit allows must not be prevented by another.

use super::*;

/// What one limit allows must not be prevented by another.
#[track_caller]
fn fits<T: PartialOrd + std::fmt::Debug>(what: &str, wanted: T, room: T) {
    assert!(
        wanted <= room,
        "{what}: {wanted:?} does not fit into {room:?}"
    );
}

#[test]
fn all_followed_instances_can_be_resumed() {
    let point = serde_json::json!({"instance": uuid::Uuid::max(), "after": u64::MAX});
    // Each character of a name may be escaped with six bytes.
    let name = "\u{1}".repeat(NAME_BYTES);
    let hello = serde_json::json!({
        "type": "hello", "id": "\u{1}".repeat(ID_BYTES), "token": "x".repeat(TOKEN_BYTES), "client": name, "log": name,
        "resume": vec![point; by_name::RESUMED], "lastClose": u64::MAX,
    });
    fits(
        "the longest hello",
        hello.to_string().len(),
        FIRST_MESSAGE_BYTES,
    );
    fits("any other message", MESSAGE_BYTES, FIRST_MESSAGE_BYTES);
}

#[test]
fn limits_do_not_contradict_each_other() {
    let limits = Limits::default();
    fits(
        "a replay among the unsent frames",
        REPLAY_FRAMES,
        UNSENT_FRAMES,
    );
    fits(
        "tickets for all connections of a user",
        limits.max_connections_per_user,
        TICKETS_PER_USER.get(),
    );
    fits(
        "connections of a user from one address",
        limits.max_connections_per_user,
        limits.max_connections_per_address,
    );
    fits("items of a multi-instance call activity", ITEMS, CHILDREN);
    fits(
        "data of a frame in a schedule",
        MESSAGE_BYTES,
        START_DATA_BYTES,
    );
    fits("a script in its definition", RULE_BYTES, DEFINITION_BYTES);
    fits(
        "a business key that is searched for",
        NAME_BYTES,
        SEARCHED_BYTES,
    );
    fits("a comment in a frame", COMMENT_BYTES, MESSAGE_BYTES);
    fits(
        "the roles of a user, one byte each",
        USER_ROLES,
        USER_ROLES_BYTES,
    );
    fits("a role", NAME_BYTES, USER_ROLES_BYTES);
    fits(
        "the cookie of a sign-in as a token",
        COOKIE_BYTES,
        TOKEN_BYTES,
    );
    fits(
        "an upload without maxBytes",
        UPLOAD_DEFAULT_BYTES,
        UPLOAD_BYTES,
    );
    fits(
        "the largest body in one stranger's part of their memory",
        DEFINITION_BYTES,
        limits.max_body_memory * 1024 * 1024 / BODY_MEMORY_PART,
    );
    fits(
        "a definition at the slowest pace",
        TRANSFER_GRACE.get().as_secs()
            + DEFINITION_BYTES as u64 / TRANSFER_BYTES_PER_SECOND.get() as u64,
        2 * BODY_TIME.get().as_secs(),
    );
    fits(
        "a token in the head of a request",
        2 * TOKEN_BYTES,
        READ_AHEAD_BYTES,
    );
    fits(
        "connections of one address",
        limits.max_connections_per_address,
        limits.max_connections,
    );
    fits("the first pause of a call", CALL_FIRST_PAUSE, CALL_PAUSE);
    fits(
        "a comment of a stream",
        KEEP_ALIVE,
        Duration::from_secs(PING_SECONDS.into()),
    );
    fits(
        "the wait for an announced instance",
        ANNOUNCED_INSTANCE,
        SLOW_CONSUMER.get(),
    );
    fits(
        "a sign-in among the tokens an admin may make",
        SIGNED_IN,
        ISSUED_TOKEN,
    );
    // A client that reconnects sends its unanswered commands again; paced by afterMs, it finishes
    // before it counts as a flood.
    fits(
        "what is sent again after a cut",
        UNANSWERED_COMMANDS.get() as u32,
        limits.rate_burst + limits.rate_per_second * FLOOD.get().as_secs() as u32,
    );
}
