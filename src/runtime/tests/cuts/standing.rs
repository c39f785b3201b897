//! The state of a tree without what may differ between runs: keys, numbers, and which of two
//! children was first.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::super::observe;
use crate::{
    engine::{Record, RecordBatch, record::Status},
    journal::{Entity, codec},
    model::ids::InstanceKey,
    runtime::Runtime,
};

/// One instance and all below it.
#[derive(Debug, PartialEq)]
pub struct TreeOutcome {
    pub process: String,
    pub status: Status,
    pub data: Value,
    pub view: Value,
    /// What was pushed to its clients: in order for each sender, the senders sorted.
    pub pushed: Vec<Vec<Value>>,
    /// With the status that the parent shows, sorted.
    pub children: Vec<(Status, TreeOutcome)>,
}

impl TreeOutcome {
    /// Status and process of it and all below, parents first.
    pub fn statuses(&self) -> Vec<(&str, Status)> {
        let below = self.children.iter().flat_map(|(_, child)| child.statuses());
        std::iter::once((self.process.as_str(), self.status))
            .chain(below)
            .collect()
    }
}

/// Reads it from an idle runtime.
pub async fn of(runtime: &Arc<Runtime>, key: InstanceKey) -> TreeOutcome {
    let observed = observe(runtime, key).await;
    let whole = observed.whole.as_ref().unwrap();
    let mut children = Vec::new();
    for child in &observed.children {
        children.push((child.status, Box::pin(of(runtime, child.start.child)).await));
    }
    children.sort_by_key(|child| format!("{child:?}"));
    TreeOutcome {
        process: observed.members.head.process.id.clone(),
        status: observed.next.status,
        data: (*whole.data).clone(),
        view: (*whole.view).clone(),
        pushed: pushed(&rows(runtime, key).await),
        children,
    }
}

/// The log of an instance: dense, and no message of another instance taken twice.
async fn rows(runtime: &Arc<Runtime>, key: InstanceKey) -> Vec<RecordBatch> {
    let stored = runtime
        .journal
        .read(move |reader| reader.rows(Entity::from(key), 0, usize::MAX))
        .await
        .unwrap()
        .unwrap();
    let rows: Vec<RecordBatch> = stored
        .iter()
        .map(|stored| codec::decode(&stored.row.body).unwrap())
        .collect();
    let mut last = 0;
    let mut received: BTreeMap<InstanceKey, u64> = BTreeMap::new();
    for row in &rows {
        assert_eq!(row.first_seq, last + 1);
        last = row.last_seq();
        for record in &row.records {
            if let Record::MessageReceived { from, number } = record {
                assert!(
                    received
                        .insert(*from, *number)
                        .is_none_or(|before| before < *number),
                    "{from} was heard twice"
                );
            }
        }
    }
    rows
}

fn pushed(rows: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut by_origin: BTreeMap<Option<InstanceKey>, Vec<Value>> = BTreeMap::new();
    for record in rows.iter().flat_map(|row| &row.records) {
        if let Record::Pushed(push) = record {
            by_origin
                .entry(push.origin)
                .or_default()
                .push(push.body.clone());
        }
    }
    let mut pushed: Vec<Vec<Value>> = by_origin.into_values().collect();
    pushed.sort_by_key(|bodies| format!("{bodies:?}"));
    pushed
}
