//! The newest rows that a followed instance keeps: few if they are large; then a follower that is
//! behind reads the store.

use super::*;
use crate::{journal::MemoryStore, runtime::channel::RowsAfter};

async fn patch(runtime: &Arc<Runtime>, key: InstanceKey, bytes: usize) -> u64 {
    let command = Box::new(Command::Patch {
        scope: None,
        data: json!({ "text": "x".repeat(bytes) }),
    });
    let request = InstanceRequest::Apply {
        command,
        tag: None,
        if_seq: None,
    };
    let caller = Some(Caller {
        operator: true,
        ..alice()
    });
    let answered = answer(|reply| {
        runtime.dispatch(
            key,
            Envelope {
                caller,
                request,
                reply,
            },
        )
    });
    applied(answered.await).row.last_seq()
}

#[actix_web::test]
async fn large_rows_are_kept_one_at_a_time_and_small_ones_together() {
    let (runtime, _) = runtime_over(Box::<MemoryStore>::default()).await;
    let key = start(&runtime).await;
    let channel = runtime.hub.follow(key);
    let first = patch(&runtime, key, 10).await;
    for _ in 0..5 {
        patch(&runtime, key, 10).await;
    }
    let rows = channel.after(first, 64);
    assert!(matches!(rows, RowsAfter::Rows(rows) if rows.len() == 5));
    let before = patch(&runtime, key, limits::FOLLOWED_BYTES / 4).await;
    assert!(matches!(channel.after(first, 64), RowsAfter::Behind));
    let last = patch(&runtime, key, limits::FOLLOWED_BYTES / 4).await;
    assert!(matches!(channel.after(before, 64), RowsAfter::Rows(rows) if rows.len() == 1));
    assert!(matches!(channel.after(last, 64), RowsAfter::Nothing));
}

#[actix_web::test]
async fn large_rows_over_the_shared_bound_are_not_kept() {
    let (runtime, _) = runtime_over(Box::<MemoryStore>::default()).await;
    let each = limits::FOLLOWED_BYTES / 4;
    let enough = limits::FOLLOWED_BYTES_IN_ALL.get() / limits::FOLLOWED_BYTES;
    let mut channels = Vec::new();
    for _ in 0..enough {
        let key = start(&runtime).await;
        let channel = runtime.hub.follow(key);
        let before = patch(&runtime, key, each).await - 1;
        channels.push((key, channel, before));
    }
    let (key, last, before) = channels.last().unwrap();
    assert!(matches!(last.after(*before, 64), RowsAfter::Behind));
    let small = patch(&runtime, *key, 10).await - 1;
    assert!(matches!(last.after(small, 64), RowsAfter::Rows(_)));
    drop(channels.drain(..enough / 2));
    let (key, kept, _) = channels.last().unwrap();
    let before = patch(&runtime, *key, each).await - 1;
    assert!(matches!(kept.after(before, 64), RowsAfter::Rows(_)));
}
