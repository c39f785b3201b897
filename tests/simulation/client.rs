//! A client as the protocol requires it: a command keeps its id and is sent again until it is
//! answered; a frame is applied only when it follows the last one.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use stepwire::{model::deep_merge::deep_merge, model::ids::Time};
use uuid::Uuid;

use super::{
    bug::Bug,
    random::Random,
    violation::{Invariant, Violation, violated},
};

/// Commands a client has in progress at once.
const UNANSWERED: usize = 3;
/// Instances a client starts at most.
const STARTS: usize = 6;

/// A user at the far end of connections.
pub struct Client {
    /// Its user.
    pub name: String,
    /// Its roles.
    pub roles: &'static [&'static str],
    /// Its connection is open: the hello was sent, possibly not received.
    pub is_connected: bool,
    /// The commands without reply, oldest first.
    pub unanswered: VecDeque<Command>,
    /// The replies.
    pub answered: Vec<Answered>,
    /// Its state of each instance.
    pub held: BTreeMap<String, Held>,
    started: usize,
    made: usize,
    bug: Option<Bug>,
}

/// A command of a user.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its id, for good.
    pub id: Uuid,
    /// The frame.
    pub frame: Value,
    /// Whether it was sent on this connection.
    pub is_sent: bool,
}

/// An answered command.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The command.
    pub command: Command,
    /// Its `reply`, or the final `error`.
    pub answer: Value,
}

impl Answered {
    /// Whether it was applied.
    pub fn is_done(&self) -> bool {
        self.answer["type"] == "reply"
    }
}

/// A client's state of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its cursor.
    pub cursor: u64,
    /// The fold of the pushes.
    pub view: Value,
    /// Its status, once known.
    pub status: Value,
    /// Its active elements.
    pub nodes: Value,
    /// The actions that may be run.
    pub actions: Value,
    /// Whether everything held is about to be replaced.
    awaits_snapshot: bool,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            cursor: 0,
            view: json!({}),
            status: Value::Null,
            nodes: json!([]),
            actions: json!([]),
            awaits_snapshot: false,
        }
    }
}

