//! Compiles the conditions, business rules and key schemas of a process definition when it is
//! deployed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::condition::{Condition, ConditionRefusal};
use super::fast;
use super::key_schemas::KeySchemas;
use super::rule::Rule;
use crate::model::action::ActionType;
use crate::model::ad_hoc;
use crate::model::definition::{FlowNode, ProcessDefinition};
use crate::model::evaluator::{EvaluationError, Evaluator, RuleError};
use crate::model::event_definition::{EventDefinition, EventRef};
use crate::model::expression_language::{Language, named};
use crate::model::field_error::FieldError;
use crate::model::loop_characteristics::{LoopCharacteristics, behavior_condition_id};
use crate::model::problem::{Problem, Severity};
use crate::model::variables::Variables;

/// Compiles all conditions, business rules and key schemas of `definition`.
///
/// # Errors
/// All problems: `unsupported_condition` and `invalid_condition` at a sequence flow, an event or an
/// activity with a loop, `invalid_schema` and `invalid_script` at a node.
pub fn compile(definition: &ProcessDefinition) -> Result<Arc<dyn Evaluator>, Vec<Problem>> {
    let mut evaluator = ProcessEvaluator::default();
    let mut problems = Vec::new();
    let unevaluated = definition.unevaluated_flows();
    let of_flows = definition
        .flows
        .iter()
        .filter(|flow| !unevaluated.contains(flow.id.as_str()))
        .filter_map(|flow| Some((&flow.id, flow.condition.as_deref()?)));
    let of_loops = definition
        .nodes
        .iter()
        .filter_map(|node| Some((&node.id, node.looping.as_ref()?.condition()?)));
    // An empty one is reported by `model::validate`.
    let of_gateways = definition.nodes.iter().filter_map(|node| {
        let written = node.activation_condition.as_deref()?;
        Some((&node.id, written)).filter(|_| !written.trim().is_empty())
    });
    for (id, text) in of_flows.chain(of_loops).chain(of_gateways) {
        evaluator.add_condition(id, text, &mut problems);
    }
    for node in &definition.nodes {
        evaluator.add_conditions_of(node, &mut problems);
        evaluator.add_rules_of(node, &mut problems);
        evaluator.add_schemas_of(node, &mut problems);
    }
    if problems.is_empty() {
        Ok(Arc::new(evaluator))
    } else {
        Err(problems)
    }
}

/// Compiles one condition and evaluates it over sample data, on a thread where scripts may run.
///
/// # Errors
/// The mistake in the condition, or the reason why evaluating it fails, as a sentence.
pub fn decide(condition: &str, data: &Value) -> Result<bool, String> {
    let compiled = Condition::compile(condition).map_err(|refusal| match refusal {
        ConditionRefusal::Unsupported(sentence) | ConditionRefusal::Invalid(sentence) => sentence,
    })?;
    compiled.evaluate(data).map_err(|error| error.0)
}

fn problem(element: &str, code: &'static str, message: String) -> Problem {
    Problem {
        element: element.to_owned(),
        code,
        message,
        severity: Severity::Error,
    }
}

/// The compiled conditions, business rules and key schemas of one process definition.
#[derive(Debug, Default)]
pub struct ProcessEvaluator {
    /// By id of the element that has the condition: a sequence flow, a conditional event, an
    /// activity with a loop, a complex gateway.
    conditions: HashMap<String, Condition>,
    /// Those of conditional events, which wait for data that are not there yet.
    waited_for: HashSet<String>,
    /// By id of the node, then by name of the action.
    rules: HashMap<String, HashMap<String, Rule>>,
    schemas: KeySchemas,
    /// The length of the longest condition or rule, in bytes.
    longest: usize,
}

impl ProcessEvaluator {
    /// Compiles the condition of an element.
    fn add_condition(&mut self, element: &str, text: &str, problems: &mut Vec<Problem>) {
        self.add_condition_as(element, element, text, problems);
    }

