//! The notation of the frames that clients received: by instance, once for all clients that
//! received the same.
//!
//! No order is promised between instances, so frames are grouped by instance, each group in order.
//! Of several steps only the last is written, and a reply that repeats the progress of its commit
//! is left out.

use serde_json::Value;

use super::{lists, names::Names, stage::Answered};

/// The results of a command: replies first, then the frames of each channel.
pub fn lines(
    names: &Names,
    players: &[&str],
    answers: &[Answered],
    taken: &[Vec<Value>],
) -> Vec<String> {
    let mut lines = answered(names, players, answers, taken);
    for key in names.keys() {
        let channel = format!("instance/{key}");
        let of_channel = |frame: &&Value| frame["channel"] == channel.as_str();
        let name = names.name(&key).unwrap_or_default();
        let reported = taken.iter().map(|frames| {
            let frames: Vec<&Value> = frames.iter().filter(of_channel).collect();
            let frames = frames
                .iter()
                .enumerate()
                .filter(|(index, frame)| !is_passing(frame, &frames[index + 1..]));
            frames
                .flat_map(|(_, frame)| of_instance(names, &key, frame))
                .map(|line| format!("{name} {line}"))
                .collect()
        });
        lines.extend(together(players, reported.collect()));
    }
    let others = taken.iter().map(|frames| {
        let other = |frame: &&Value| {
            !frame["channel"]
                .as_str()
                .is_some_and(|channel| channel.starts_with("instance/"))
        };
        frames
            .iter()
            .filter(other)
            .map(|frame| lists::line(names, frame).unwrap_or_else(|| plain_frame(names, frame)))
            .collect()
    });
    lines.extend(together(players, others.collect()));
    lines
}

/// Whether another progress follows: the number of progress frames that a new follower of a child
/// gets depends on timing.
fn is_passing(frame: &Value, later: &[&Value]) -> bool {
    frame["type"] == "progress" && later.iter().any(|later| later["type"] == "progress")
}

/// One reply per line. The order of simultaneous commands of several clients is open.
fn answered(
    names: &Names,
    players: &[&str],
    answers: &[Answered],
    taken: &[Vec<Value>],
) -> Vec<String> {
    let line = |answered: &Answered| answer(names, answered, &taken[answered.player]);
    if answers.iter().all(|one| one.player == answers[0].player) {
        return answers
            .iter()
            .map(|one| format!("{}: {}", players[one.player], line(one)))
            .collect();
    }
    let mut reported: Vec<String> = answers.iter().map(line).collect();
    // Replies before errors, and the first effect before its repeats.
    reported.sort_by_key(|line| {
        (
            line.starts_with("error"),
            line.contains("duplicate"),
            line.clone(),
        )
    });
    let whose = |index| if index == 0 { "one" } else { "other" };
    reported
        .iter()
        .enumerate()
        .map(|(index, line)| format!("{}: {line}", whose(index)))
        .collect()
}

fn answer(names: &Names, answered: &Answered, taken: &[Value]) -> String {
    let frame = &answered.frame;
    if frame["type"] == "error" {
        return error(names, frame);
    }
    let mut line = "reply".to_owned();
    let result = &frame["result"];
    let instance = result["instance"]
        .as_str()
        .or_else(|| result["channel"].as_str()?.strip_prefix("instance/"));
    if let Some(key) = instance {
        line.extend([" ", names.name(key).unwrap_or(key)]);
    }
    if frame["duplicate"] == true {
        line.push_str(" duplicate");
    }
    line.extend(
        result["ignored"]
            .as_array()
            .filter(|paths| !paths.is_empty())
            .map(|paths| format!(" ignored {}", list(paths))),
    );
    line.extend(
        result
            .get("file")
            .map(|file| format!(" {}", names.plain(&file["id"]).trim_matches('"'))),
    );
    let reported = [
        "instance", "status", "nodes", "actions", "ignored", "children", "channel", "seq", "token",
        "file",
    ];
    for (name, value) in result
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !reported.contains(&name.as_str()))
    {
        line.push_str(&format!(
            " {name} {}",
            value
                .as_str()
                .map_or_else(|| names.plain(value), str::to_owned)
        ));
    }
    if result.get("nodes").is_some() && !repeats_progress(frame, taken) {
        line.extend([" ", &step(names, result)]);
    }
    let children = result["children"].as_array().into_iter().flatten();
    line.extend(children.map(|entry| format!("; {}", child(names, entry))));
    line
}

/// Whether the sender got the same step by a progress frame; then both must be equal.
fn repeats_progress(reply: &Value, taken: &[Value]) -> bool {
    let result = &reply["result"];
    let channel = format!(
        "instance/{}",
        result["instance"].as_str().unwrap_or_default()
    );
    let of_commit = |frame: &&Value| {
        frame["type"] == "progress"
            && frame["channel"] == channel.as_str()
            && frame["seq"] == reply["seq"]
    };
    let progress = taken.iter().find(of_commit);
    if let Some(progress) = progress {
        for field in ["status", "nodes", "actions"] {
            assert_eq!(
                result[field], progress[field],
                "a reply speaks of another step than its progress"
            );
        }
    }
    progress.is_some()
}

