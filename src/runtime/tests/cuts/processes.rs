//! The processes of the tree: synchronous and asynchronous children, one per item, three levels
//! deep, an error that is caught, children that add to the parent's data and push to its clients, a
//! delayed action.

use serde_json::{Value, json};

/// All of them, in their JSON form.
///
/// ```text
/// root ─┬─ diary            async; adds to root's data ten seconds later
///       ├─ guard ── post    async, waits for a user; its own child, too
///       ├─ person ── grade  one per item; grade adds to person, person pushes to root
///       └─ credit           fails with POOR, which root catches
/// ```
pub fn all() -> Vec<Value> {
    vec![
        root(),
        diary(),
        guard(),
        post(),
        person(),
        grade(),
        credit(),
    ]
}

fn root() -> Value {
    let kick = [
        action(
            "diary",
            "startSubprocess",
            json!({"process": "diary", "paramsToCopy": []}),
        ),
        action(
            "guard",
            "startSubprocess",
            json!({"process": "guard", "paramsToCopy": []}),
        ),
        push("active", json!({"begun": true})),
    ];
    let people = json!({"calledElement": "person", "paramsToCopy": [], "outputKey": "grades",
        "output": r#"{"name": "${item}", "grade": "${grade.value}"}"#});
    let credit =
        json!({"calledElement": "credit", "paramsToCopy": ["people"], "outputKey": "credit"});
    let confirm = json!({"name": "confirm", "type": "saveData", "trigger": "manual"});
    process(
        "root",
        vec![
            node("kick", "task", &kick),
            with(
                with(node("all", "callActivity", &[]), "call", people),
                "loop",
                json!({"type": "multiInstance", "collection": "people"}),
            ),
            with(node("check", "callActivity", &[]), "call", credit),
            with(
                with(
                    node("poor", "boundaryEvent", &[]),
                    "attachedTo",
                    json!("check"),
                ),
                "event",
                json!({"type": "error", "code": "POOR"}),
            ),
            node(
                "decline",
                "userTask",
                &[push("active", json!({"declined": true})), confirm],
            ),
            node("end2", "endEvent", &[]),
        ],
        &[
            &["start", "kick", "all", "check", "end"],
            &["poor", "decline", "end2"],
        ],
    )
}

fn diary() -> Value {
    let mut late = action(
        "late",
        "appendToParent",
        json!({"message": r#"{"entries": 1}"#, "destination": "diary"}),
    );
    late["timer"] = json!("PT10S");
    chain(
        "diary",
        node(
            "write",
            "task",
            &[push("parent", json!({"diary": "opened"})), late],
        ),
    )
}

fn guard() -> Value {
    let call = with(
        node("stand", "callActivity", &[]),
        "call",
        json!({"calledElement": "post"}),
    );
    chain("guard", call)
}

fn post() -> Value {
    chain("post", node("wait", "userTask", &[]))
}

fn person() -> Value {
    let call = json!({"calledElement": "grade", "paramsToCopy": ["item"], "outputKey": "graded"});
    let (before, after) = (
        send(json!({"rates": "${item}"})),
        send(json!({"rated": "${item}", "grade": "${grade.value}"})),
    );
    process(
        "person",
        vec![
            node("rate", "task", &[before]),
            with(node("call", "callActivity", &[]), "call", call),
            node("tell", "task", &[after]),
        ],
        &[&["start", "rate", "call", "tell", "end"]],
    )
}

fn grade() -> Value {
    let value = json!({"message": r#"{"value": "A for ${item}"}"#, "destination": "grade"});
    let actions = [
        send(json!({"grading": "${item}"})),
        action("value", "appendToParent", value),
    ];
    chain("grade", node("look", "task", &actions))
}

fn credit() -> Value {
    let checked = json!({"message": r#"{"of": "${people}"}"#, "destination": "checked"});
    let look = node(
        "look",
        "task",
        &[
            push("parent", json!({"checking": true})),
            action("add", "appendToParent", checked),
        ],
    );
    let mut credit = chain("credit", look);
    credit["nodes"][2] = with(
        node("end", "endEvent", &[]),
        "event",
        json!({"type": "error", "code": "POOR"}),
    );
    credit
}

/// A Data message.
fn push(target: &str, message: Value) -> Value {
    action(
        "push",
        "websocketSend",
        json!({"target": target, "message": message.to_string()}),
    )
}

/// An Action message to the parent: several children may send one at the same time without changing
/// the view.
fn send(message: Value) -> Value {
    let params =
        json!({"target": "parent", "messageType": "action", "message": message.to_string()});
    action("ask", "websocketSend", params)
}

fn action(name: &str, kind: &str, params: Value) -> Value {
    json!({"name": name, "type": kind, "params": params})
}

fn node(id: &str, kind: &str, actions: &[Value]) -> Value {
    let mut node = json!({"id": id, "type": kind, "actions": actions});
    for (order, action) in node["actions"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .enumerate()
    {
        action["order"] = json!(order);
    }
    node
}

fn with(mut node: Value, name: &str, value: Value) -> Value {
    node[name] = value;
    node
}

/// A process of one node between start and end.
fn chain(id: &str, node: Value) -> Value {
    let name = node["id"].as_str().unwrap_or_default().to_owned();
    process(id, vec![node], &[&["start", &name, "end"]])
}

fn process(id: &str, mut nodes: Vec<Value>, chains: &[&[&str]]) -> Value {
    nodes.insert(0, node("start", "startEvent", &[]));
    nodes.push(node("end", "endEvent", &[]));
    let pairs = chains.iter().flat_map(|chain| chain.windows(2));
    let flows: Vec<Value> = pairs
        .map(|pair| json!({"id": pair.join("-"), "source": pair[0], "target": pair[1]}))
        .collect();
    json!({"id": id, "nodes": nodes, "flows": flows})
}
