//! A client of a script: its connection, and the state that a frontend keeps after losing it.

use std::collections::HashMap;

use serde_json::{Value, json};
use stepwire::model::deep_merge::deep_merge;

use super::names::Names;
use crate::{support, wire::Client};

/// A client.
pub struct Player {
    /// Its name in the script.
    pub name: String,
    /// The token that it sends with `hello` and over REST.
    pub token: Option<String>,
    /// Its connection, while it has one.
    pub connection: Option<Client>,
    /// The cursors of its channels, by the frames it has applied.
    pub cursors: HashMap<String, u64>,
    /// The view of each channel: the fold of the frames it has applied.
    pub views: HashMap<String, Value>,
    /// The last command.
    pub last: Option<Value>,
    seen: usize,
}

impl Player {
    /// A client by the words of its line: `NAME [as=SUBJECT] [roles=A,B] [anonymous]`.
    pub fn new(words: &[&str]) -> Self {
        let [name, rest @ ..] = words else {
            panic!("expected a name for the client")
        };
        let option = |option: &str| rest.iter().find_map(|word| word.strip_prefix(option));
        let roles: Vec<&str> = option("roles=")
            .map(|roles| roles.split(',').collect())
            .unwrap_or_default();
        let token = (!rest.contains(&"anonymous"))
            .then(|| support::token(option("as=").unwrap_or(name), &roles));
        Self {
            name: (*name).to_owned(),
            token,
            connection: None,
            cursors: HashMap::new(),
            views: HashMap::new(),
            last: None,
            seen: 0,
        }
    }

    /// Connects and sends the hello, with its cursors, if any.
    pub async fn connect(&mut self, port: u16, names: &Names) {
        let resume: Vec<Value> = names
            .keys()
            .into_iter()
            .filter_map(|key| Some(json!({"instance": key, "after": self.cursors.get(&format!("instance/{key}"))?})))
            .collect();
        let mut client = Client::open_at(port).await;
        client.cursors = self.cursors.clone();
        client
            .send(json!({"type": "hello", "token": self.token, "resume": resume}))
            .await;
        assert_eq!(client.next().await["type"], "welcome");
        self.seen = client.frames.len();
        self.connection = Some(client);
    }

    /// Forgets all state, like a page that is reloaded.
    pub fn forget(&mut self) {
        self.cursors.clear();
        self.views.clear();
    }

    /// The connection, which a command needs.
    pub fn connected(&mut self) -> &mut Client {
        let name = &self.name;
        self.connection
            .as_mut()
            .unwrap_or_else(|| panic!("{name} is not connected"))
    }

    /// The reply to the last command, if it has arrived.
    pub async fn answer(&mut self, id: &str) -> Value {
        let seen = self.seen;
        let client = self.connected();
        let known = client.frames[seen..]
            .iter()
            .find(|frame| frame["id"] == id)
            .cloned();
        let answer = match known {
            Some(answer) => answer,
            None => client.answer(id).await,
        };
        if let Some(token) = answer["result"]["token"].as_str() {
            self.token = Some(token.to_owned());
        }
        answer
    }

    /// Reads all frames that the server has sent, by a command without effect and its reply.
    pub async fn read_all(&mut self) {
        if let Some(client) = &mut self.connection {
            let nothing = format!("instance/{}", uuid::Uuid::nil());
            let id = format!("read-{}", client.frames.len());
            client
                .done(json!({"type": "unsubscribe", "id": id, "channel": nothing}))
                .await;
        }
    }

    /// The frames received since the last call, without replies; applied to cursors and views.
    pub fn take(&mut self) -> Vec<Value> {
        let Some(client) = &self.connection else {
            return Vec::new();
        };
        let fresh = client.frames[self.seen..].iter();
        let frames: Vec<Value> = fresh
            .filter(|frame| frame.get("id").is_none() && frame["type"] != "ping")
            .cloned()
            .collect();
        self.seen = client.frames.len();
        self.cursors = client.cursors.clone();
        for frame in &frames {
            let view = self
                .views
                .entry(frame["channel"].as_str().unwrap_or_default().to_owned())
                .or_insert_with(|| json!({}));
            match frame["type"].as_str() {
                Some("data") => deep_merge(view, &frame["body"]),
                Some("view") => *view = frame["body"].clone(),
                Some("snapshot") => *view = frame["view"].clone(),
                _ => {}
            }
        }
        frames
    }
}
