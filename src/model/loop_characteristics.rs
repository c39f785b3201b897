//! Activities that run more than once: BPMN's multi-instance and standard loop, as the modeller
//! wrote them and compiled.
//!
//! Not here: how their iterations run (`engine::looping`), their notation in BPMN
//! (`bpmn_xml::loops`), their rules (`validate::loops`).

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    computed_template::ComputedTemplate, event_definition::EventDefinition, one_or_several,
    path::DataPath, template::Template,
};

/// The variable with the item of an iteration, by default.
pub const ITEM: &str = "item";
/// The variable with the number of the iteration, from 1.
pub const LOOP_COUNTER: &str = "loopCounter";
/// The variables with the numbers of instances of a multi-instance activity: all, active,
/// completed, terminated.
pub const COUNTERS: [&str; 4] = [
    "numberOfInstances",
    "numberOfActiveInstances",
    "numberOfCompletedInstances",
    "numberOfTerminatedInstances",
];

/// How an activity runs more than once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum LoopCharacteristics {
    /// Once per item, or a number of times.
    MultiInstance(MultiInstance),
    /// Repeatedly, by a condition.
    Standard(StandardLoop),
}

/// How often a multi-instance activity runs, and its results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiInstance {
    /// Whether iterations run one after the other, instead of all at the same time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sequential: bool,
    /// The number of iterations: an integer, or a placeholder `${path}` for one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_number"
    )]
    pub cardinality: Option<String>,
    /// Path of a list, with an item for each iteration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The variable with the item; by default [`ITEM`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Condition evaluated when an iteration has ended: once it is true, the others are ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_condition: Option<String>,
    /// Path for the list of results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_key: Option<String>,
    /// Template over the variables of an iteration that makes its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Which iterations throw [`Self::event`] when they complete.
    #[serde(default, skip_serializing_if = "MultiInstanceBehavior::is_default")]
    pub behavior: MultiInstanceBehavior,
    /// A signal or an escalation that is thrown when iterations complete, for the boundary events
    /// of the activity and for other elements that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<EventDefinition>>,
    /// With [`MultiInstanceBehavior::Complex`]: the thrown events, and their conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complex_behavior: Vec<ComplexBehavior>,
}

/// An event that an iteration throws when it completes, if a condition is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComplexBehavior {
    /// The condition over the variables of the iteration, with counters that include it.
    pub condition: String,
    /// The signals and escalations to throw: a single one, or a list.
    #[serde(rename = "event", with = "one_or_several")]
    pub events: Vec<EventDefinition>,
}

/// The id of the condition of a complex behavior for the evaluator.
pub fn behavior_condition_id(node: &str, place: usize) -> String {
    format!("{node}/behavior/{place}")
}

/// Which iterations throw an event when they complete. Named as in BPMN, by which completions then
/// matter to those who wait for the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MultiInstanceBehavior {
    /// None throws: the token after the activity shows that all have completed.
    #[default]
    All,
    /// Each one.
    None,
    /// The first.
    One,
    /// Each one for which a condition is true.
    Complex,
}

impl MultiInstanceBehavior {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference"
    )]
    fn is_default(&self) -> bool {
        *self == Self::All
    }
}

/// A loop that continues while its condition is true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StandardLoop {
    /// The condition; without one the loop runs `maximum` times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Whether the condition is also evaluated before the first iteration.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test_before: bool,
    /// The maximum number of iterations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<u32>,
}

impl LoopCharacteristics {
    /// Its condition: when to stop early, or whether to continue. The evaluator knows it by the id
    /// of the node.
    pub fn condition(&self) -> Option<&str> {
        match self {
            Self::MultiInstance(multiple) => multiple.completion_condition.as_deref(),
            Self::Standard(standard) => standard.condition.as_deref(),
        }
    }

