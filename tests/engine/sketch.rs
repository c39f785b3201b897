//! Process sketches: a definition in a few readable lines, converted through
//! its JSON form.
//!
//! ```text
//! process p expiry=P7D messages=PT1H    messages: how long an Action message stays open
//! lane clerks nodes=details execute=clerk,chief view=customer
//! start -> details -> choice           a chain of flows; ids `start…` and `end…` need no line of their own
//! choice -> end when amount > 5        a condition; `default`, before one, marks the default flow
//! user details                         kinds: start end task manual user service send receive script rule xor or and call boundary
//!                                       throw catch subprocess events (an event-based gateway)
//!   show auto push {"a":"${a}"}        actions of the node above: name, trigger, type, attributes
//!   save manual save keys=client required=client.email back
//! user ok assignee=${boss} due=P1D remind=PT1H again=PT1H decision=ok   its assignee, due date and reminders; the path of its decision
//! call check credit business=${nr}      the business key of the called instance
//! call check credit each=clients out=r  once per item of `clients`: on every activity; also `times=N`, `sequential`,
//!                                       `item=NAME`, `until=CONDITION`, `list=PATH` and `gives=T` (results),
//!                                       `behavior=none:signal:NAME` or `one:escalation:CODE` (as they complete)
//! task t needs=2 makes=3                the number of tokens that start it, and that leave it by each flow
//! task t while=${n<3} before most=5     a standard loop
//! boundary poor at=check error=POOR    catches that error of `check`; without `error` every failure
//! end broke error=POOR                 an error end event
//! subprocess s                          an embedded subprocess; nodes in it have `in=s`
//! catch c after=PT1H                    an intermediate timer event; also `date`, `cycle`
//! boundary late at=s after=PT1H beside  a non-interrupting timer boundary event
//! data order in=s {"a":1}               a data object with its first value
//!   input name ${client.name}           an input mapping of the node above: target, source; also `output`
//! complex j when="activationCount >= 2"  a complex gateway with its activation condition
//! catch c when="a > 1"                  a conditional event; also at boundaries
//! catch c after=PT1H also message=m together   several definitions, `also` between them; `together`: all must occur
//! subprocess e event in=s               an event subprocess; its start event has the attributes of a boundary event
//! end all terminate in=s                a terminate end event
//! catch c message=paid key=${order}     a message it waits for (also start, boundary, receive) or sends (throw, end, send); `signal=NAME`
//! events g starts parallel               it starts the process, by one of its events or by all of them; `receive r starts`
//! throw t message=paid key=${order} payload={"a":"${a}"} ttl=PT1H   the data of the message, and how long it is buffered
//! throw t signal=go startkey=${order}    the business key of what a signal starts
//! throw t escalation=LATE               an escalation; a boundary event without code catches all
//! boundary b at=a compensate=undo        `undo` (`task undo handler`) compensates `a`
//! throw t compensate=a nowait            throws compensation, of all activities without `=a`; also `end`
//! end e cancel in=t                      cancels `transaction t`, which continues at `boundary b at=t cancel`
//! adhoc s done="n > 2" keep begin=a,b   an ad-hoc subprocess: completion condition, active activities
//!                                       continue, initial activities (`begin=$PATH`); `onebyone`: sequential
//! throw t link=onward                   a link, to `catch c link=onward`
//! start nightly cycle="0 2 * * *" zone=Europe/Berlin missed=all overlap=skip data={"a":1}   a schedule; also `date`, `after`, `startup`
//! ```
//! webhook https://hooks.example.com/x on=failed data Types: `save`, `push T`, `ask T` (`push^`,
//! `ask^`: to the parent), `append PATH T`, `rule {SCRIPT}`, `upload PATH` (`max=BYTES`,
//! `types=TYPE,…`), `sub PROCESS`, `starts ACTIVITY`, `http METHOD URL` (`headers=T`, `body=T`, `success=2xx,404`,
//! `out=PATH`, `output=T`).

mod keys;
mod parts;
mod several;
mod thrown;
mod words;

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use stepwire::model::definition::ProcessDefinition;

use keys::Keys;
use parts::*;
use words::*;

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

/// Reads a sketch.
pub fn definition(text: &str) -> ProcessDefinition {
    let mut sketch = Sketch::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        sketch.line(line);
    }
    sketch.finish()
}