    /// Compiles the conditions of a node that are found by ids of their own.
    fn add_conditions_of(&mut self, node: &FlowNode, problems: &mut Vec<Problem>) {
        if let Some(ad_hoc) = &node.ad_hoc
            && let Some(text) = ad_hoc.completion_condition.as_deref()
        {
            let known_by = ad_hoc::condition_id(&node.id);
            self.add_condition_as(&known_by, &node.id, text, problems);
        }
        if let Some(LoopCharacteristics::MultiInstance(multiple)) = &node.looping {
            for (place, complex) in multiple.complex_behavior.iter().enumerate() {
                // An empty one is reported by `model::validate`.
                if !complex.condition.trim().is_empty() {
                    let known_by = behavior_condition_id(&node.id, place);
                    let text = &complex.condition;
                    self.add_condition_as(&known_by, &node.id, text, problems);
                }
            }
        }
        for (event, definition) in node.events.iter().zip(0..) {
            // An empty one is reported by `model::validate`.
            if let EventDefinition::Conditional { condition } = event
                && !condition.trim().is_empty()
            {
                let of = EventRef {
                    definition,
                    node: node.id.as_str().into(),
                };
                let known_by = of.condition_id();
                self.add_condition_as(&known_by, &node.id, condition, problems);
                self.waited_for.insert(known_by.into_owned());
            }
        }
    }

    /// Compiles the business rules of a node.
    fn add_rules_of(&mut self, node: &FlowNode, problems: &mut Vec<Problem>) {
        for action in &node.actions {
            // Another language and an empty script are reported by `model::validate`.
            let ActionType::BusinessRule { script, language } = &action.work else {
                continue;
            };
            if named(language) != Language::JavaScript || script.trim().is_empty() {
                continue;
            }
            self.longest = self.longest.max(script.len());
            match Rule::compile(script) {
                Ok(rule) => drop(
                    self.rules
                        .entry(node.id.clone())
                        .or_default()
                        .insert(action.name.clone(), rule),
                ),
                Err(sentence) => {
                    problems.push(problem(
                        &node.id,
                        "invalid_script",
                        format!("action `{}`: {sentence}", action.name),
                    ));
                }
            }
        }
    }

    /// Compiles the key schemas of a node.
    fn add_schemas_of(&mut self, node: &FlowNode, problems: &mut Vec<Problem>) {
        let keys = node
            .keys
            .iter()
            .chain(node.actions.iter().flat_map(|action| &action.keys));
        for (key, schema) in keys.filter_map(|key| key.schema.as_ref().map(|schema| (key, schema)))
        {
            if let Err(sentence) = self.schemas.add(schema) {
                problems.push(problem(
                    &node.id,
                    "invalid_schema",
                    format!("key `{}`: {sentence}", key.path),
                ));
            }
        }
    }

    /// Compiles a condition of an element that may also have another condition.
    fn add_condition_as(
        &mut self,
        known_by: &str,
        element: &str,
        text: &str,
        problems: &mut Vec<Problem>,
    ) {
        self.longest = self.longest.max(text.len());
        match Condition::compile(text) {
            Ok(condition) => {
                self.conditions.insert(known_by.to_owned(), condition);
            }
            Err(ConditionRefusal::Unsupported(message)) => {
                problems.push(problem(element, "unsupported_condition", message))
            }
            Err(ConditionRefusal::Invalid(message)) => {
                problems.push(problem(element, "invalid_condition", message))
            }
        }
    }
}

impl Evaluator for ProcessEvaluator {
    fn condition(&self, element: &str, variables: &Variables<'_>) -> Result<bool, EvaluationError> {
        match self.conditions.get(element) {
            Some(condition) if self.waited_for.contains(element) => {
                condition.holds_by_now(variables)
            }
            Some(condition) => condition.evaluate(variables),
            None => Err(EvaluationError(format!(
                "expected a condition at `{element}`, but it has none"
            ))),
        }
    }

    fn rule(
        &self,
        node: &str,
        action: &str,
        variables: &Variables<'_>,
        now: &str,
    ) -> Result<Value, RuleError> {
        match self.rules.get(node).and_then(|rules| rules.get(action)) {
            Some(rule) => rule.run(&variables.merged(), now),
            None => Err(RuleError::Failed(EvaluationError(format!(
                "expected a rule at the action `{action}` of `{node}`, but it has none"
            )))),
        }
    }

    fn check_schema(&self, schema: &Value, value: &Value) -> Result<(), Vec<(String, FieldError)>> {
        self.schemas.check(schema, value)
    }

