//! The YAML format of a scenario file: users, deployed definitions, and, step by step, what a user
//! does or should have received. The reference is `docs/scenarios.md`.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::{
    model_source::ModelSource,
    node_at::{Iteration, NodeAt},
    yaml_error,
};

/// The user of steps that name nobody.
pub const DEFAULT_USER: &str = "user";

/// A scenario.
#[derive(Debug)]
pub struct Scenario {
    /// The purpose of the scenario.
    pub name: Option<String>,
    /// Definitions that are deployed and published first; paths are relative to the scenario's
    /// folder.
    pub deploy: Vec<ModelSource>,
    /// Users with roles or without a token; all others are plain users with their name.
    pub users: BTreeMap<String, ScenarioUser>,
    /// The start time, on a server of its own.
    pub clock: Option<String>,
    /// Actions and expectations, in order.
    pub steps: Vec<ScenarioStep>,
}

/// A user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScenarioUser {
    /// Roles, as in a token.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Whether the user has no token.
    #[serde(default)]
    pub anonymous: bool,
}

/// One step.
#[derive(Debug)]
pub struct ScenarioStep {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The user; if absent, that of the step before.
    pub user: Option<String>,
    /// The instance: a name given by `named`, or the process id of a subprocess; if absent, that of
    /// the step before.
    pub instance: Option<String>,
    /// The work of the step.
    pub does: Does,
    /// The refusal expected instead of success.
    pub refused: Option<ExpectedRefusal>,
}

/// The work of a step.
#[derive(Debug)]
pub enum Does {
    /// Starts a process.
    Start {
        /// Its id; absent when it answers an Action message that gives it.
        process: Option<String>,
        /// The other fields of the frame.
        fields: Map<String, Value>,
        /// Whether it answers the oldest open Action message of the instance.
        inherit: bool,
        /// The name of the instance from here on; by default that of its process.
        named: Option<String>,
    },
    /// Sends a command to the instance.
    Command {
        /// The frame's type.
        kind: &'static str,
        /// The element that the command addresses.
        at: Option<NodeAt>,
        /// The other fields of the frame.
        fields: Map<String, Value>,
    },
    /// Sends a frame as written.
    Send(Map<String, Value>),
    /// Moves the clock.
    Advance(String),
    /// Deploys and publishes a definition.
    Deploy(ModelSource),
    /// Compares the received frames of the user with the expectation.
    Expect(Box<Expectation>),
}

/// The expected refusal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedRefusal {
    /// Its code.
    pub code: String,
    /// Its reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// Codes of fields, by their paths.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// The frames of an instance that a user should have received, and its expected state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// Its status.
    #[serde(default)]
    pub status: Option<String>,
    /// Ids of the nodes at which it is, all of them, in any order.
    #[serde(default)]
    pub nodes: Option<Vec<String>>,
    /// Names of the actions this user may run, all of them, in any order.
    #[serde(default)]
    pub actions: Option<Vec<String>>,
    /// Codes of the open incidents, all of them.
    #[serde(default)]
    pub incidents: Option<Vec<String>>,
    /// Part of the view.
    #[serde(default)]
    pub view: Option<Value>,
    /// Part of the data, as an operator reads them.
    #[serde(default)]
    pub data: Option<Value>,
    /// The messages since the last step that checked them, all of them, in order.
    #[serde(default)]
    pub messages: Option<Vec<ExpectedMessage>>,
    /// Process ids of its subprocesses, all of them, in order of their start.
    #[serde(default)]
    pub children: Option<Vec<String>>,
    /// The number of open Action messages.
    #[serde(default)]
    pub open: Option<usize>,
}