/// Splits at blanks outside of quotes, braces and brackets.
pub fn tokens(line: &str) -> Vec<String> {
    let (mut found, mut token, mut depth, mut quoted, mut escaped) =
        (Vec::new(), String::new(), 0_u32, false, false);
    for c in line.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c.is_whitespace() && depth == 0 && !quoted {
            if !token.is_empty() {
                found.push(std::mem::take(&mut token));
            }
        } else {
            token.push(c);
        }
    }
    if !token.is_empty() {
        found.push(token);
    }
    found
}

#[derive(Default)]
struct Sketch {
    id: String,
    expiry: Option<String>,
    message_expiry: Option<String>,
    lanes: Vec<Value>,
    webhooks: Vec<Value>,
    data_objects: Vec<Value>,
    nodes: Vec<Map<String, Value>>,
    flows: Vec<Value>,
    flow_ids: HashMap<String, usize>,
}

impl Sketch {
    fn line(&mut self, line: &str) {
        let words = tokens(line);
        let second = words.get(1).map_or("", String::as_str);
        match (kind(&words[0]), &*words[0]) {
            (_, "process") => {
                self.id = second.to_owned();
                let written = |name| {
                    words
                        .iter()
                        .find_map(|word| word.strip_prefix(name))
                        .map(str::to_owned)
                };
                (self.expiry, self.message_expiry) = (written("expiry="), written("messages="));
            }
            (_, "input" | "output") => self.mapping(&words),
            (_, "data") => self.data_object(&words),
            (_, "webhook") => self.webhooks.push(webhook(second, &words[2..])),
            (_, "lane") => self.lanes.push(lane(second, &words[2..])),
            _ if second == "->" => self.flow(&words),
            (Some(kind), _) => self.node(kind, second, &words[2..]),
            (None, _) => self.action(&words),
        }
    }

