//! The contents of the outbox after a restart.
//!
//! Not here: delivering them ([`outbox`](super)).

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

/// A stored message, with the root of its tree.
pub struct StoredDelivery {
    root: InstanceKey,
    message: OutboxMessage,
    /// The owner of the sender, if that is an instance.
    owner: Option<Arc<Owner>>,
    /// Its data, when they are stored elsewhere; or why they cannot be read.
    publication: Option<PublicationData>,
}

/// The data of a message, or why they cannot be read.
type PublicationData = Result<Arc<Value>, String>;

/// Reads the outbox.
///
/// # Errors
/// A store that cannot be read.
pub fn stored(reader: &dyn StoreReader) -> Result<Vec<StoredDelivery>, StoreError> {
    // Deliveries of one publication share its data.
    let mut data_of: BTreeMap<(Entity, u64), PublicationData> = BTreeMap::new();
    let with_root = |message: OutboxMessage| {
        let source = message.source.instance();
        let publication = match message.row.publication {
            None => None,
            Some(publication) => {
                let key = (message.source, publication);
                if let Entry::Vacant(unread) = data_of.entry(key) {
                    unread.insert(match correlations::read_data(reader, key.0, publication) {
                        Ok(data) => Ok(data),
                        Err(StoreError::Unreadable(why)) => Err(why),
                        Err(error) => return Err(error),
                    });
                }
                data_of.get(&key).cloned()
            }
        };
        let line = match reader.instance(source) {
            Ok(line) => line,
            // The instance is damaged: its messages are delivered without an owner.
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
            publication,
        })
    };
    reader.outbox()?.into_iter().map(with_root).collect()
}

impl Outbox {
    /// Posts the stored messages, after a restart. A message that cannot be read is recorded as
    /// damaged, and later messages of its order stay in the table, because they may depend on it.
    pub fn resume(&self, runtime: &Arc<Runtime>, deliveries: Vec<(Arc<Tree>, StoredDelivery)>) {
        let mut held: BTreeSet<(Entity, Entity)> = BTreeSet::new();
        // Deliveries are posted before the messages of those who have thrown the publication ask
        // for them.
        let (with_publication, others): (Vec<_>, Vec<_>) = deliveries
            .into_iter()
            .partition(|(_, stored)| !stored.message.source.is_instance());
        let deliveries = with_publication.into_iter().chain(others);
        for (
            tree,
            StoredDelivery {
                message: OutboxMessage { source, row },
                owner,
                publication,
                ..
            },
        ) in deliveries
        {
            if held.contains(&(source, row.target)) {
                continue;
            }
            let decoded = codec::decode(&row.body).map_err(|error: StoreError| error.to_string());
            let message =
                decoded.and_then(|(message, trace)| Ok((with_data(message, publication)?, trace)));
            let (message, trace) = match message {
                Ok(read) => read,
                Err(why) => {
                    let name = format!("number {} of {}", row.seq, source.key);
                    runtime.damaged.note(StoredKind::Message, &name, &why);
                    held.insert((source, row.target));
                    continue;
                }
            };
            let continues = matches!(*message, InstanceMessage::StartMore { .. });
            let delivery = OutboxDelivery {
                owner: owner.filter(|_| continues),
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

/// A stored message with its data.
fn with_data(
    mut message: Box<InstanceMessage>,
    publication: Option<PublicationData>,
) -> Result<Box<InstanceMessage>, String> {
    if let (InstanceMessage::Delivery(delivery), Some(publication)) = (&mut *message, publication) {
        delivery.data = publication?;
    }
    Ok(message)
}

impl StoredDelivery {
    /// Its tree; if it is not in memory, its numbers are read from the store.
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
