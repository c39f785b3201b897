//! A start whose instance is stored is found, however its key compares to those that count as
//! fresh.

use serde_json::json;
use uuid::{NoContext, Timestamp, Uuid};

use super::{answer, runtime_over, start_of};
use crate::{
    journal::MemoryStore,
    runtime::{StartRequest, clock::real_now, instance_request::InstanceResponse},
};

/// The id of a command with a time so many seconds from now.
fn command_in(seconds: i64) -> Uuid {
    let now = real_now().0 / 1_000;
    Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        now.saturating_add(seconds).unsigned_abs(),
        0,
    ))
}

fn onboarding(command: Uuid) -> StartRequest {
    StartRequest {
        command,
        ..start_of("onboarding", json!({}))
    }
}

#[actix_web::test]
async fn a_repeated_start_after_a_restart_finds_its_instance_for_any_client_clock() {
    let store = MemoryStore::default();
    let commands = [command_in(-3_600), command_in(0), command_in(3_600)];
    let (runtime, journal) = runtime_over(Box::new(store.clone())).await;
    for command in commands {
        let first = answer(|reply| runtime.start_instance(onboarding(command), reply)).await;
        assert!(matches!(first, InstanceResponse::Applied(_)), "{first:?}");
    }
    runtime.stop();
    journal.shutdown();

    let (runtime, journal) = runtime_over(Box::new(store)).await;
    for command in commands {
        let again = answer(|reply| runtime.start_instance(onboarding(command), reply)).await;
        assert!(matches!(again, InstanceResponse::Duplicate(_)), "{again:?}");
    }
    runtime.stop();
    journal.shutdown();
}