    fn node(&mut self, kind: &str, id: &str, attributes: &[String]) {
        let mut node = Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("type".to_owned(), json!(kind)),
        ]);
        let scope = attributes.iter().find_map(|it| it.strip_prefix("in="));
        let begins = self
            .nodes
            .iter()
            .any(|node| node["id"] == json!(scope) && node.contains_key("triggeredByEvent"));
        let mut keys = Keys::default();
        for attribute in attributes {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match name {
                "cycle" | "date" | "after" | "startup" | "zone" | "missed" | "overlap" | "data"
                    if kind == "startEvent" && !begins =>
                {
                    schedule_attribute(
                        node.entry("schedule").or_insert_with(|| json!({})),
                        name,
                        value.trim_matches('"'),
                    );
                }
                "on" => drop(node.insert("startCondition".to_owned(), json!(value))),
                "at" => drop(node.insert("attachedTo".to_owned(), json!(value))),
                "in" => drop(node.insert("scope".to_owned(), json!(value))),
                "error" | "escalation" | "compensate" | "nowait" | "handler" | "cancel"
                | "link" | "terminate" => thrown::attribute(&mut node, kind, name, value),
                "done" | "keep" | "begin" | "onebyone" if kind == "adHocSubProcess" => {
                    ad_hoc_attribute(&mut node, name, value);
                }
                "needs" => drop(node.insert("startQuantity".to_owned(), json!(number(value)))),
                "makes" => drop(node.insert("completionQuantity".to_owned(), json!(number(value)))),
                "also" => several::another(&mut node),
                "together" => drop(node.insert("parallelMultiple".to_owned(), json!(true))),
                "event" => drop(node.insert("triggeredByEvent".to_owned(), json!(true))),
                "when" if kind == "complexGateway" => {
                    let condition = json!(value.trim_matches('"'));
                    node.insert("activationCondition".to_owned(), condition);
                }
                "when" => {
                    let condition = value.trim_matches('"');
                    let event = json!({"type": "conditional", "condition": condition});
                    node.insert("event".to_owned(), event);
                }
                "cycle" | "date" | "after" => {
                    let name = if name == "after" { "duration" } else { name };
                    let when = json!({name: value.trim_matches('"')});
                    node.insert("event".to_owned(), json!({"type": "timer", "when": when}));
                }
                "message" => event_member(&mut node, "message", "name", value),
                "signal" => event_member(&mut node, "signal", "name", value),
                "key" => event_member(&mut node, "", "correlationKey", value),
                "payload" => event_member(&mut node, "", "data", value),
                "ttl" => event_member(&mut node, "", "timeToLive", value),
                "startkey" => event_member(&mut node, "", "businessKey", value),
                "starts" => drop(node.insert("instantiate".to_owned(), json!(true))),
                "parallel" => drop(node.insert("eventGatewayType".to_owned(), json!(name))),
                "beside" => drop(node.insert("interrupting".to_owned(), json!(false))),
                "noback" => drop(node.insert("canGoBack".to_owned(), json!(false))),
                "assignee" => term(&mut node, "assignee", value),
                "due" => term(&mut node, "dueDate", value),
                "remind" => term(&mut node, "reminder", value),
                "again" => term(&mut node, "reminderRepeat", value),
                "decision" => term(&mut node, "decisionKey", value),
                "behavior" | "whenever" | "each" | "times" | "sequential" | "item" | "until"
                | "list" | "gives" | "while" | "before" | "most" => {
                    loop_attribute(&mut node, name, value)
                }
                _ if kind == "callActivity" => {
                    let call = node.entry("call").or_insert_with(|| json!({}));
                    let process = if value.is_empty() { Some(name) } else { None };
                    subprocess_attribute(call, "calledElement", process, name, value);
                }
                _ => assert!(
                    keys.attribute(name, value),
                    "unknown attribute of node {id}: {attribute}"
                ),
            }
        }
        if let Some(keys) = keys.finish() {
            node.insert("keys".to_owned(), keys);
        }
        several::finish(&mut node);
        if kind == "boundaryEvent" {
            // Without an event it catches every failure.
            node.entry("event").or_insert(json!({"type": "error"}));
        }
        self.nodes.push(node);
    }

    /// `input TARGET SOURCE`, `output TARGET SOURCE`, of the node above.
    fn mapping(&mut self, words: &[String]) {
        let (words, if_set) = match words {
            [words @ .., last] if last == "if-set" => (words, true),
            words => (words, false),
        };
        let [direction, target, source] = words else {
            panic!("a mapping is `input|output TARGET SOURCE [if-set]`: {words:?}")
        };
        let node = self
            .nodes
            .last_mut()
            .expect("a node stands before its mappings");
        let mappings = node
            .entry(format!("{direction}s"))
            .or_insert_with(|| json!([]));
        let mapping = json!({"source": source, "target": target, "ifSet": if_set});
        mappings.as_array_mut().expect("a list").push(mapping);
    }

    /// `data NAME in=SCOPE JSON`.
    fn data_object(&mut self, words: &[String]) {
        let mut object = json!({"id": words[1]});
        for word in &words[2..] {
            match word.strip_prefix("in=") {
                Some(scope) => object["scope"] = json!(scope),
                None => object["default"] = serde_json::from_str(word).expect("a default is JSON"),
            }
        }
        self.data_objects.push(object);
    }

    fn action(&mut self, words: &[String]) {
        let [name, trigger, kind, rest @ ..] = words else {
            panic!("an action is `name auto|manual type …`: {words:?}")
        };
        let node = self
            .nodes
            .last_mut()
            .expect("a node stands before its actions");
        let actions = node
            .entry("actions")
            .or_insert_with(|| json!([]))
            .as_array_mut()
            .expect("a list");
        let trigger = if trigger == "auto" {
            "automatic"
        } else {
            trigger
        };
        let mut action = json!({"name": name, "trigger": trigger, "order": actions.len()});
        let rest = work(&mut action, kind, rest);
        let mut keys = Keys::default();
        for attribute in rest {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match name {
                "order" => {
                    action["order"] = json!(value.parse::<i64>().expect("an order is a number"))
                }
                "timer" => action["timer"] = json!(value),
                "parent" => action["parent"] = json!(value),
                "optional" => action["required"] = json!("optional"),
                "repeat" => action["repeatable"] = json!(true),
                "autorun" => action["autorunChildren"] = json!(true),
                "back" => action["allowBack"] = json!(true),
                "restore" => action["restartFromSnapshot"] = json!(true),
                "restart" => action["restartKeys"] = list(value),
                "max" => {
                    action["params"]["maxBytes"] =
                        json!(value.parse::<i64>().expect("a size is a number"))
                }
                "headers" | "body" => action["params"][name] = json!(value),
                "success" => action["params"]["success"] = list(value),
                "types" => action["params"]["types"] = list(value),
                "free" => action["holdsToken"] = json!(false),
                "strict" => action["strictKeys"] = json!(true),
                _ if keys.attribute(name, value) => {}
                _ => subprocess_attribute(&mut action["params"], "process", None, name, value),
            }
        }
        if let Some(keys) = keys.finish() {
            action["keys"] = keys;
        }
        actions.push(action);
    }

    fn flow(&mut self, words: &[String]) {
        let end = words
            .iter()
            .position(|word| word == "when" || word == "default")
            .unwrap_or(words.len());
        let nodes: Vec<&String> = words[..end].iter().filter(|word| *word != "->").collect();
        for pair in nodes.windows(2) {
            let (source, target) = (pair[0], pair[1]);
            let number = self
                .flow_ids
                .entry(format!("{source}-{target}"))
                .and_modify(|number| *number += 1)
                .or_insert(1);
            let id = if *number == 1 {
                format!("{source}-{target}")
            } else {
                format!("{source}-{target}.{number}")
            };
            let mut flow = json!({"id": id, "source": source, "target": target});
            if words.get(end).is_some_and(|word| word == "default") {
                let gateway = self
                    .nodes
                    .iter_mut()
                    .find(|node| node["id"] == json!(source))
                    .expect("a gateway stands first");
                gateway.insert("defaultFlow".to_owned(), json!(id));
            }
            if let Some(when) = words.iter().position(|word| word == "when") {
                flow["condition"] = json!(words[when + 1..].join(" "));
            }
            self.flows.push(flow);
        }
    }

    fn finish(mut self) -> ProcessDefinition {
        let ends = self
            .flows
            .iter()
            .flat_map(|flow| [flow["source"].clone(), flow["target"].clone()])
            .collect::<Vec<_>>();
        for id in ends {
            let known = self.nodes.iter().any(|node| node["id"] == id);
            let kind = ["start", "end"]
                .into_iter()
                .find(|kind| id.as_str().is_some_and(|id| id.starts_with(kind)));
            if let (false, Some(kind)) = (known, kind) {
                self.node(
                    if kind == "start" {
                        "startEvent"
                    } else {
                        "endEvent"
                    },
                    id.as_str().unwrap_or_default(),
                    &[],
                );
            }
        }
        let mut json = json!({"id": self.id, "nodes": self.nodes, "flows": self.flows, "lanes": self.lanes,
            "webhooks": self.webhooks, "dataObjects": self.data_objects});
        if let Some(expiry) = self.expiry {
            json["expiry"] = json!(expiry.trim_matches('"'));
        }
        if let Some(expiry) = self.message_expiry {
            json["actionMessageExpiry"] = json!(expiry);
        }
        serde_json::from_value(json).expect("a sketch is a definition")
    }
}

