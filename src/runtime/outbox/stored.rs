//! What the outbox holds after a restart.
//!
//! Not here: how it is delivered ([`outbox`](super)).

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use serde_json::Value;

use super::{Outbox, OutboxDelivery};
use crate::{
    engine::instance_message::InstanceMessage,
    journal::{Entity, OutboxMessage, Owner, StoreError, StoreReader, StoredKind, codec},
    model::ids::InstanceKey,
    runtime::{
        Runtime, correlations,
        trees::{Tree, Trees},
    },
};

/// A message the table holds, with the root of its tree.
pub struct StoredDelivery {
    root: InstanceKey,
    message: OutboxMessage,
    /// Whose it is, if it is an instance's.
    owner: Option<Arc<Owner>>,
    /// What it brings, when that is stored elsewhere; or why it cannot be read.
    brings: Option<Brought>,
}

/// What a message brings, or why that cannot be read.
type Brought = Result<Arc<Value>, String>;

/// What the table holds.
///
/// # Errors
/// A store that cannot be read.
pub fn stored(reader: &dyn StoreReader) -> Result<Vec<StoredDelivery>, StoreError> {
    // Those of one publication share what they bring.
    let mut brought: BTreeMap<(Entity, u64), Brought> = BTreeMap::new();
    let with_root = |message: OutboxMessage| {
        let source = message.source.instance();
        let brings = match message.row.brings {
            None => None,
            Some(publication) => {
                let key = (message.source, publication);
                if let Entry::Vacant(unread) = brought.entry(key) {
                    unread.insert(match correlations::bring(reader, key.0, publication) {
                        Ok(data) => Ok(data),
                        Err(StoreError::Unreadable(why)) => Err(why),
                        Err(error) => return Err(error),
                    });
                }
                brought.get(&key).cloned()
            }
        };
        let line = match reader.instance(source) {
            Ok(line) => line,
            // It is damaged: what it sends is delivered by itself.
            Err(StoreError::Unreadable(_)) => None,
            Err(error) => return Err(error),
        };
        let root = line.as_ref().map_or(source, |line| line.root);
        let owner = line.map(|line| {
            Arc::new(Owner {
                tenant: line.tenant,
                process: line.process,
            })
        });
        Ok(StoredDelivery {
            root,
            message,
            owner,
            brings,
        })
    };
    reader.outbox()?.into_iter().map(with_root).collect()
}

impl Outbox {
    /// Posts what the table holds, after a restart. What cannot be read is noted as damaged; what
    /// comes after it in its order stays in the table, as it may mean nothing without it.
    pub fn resume(&self, runtime: &Arc<Runtime>, deliveries: Vec<(Arc<Tree>, StoredDelivery)>) {
        let mut held: BTreeSet<(Entity, Entity)> = BTreeSet::new();
        // What is being brought is known before those who have thrown it ask for it.
        let (to_bring, others): (Vec<_>, Vec<_>) = deliveries
            .into_iter()
            .partition(|(_, stored)| !stored.message.source.is_instance());
        let deliveries = to_bring.into_iter().chain(others);
        for (
            tree,
            StoredDelivery {
                message: OutboxMessage { source, row },
                owner,
                brings,
                ..
            },
        ) in deliveries
        {
            if held.contains(&(source, row.target)) {
                continue;
            }
            let decoded = codec::decode(&row.body).map_err(|error: StoreError| error.to_string());
            let message =
                decoded.and_then(|(message, trace)| Ok((with_data(message, brings)?, trace)));
            let (message, trace) = match message {
                Ok(read) => read,
                Err(why) => {
                    let name = format!("number {} of {}", row.seq, source.key);
                    runtime.damaged.note(StoredKind::Message, &name, &why);
                    held.insert((source, row.target));
                    continue;
                }
            };
            let goes_on = matches!(*message, InstanceMessage::StartMore { .. });
            let delivery = OutboxDelivery {
                owner: owner.filter(|_| goes_on),
                source,
                number: row.seq,
                target: row.target,
                message,
                trace,
                tree: tree.clone(),
            };
            if delivery.is_start() {
                tree.grow(1);
            }
            self.post(runtime, delivery);
        }
    }
}

/// A stored message with what it brings.
fn with_data(
    mut message: Box<InstanceMessage>,
    brings: Option<Brought>,
) -> Result<Box<InstanceMessage>, String> {
    if let (InstanceMessage::Delivery(delivery), Some(brings)) = (&mut *message, brings) {
        delivery.data = brings?;
    }
    Ok(message)
}

impl StoredDelivery {
    /// Its tree, counted from the store unless it is in memory.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn tree(&self, trees: &Trees, reader: &dyn StoreReader) -> Result<Arc<Tree>, StoreError> {
        if self.message.source.is_instance() {
            trees.read(reader, self.root)
        } else {
            Ok(trees.enter(self.root, 0, 0))
        }
    }
}
