//! The bytes that are written are reported for the rates: those of commands for their callers,
//! those that instances write by themselves for the one who started their tree.

use std::sync::Mutex;

use super::*;
use crate::{journal::MemoryStore, runtime::written_for::WrittenFor};

/// What was reported: for whom, and how many bytes.
type Reported = (String, usize);

fn whom(whom: WrittenFor<'_>) -> String {
    match whom {
        WrittenFor::Caller(caller) => caller.subject.clone(),
        WrittenFor::Starter { tenant, subject } => format!("trees of {tenant}/{subject}"),
    }
}

#[actix_web::test]
async fn what_is_written_is_reported_for_the_caller_or_the_starter() {
    let (runtime, _) = runtime_over(Box::new(MemoryStore::default())).await;
    let reported: Arc<Mutex<Vec<Reported>>> = Arc::default();
    let seen = reported.clone();
    runtime.on_written(Box::new(move |of, bytes| {
        seen.lock().unwrap().push((whom(of), bytes));
    }));
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
    // The credit check is a process of its own, which reports its end to the caller's instance.
    reach_review(&runtime, key).await;
    let saved = take();
    assert!(saved[0].0 == "alice" && saved[0].1 > 10_000, "{saved:?}");
    let alone: Vec<&str> = saved[1..].iter().map(|(of, _)| of.as_str()).collect();
    assert!(alone.len() >= 2, "{saved:?}");
    assert!(
        alone.iter().all(|of| *of == "trees of default/alice"),
        "{saved:?}"
    );
}