fn error(names: &Names, frame: &Value) -> String {
    assert!(
        frame["message"]
            .as_str()
            .is_some_and(|message| message.contains("expected ")),
        "{frame}"
    );
    let mut line = format!("error {}", frame["code"].as_str().unwrap_or_default());
    line.extend(frame["reason"].as_str().map(|reason| format!(" {reason}")));
    if let Some(fields) = frame["fields"].as_object() {
        let named = |field: &str| {
            if field.is_empty() {
                "(body)".to_owned()
            } else {
                field.to_owned()
            }
        };
        let reported = |(field, wrong): (&String, &Value)| {
            format!("{} {}", named(field), wrong["code"].as_str().unwrap_or("?"))
        };
        line.push_str(&format!(
            " {}",
            fields.iter().map(reported).collect::<Vec<_>>().join(", ")
        ));
    }
    line.extend(
        frame
            .get("elements")
            .map(|elements| format!(" {}", names.plain(elements))),
    );
    line.extend(frame["seq"].as_u64().map(|seq| format!(" at {seq}")));
    line
}

/// The lines of a frame of an instance's channel.
fn of_instance(names: &Names, key: &str, frame: &Value) -> Vec<String> {
    let body = || names.plain(&frame["body"]);
    let text = |field: &str| frame[field].as_str().unwrap_or_default();
    match text("type") {
        "data" => {
            let origin = frame["origin"]
                .as_str()
                .map(|origin| format!(" from {}", names.name(origin).unwrap_or("?")));
            vec![format!(
                "data {}.{} {}{}",
                text("node"),
                text("action"),
                body(),
                origin.unwrap_or_default()
            )]
        }
        "action" => vec![format!(
            "action #{} {} {}",
            names.offer_index(key, &frame["seq"]),
            text("node"),
            body()
        )],
        "view" => vec![format!("view {}", body())],
        "child" => vec![format!("child {}", child(names, &frame["child"]))],
        "progress" => vec![step(names, frame)],
        "snapshot" => snapshot(names, key, frame),
        "live" => vec!["live".to_owned()],
        "resync" => vec![format!("resync {}", text("reason"))],
        "error" => vec![error(names, frame)],
        _ => vec![plain_frame(names, frame)],
    }
}

fn snapshot(names: &Names, key: &str, frame: &Value) -> Vec<String> {
    let mut lines = vec![format!("snapshot {}", names.plain(&frame["view"]))];
    for open in frame["open"].as_array().into_iter().flatten() {
        lines.push(format!(
            "open #{} {}",
            names.offer_index(key, &open["seq"]),
            names.plain(&open["body"])
        ));
    }
    let children = frame["children"].as_array().into_iter().flatten();
    lines.extend(children.map(|entry| format!("has {}", child(names, entry))));
    lines.push(step(names, frame));
    lines
}

fn child(names: &Names, entry: &Value) -> String {
    let name = names
        .name(entry["instance"].as_str().unwrap_or_default())
        .unwrap_or("?");
    let of = entry["element"]
        .as_str()
        .map(|element| format!(" of {}", names.of_element(element)));
    format!(
        "{name} {}{}",
        entry["status"].as_str().unwrap_or_default(),
        of.unwrap_or_default()
    )
}

/// The state of an instance: `= node: actions it offers; back node.action`.
fn step(names: &Names, step: &Value) -> String {
    let entries = |list: &str| step[list].as_array().cloned().unwrap_or_default();
    let (nodes, actions) = (entries("nodes"), entries("actions"));
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let status = text(step, "status");
    let mut parts: Vec<String> = Vec::new();
    if status != "started" || nodes.is_empty() {
        parts.push(status);
    }
    for node in &nodes {
        let mut part = names.of_element(&text(node, "element")).to_owned();
        part.extend(
            node["assignee"]
                .as_str()
                .map(|assignee| format!(" ({assignee})")),
        );
        part.push_str(&lists::times(node));
        if node["readOnly"] == true {
            part.push_str(" (read only)");
        }
        part.extend(
            node["incident"]["code"]
                .as_str()
                .map(|code| format!(" !{code}")),
        );
        let offered = actions
            .iter()
            .filter(|action| action["element"] == node["element"] && action["back"] == false);
        let offered: Vec<String> = offered.map(|action| text(action, "name")).collect();
        if !offered.is_empty() {
            part.push_str(&format!(": {}", offered.join(", ")));
        }
        parts.push(part);
    }
    let back = actions.iter().filter(|action| action["back"] == true);
    parts.extend(back.map(|action| {
        format!(
            "back {}.{}",
            names.of_element(&text(action, "element")),
            text(action, "name")
        )
    }));
    format!("= {}", parts.join("; "))
}

/// A frame without a short notation.
fn plain_frame(names: &Names, frame: &Value) -> String {
    let mut rest = frame.clone();
    if let Some(fields) = rest.as_object_mut() {
        ["type", "seq", "prev", "reconnectAfterMs"]
            .iter()
            .for_each(|field| drop(fields.remove(*field)));
    }
    format!(
        "{} {}",
        frame["type"].as_str().unwrap_or_default(),
        names.plain(&rest)
    )
}

/// Lines under the names of the clients that received them.
fn together(players: &[&str], reported: Vec<Vec<String>>) -> Vec<String> {
    let mut groups: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for (player, lines) in players
        .iter()
        .zip(reported)
        .filter(|(_, lines)| !lines.is_empty())
    {
        match groups.iter_mut().find(|(_, known)| *known == lines) {
            Some((who, _)) => who.push(player),
            None => groups.push((vec![player], lines)),
        }
    }
    let labelled = |(who, lines): (Vec<&str>, Vec<String>)| {
        lines
            .into_iter()
            .map(move |line| format!("{}: {line}", who.join(", ")))
            .collect::<Vec<_>>()
    };
    groups.into_iter().flat_map(labelled).collect()
}

fn list(values: &[Value]) -> String {
    values
        .iter()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