impl Client {
    /// A client of this user that has done nothing yet.
    pub fn new(name: String, roles: &'static [&'static str], bug: Option<Bug>) -> Self {
        Self {
            name,
            roles,
            is_connected: false,
            unanswered: VecDeque::new(),
            answered: Vec::new(),
            held: BTreeMap::new(),
            started: 0,
            made: 0,
            bug,
        }
    }

    /// The first frame of a connection.
    pub fn hello(&mut self, token: &str) -> Value {
        self.is_connected = true;
        for command in &mut self.unanswered {
            command.is_sent = false;
        }
        let resume = self.held.iter_mut().map(|(instance, held)| {
            held.awaits_snapshot = false;
            json!({"instance": instance, "after": held.cursor})
        });
        json!({"type": "hello", "token": token, "resume": resume.collect::<Value>()})
    }

    /// The connection was cut.
    pub fn cut(&mut self, random: &mut Random, now: Time) {
        self.is_connected = false;
        if self.bug == Some(Bug::AnotherId) {
            for command in &mut self.unanswered {
                command.id = random.command_id(now);
                command.frame["id"] = json!(command.id);
            }
        }
    }

    /// Whether there is something to send.
    pub fn can_send(&self) -> bool {
        self.unanswered.iter().any(|command| !command.is_sent)
    }

    /// The oldest command that was not sent on this connection.
    pub fn send(&mut self) -> Option<Value> {
        let next = self.unanswered.iter_mut().find(|it| !it.is_sent)?;
        next.is_sent = true;
        Some(next.frame.clone())
    }

    /// Whether the user may send a command now.
    pub fn can_act(&self) -> bool {
        self.unanswered.len() < UNANSWERED
    }

    /// The user sends a command. `keys` are the correlation keys that instances wait for; others
    /// are added for later ones. `instances` are those of all clients. Returns commands that are
    /// sent once and not repeated.
    pub fn act(
        &mut self,
        random: &mut Random,
        now: Time,
        keys: &mut Vec<String>,
        instances: &[String],
    ) -> Option<Value> {
        let id = random.command_id(now);
        let offers = self.offers();
        let is_operator = self.roles.contains(&"operator") && !instances.is_empty();
        if is_operator && random.once_in(8) {
            let instance = random.pick(instances).clone();
            let channel = format!("instance/{instance}");
            let after = self.held.entry(instance).or_default().cursor;
            return Some(
                json!({"type": "subscribe", "id": "follow", "channel": channel,
                "after": after}),
            );
        }
        let mut frame = if is_operator && random.once_in(25) {
            json!({"type": "terminate", "instance": random.pick(instances)})
        } else if is_operator && random.once_in(2) {
            self.publish(random, id, keys)
        } else if offers.is_empty() || (self.started < STARTS && random.once_in(3)) {
            if self.started == STARTS {
                return None;
            }
            self.start(random, keys)
        } else {
            let (instance, action) = random.pick(&offers).clone();
            self.run(random, &instance, &action)
        };
        frame["id"] = json!(id);
        self.unanswered.push_back(Command {
            id,
            frame,
            is_sent: false,
        });
        None
    }

    /// The actions that may be run; those that end an instance are left out in most cases.
    fn offers(&self) -> Vec<(String, String)> {
        let mut offers = Vec::new();
        for (instance, held) in &self.held {
            for action in held.actions.as_array().into_iter().flatten() {
                let name = action["name"].as_str().unwrap_or_default().to_owned();
                let times = if name == "add" { 6 } else { 1 };
                offers.extend(std::iter::repeat_n((instance.clone(), name), times));
            }
        }
        offers
    }

    fn start(&mut self, random: &mut Random, keys: &mut Vec<String>) -> Value {
        self.started += 1;
        let process = *random.pick(&[
            "ledger", "ledger", "waiter", "waiter", "parent", "crew", "alarm", "hail",
        ]);
        let key = if !keys.is_empty() && random.once_in(2) {
            random.pick(keys).clone()
        } else {
            keys.push(format!("{}-{}", self.name, self.started));
            keys[keys.len() - 1].clone()
        };
        json!({"type": "start", "process": process, "data": {"k": key, "team": [1, 2, 3]}})
    }

    fn run(&mut self, random: &mut Random, instance: &str, action: &str) -> Value {
        self.made += 1;
        let entry = format!("{}-{}", self.name, self.made);
        let slot = format!("{}-{}", self.name, random.below(3));
        let data = match action {
            "add" => json!({"entry": entry, "slots": {slot: self.made}}),
            "finish" => json!({"answer": entry}),
            _ => json!({}),
        };
        json!({"type": "run", "instance": instance, "action": action, "data": data})
    }

    fn publish(&mut self, random: &mut Random, id: Uuid, keys: &mut Vec<String>) -> Value {
        if random.once_in(4) {
            let name = *random.pick(&["go", "tick", "tick", "tick"]);
            return json!({"type": "publish", "kind": "signal", "name": name,
                "data": {"signalled": {id.to_string(): true}}});
        }
        if keys.is_empty() || random.once_in(4) {
            keys.push(format!("{}-early-{}", self.name, keys.len()));
        }
        let key = random.pick(keys).clone();
        if random.once_in(8) {
            let name = *random.pick(&["left", "right"]);
            return json!({"type": "publish", "name": name, "correlationKey": key,
                "data": {"sided": {id.to_string(): true}}});
        }
        if random.once_in(3) {
            return json!({"type": "publish", "name": "order", "correlationKey": key,
                "data": {"ordered": {id.to_string(): true}}});
        }
        let mut frame = json!({"type": "publish", "name": "paid", "correlationKey": key,
            "data": {"paid": {id.to_string(): true}}});
        if random.once_in(2) {
            frame["ttl"] = json!("P30D");
        }
        frame
    }

    /// Applies a frame; returns the frames to send at once.
    ///
    /// # Errors
    /// If the frame may not be sent now.
    pub fn read(&mut self, frame: &Value) -> Result<Option<Value>, Violation> {
        match frame["type"].as_str().unwrap_or_default() {
            "welcome" | "live" | "ping" | "bye" => Ok(None),
            "reply" | "error" if frame["id"].is_string() => {
                self.answered(frame);
                Ok(None)
            }
            "error" => self.no_more_of_it(frame),
            _ => {
                let instance = self.instance_of(frame)?;
                let held = self.held.entry(instance).or_default();
                held.apply(frame)?;
                Ok(None)
            }
        }
    }

    fn answered(&mut self, answer: &Value) {
        let position = self
            .unanswered
            .iter()
            .position(|command| answer["id"] == command.id.to_string());
        // The reply to a subscription.
        let Some(position) = position else { return };
        let again = answer["type"] == "error"
            && (answer["retryable"] == true || answer["code"] == "outcome_unknown");
        if again {
            self.unanswered[position].is_sent = false;
            return;
        }
        let command = self.unanswered.remove(position).expect("it was found");
        if command.frame["type"] == "start"
            && let Some(instance) = answer["result"]["instance"].as_str()
        {
            self.held.entry(instance.to_owned()).or_default();
        }
        self.answered.push(Answered {
            command,
            answer: answer.clone(),
        });
    }

    /// An `error` with a channel ends the frames of that channel.
    fn no_more_of_it(&mut self, error: &Value) -> Result<Option<Value>, Violation> {
        let instance = self.instance_of(error)?;
        if error["retryable"] != true {
            let text = format!("{} may not follow what it follows: {error}", self.name);
            return Err(violated(Invariant::View, text));
        }
        let after = self.held.get(&instance).map_or(0, |held| held.cursor);
        Ok(Some(json!({"type": "subscribe", "id": "again",
            "channel": error["channel"], "after": after})))
    }

    fn instance_of(&self, frame: &Value) -> Result<String, Violation> {
        let channel = frame["channel"].as_str().unwrap_or_default();
        let instance = channel.strip_prefix("instance/").map(str::to_owned);
        instance.ok_or_else(|| {
            let text = format!("{} got a frame that it cannot know: {frame}", self.name);
            violated(Invariant::View, text)
        })
    }
}

