//! What a call activity has started: one child, or one for each item of a collection.
//!
//! Changed by `apply` only; everyone else reads. What it leads to: `engine::elements`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ids::InstanceKey;

/// Where the children of a call activity stand. A single call whose child failed stands nowhere,
/// until it is retried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// Waiting for this child.
    Awaiting(InstanceKey),
    /// It ended well.
    Done,
    /// Multi-instance: what has become of each item, in the order of the collection.
    Items(Vec<Item>),
}

/// One item of a multi-instance call activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What its child gets as `item`.
    pub value: Value,
    /// How far it is.
    pub run: ItemRun,
}

/// How far an item is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ItemRun {
    /// A child is to be started.
    Open,
    /// Its child failed; a retry opens it again.
    Failed,
    /// Waiting for this child.
    Awaiting(InstanceKey),
    /// It ended well and gave this.
    Done(Value),
}

impl Item {
    /// What it gave, once its child ended well.
    pub fn result(&self) -> Option<&Value> {
        match &self.run {
            ItemRun::Done(result) => Some(result),
            ItemRun::Open | ItemRun::Failed | ItemRun::Awaiting(_) => None,
        }
    }
}

impl Call {
    pub(super) fn over(items: &[Value]) -> Self {
        Self::Items(
            items
                .iter()
                .map(|value| Item {
                    value: value.clone(),
                    run: ItemRun::Open,
                })
                .collect(),
        )
    }

    /// The call after a child was started, for an item or for itself.
    pub(super) fn started(
        call: Option<Self>,
        item: Option<u32>,
        child: InstanceKey,
    ) -> Option<Self> {
        match item {
            None => Some(Self::Awaiting(child)),
            Some(item) => Self::with_item(call, item, ItemRun::Awaiting(child)),
        }
    }

    /// The call after an awaited child has ended. An item that ended well is done by a record of
    /// its own, with its result.
    pub(super) fn ended(call: Option<Self>, item: Option<u32>, well: bool) -> Option<Self> {
        match (item, well) {
            (None, true) => Some(Self::Done),
            (None, false) => None,
            (Some(_), true) => call,
            (Some(item), false) => Self::with_item(call, item, ItemRun::Failed),
        }
    }

    /// The call when what failed of it is given up: failed items count as done and gave `null`.
    pub(super) fn skipped(call: Option<Self>) -> Self {
        let Some(Self::Items(mut items)) = call else {
            return Self::Done;
        };
        for item in items.iter_mut().filter(|item| item.run == ItemRun::Failed) {
            item.run = ItemRun::Done(Value::Null);
        }
        Self::Items(items)
    }

    /// The call when what failed of it is tried again.
    pub(super) fn retried(&mut self) {
        if let Self::Items(items) = self {
            for item in items.iter_mut().filter(|item| item.run == ItemRun::Failed) {
                item.run = ItemRun::Open;
            }
        }
    }

    /// Whether something of it failed and is not being tried again.
    pub fn failed(call: Option<&Self>) -> bool {
        match call {
            None => true,
            Some(Self::Items(items)) => items.iter().any(|item| item.run == ItemRun::Failed),
            Some(Self::Awaiting(_) | Self::Done) => false,
        }
    }

    pub(super) fn with_item(call: Option<Self>, item: u32, run: ItemRun) -> Option<Self> {
        let mut call = call;
        if let Some(Self::Items(items)) = &mut call
            && let Some(item) = items.get_mut(item as usize)
        {
            item.run = run;
        }
        call
    }
}
