//! A refused start stays refused, although its outbox message may be delivered again when it would
//! be possible: what the parent shows as ended is not live.

use std::{slice, sync::Arc};

use serde_json::Value;

use super::{super::observe, Last, World, idle, processes, start};
use crate::{
    engine::state::Child,
    journal::{InstanceFilter, Store, StoreReader, WriteOp},
    runtime::Runtime,
};

/// Starts the tree; returns what `guard` then shows of its child, a `post`.
async fn begin(runtime: Arc<Runtime>) -> Vec<Child> {
    let root = start(&runtime).await;
    idle(&runtime).await;
    let observed = observe(&runtime, root).await;
    let guard = observed
        .children
        .iter()
        .find(|child| child.start.process == "guard")
        .unwrap()
        .start
        .child;
    observe(&runtime, guard).await.children.clone()
}

#[test]
fn a_refused_child_start_is_reported_once_across_cuts() {
    let (posts, others): (Vec<Value>, Vec<Value>) = processes::all()
        .into_iter()
        .partition(|source| source["id"] == "post");
    // The missing process, which exists from the beginning of the second run on.
    let deployed = WriteOp::Definitions(
        World::new(Last::Terminate, &posts)
            .store
            .definitions()
            .unwrap(),
        Vec::new(),
    );
    let mut redelivered = 0;
    for writes in 0.. {
        let mut world = World::new(Last::Terminate, &others);
        let first = world.live(writes, begin);
        world.store.commit(slice::from_ref(&deployed)).unwrap();
        let shown = world.live(usize::MAX, begin).unwrap();
        let filter = InstanceFilter {
            tenant: Some("default".into()),
            process: Some("post".into()),
            ..InstanceFilter::default()
        };
        let posts = world.store.instances(&filter, None, usize::MAX).unwrap();
        let alive = posts.iter().filter(|row| row.ended_at.is_none()).count();
        assert_eq!(
            alive,
            shown.iter().filter(|child| child.status.is_live()).count(),
            "cut off after {writes} writes"
        );
        redelivered += usize::from(alive == 0 && !posts.is_empty());
        if first.is_some() {
            break;
        }
    }
    assert!(redelivered > 0, "no cut made a message be delivered again");
}
