//! A user of a scenario: a connection, and the frames received over it for each instance.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::{
    client::{Client, Watcher},
    exit::Failure,
    followed::key_of,
    print::list,
    progress::merge,
    rest::Rest,
};
/// A connected user.
pub struct Player {
    /// Its connection.
    pub client: Client,
    /// Its REST client.
    pub rest: Rest,
    /// The frames it has received.
    pub received: ReceivedFrames,
}

/// The frames that a user has received, by instance.
#[derive(Default)]
pub struct ReceivedFrames {
    instances: BTreeMap<String, Instance>,
}

/// The state of an instance as a user knows it.
#[derive(Default)]
pub struct Instance {
    /// Its status.
    pub status: String,
    /// The latest `nodes`.
    pub nodes: Vec<Value>,
    /// The latest `actions`.
    pub actions: Vec<Value>,
    /// The result of its Data messages.
    pub view: Value,
    /// Data and Action messages, in order.
    pub messages: Vec<Value>,
    /// How many of them were checked.
    pub checked: usize,
    /// Keys and processes of its subprocesses, in order of their start.
    pub children: Vec<(String, String)>,
    /// Numbers of its open Action messages.
    pub open: Vec<u64>,
}

impl Player {
    /// Sends a command; gives its answer or refusal.
    ///
    /// # Errors
    /// No server, or no access.
    pub async fn command(
        &mut self,
        frame: Map<String, Value>,
    ) -> Result<Result<Value, Box<Value>>, Failure> {
        let sent = self.client.command(frame.into(), &mut self.received).await;
        match sent {
            Ok(reply) => Ok(Ok(reply)),
            Err(failure) if failure.exit == super::super::exit::Exit::Refused => {
                Ok(Err(failure.error))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Receives everything that the server has sent so far, by a round trip of a command without
    /// effect.
    ///
    /// # Errors
    /// No server, or no access.
    pub async fn catch_up(&mut self) -> Result<(), Failure> {
        let frame = json!({
            "type": "unsubscribe",
            "id": Uuid::now_v7().to_string(),
            "channel": format!("instance/{}", Uuid::nil()),
        });
        self.client
            .command(frame, &mut self.received)
            .await
            .map(drop)
    }
}

impl ReceivedFrames {
    /// The known state of an instance.
    pub fn of(&self, key: &str) -> Option<&Instance> {
        self.instances.get(key)
    }

    /// Marks the messages of an instance as checked.
    pub fn mark_checked(&mut self, key: &str) {
        if let Some(instance) = self.instances.get_mut(key) {
            instance.checked = instance.messages.len();
        }
    }

    /// The newest instance of a process among all known subprocesses.
    pub fn subprocess(&self, process: &str) -> Option<&str> {
        self.instances
            .values()
            .flat_map(|instance| &instance.children)
            .filter(|(_, of)| of == process)
            .map(|(key, _)| key.as_str())
            .max()
    }

    fn take(&mut self, frame: &Value) {
        let Some(key) = key_of(frame) else {
            return;
        };
        let instance = self.instances.entry(key.to_owned()).or_default();
        let kind = frame["type"].as_str().unwrap_or_default();
        if matches!(kind, "snapshot" | "progress") {
            instance.status = frame["status"].as_str().unwrap_or_default().to_owned();
            instance.nodes = list(&frame["nodes"]).to_vec();
            instance.actions = list(&frame["actions"]).to_vec();
        }
        match kind {
            "snapshot" => {
                instance.view = frame["view"].clone();
                instance.children.clear();
                for child in list(&frame["children"]) {
                    instance.child(child);
                }
                let open = list(&frame["open"]).iter();
                instance.open = open.filter_map(|open| open["seq"].as_u64()).collect();
            }
            "view" => instance.view = frame["body"].clone(),
            "data" => {
                if instance.view.is_null() {
                    instance.view = json!({});
                }
                merge(&mut instance.view, &frame["body"]);
                instance.messages.push(frame.clone());
            }
            "action" => {
                if !frame["until"].is_null() {
                    instance.open.extend(frame["seq"].as_u64());
                }
                instance.messages.push(frame.clone());
            }
            "child" => instance.child(&frame["child"]),
            _ => {}
        }
    }
}

impl Instance {
    fn child(&mut self, child: &Value) {
        let text = |name: &str| child[name].as_str().unwrap_or_default().to_owned();
        let key = text("instance");
        if !self.children.iter().any(|(known, _)| *known == key) {
            self.children.push((key, text("process")));
        }
    }
}

impl Watcher for ReceivedFrames {
    fn frame(&mut self, frame: &Value) {
        self.take(frame);
    }

    fn lost(&mut self, _: &str) {}

    fn back(&mut self) {}
}
