//! Times of definitions that pass: an error when something new is deployed, and no reason to lose
//! what was deployed.

use super::*;
use crate::{
    journal::MemoryStore,
    model::problem::{Problem, Severity},
    runtime::definitions::{DeployError, Deployed, is_usable},
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
        tenant: "default",
        source: source.as_bytes(),
        format: SourceFormat::Json,
        publish: true,
        by: "test",
        now,
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
        assert_eq!(is_usable(again.row), Ok(()), "{when}");
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
