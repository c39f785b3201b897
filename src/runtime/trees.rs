//! The trees of process instances in memory: the number of live instances of each, and the messages
//! in delivery within it.
//!
//! A tree is in memory while one of its instances is, or one of its messages is in delivery; a root
//! that has started no subprocess needs none. Nothing here is authoritative: the number of live
//! instances is read from the read models when the tree comes into memory, and updated by the rows
//! of its instances from then on. Instances of one tree that step at the same time may each see the
//! same room, so a tree may exceed its limit by what they start in one step each.
//!
//! Where the limits become incidents: `engine::quotas`. How messages wait for their turn:
//! `outbox::delivery_queue`.
//!
//! # Rationale
//!
//! **The size of a tree is counted, not recorded**: as a number beside its instances in memory,
//! read from the read models when the tree comes into memory. A record of it would be a second
//! truth, and need a lock across instances.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use dashmap::{DashMap, Entry};

use super::outbox::delivery_queue::DeliveryQueue;
use crate::{
    engine::record::Status,
    journal::{StoreError, StoreReader},
    limits::{TREE_LEVELS, TreeLimits},
    model::ids::InstanceKey,
};

/// The trees in memory, by root.
#[derive(Default)]
pub struct Trees {
    limits: TreeLimits,
    known: Arc<DashMap<InstanceKey, Weak<Tree>>>,
}

/// One tree.
pub struct Tree {
    root: InstanceKey,
    limits: TreeLimits,
    /// Live instances, and subprocesses whose start is recorded but not delivered yet.
    size: AtomicUsize,
    /// How many of its instances have ended other than by finishing since the tree came into
    /// memory; begins with 1 when that may have happened before.
    ends: AtomicU64,
    deliveries: Mutex<DeliveryQueue>,
    known: Weak<DashMap<InstanceKey, Weak<Tree>>>,
}

/// The changes of a row to the counts of its tree, before it is durable.
#[derive(Default)]
pub struct CountedInTree {
    /// The tree, if the instance has one.
    pub tree: Option<Arc<Tree>>,
    /// Instances added.
    pub grown: usize,
    /// Instances removed.
    pub shrunk: usize,
}

impl CountedInTree {
    /// Reverts the changes, because the row was not written.
    pub fn take_back(&self) {
        let Some(tree) = &self.tree else { return };
        tree.grow(self.shrunk);
        (0..self.grown).for_each(|_| tree.shrink());
    }
}

/// The place of a new subprocess in its tree.
#[derive(Clone)]
pub struct TreePlace {
    /// Its tree.
    pub tree: Arc<Tree>,
    /// [`Tree::ends`] at a time when no instance above it had ended other than by finishing.
    pub ends: u64,
    /// Whether the tree counts it already.
    pub counted: bool,
}

impl Trees {
    /// The tree of a root, if it is in memory.
    pub fn get(&self, root: InstanceKey) -> Option<Arc<Tree>> {
        self.known.get(&root).and_then(|tree| tree.upgrade())
    }

    /// The tree of a root: the one in memory, or a new one with these numbers of live instances and
    /// ends.
    pub fn enter(&self, root: InstanceKey, live: usize, ends: u64) -> Arc<Tree> {
        let new = Arc::new(Tree {
            root,
            limits: self.limits,
            size: AtomicUsize::new(live),
            ends: AtomicU64::new(ends),
            deliveries: Mutex::default(),
            known: Arc::downgrade(&self.known),
        });
        let known = match self.known.entry(root) {
            Entry::Occupied(mut entry) => entry.get().upgrade().or_else(|| {
                entry.insert(Arc::downgrade(&new));
                None
            }),
            Entry::Vacant(entry) => {
                entry.insert(Arc::downgrade(&new));
                None
            }
        };
        known.unwrap_or(new)
    }

    /// The tree of a root; if it is not in memory, its numbers are read from the store.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn read(
        &self,
        reader: &dyn StoreReader,
        root: InstanceKey,
    ) -> Result<Arc<Tree>, StoreError> {
        match self.get(root) {
            Some(tree) => Ok(tree),
            None => Ok(self.enter(
                root,
                reader.live_below(root)?.len() + usize::from(is_live(reader, root)?),
                1,
            )),
        }
    }

    /// The room below a root without a tree.
    pub fn room_of_one(&self) -> usize {
        self.limits.instances.saturating_sub(1)
    }
}

impl Tree {
    /// The key of its root.
    pub fn root(&self) -> InstanceKey {
        self.root
    }

    /// Its limits.
    pub fn limits(&self) -> TreeLimits {
        self.limits
    }

    /// How many more instances it may have now.
    pub fn room(&self) -> usize {
        self.limits
            .instances
            .saturating_sub(self.size.load(Ordering::Acquire))
    }