    fn may_take_long(&self, payload: &Value, memory: usize) -> bool {
        let is_script = |condition| matches!(condition, &Condition::Script(_));
        let rules = self.rules.values().flat_map(HashMap::values);
        rules.into_iter().any(Rule::may_take_long)
            || self.conditions.values().any(is_script)
            || fast::is_long(self.longest, memory, payload)
            || self.schemas.may_take_long(payload)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn definition(condition: &str, schema: &Value) -> ProcessDefinition {
        serde_json::from_value(json!({
            "id": "onboarding",
            "nodes": [{"id": "start", "type": "startEvent", "keys": [{"path": "client", "schema": schema}]}],
            "flows": [{"id": "yes", "source": "gateway", "target": "end", "condition": condition}],
        }))
        .expect("a definition")
    }

    #[test]
    fn comparisons_need_no_script() {
        for (condition, scripts) in [
            ("${client.age >= 18 && client.income >= 12000}", false),
            ("client.tags.length > 0 || input['a'] == null", false),
            ("client.age + 1 > 18", false),
            ("client.age.toFixed(1) > 18", true),
            ("client.toString == 1", true),
        ] {
            let evaluator = compile(&definition(condition, &json!({}))).expect(condition);
            assert_eq!(
                evaluator.may_take_long(&Value::Null, 0),
                scripts,
                "{condition}"
            );
        }
    }

    #[test]
    fn expressions_over_much_data_may_take_long() {
        let small = compile(&definition("a == 'x'", &json!({}))).expect("valid");
        let many = format!("list == 'x'{}", " || list == 'x'".repeat(60));
        let many = compile(&definition(&many, &json!({}))).expect("valid");
        let (little, much) = (json!({"list": [1, 2]}), json!({"list": vec![1; 2_000]}));
        assert!(!small.may_take_long(&much, 64 << 10) && !many.may_take_long(&little, 256));
        assert!(many.may_take_long(&much, 256) && many.may_take_long(&little, 64 << 10));
        assert!(small.may_take_long(&Value::Null, 4 << 20));
    }

    #[test]
    fn all_problems_are_listed() {
        for (condition, schema, codes) in [
            (
                "= count(amount) > 1",
                json!({"type": "nothing"}),
                vec![
                    ("yes", "unsupported_condition"),
                    ("start", "invalid_schema"),
                ],
            ),
            ("amount >", json!({}), vec![("yes", "invalid_condition")]),
        ] {
            let problems = compile(&definition(condition, &schema))
                .err()
                .unwrap_or_default();
            let found: Vec<_> = problems
                .iter()
                .map(|problem| (problem.element.as_str(), problem.code))
                .collect();
            assert_eq!(found, codes);
        }
    }

    #[test]
    fn errors_in_scripts_are_reported_at_the_node() {
        let with = |script: &str| {
            let mut definition = definition("a == 1", &json!({}));
            let action =
                json!({"name": "rate", "type": "businessRule", "params": {"script": script}});
            definition.nodes[0].actions = vec![serde_json::from_value(action).expect("an action")];
            compile(&definition)
        };
        let script = with("output.b = Math.abs(input.a)").expect("a valid rule");
        assert!(script.may_take_long(&Value::Null, 0));
        let evaluator = with("output.b = input.a + 1").expect("a valid rule");
        assert!(!evaluator.may_take_long(&Value::Null, 0));
        assert_eq!(
            evaluator.rule("start", "rate", &(&json!({"a": 1})).into(), ""),
            Ok(json!({"b": 2}))
        );
        assert!(
            evaluator
                .rule("start", "other", &(&json!({})).into(), "")
                .is_err()
        );
        let problems = with("output.b =\n= 1").err().unwrap_or_default();
        assert_eq!(
            (problems[0].element.as_str(), problems[0].code),
            ("start", "invalid_script")
        );
        assert!(
            problems[0].message.contains("`rate`")
                && problems[0].message.contains("line 2, column 1"),
            "{problems:?}"
        );
    }

    #[test]
    fn violations_name_their_path() {
        let schema = json!({"required": ["name"],
            "properties": {"list": {"items": {"type": "string", "required": ["no object"]}}, "mail": {"format": "email"}}});
        let evaluator = compile(&definition("a == 1", &schema)).expect("a valid definition");
        let refused = evaluator
            .check_schema(&schema, &json!({"list": ["a", 5], "mail": "x"}))
            .expect_err("three violations");
        let violations: BTreeMap<String, FieldError> = refused.into_iter().collect();
        assert_eq!(
            violations.keys().collect::<Vec<_>>(),
            ["list[1]", "mail", "name"]
        );
        assert!(
            violations["list[1]"]
                .message
                .contains("the value is not of type"),
            "{violations:?}"
        );
        assert_eq!(
            evaluator.check_schema(&schema, &json!({"list": ["a"], "name": null})),
            Ok(())
        );
    }
}
