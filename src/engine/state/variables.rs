//! Variables by scope: an element instance may own variables, which hide those of the same name
//! outside. All reads of data go through [`InstanceState::variables`].
//!
//! `engine::variables` declares the variables of elements and merges into them.

use serde_json::{Map, Value};

use super::InstanceState;
use crate::model::{ids::ElementKey, variables::Variables};

impl InstanceState {
    /// The variables visible to an element, or to the instance for `None`.
    pub fn variables(&self, element: Option<ElementKey>) -> Variables<'_> {
        let scopes = self.owners(element).map(|(_, variables)| variables);
        Variables::layered(scopes.collect(), &self.data)
    }

    /// The bytes of the variables of elements, and of the variables kept to compensate completed
    /// ones.
    pub fn owned_bytes(&self) -> usize {
        self.owned_bytes
    }

    /// The element itself and the scopes around it that own variables, the innermost first.
    pub fn owners(
        &self,
        element: Option<ElementKey>,
    ) -> impl Iterator<Item = (ElementKey, &Value)> {
        let chain = std::iter::successors(element, |key| self.elements.get(key)?.scope);
        chain.filter_map(|key| Some((key, self.elements.get(&key)?.variables()?)))
    }

    /// Splits a patch by the scopes that its members belong to. Each member goes to the innermost
    /// element, from this one outwards, that owns a variable of its name, otherwise to the instance
    /// (`None`). Variables of retained elements are not written.
    pub(in crate::engine) fn by_owner(
        &self,
        from: Option<ElementKey>,
        patch: Value,
    ) -> Vec<(Option<ElementKey>, Value)> {
        let is_active = |key: &ElementKey| self.elements.get(key).is_some_and(|it| it.active);
        let owners: Vec<(ElementKey, &Value)> = self
            .owners(from)
            .filter(|(key, _)| is_active(key))
            .collect();
        let members = match patch {
            Value::Object(members) if !owners.is_empty() => members,
            whole => return vec![(None, whole)],
        };
        let mut parts: Vec<(Option<ElementKey>, Map<String, Value>)> = Vec::new();
        for (name, value) in members {
            let owner = owners.iter().find(|(_, owned)| owned.get(&name).is_some());
            let owner = owner.map(|&(key, _)| key);
            match parts.iter_mut().find(|(scope, _)| *scope == owner) {
                Some((_, part)) => drop(part.insert(name, value)),
                None => parts.push((owner, Map::from_iter([(name, value)]))),
            }
        }
        let parts = parts.into_iter();
        parts
            .map(|(scope, part)| (scope, Value::Object(part)))
            .collect()
    }
}
