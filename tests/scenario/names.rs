//! Names for generated keys: instances, elements, Action messages, files, in the order of their
//! appearance in a script.

use std::collections::HashMap;

use serde_json::Value;

/// The names of a script.
#[derive(Default)]
pub struct Names {
    /// Keys and names, in order.
    instances: Vec<(String, String)>,
    /// Element keys of an instance's node, in the order of visits.
    visits: HashMap<(String, String), Vec<String>>,
    elements: HashMap<String, String>,
    /// Action messages of an instance: number, and the process that they ask to start.
    offers: HashMap<String, Vec<(u64, String)>>,
    /// Ids of files: the first one is `file1`.
    files: Vec<String>,
}

impl Names {
    /// Names an instance, if it has no name yet: by its process and a number.
    pub fn learn_instance(&mut self, key: &str, process: &str) {
        if self.name(key).is_none() {
            let of_process = |name: &str| {
                name.trim_end_matches(|letter: char| letter.is_ascii_digit()) == process
            };
            let number = 1 + self
                .instances
                .iter()
                .filter(|(_, name)| of_process(name))
                .count();
            self.instances
                .push((key.to_owned(), format!("{process}{number}")));
        }
    }

    /// Adds the names in a frame of an instance's channel.
    pub fn learn(&mut self, instance: &str, frame: &Value) {
        let children = frame["children"].as_array().into_iter().flatten();
        for child in children.chain(frame.get("child")) {
            self.learn_instance(
                child["instance"].as_str().unwrap_or_default(),
                child["process"].as_str().unwrap_or_default(),
            );
        }
        let entries = ["nodes", "actions"]
            .iter()
            .filter_map(|list| frame[list].as_array())
            .flatten();
        for entry in entries {
            self.learn_element(instance, entry);
        }
        if frame["type"] == "action" {
            self.learn_offer(instance, &frame["seq"], &frame["body"]);
        }
        for open in frame["open"].as_array().into_iter().flatten() {
            self.learn_offer(instance, &open["seq"], &open["body"]);
        }
    }

    /// Names a file, if it has no name yet.
    pub fn learn_file(&mut self, id: &str) {
        if !self.files.iter().any(|known| known == id) {
            self.files.push(id.to_owned());
        }
    }

    /// The id of the file with this name.
    pub fn file(&self, name: &str) -> &str {
        let number = name
            .strip_prefix("file")
            .and_then(|number| number.parse::<usize>().ok());
        number
            .and_then(|number| self.files.get(number - 1))
            .unwrap_or_else(|| panic!("no file {name} yet"))
    }

    fn learn_element(&mut self, instance: &str, entry: &Value) {
        let (Some(key), Some(node)) = (entry["element"].as_str(), entry["node"].as_str()) else {
            return;
        };
        if let (None, Some(iteration), Some(whole)) = (
            self.elements.get(key),
            entry["loopCounter"].as_u64(),
            entry["scope"].as_str(),
        ) {
            let name = format!("{}[{iteration}]", self.of_element(whole));
            self.elements.insert(key.to_owned(), name);
        }
        if !self.elements.contains_key(key) {
            let visits = self
                .visits
                .entry((instance.to_owned(), node.to_owned()))
                .or_default();
            visits.push(key.to_owned());
            let name = if visits.len() == 1 {
                node.to_owned()
            } else {
                format!("{node}/{}", visits.len())
            };
            self.elements.insert(key.to_owned(), name);
        }
    }

    fn learn_offer(&mut self, instance: &str, seq: &Value, body: &Value) {
        let seq = seq.as_u64().expect("an Action message has a number");
        let offers = self.offers.entry(instance.to_owned()).or_default();
        if !offers.iter().any(|(known, _)| *known == seq) {
            offers.push((
                seq,
                body["processName"].as_str().unwrap_or_default().to_owned(),
            ));
        }
    }

    /// The keys of all instances, in the order of their appearance.
    pub fn keys(&self) -> Vec<String> {
        self.instances.iter().map(|(key, _)| key.clone()).collect()
    }

    /// An instance's name.
    pub fn name(&self, key: &str) -> Option<&str> {
        self.instances
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, name)| name.as_str())
    }

    /// The key of the instance with this name.
    pub fn key(&self, name: &str) -> Option<&str> {
        self.instances
            .iter()
            .find(|(_, known)| known == name)
            .map(|(key, _)| key.as_str())
    }

    /// The key of an instance that has a name.
    pub fn known(&self, name: &str) -> &str {
        self.key(name)
            .unwrap_or_else(|| panic!("no instance {name} yet: {:?}", self.instances))
    }

    /// The key of the first instance.
    pub fn first(&self) -> &str {
        &self.instances.first().expect("an instance was started").0
    }

    /// The element key of a node's latest visit, of `node/2`, or of the iteration `node[1]`.
    pub fn element(&self, instance: &str, text: &str) -> &str {
        if text.ends_with(']') {
            let mut named = self.elements.iter();
            let found = named.find(|(key, name)| *name == text && key.starts_with(instance));
            return found.unwrap_or_else(|| panic!("no iteration {text} yet")).0;
        }
        let (node, visit) = text
            .split_once('/')
            .map_or((text, None), |(node, visit)| (node, visit.parse().ok()));
        let visits = self.visits.get(&(instance.to_owned(), node.to_owned()));
        let visits = visits.unwrap_or_else(|| panic!("no visit of {node} yet"));
        &visits[visit.unwrap_or(visits.len()) - 1]
    }

    /// The name of an element; `?` for one that no frame has shown.
    pub fn of_element(&self, key: &str) -> &str {
        self.elements.get(key).map_or("?", String::as_str)
    }

    /// Instance and number of the Action message `p1#1`.
    pub fn offer(&self, text: &str) -> (&str, u64) {
        let (name, index) = text
            .split_once('#')
            .unwrap_or_else(|| panic!("expected INSTANCE#NR, but got {text}"));
        let instance = if name.is_empty() {
            self.first()
        } else {
            self.known(name)
        };
        let index: usize = index.parse().expect("the number of an Action message");
        (instance, self.offers[instance][index - 1].0)
    }

    /// The process that an Action message asks to start.
    pub fn offered_process(&self, instance: &str, seq: u64) -> Option<&str> {
        let offers = self.offers.get(instance)?;
        offers
            .iter()
            .find(|(known, _)| *known == seq)
            .map(|(_, process)| process.as_str())
    }

    /// The position of the Action message with this number among those of its instance.
    pub fn offer_index(&self, instance: &str, seq: &Value) -> usize {
        let offers = self
            .offers
            .get(instance)
            .map(Vec::as_slice)
            .unwrap_or_default();
        1 + offers
            .iter()
            .position(|(known, _)| seq.as_u64() == Some(*known))
            .expect("an Action message that was learned")
    }

    /// A value's text with names in place of keys.
    pub fn plain(&self, value: &Value) -> String {
        let mut text = value.to_string();
        for (index, id) in self.files.iter().enumerate() {
            text = text.replace(id, &format!("file{}", index + 1));
        }
        for (key, name) in &self.instances {
            while let Some(at) = text.find(key) {
                let digits = text[at + key.len()..].strip_prefix('-').map_or(0, |rest| {
                    1 + rest.bytes().take_while(u8::is_ascii_digit).count()
                });
                let whole = at..at + key.len() + digits;
                let plain = if digits > 1 {
                    self.of_element(&text[whole.clone()])
                } else {
                    name.as_str()
                }
                .to_owned();
                text.replace_range(whole, &plain);
            }
        }
        text
    }
}
