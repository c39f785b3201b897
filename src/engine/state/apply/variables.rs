//! What elements own as variables: declared, merged into, replaced by a back step.

use serde_json::{Map, Value};

use crate::{
    engine::state::{InstanceState, merges::Merge},
    model::{deep_merge::deep_merge, ids::ElementKey},
};

impl InstanceState {
    pub(super) fn declare(&mut self, seq: u64, key: ElementKey, declared: &Map<String, Value>) {
        let Some(element) = self.elements.get_mut(&key) else {
            return;
        };
        let owned = element.variables.get_or_insert_with(empty);
        declare_in(owned, declared);
        if let Some(merges) = &mut self.merges {
            merges.push(Merge::declaration(seq, key, declared.clone()), seq);
        }
    }

    /// Merges into what a scope owns, or into the root's data.
    pub(super) fn merge_into(&mut self, scope: Option<ElementKey>, patch: &Value) {
        match scope {
            None => deep_merge(&mut self.data, patch),
            Some(key) => self.with(key, |element| {
                deep_merge(element.variables.get_or_insert_with(empty), patch);
            }),
        }
    }

    pub(super) fn replace(&mut self, scope: Option<ElementKey>, data: &Value) {
        match scope {
            None => self.data = data.clone(),
            Some(key) => self.with(key, |element| {
                element.variables = Some(Box::new(data.clone()));
            }),
        }
    }
}

/// Puts first values of variables beside what is owned already, each in the place of another of its
/// name.
pub(in crate::engine::state) fn declare_in(owned: &mut Value, declared: &Map<String, Value>) {
    if let Value::Object(members) = owned {
        members.extend(declared.clone());
    }
}

fn empty() -> Box<Value> {
    Box::new(Value::Object(Map::new()))
}
