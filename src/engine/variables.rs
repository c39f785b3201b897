//! What an element reads and writes: its variables, by scope.
//!
//! A read of `a.b` takes the innermost scope that owns `a`; a write goes to the innermost scope that
//! owns it, else to the root, which is what the outside calls data. Whatever merges into the data
//! goes through here, and whatever reads them reads [`Step::variables`].
//!
//! What is remembered of it: `state::variables`.

use serde_json::{Map, Value};

use super::{context::Step, record::Record, state::Child};
use crate::model::{
    ids::{ElementKey, InstanceKey},
    variables::Variables,
};

/// Whose a merge is, for a back step that may have to undo it.
struct MergedBy {
    element: Option<ElementKey>,
    child: Option<InstanceKey>,
    call: Option<u64>,
}

impl Step<'_> {
    /// The variables as an element sees them: its own, those of the scopes around it, the root's.
    pub fn variables(&self, element: ElementKey) -> Variables<'_> {
        self.state.variables(Some(element))
    }

    /// An element owns these variables from now on, until it is gone; nothing without any.
    pub fn declare(&mut self, element: ElementKey, variables: Map<String, Value>) {
        if !variables.is_empty() {
            self.record(Record::VariablesDeclared { element, variables });
        }
    }

    /// Merges what an element brings, each member into the scope that owns it; an empty patch leaves
    /// no record.
    pub fn merge(&mut self, by: Option<ElementKey>, patch: Value) {
        let by = MergedBy {
            element: by,
            child: None,
            call: None,
        };
        self.merge_by(&by, patch);
    }

    /// Merges what a child brings; a back step that leaves the child alone leaves this alone.
    pub fn merge_of_child(&mut self, child: &Child, patch: Value) {
        let by = MergedBy {
            element: child.start.element,
            child: Some(child.start.child),
            call: None,
        };
        self.merge_by(&by, patch);
    }

    /// Merges what the answer to a call brings; a back step that leaves the call alone leaves this
    /// alone.
    pub fn merge_of_call(&mut self, by: ElementKey, placed: u64, patch: Value) {
        let by = MergedBy {
            element: Some(by),
            child: None,
            call: Some(placed),
        };
        self.merge_by(&by, patch);
    }

    /// Merges what an element writes around itself, whatever it owns by the same names; `child` is
    /// the child it comes from, if it does.
    pub fn merge_outside(&mut self, by: ElementKey, child: Option<&Child>, patch: Value) {
        let around = self.state.element(by).and_then(|element| element.scope());
        let by = MergedBy {
            element: Some(by),
            child: child.map(|child| child.start.child),
            call: None,
        };
        self.merge_from(around, &by, patch);
    }

    fn merge_by(&mut self, by: &MergedBy, patch: Value) {
        self.merge_from(by.element, by, patch);
    }

    /// Merges as seen from an element; `None` from the instance.
    fn merge_from(&mut self, from: Option<ElementKey>, by: &MergedBy, patch: Value) {
        if patch.as_object().is_some_and(Map::is_empty) {
            return;
        }
        for (scope, patch) in self.state.by_owner(from, patch) {
            self.record(Record::DataMerged {
                scope,
                by: by.element,
                child: by.child,
                call: by.call,
                patch,
            });
        }
    }
}
