//! Times of definitions that pass: an error when new content is deployed, and no reason to drop a
//! deployed definition. Also a machine's clock that was set back while the server was down.

use super::*;
use crate::{
    journal::{DefinitionRow, MemoryStore, PackedSource, SqliteStore},
    model::problem::{Problem, Severity},
    runtime::{
        clock::real_now,
        definitions::{DeployError, Deployed, is_usable},
    },
};

/// The first milliseconds of 2030 and of 2031.
const BEFORE: Time = Time(1_893_456_000_000);
const AFTER: Time = Time(1_924_992_000_000);

async fn deploy(
    runtime: &Runtime,
    name: &str,
    start: Value,
    now: Time,
) -> Result<Deployed, Vec<Problem>> {
    let mut definition = json!({"id": "timed", "name": name, "nodes": [{"id": "s", "type": "startEvent"}, {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f", "source": "s", "target": "e"}]});
    definition["nodes"][0]["schedule"] = start;
    let source = definition.to_string();
    let deploy = Deploy {
        now,
        ..published(source.as_bytes(), SourceFormat::Json)
    };
    match runtime.definitions.deploy(deploy).await {
        Ok(deployed) => Ok(deployed[0].clone()),
        Err(DeployError::Invalid(problems)) => Err(problems),
        Err(other) => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn a_time_that_passes_after_the_deploy_is_a_warning_where_it_was_deployed() {
    let (runtime, _journal) = runtime_over(Box::new(MemoryStore::default())).await;
    for when in [
        json!({"date": "2030-06-01T00:00:00Z"}),
        json!({"cycle": "R2/2030-06-01T00:00:00Z/P1D"}),
        json!({"cycle": "0 0 0 1 6 ? 2030"}),
    ] {
        let (schedule, name) = (json!({ "when": when }), when.to_string());
        let first = deploy(&runtime, &name, schedule.clone(), BEFORE)
            .await
            .expect("its time comes");
        assert_eq!((first.existing, first.problems), (false, vec![]), "{when}");
        let again = deploy(&runtime, &name, schedule.clone(), AFTER)
            .await
            .expect("it had its time");
        let codes: Vec<_> = again
            .problems
            .iter()
            .map(|problem| (problem.code, problem.severity))
            .collect();
        assert_eq!(
            (again.existing, codes),
            (true, vec![("never_due", Severity::Warning)]),
            "{when}"
        );
        let known = &runtime.definitions;
        let source = known.source(&again.row).await.expect("it is stored");
        let source = PackedSource::pack(&source).ok();
        let stored = DefinitionRow {
            source,
            ..again.row
        };
        assert_eq!(is_usable(stored), Ok(()), "{when}");
        let problems = deploy(&runtime, "another", schedule, AFTER)
            .await
            .expect_err("its time is over");
        assert_eq!(
            (problems[0].code, problems[0].severity),
            ("never_due", Severity::Error),
            "{when}"
        );
    }
}

#[actix_rt::test]
async fn time_continues_after_the_last_record_when_the_clock_was_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let ahead = Time(real_now().0 + 2 * 3_600_000);
    for stores in [true, false] {
        let store: Box<dyn Store> = if stores {
            Box::new(SqliteStore::open(directory.path()).unwrap())
        } else {
            Box::new(MemoryStore::default())
        };
        let (before, journal) = runtime_at(Clock::stopped_at(ahead), store).await;
        let key = start(&before).await;
        assert_eq!(observe(&before, key).await.created_at, ahead);
        if !stores {
            let newest = journal.read(|reader| reader.newest_time()).await.unwrap();
            assert_eq!(newest.unwrap(), Some(ahead));
            continue;
        }
        journal.shutdown();
        before.stop();
        let store = Box::new(SqliteStore::open(directory.path()).unwrap());
        let (after, journal) = runtime_over(store).await;
        assert!(
            after.clock.now() >= ahead,
            "what waits for its time goes on waiting as long"
        );
        journal.shutdown();
        after.stop();
    }
}
