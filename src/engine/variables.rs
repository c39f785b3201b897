//! The variables that an element reads and writes, by scope.
//!
//! A read of `a.b` uses the innermost scope that owns `a`; a write goes to the innermost scope that
//! owns it, otherwise to the instance, whose variables clients know as data. All merges go through
//! this module, and all reads through [`Step::variables`].
//!
//! `state::variables` stores them.

use serde_json::{Map, Value};

use super::{context::Step, record::Record, state::Child};
use crate::model::{
    ids::{ElementKey, InstanceKey},
    variables::Variables,
};

/// The author of a merge, which decides whether a back step undoes it.
struct MergedBy {
    element: Option<ElementKey>,
    child: Option<InstanceKey>,
    call: Option<u64>,
}

impl Step<'_> {
    /// The variables visible to an element: its own, those of the scopes around it, those of the
    /// instance.
    pub fn variables(&self, element: ElementKey) -> Variables<'_> {
        self.state.variables(Some(element))
    }

    /// Makes an element own these variables until it is removed. Does nothing without variables.
    pub fn declare(&mut self, element: ElementKey, variables: Map<String, Value>) {
        if !variables.is_empty() {
            self.record(Record::VariablesDeclared { element, variables });
        }
    }

    /// Merges a patch of an element, each member into the scope that owns it. An empty patch leaves
    /// no record.
    pub fn merge(&mut self, by: Option<ElementKey>, patch: Value) {
        let by = MergedBy {
            element: by,
            child: None,
            call: None,
        };
        self.merge_by(&by, patch);
    }

    /// Merges a patch of a child. A back step undoes it if it ends the child.
    pub fn merge_of_child(&mut self, child: &Child, patch: Value) {
        let by = MergedBy {
            element: child.start.element,
            child: Some(child.start.child),
            call: None,
        };
        self.merge_by(&by, patch);
    }

    /// Merges a patch from the response to a call. A back step undoes it if it undoes the call.
    pub fn merge_of_call(&mut self, by: ElementKey, placed: u64, patch: Value) {
        let by = MergedBy {
            element: Some(by),
            child: None,
            call: Some(placed),
        };
        self.merge_by(&by, patch);
    }

    /// Merges a patch of an element into the scopes around it, without regard to variables of the
    /// same name that the element owns. `child` is the child that the patch comes from, if any.
    pub fn merge_around(&mut self, by: ElementKey, child: Option<&Child>, patch: Value) {
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

    /// Merges a patch from the position of an element, or of the instance for `None`.
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
