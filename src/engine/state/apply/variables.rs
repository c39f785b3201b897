//! Applies the records of variables of elements: declared, merged, replaced by a back step.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    engine::state::{ElementInstance, InstanceState, merges::Merge},
    model::{deep_merge::deep_merge, ids::ElementKey},
};

impl InstanceState {
    pub(super) fn declare(&mut self, seq: u64, key: ElementKey, declared: &Map<String, Value>) {
        let Some(element) = self.elements.get_mut(&key) else {
            return;
        };
        element.own(declared);
        let bytes = serde_json::to_string(declared).map_or(0, |text| text.len());
        element.owned_bytes += bytes;
        self.owned_bytes += bytes;
        if let Some(merges) = &mut self.merges {
            merges.push(Merge::declaration(seq, key, declared.clone()), seq);
        }
    }

    /// Counts the bytes of a patch that is about to be merged into the variables of an element.
    pub(super) fn count_own(&mut self, scope: Option<ElementKey>, patch: &Value) {
        if let Some(element) = scope.and_then(|key| self.elements.get_mut(&key)) {
            let bytes = patch.to_string().len();
            element.owned_bytes += bytes;
            self.owned_bytes += bytes;
        }
    }

    /// Removes an element together with its variables.
    pub(in crate::engine::state) fn take_element(
        &mut self,
        key: ElementKey,
    ) -> Option<ElementInstance> {
        let element = self.elements.remove(&key)?;
        self.owned_bytes = self.owned_bytes.saturating_sub(element.bytes());
        self.active_elements = self
            .active_elements
            .saturating_sub(usize::from(element.active));
        Some(element)
    }

    /// Inserts an element together with its variables.
    pub(in crate::engine::state) fn put_element(
        &mut self,
        key: ElementKey,
        element: ElementInstance,
    ) {
        self.owned_bytes += element.bytes();
        self.active_elements += usize::from(element.active);
        self.elements.insert(key, element);
    }

    /// Merges a patch into the variables of an element, or into the data of the instance.
    pub(super) fn merge_into(&mut self, scope: Option<ElementKey>, patch: &Value) {
        match scope {
            None => deep_merge(Arc::make_mut(&mut self.data), patch),
            Some(key) => self.with(key, |element| {
                deep_merge(element.variables.get_or_insert_with(empty), patch);
            }),
        }
    }

    pub(super) fn replace(&mut self, scope: Option<ElementKey>, data: &Value) {
        match scope {
            None => self.data = Arc::new(data.clone()),
            Some(key) => self.with(key, |element| {
                element.variables = Some(Box::new(data.clone()));
            }),
        }
    }
}

impl ElementInstance {
    /// Makes the element own these variables with these values.
    pub(super) fn own(&mut self, variables: &Map<String, Value>) {
        declare_in(self.variables.get_or_insert_with(empty), variables);
    }
}

/// Adds declared variables to those an element owns; a variable of the same name is replaced.
pub(in crate::engine::state) fn declare_in(owned: &mut Value, declared: &Map<String, Value>) {
    if let Value::Object(members) = owned {
        members.extend(declared.clone());
    }
}

fn empty() -> Box<Value> {
    Box::new(Value::Object(Map::new()))
}
