//! A step that panics, on an arbiter or a script thread.

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::{
    journal::MemoryStore,
    model::{
        evaluator::{EvaluationError, Evaluator, RuleError},
        field_error::FieldError,
        variables::Variables,
    },
    runtime::instance_request::Refusal,
};

/// Panics for a client named Panic.
struct PanickingEvaluator {
    runs_scripts: bool,
}

impl Evaluator for PanickingEvaluator {
    fn condition(&self, _: &str, data: &Variables<'_>) -> Result<bool, EvaluationError> {
        assert_ne!(
            data.root()["client"]["firstName"],
            "Panic",
            "a test's panic"
        );
        Ok(true)
    }

    fn rule(&self, _: &str, _: &str, _: &Variables<'_>, _: &str) -> Result<Value, RuleError> {
        Ok(serde_json::json!({}))
    }

    fn check_schema(&self, _: &Value, _: &Value) -> Result<(), Vec<(String, FieldError)>> {
        Ok(())
    }

    fn may_take_long(&self, _: &Value, _: usize) -> bool {
        self.runs_scripts
    }
}

/// A step for a client of this name is answered `internal` and has no effect; everything else
/// continues.
async fn breaks(name: &str, runs_scripts: bool) {
    let (runtime, _) = runtime_over(Box::new(MemoryStore::default())).await;
    let moody: Arc<dyn Evaluator> = Arc::new(PanickingEvaluator { runs_scripts });
    runtime.definitions.evaluate_with("onboarding", &moody);
    let (broken, other) = (start(&runtime).await, start(&runtime).await);
    let before = observe(&runtime, broken).await;
    let breaking = tokio::task::spawn_local({
        let (runtime, ask_to_break) = (runtime.clone(), save(name));
        async move { send(&runtime, broken, ask_to_break).await }
    });
    applied(send(&runtime, other, save("Ada")).await);
    assert!(matches!(
        breaking.await.unwrap(),
        InstanceResponse::Refused(Refusal::Internal)
    ));
    let after = observe(&runtime, broken).await;
    assert_eq!(
        (after.seq, &after.whole.as_ref().unwrap().data),
        (before.seq, &before.whole.as_ref().unwrap().data)
    );
    applied(send(&runtime, broken, save("Ada")).await);
    reach_review(&runtime, broken).await;
    reach_review(&runtime, other).await;
}

#[actix_web::test]
async fn a_panic_on_an_arbiter_is_answered_and_forgotten() {
    breaks("Panic", false).await;
}

#[actix_web::test]
async fn a_panic_on_a_script_thread_is_answered_and_forgotten() {
    breaks("Panic", true).await;
}

#[actix_web::test]
async fn commands_behind_a_panicking_step_run_in_the_reloaded_instance() {
    let (runtime, _) = runtime_over(Box::new(MemoryStore::default())).await;
    let moody: Arc<dyn Evaluator> = Arc::new(PanickingEvaluator { runs_scripts: true });
    runtime.definitions.evaluate_with("onboarding", &moody);
    let key = start(&runtime).await;
    let answers: Vec<_> = ["Panic", "Panic", "Ada"]
        .map(save)
        .into_iter()
        .map(|step| send(&runtime, key, step))
        .collect();
    let [first, second, third] = futures_util::future::join_all(answers)
        .await
        .try_into()
        .unwrap();
    assert!(matches!(
        first,
        InstanceResponse::Refused(Refusal::Internal)
    ));
    assert!(matches!(
        second,
        InstanceResponse::Refused(Refusal::Internal)
    ));
    applied(third);
}
