//! How the published clients read a stream: each takes the chunks of an answer to its end, and
//! yields its JSON or nothing.
//!
//! This is not how a stream should be read, but clients that read it so must keep working. The test
//! below shows what each of them would fail on.

use serde_json::Value;

/// Reads chunks as one client does.
pub type Reader = fn(&[&str]) -> Option<Value>;

/// A reader for each client.
pub const ALL: [(&str, Reader); 10] = [
    ("C#", lines),
    ("Go", lines),
    ("JavaScript", event_source),
    ("Java", event_source),
    ("Ruby", unnamed_blocks),
    ("Python", event_source),
    ("PHP", whole_chunks),
    ("Rust", lines_of_one_chunk),
    ("C++", rest_of_block),
    ("PowerShell", lines_in_latin),
];

/// The first line with `data: ` is one JSON text.
fn lines(chunks: &[&str]) -> Option<Value> {
    let text = chunks.concat();
    let line = text
        .split('\n')
        .find_map(|line| line.strip_prefix("data: "))?;
    serde_json::from_str(line).ok()
}

/// As [`lines`], of the whole answer when it has ended; without a `charset` it is read as
/// ISO-8859-1.
fn lines_in_latin(chunks: &[&str]) -> Option<Value> {
    let latin: String = chunks.concat().bytes().map(char::from).collect();
    lines(&[latin.as_str()]).filter(|_| latin.is_ascii())
}

/// As the standard says, but only events without a name are listened to, and the first one counts.
fn event_source(chunks: &[&str]) -> Option<Value> {
    let text = chunks.concat().replace("\r\n", "\n");
    // A block that is not ended by an empty line is dropped.
    let blocks = text
        .rsplit_once("\n\n")
        .map(|(whole, _)| whole)?
        .split("\n\n");
    let block = blocks
        .into_iter()
        .find(|block| block.lines().any(|line| line.starts_with("data:")))?;
    if block.lines().any(|line| line.starts_with("event:")) {
        return None;
    }
    let data: Vec<&str> = block
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .collect();
    serde_json::from_str(&data.join("\n")).ok()
}

/// Blocks are split at LF LF; a name of any kind, also the default one, hides the event.
fn unnamed_blocks(chunks: &[&str]) -> Option<Value> {
    event_source(chunks).filter(|_| !chunks.concat().contains("event:"))
}

/// A chunk that begins with `data: ` is JSON from there to its end; every such chunk is read until
/// the answer ends.
fn whole_chunks(chunks: &[&str]) -> Option<Value> {
    let mut found = chunks
        .iter()
        .filter_map(|chunk| chunk.strip_prefix("data: "))
        .map(|json| serde_json::from_str(json.trim()));
    let first = found.next()?.ok();
    first.filter(|_| found.next().is_none())
}

/// Each chunk is read by itself; the first line with `data: ` decides.
fn lines_of_one_chunk(chunks: &[&str]) -> Option<Value> {
    let line = chunks
        .iter()
        .flat_map(|chunk| chunk.lines())
        .find_map(|line| line.strip_prefix("data: "))?;
    serde_json::from_str(line).ok()
}

/// Blocks are split at LF LF; everything after `data: ` in a block is one JSON text. It reads until
/// the answer ends.
fn rest_of_block(chunks: &[&str]) -> Option<Value> {
    let text = chunks.concat();
    let (whole, _) = text.rsplit_once("\n\n")?;
    let mut found = whole
        .split("\n\n")
        .filter_map(|block| block.split_once("data: "))
        .map(|(_, json)| serde_json::from_str(json));
    let first = found.next()?.ok();
    first.filter(|_| found.next().is_none())
}

/// The result of each client for the chunks: all must have the same JSON.
#[track_caller]
pub fn read(chunks: &[String]) -> Value {
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    let found: Vec<(&str, Option<Value>)> = ALL
        .iter()
        .map(|(client, read)| (*client, read(&chunks)))
        .collect();
    assert!(
        found
            .iter()
            .all(|(_, json)| json.is_some() && *json == found[0].1),
        "{chunks:?}: {found:?}"
    );
    found[0].1.clone().unwrap()
}

#[test]
fn the_readers_are_as_strict_as_their_clients() {
    #[track_caller]
    fn check(chunks: &[&str], broken: &[&str]) {
        let found: Vec<&str> = ALL
            .iter()
            .filter(|(_, read)| read(chunks).is_none())
            .map(|(client, _)| *client)
            .collect();
        assert!(
            broken.iter().all(|client| found.contains(client)),
            "{chunks:?} breaks {found:?}"
        );
    }
    const GOOD: &str = "data: {\"status\":\"Done\"}\n\n";
    assert!(
        ALL.iter()
            .all(|(_, read)| read(&[": keep-alive\n\n", GOOD]).is_some())
    );
    check(&["event: message\ndata: {}\n\n"], &["JavaScript", "Ruby"]);
    check(&["data: {}\nid: 1\n\n"], &["C++"]);
    check(&["data: {}\r\n\r\n"], &["C++"]);
    check(&["data:{}\n\n"], &["Go", "Rust", "C++"]);
    check(&["data: {\ndata: }\n\n"], &["Go", "Rust", "C++"]);
    check(&["data: {\"status\":", "\"Done\"}\n\n"], &["Rust", "PHP"]);
    check(&["data: {}\n\n", GOOD], &["C++", "PHP"]);
    check(&["data: {}"], &["JavaScript", "C++"]);
    check(&["data: {\"name\":\"gr\u{fc}n\"}\n\n"], &["PowerShell"]);
}
