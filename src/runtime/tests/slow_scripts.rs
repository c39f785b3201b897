//! The threads of steps whose scripts take long.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::*;
use crate::{
    journal::MemoryStore,
    model::{
        evaluator::{EvaluationError, Evaluator, RuleError},
        field_error::FieldError,
        variables::Variables,
    },
    thread_priority::worked,
};

/// Takes two milliseconds for a condition over `slow`, and notes its threads.
#[derive(Default)]
struct Slow {
    threads: Mutex<Vec<String>>,
}

impl Slow {
    fn last_thread(&self) -> String {
        self.threads.lock().unwrap().last().cloned().unwrap()
    }
}

impl Evaluator for Slow {
    fn condition(&self, _: &str, data: &Variables<'_>) -> Result<bool, EvaluationError> {
        let name = thread::current().name().unwrap_or_default().to_owned();
        self.threads.lock().unwrap().push(name);
        let began = worked();
        while data.root()["slow"] == true && worked() < began + Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        Ok(true)
    }

    fn rule(&self, _: &str, _: &str, _: &Variables<'_>, _: &str) -> Result<Value, RuleError> {
        Ok(Value::Null)
    }

    fn check_schema(&self, _: &Value, _: &Value) -> Result<(), Vec<(String, FieldError)>> {
        Ok(())
    }

    fn may_take_long(&self, _: &Value, _: usize) -> bool {
        true
    }
}

/// Decides at each turn by a condition whether it takes another one.
fn turns() -> String {
    json!({"id": "turns", "nodes": [{"id": "start", "type": "startEvent"},
        {"id": "task", "type": "userTask", "actions": [{"name": "save", "type": "saveData", "trigger": "manual", "keys": [{"path": "slow"}]}]},
        {"id": "choice", "type": "exclusiveGateway", "defaultFlow": "out"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "in", "source": "start", "target": "task"}, {"id": "on", "source": "task", "target": "choice"},
            {"id": "again", "source": "choice", "target": "task", "condition": "slow != null"}, {"id": "out", "source": "choice", "target": "end"}]})
    .to_string()
}

#[actix_web::test]
async fn a_script_that_was_slow_three_times_runs_on_a_thread_of_its_own_until_it_is_fast() {
    let (runtime, _) = runtime_over(Box::new(MemoryStore::default())).await;
    let source = turns();
    let deploy = published(source.as_bytes(), SourceFormat::Json);
    runtime.definitions.deploy_if_unknown(deploy).await.unwrap();
    let slow = Arc::new(Slow::default());
    let evaluator: Arc<dyn Evaluator> = slow.clone();
    runtime.definitions.evaluate_with("turns", &evaluator);
    let start = start_of("turns", json!({}));
    let key = applied(answer(|reply| runtime.start_instance(start, reply)).await).instance;
    for (is_slow, thread) in [
        (true, "scripts"),
        (true, "scripts"),
        (true, "scripts"),
        (true, "long scripts"),
        (false, "long scripts"),
        (false, "scripts"),
    ] {
        applied(send(&runtime, key, run("save", json!({"slow": is_slow}))).await);
        assert_eq!(slow.last_thread(), thread, "slow: {is_slow}");
    }
}
