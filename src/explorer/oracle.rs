//! Gives chosen answers for conditions instead of evaluating them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value};

use crate::model::{
    evaluator::{EvaluationError, Evaluator, RuleError},
    executable::{ExecutableNode, ExecutableProcess},
    field_error::FieldError,
    node_kind::{ACTIVATION_COUNT, WAITING_FOR_START},
    variables::Variables,
};

/// Answers conditions in the order in which they are evaluated: first with the given answers, then
/// with false.
pub struct Oracle<'a> {
    process: &'a ExecutableProcess,
    given: Vec<bool>,
    evaluated: Mutex<Evaluated>,
}

#[derive(Default)]
struct Evaluated {
    answers: Vec<bool>,
    /// For each flow evaluated in this step, whether it holds.
    flows: BTreeMap<String, bool>,
}

impl<'a> Oracle<'a> {
    pub fn new(process: &'a ExecutableProcess, given: Vec<bool>) -> Self {
        Self {
            process,
            given,
            evaluated: Mutex::default(),
        }
    }

    /// The answers for the next run; `None` when all were tried.
    pub fn next(self) -> Option<Vec<bool>> {
        let mut answers = self
            .evaluated
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .answers;
        while answers.pop()? {}
        answers.push(true);
        Some(answers)
    }

    /// The result of an activation condition that only counts tokens: `activationCount >= 2`.
    fn counted(&self, element: &str, variables: &Variables<'_>) -> Option<bool> {
        let nodes = &self.process.definition.nodes;
        let node = nodes.iter().find(|node| node.id == element)?;
        let text = node.activation_condition.as_deref()?.trim();
        let text = text
            .strip_prefix("${")
            .unwrap_or(text)
            .trim_end_matches('}');
        let compared = text.trim().strip_prefix(ACTIVATION_COUNT)?.trim();
        let count = variables.get(ACTIVATION_COUNT)?.as_u64()?;
        let (at_least, number) = match compared.strip_prefix(">=") {
            Some(number) => (true, number),
            None => (false, compared.strip_prefix('>')?),
        };
        let number: u64 = number.trim().parse().ok()?;
        Some(count > number || (at_least && count == number))
    }

    /// Whether this is the last flow of a gateway without default flow and no other one holds: then
    /// this one does.
    fn must_hold(&self, gateway: &ExecutableNode, flow: &str, evaluated: &Evaluated) -> bool {
        let mut conditional = gateway.outgoing.iter().filter(|flow| flow.conditional);
        let is_last = conditional
            .next_back()
            .is_some_and(|last| *last.id == *flow);
        let holds = |flow: &str| evaluated.flows.get(flow).copied().unwrap_or(false);
        gateway.default_flow.is_none()
            && is_last
            && gateway
                .outgoing
                .iter()
                .all(|flow| flow.conditional && !holds(&flow.id))
    }
}

impl Evaluator for Oracle<'_> {
    fn condition(&self, element: &str, variables: &Variables<'_>) -> Result<bool, EvaluationError> {
        let mut evaluated = self
            .evaluated
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = self.counted(element, variables) {
            return Ok(answer);
        }
        let resets = variables.get(WAITING_FOR_START) == Some(&Value::Bool(false));
        if let Some(gateway) = self.process.source_of(element).filter(|_| !resets)
            && self.must_hold(gateway, element, &evaluated)
        {
            return Ok(true);
        }
        let answer = self
            .given
            .get(evaluated.answers.len())
            .copied()
            .unwrap_or(false);
        evaluated.answers.push(answer);
        evaluated.flows.insert(element.to_owned(), answer);
        Ok(answer)
    }

    fn rule(&self, _: &str, _: &str, _: &Variables<'_>, _: &str) -> Result<Value, RuleError> {
        Ok(Value::Object(Map::new()))
    }

    fn check_schema(&self, _: &Value, _: &Value) -> Result<(), Vec<(String, FieldError)>> {
        Ok(())
    }

    fn may_take_long(&self, _: &Value, _: usize) -> bool {
        false
    }
}