/// A member of a message or signal, which begins with its name.
fn event_member(node: &mut Map<String, Value>, kind: &str, name: &str, value: &str) {
    let event = node.entry("event").or_insert_with(|| json!({"type": kind}));
    event[name] = json!(value.trim_matches('"'));
}

/// One of the settings of a user task.
fn term(node: &mut Map<String, Value>, name: &str, value: &str) {
    node.entry("task").or_insert_with(|| json!({}))[name] = json!(value);
}

fn kind(word: &str) -> Option<&'static str> {
    Some(match word {
        "start" => "startEvent",
        "end" => "endEvent",
        "task" => "task",
        "user" => "userTask",
        "service" => "serviceTask",
        "send" => "sendTask",
        "receive" => "receiveTask",
        "xor" => "exclusiveGateway",
        "or" => "inclusiveGateway",
        "script" => "scriptTask",
        "rule" => "businessRuleTask",
        "and" => "parallelGateway",
        "complex" => "complexGateway",
        "events" => "eventBasedGateway",
        "call" => "callActivity",
        "boundary" => "boundaryEvent",
        "manual" => "manualTask",
        "throw" => "intermediateThrowEvent",
        "catch" => "intermediateCatchEvent",
        "subprocess" => "subProcess",
        "transaction" => "transaction",
        "adhoc" => "adHocSubProcess",
        _ => return None,
    })
}