impl Held {
    /// The active elements.
    pub fn elements(&self) -> Vec<&str> {
        let nodes = self.nodes.as_array().into_iter().flatten();
        nodes.filter_map(|node| node["element"].as_str()).collect()
    }

    fn apply(&mut self, frame: &Value) -> Result<(), Violation> {
        let kind = frame["type"].as_str().unwrap_or_default();
        let seq = frame["seq"].as_u64().unwrap_or_default();
        match kind {
            "resync" => {
                self.awaits_snapshot = true;
                return Ok(());
            }
            "snapshot" => {
                *self = Self {
                    cursor: seq,
                    view: frame["view"].clone(),
                    awaits_snapshot: false,
                    ..self.clone()
                };
                self.position(frame);
                return Ok(());
            }
            _ => {}
        }
        if seq <= self.cursor && !self.awaits_snapshot {
            return Ok(());
        }
        if frame["prev"] != self.cursor || self.awaits_snapshot {
            let text = format!("a client that stands at {} got {frame}", self.cursor);
            return Err(violated(Invariant::View, text));
        }
        self.cursor = seq;
        match kind {
            "data" => deep_merge(&mut self.view, &frame["body"]),
            "view" => self.view = frame["body"].clone(),
            "progress" => self.position(frame),
            _ => {}
        }
        Ok(())
    }

    fn position(&mut self, frame: &Value) {
        self.status = frame["status"].clone();
        self.nodes = frame["nodes"].clone();
        self.actions = frame["actions"].clone();
    }
}