    /// Adds instances.
    pub fn grow(&self, instances: usize) {
        self.size.fetch_add(instances, Ordering::AcqRel);
    }

    /// Removes an instance that has ended, or a start that had no effect.
    pub fn shrink(&self) {
        // A wrong count must not underflow to a huge one.
        let _ = self
            .size
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |size| {
                Some(size.saturating_sub(1))
            });
    }

    /// A number that changes whenever one of its instances ends other than by finishing: from then
    /// on nothing may start below that one. 0 means that none has.
    pub fn ends(&self) -> u64 {
        self.ends.load(Ordering::Acquire)
    }

    /// Counts an instance that ends other than by finishing.
    pub fn ended(&self) {
        self.ends.fetch_add(1, Ordering::AcqRel);
    }

    /// Its messages that wait for their turn.
    pub fn deliveries(&self) -> MutexGuard<'_, DeliveryQueue> {
        // No call below panics in the middle of a change.
        self.deliveries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if let Some(known) = self.known.upgrade() {
            known.remove_if(&self.root, |_, tree| tree.strong_count() == 0);
        }
    }
}

fn is_live(reader: &dyn StoreReader, key: InstanceKey) -> Result<bool, StoreError> {
    Ok(reader
        .instance(key)?
        .is_some_and(|row| row.ended_at.is_none()))
}

/// The nearest instance, this one or one above it, that has ended other than by finishing, or was
/// terminated afterwards, with its status.
///
/// # Errors
/// A store that cannot be read.
pub fn ended_at_or_above(
    reader: &dyn StoreReader,
    key: InstanceKey,
) -> Result<Option<(InstanceKey, String)>, StoreError> {
    let mut next = Some(key);
    for _ in 0..=TREE_LEVELS {
        let Some(row) = next.map(|key| reader.instance(key)).transpose()?.flatten() else {
            return Ok(None);
        };
        let by_finishing = row.status == Status::Finished.name() && !row.descendants_ended;
        if row.ended_at.is_some() && !by_finishing {
            return Ok(Some((row.key, row.status)));
        }
        next = row.parent;
    }
    Ok(None)
}

/// The instances below one of a tree that are live, or have finished and left Action messages open,
/// nearest first.
///
/// # Errors
/// A store that cannot be read.
pub fn descendants_to_end(
    reader: &dyn StoreReader,
    root: InstanceKey,
    top: InstanceKey,
) -> Result<Vec<Vec<InstanceKey>>, StoreError> {
    let mut parents: std::collections::HashMap<InstanceKey, Option<InstanceKey>> =
        std::collections::HashMap::new();
    let mut levels: Vec<Vec<InstanceKey>> = Vec::new();
    let mut found = reader.live_below(root)?;
    found.extend(reader.open_below(root)?);
    parents.extend(found.iter().map(|&(key, parent)| (key, Some(parent))));
    for (key, mut above) in found {
        for distance in 0..=TREE_LEVELS {
            if above == top {
                levels.resize_with(levels.len().max(distance + 1), Vec::new);
                levels[distance].push(key);
                break;
            }
            let known = match parents.get(&above) {
                Some(parent) => *parent,
                None => {
                    let parent = reader.instance(above)?.and_then(|row| row.parent);
                    parents.insert(above, parent);
                    parent
                }
            };
            let Some(parent) = known else { break };
            above = parent;
        }
    }
    Ok(levels)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key(number: u128) -> InstanceKey {
        InstanceKey(Uuid::from_u128(number))
    }

    #[test]
    fn a_tree_is_shared_while_it_is_referenced() {
        let trees = Trees::default();
        let tree = trees.enter(key(1), 3, 0);
        assert_eq!(tree.room(), TreeLimits::default().instances - 3);
        assert!(
            Arc::ptr_eq(&tree, &trees.enter(key(1), 7, 1)),
            "the one in memory knows better than who comes later"
        );
        assert!(trees.get(key(2)).is_none());
        drop(tree);
        assert!(
            trees.get(key(1)).is_none() && trees.known.is_empty(),
            "nothing is kept of a tree that nobody holds"
        );
    }

    #[test]
    fn a_tree_has_room_again_when_instances_end() {
        let trees = Trees {
            limits: TreeLimits {
                instances: 2,
                ..TreeLimits::default()
            },
            ..Trees::default()
        };
        let tree = trees.enter(key(1), 1, 0);
        tree.grow(3);
        assert_eq!(tree.room(), 0);
        (0..3).for_each(|_| tree.shrink());
        assert_eq!(tree.room(), 1);
        (0..3).for_each(|_| tree.shrink());
        assert_eq!(tree.room(), 2);
    }
}
