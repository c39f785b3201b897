//! The bytes that commands write are reported for the rates of their callers.

use std::sync::Mutex;

use super::*;
use crate::journal::MemoryStore;

#[actix_web::test]
async fn what_a_command_writes_is_reported_for_its_caller_and_a_refused_one_writes_nothing() {
    let (runtime, _) = runtime_over(Box::new(MemoryStore::default())).await;
    let reported: Arc<Mutex<Vec<(String, usize)>>> = Arc::default();
    let seen = reported.clone();
    runtime.on_written(move |caller, bytes| {
        seen.lock().unwrap().push((caller.subject.clone(), bytes));
    });
    let take = || std::mem::take(&mut *reported.lock().unwrap());
    let key = start(&runtime).await;
    let started = take();
    assert!(
        matches!(&started[..], [(subject, bytes)] if subject == "alice" && *bytes > 0),
        "{started:?}"
    );
    let refused = send(&runtime, key, run("unknown", json!({}))).await;
    assert!(matches!(refused, InstanceResponse::Refused(_)));
    assert_eq!(take(), []);
    applied(send(&runtime, key, save(&"A".repeat(10_000))).await);
    // What the started child writes counts for nobody.
    reach_review(&runtime, key).await;
    let saved = take();
    assert!(
        matches!(saved[..], [(_, bytes)] if bytes > 10_000),
        "{saved:?}"
    );
}
