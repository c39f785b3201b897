//! A message between instances survives the end of the program between the sender's commit and the
//! receiver's.

use super::*;
use crate::journal::{Entity, SqliteStore, StoreError, StoreReader, WriteOp};

/// A store whose program ends when an instance that is not `parent` begins.
struct CutBeforeChild {
    store: SqliteStore,
    begun: Vec<Entity>,
}

impl Store for CutBeforeChild {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        for op in batch {
            if let WriteOp::Commit(commit) = op
                && !self.begun.contains(&commit.row.entity)
            {
                self.begun.push(commit.row.entity);
            }
        }
        if self.begun.len() > 1 {
            return Err(StoreError::Panicked);
        }
        self.store.commit(batch)
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        self.store.reader()
    }
}

#[actix_web::test]
async fn a_child_is_started_after_a_cut_between_the_two_commits() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).unwrap();
    let (runtime, journal) = runtime_over(Box::new(CutBeforeChild {
        store,
        begun: Vec::new(),
    }))
    .await;
    let parent = start(&runtime).await;
    let saved = applied(send(&runtime, parent, save("Ada")).await);
    assert_eq!(saved.children.len(), 1);
    // The commit of the child fails, and with it the writer ends.
    journal.shutdown();

    let (runtime, _) = runtime_over(Box::new(SqliteStore::open(directory.path()).unwrap())).await;
    reach_review(&runtime, parent).await;
    let observed = observe(&runtime, parent).await;
    assert_eq!(observed.children.len(), 1);
    assert_eq!(
        observed.whole.as_ref().unwrap().data["client"]["credit"]["rating"],
        "good"
    );
    let received = observed.children[0].status;
    assert!(!received.is_live());
}