/// A Data or Action message; fields not given may be anything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedMessage {
    /// `data` or `action`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// The node it comes from.
    #[serde(default)]
    pub node: Option<String>,
    /// The action it comes from.
    #[serde(default)]
    pub action: Option<String>,
    /// Part of its body.
    #[serde(default)]
    pub body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScenarioForm {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    deploy: Vec<ModelSource>,
    #[serde(default)]
    users: BTreeMap<String, ScenarioUser>,
    #[serde(default)]
    clock: Option<String>,
    steps: Vec<Spanned<StepForm>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RefusalForm {
    Code(String),
    Whole(ExpectedRefusal),
}

/// All fields that a step may have; valid combinations are checked later.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StepForm {
    #[serde(rename = "as", default)]
    user: Option<String>,
    #[serde(default)]
    instance: Option<String>,
    #[serde(default)]
    refused: Option<RefusalForm>,
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    inherit: bool,
    #[serde(default)]
    named: Option<String>,
    #[serde(default)]
    business_key: Option<String>,
    #[serde(default)]
    start_condition: Option<String>,
    #[serde(default)]
    run: Option<String>,
    #[serde(default)]
    node: Option<String>,
    #[serde(default)]
    iteration: Option<Iteration>,
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    claim: Option<String>,
    #[serde(default)]
    release: Option<String>,
    #[serde(default)]
    assign: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    retry: Option<String>,
    #[serde(default)]
    skip: Option<String>,
    #[serde(default)]
    patch: Option<Value>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    publish: Option<Map<String, Value>>,
    #[serde(rename = "do", default)]
    operation: Option<Operation>,
    #[serde(default)]
    send: Option<Map<String, Value>>,
    #[serde(default)]
    advance: Option<String>,
    #[serde(default)]
    deploy: Option<ModelSource>,
    #[serde(default)]
    expect: Option<Expectation>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Operation {
    Hold,
    Unhold,
    Terminate,
    Dismiss,
}

/// The verbs of a step, as written in the file.
const VERBS: &str = "start, run, claim, release, assign, retry, skip, patch, publish, do, send, \
    advance, deploy or expect";

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// The mistake, as the second half of a sentence.
    pub fn read(text: &str) -> Result<Self, String> {
        let form: ScenarioForm = serde_saphyr::from_str(text)
            .map_err(|error| yaml_error::in_words(&error.to_string()))?;
        let steps = form
            .steps
            .into_iter()
            .map(|step| {
                let line = step.referenced.line();
                step.value
                    .step(line)
                    .map_err(|sentence| format!("the step in line {line} {sentence}"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: form.name,
            deploy: form.deploy,
            users: form.users,
            clock: form.clock,
            steps,
        })
    }
}

impl ScenarioStep {
    /// The step in words, for people.
    pub fn described(&self) -> String {
        match &self.does {
            Does::Start { process, .. } => {
                format!("start {}", process.as_deref().unwrap_or("as requested"))
            }
            Does::Command { kind, at, fields } => {
                let action = fields.get("action").and_then(Value::as_str);
                let what = action.map(str::to_owned);
                let what = what.or_else(|| at.as_ref().map(NodeAt::to_string));
                format!("{kind} {}", what.unwrap_or_default())
            }
            Does::Send(frame) => format!("send {}", frame["type"].as_str().unwrap_or_default()),
            Does::Advance(by) => format!("advance {by}"),
            Does::Deploy(model) => format!("deploy {}", model.name(Path::new(""))),
            Does::Expect(_) => "expect".to_owned(),
        }
        .trim_end()
        .to_owned()
    }
}

impl StepForm {
    fn step(mut self, line: u64) -> Result<ScenarioStep, String> {
        let (user, instance) = (self.user.take(), self.instance.take());
        let refused = self.refused.take().map(|refused| match refused {
            RefusalForm::Code(code) => ExpectedRefusal {
                code,
                ..ExpectedRefusal::default()
            },
            RefusalForm::Whole(whole) => whole,
        });
        let mut found = Vec::new();
        while let Some(does) = self.take_verb() {
            found.push(does);
        }
        let does = match found.len() {
            1 => found.remove(0),
            0 => return Err(format!("does nothing; write one of {VERBS}")),
            _ => {
                return Err(format!(
                    "does several things; make a step of each of {VERBS}"
                ));
            }
        };
        if let Some(field) = self.left_over() {
            return Err(format!(
                "has `{field}`, which does not belong to what it does; remove it"
            ));
        }
        if refused.is_some() && matches!(does, Does::Expect(_) | Does::Deploy(_)) {
            return Err("has `refused`, which belongs to commands; remove it".to_owned());
        }
        Ok(ScenarioStep {
            line,
            user,
            instance,
            does,
            refused,
        })
    }

    /// Takes the verb and the fields that belong to it.
    fn take_verb(&mut self) -> Option<Does> {
        if self.start.is_some() || self.inherit {
            let mut fields = Map::new();
            self.take_into(&mut fields, &["data", "businessKey", "startCondition"]);
            return Some(Does::Start {
                process: self.start.take(),
                fields,
                inherit: std::mem::take(&mut self.inherit),
                named: self.named.take(),
            });
        }
        let command = |kind, at, fields| Some(Does::Command { kind, at, fields });
        let mut fields = Map::new();
        if let Some(action) = self.run.take() {
            fields.insert("action".to_owned(), action.into());
            self.take_into(&mut fields, &["data"]);
            let node = self.node.take();
            return command("run", self.at(node), fields);
        }
        let named = |kind: &'static str| move |node: String| (kind, node);
        let found = (self.claim.take().map(named("claim")))
            .or_else(|| self.release.take().map(named("release")))
            .or_else(|| self.retry.take().map(named("retry")))
            .or_else(|| self.skip.take().map(named("skip")));
        if let Some((kind, node)) = found {
            return command(kind, self.at(Some(node)), fields);
        }
        if let Some(node) = self.assign.take() {
            fields.insert("user".to_owned(), self.to.take().into());
            return command("assign", self.at(Some(node)), fields);
        }
        if let Some(data) = self.patch.take() {
            fields.insert("data".to_owned(), data);
            let scope = self.scope.take();
            return command("patch", self.at(scope), fields);
        }
        if let Some(mut published) = self.publish.take() {
            published.insert("type".to_owned(), "publish".into());
            return Some(Does::Send(published));
        }
        if let Some(operation) = self.operation.take() {
            let kind = match operation {
                Operation::Hold => "hold",
                Operation::Unhold => "unhold",
                Operation::Terminate => "terminate",
                Operation::Dismiss => "dismiss",
            };
            return command(kind, None, fields);
        }
        (self.send.take().map(Does::Send))
            .or_else(|| self.advance.take().map(Does::Advance))
            .or_else(|| self.deploy.take().map(Does::Deploy))
            .or_else(|| {
                self.expect
                    .take()
                    .map(|expected| Does::Expect(Box::new(expected)))
            })
    }

    fn at(&mut self, node: Option<String>) -> Option<NodeAt> {
        let node = node?;
        let iteration = self.iteration.take();
        Some(NodeAt { node, iteration })
    }

    fn take_into(&mut self, fields: &mut Map<String, Value>, names: &[&str]) {
        for &name in names {
            let value = match name {
                "data" => self.data.take(),
                "businessKey" => self.business_key.take().map(Value::from),
                _ => self.start_condition.take().map(Value::from),
            };
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        }
    }

    /// A field that does not belong to the verb.
    fn left_over(&self) -> Option<&'static str> {
        [
            ("named", self.named.is_some()),
            ("businessKey", self.business_key.is_some()),
            ("startCondition", self.start_condition.is_some()),
            ("node", self.node.is_some()),
            ("iteration", self.iteration.is_some()),
            ("data", self.data.is_some()),
            ("to", self.to.is_some()),
            ("scope", self.scope.is_some()),
        ]
        .into_iter()
        .find_map(|(name, is_there)| is_there.then_some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_with_the_lines_of_its_steps() {
        let scenario = Scenario::read(
            "name: A\nusers: {olga: {roles: [operator]}}\nsteps:\n  - start: p\n    data: {x: \
            12345678901234567}\n  - {as: olga, run: save, node: n, refused: invalid_data}\n  - \
            expect:\n      nodes: [n]\n  - {patch: {x: 1}, scope: box, iteration: [2, 1]}\n  - {do: hold}\n",
        )
        .unwrap();
        let described: Vec<_> = scenario
            .steps
            .iter()
            .map(|step| (step.line, step.described()))
            .collect();
        assert_eq!(
            described,
            [
                (4, "start p".to_owned()),
                (6, "run save".to_owned()),
                (7, "expect".to_owned()),
                (9, "patch box (iteration 2.1)".to_owned()),
                (10, "hold".to_owned())
            ]
        );
        let Does::Start { fields, .. } = &scenario.steps[0].does else {
            panic!()
        };
        assert_eq!(fields["data"].to_string(), r#"{"x":12345678901234567}"#);
        assert_eq!(
            scenario.steps[1].refused.as_ref().unwrap().code,
            "invalid_data"
        );
    }

    #[test]
    fn an_invalid_step_is_reported_with_its_line() {
        for (steps, part) in [
            ("- {as: ada}", "line 1 does nothing; write one of start"),
            ("- {start: p, run: save}", "does several things"),
            ("- {claim: n, data: {}}", "has `data`"),
            ("- {claim: n, scope: s}", "has `scope`"),
            ("- {run: a, iteration: 2}", "has `iteration`"),
            ("- {expect: {}, refused: not_found}", "has `refused`"),
            ("- {strat: p}", "`strat` is unknown: write `start`"),
            (
                "- {expect: {nodes: a}}",
                "a list is missing, such as [a, b]",
            ),
            ("- {do: explode}", "explode"),
        ] {
            let file = format!("steps: [{}]", steps.trim_start_matches("- "));
            let sentence = Scenario::read(&file).unwrap_err();
            assert!(sentence.contains(part), "{steps}: {sentence}");
        }
    }
}