    /// The events that its iterations may throw when they complete.
    pub fn thrown(&self) -> Vec<&EventDefinition> {
        let Self::MultiInstance(multiple) = self else {
            return Vec::new();
        };
        match multiple.behavior {
            MultiInstanceBehavior::All => Vec::new(),
            MultiInstanceBehavior::None | MultiInstanceBehavior::One => {
                multiple.event.as_deref().into_iter().collect()
            }
            MultiInstanceBehavior::Complex => {
                let behaviors = multiple.complex_behavior.iter();
                behaviors.flat_map(|behavior| &behavior.events).collect()
            }
        }
    }
}

/// How an activity runs more than once, compiled.
#[derive(Debug)]
pub enum Loop {
    /// Once per item, or a number of times.
    MultiInstance(Box<MultiInstanceLoop>),
    /// Repeatedly, by a condition.
    Standard {
        /// Whether there is a condition; the evaluator knows it by the id of the node.
        conditional: bool,
        /// Whether the condition is also evaluated before the first iteration.
        test_before: bool,
        /// The maximum number of iterations.
        maximum: Option<u32>,
    },
}

/// A compiled [`MultiInstance`].
#[derive(Debug)]
pub struct MultiInstanceLoop {
    /// Whether iterations run one after the other.
    pub sequential: bool,
    /// The source of the number of iterations.
    pub over: Over,
    /// Whether there is a completion condition; the evaluator knows it by the id of the node.
    pub conditional: bool,
    /// The path for the list of results.
    pub output_key: Option<DataPath>,
    /// The variables that each iteration owns to write its result to.
    pub own_variables: Vec<Arc<str>>,
    /// Makes a result; a call activity without it uses the result of the call.
    pub output: Option<Template>,
    /// The events that iterations throw when they complete.
    pub thrown: Vec<ThrownByIterations>,
}

/// The events that iterations throw when they complete.
#[derive(Debug)]
pub struct ThrownByIterations {
    /// Which of them.
    pub by: ThrownBy,
    /// The events.
    pub events: Vec<IterationEvent>,
}

/// Which iterations throw.
#[derive(Debug)]
pub enum ThrownBy {
    /// Each.
    Each,
    /// The first.
    First,
    /// Those for which the condition with this id is true.
    Condition(String),
}

/// An event that an iteration may throw.
#[derive(Debug)]
pub enum IterationEvent {
    /// The signal of this name.
    Signal(Arc<str>),
    /// The escalation with this code.
    Escalation(Arc<str>),
}

/// The source of the number of iterations.
#[derive(Debug)]
pub enum Over {
    /// A number.
    Cardinality(ComputedTemplate),
    /// Each item of a list.
    Collection {
        /// The path of the list.
        path: DataPath,
        /// The variable with the item.
        item: Arc<str>,
    },
}

impl LoopCharacteristics {
    /// Compiles it.
    ///
    /// # Errors
    /// The mistake, as a sentence; `validate` has reported it before.
    pub fn compile(&self, node: &str) -> Result<Loop, String> {
        Ok(match self {
            Self::MultiInstance(multiple) => Loop::MultiInstance(Box::new(multiple.compile(node)?)),
            Self::Standard(standard) => Loop::Standard {
                conditional: standard.condition.is_some(),
                test_before: standard.test_before,
                maximum: standard.maximum,
            },
        })
    }
}

impl Loop {
    /// Connects the result of a call activity with the list of results: the list is written to the
    /// path of the loop, otherwise to that of the call. Without an `output` of the loop the list
    /// consists of the results of the calls.
    pub(super) fn gather(&mut self, output_key: &mut Option<DataPath>) {
        let Self::MultiInstance(multiple) = self else {
            return;
        };
        if multiple.output_key.is_none() {
            multiple.output_key.clone_from(output_key);
        } else if multiple.output.is_none() {
            output_key.clone_from(&multiple.output_key);
        }
        if let (Some(path), Some(_)) = (output_key, &multiple.output) {
            multiple.own_variables.push(path.first().into());
        }
    }

    /// The variables that each iteration owns, besides those of every loop.
    pub fn own_variables(&self) -> &[Arc<str>] {
        match self {
            Self::MultiInstance(multiple) => &multiple.own_variables,
            Self::Standard { .. } => &[],
        }
    }

    /// Whether the list consists of the results of the calls.
    pub fn lists_calls(&self) -> bool {
        match self {
            Self::MultiInstance(multiple) => multiple.output.is_none(),
            Self::Standard { .. } => false,
        }
    }
}

impl MultiInstance {
    fn compile_thrown(&self, node: &str) -> Result<Vec<ThrownByIterations>, String> {
        let by = match self.behavior {
            MultiInstanceBehavior::All => return Ok(Vec::new()),
            MultiInstanceBehavior::None => ThrownBy::Each,
            MultiInstanceBehavior::One => ThrownBy::First,
            MultiInstanceBehavior::Complex => {
                let all = self.complex_behavior.iter().enumerate();
                let compiled = all.map(|(place, complex)| {
                    Ok(ThrownByIterations {
                        by: ThrownBy::Condition(behavior_condition_id(node, place)),
                        events: compile_iteration_events(&complex.events)?,
                    })
                });
                return compiled.collect();
            }
        };
        let events = compile_iteration_events(self.event.as_deref())?;
        Ok(vec![ThrownByIterations { by, events }])
    }

    fn compile(&self, node: &str) -> Result<MultiInstanceLoop, String> {
        let over = match (&self.collection, &self.cardinality) {
            (Some(path), None) => Over::Collection {
                path: DataPath::parse(path)?,
                item: self.item.as_deref().unwrap_or(ITEM).into(),
            },
            (None, Some(text)) => Over::Cardinality(ComputedTemplate::compile_text(text)?),
            _ => return Err("expected a collection or a cardinality".to_owned()),
        };
        let template = |text: &str| Template::compile(text).map_err(|error| error.to_string());
        let output = self.output.as_deref().map(template).transpose()?;
        let counted = |name: &&str| *name == LOOP_COUNTER || COUNTERS.contains(name);
        let is_item =
            |name: &str| matches!(&over, Over::Collection { item, .. } if **item == *name);
        let given = output.as_ref().and_then(|output| output.single_path());
        let given = given.map(DataPath::first);
        let given = given.filter(|name| !counted(name) && !is_item(name));
        Ok(MultiInstanceLoop {
            thrown: self.compile_thrown(node)?,
            own_variables: given.map(Arc::from).into_iter().collect(),
            sequential: self.sequential,
            over,
            conditional: self.completion_condition.is_some(),
            output_key: self
                .output_key
                .as_deref()
                .map(DataPath::parse_members)
                .transpose()?,
            output,
        })
    }
}

fn compile_iteration_events<'a>(
    events: impl IntoIterator<Item = &'a EventDefinition>,
) -> Result<Vec<IterationEvent>, String> {
    let compiled = events.into_iter().map(|event| match event {
        EventDefinition::Signal { name, .. } => Ok(IterationEvent::Signal(name.as_str().into())),
        EventDefinition::Escalation { code: Some(code) } => {
            Ok(IterationEvent::Escalation(code.as_str().into()))
        }
        EventDefinition::Escalation { code: None }
        | EventDefinition::Error { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Conditional { .. }
        | EventDefinition::Timer { .. }
        | EventDefinition::Message { .. }
        | EventDefinition::Terminate => {
            Err("expected a signal or an escalation with a code".to_owned())
        }
    });
    compiled.collect()
}

/// A number is accepted like its digits.
fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(serde_json::Number),
        Text(String),
    }
    let written = Option::<Written>::deserialize(from)?;
    Ok(written.map(|written| match written {
        Written::Number(number) => number.to_string(),
        Written::Text(text) => text,
    }))
}
