//! Activities that run more than once: BPMN's multi-instance and standard loop, as the modeller
//! wrote them and compiled.
//!
//! Not here: how their iterations run (`engine::looping`), what BPMN spells them
//! (`bpmn_xml::loops`), the rules they must keep (`validate::loops`).

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    event_definition::EventDefinition, one_or_several, path::DataPath, template::Template,
};

/// The variable that holds the item of an iteration, unless the modeller names another.
pub const ITEM: &str = "item";
/// The variable that counts iterations, from 1.
pub const LOOP_COUNTER: &str = "loopCounter";
/// The variables that count the instances of a multi-instance activity: all, active, completed,
/// terminated.
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
    /// Once per item, or so many times.
    MultiInstance(MultiInstance),
    /// Again and again.
    Standard(StandardLoop),
}

/// How often a multi-instance activity runs, and what comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiInstance {
    /// One iteration after the other, instead of all at the same time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sequential: bool,
    /// How many iterations: a whole number, or a placeholder `${path}` for one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_number"
    )]
    pub cardinality: Option<String>,
    /// Path of a list, with an item for each iteration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The variable that holds the item; [`ITEM`] without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Condition asked when an iteration has ended: once it is true, the others end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_condition: Option<String>,
    /// Path the list of results lands under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_key: Option<String>,
    /// Template over the variables of an iteration that makes its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Which iterations throw [`Self::event`] as they complete.
    #[serde(default, skip_serializing_if = "MultiInstanceBehavior::is_default")]
    pub behavior: MultiInstanceBehavior,
    /// A signal or an escalation that is thrown as iterations complete, for the boundary events of the
    /// activity and for anyone else who waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<EventDefinition>>,
    /// With [`MultiInstanceBehavior::Complex`]: what is thrown when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complex_behavior: Vec<ComplexBehavior>,
}

/// What an iteration throws as it completes, when a condition is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComplexBehavior {
    /// The condition over the variables of the iteration, with counters that count it.
    pub condition: String,
    /// Signals and escalations that are thrown, one by itself or several as a list.
    #[serde(rename = "event", with = "one_or_several")]
    pub events: Vec<EventDefinition>,
}

/// What the evaluator knows the condition of a complex behavior of a node by.
pub fn behavior_condition_id(node: &str, place: usize) -> String {
    format!("{node}/behavior/{place}")
}

/// Which iterations throw an event as they complete; named as in BPMN, by what then completes the
/// activity for whom the event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MultiInstanceBehavior {
    /// None throws: the token behind the activity, once all have completed, says it.
    #[default]
    All,
    /// Each one.
    None,
    /// The first.
    One,
    /// Each of which a condition is true.
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
    /// Whether the condition is asked before the first iteration, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test_before: bool,
    /// Iterations at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<u32>,
}

impl LoopCharacteristics {
    /// The condition it asks: when to stop early, or whether to continue. The evaluator knows it by
    /// the id of the node.
    pub fn condition(&self) -> Option<&str> {
        match self {
            Self::MultiInstance(multiple) => multiple.completion_condition.as_deref(),
            Self::Standard(standard) => standard.condition.as_deref(),
        }
    }
}

/// How an activity runs more than once, compiled.
#[derive(Debug)]
pub enum Loop {
    /// Once per item, or so many times.
    MultiInstance(Box<MultiInstanceLoop>),
    /// Again and again.
    Standard {
        /// Whether there is a condition; the evaluator knows it by the id of the node.
        conditional: bool,
        /// Whether the condition is asked before the first iteration, too.
        test_before: bool,
        /// Iterations at most.
        maximum: Option<u32>,
    },
}

/// A compiled [`MultiInstance`].
#[derive(Debug)]
pub struct MultiInstanceLoop {
    /// One iteration after the other.
    pub sequential: bool,
    /// What there is an iteration for.
    pub over: Over,
    /// Whether there is a completion condition; the evaluator knows it by the id of the node.
    pub conditional: bool,
    /// Where the list of results lands.
    pub output_key: Option<DataPath>,
    /// The variables that each iteration owns to give its result by.
    pub own_variables: Vec<Arc<str>>,
    /// What makes a result; of a call activity without one, what the call gives.
    pub output: Option<Template>,
    /// What iterations throw as they complete.
    pub thrown: Vec<ThrownByIterations>,
}

/// What iterations throw as they complete.
#[derive(Debug)]
pub struct ThrownByIterations {
    /// Which of them.
    pub by: ThrownBy,
    /// What.
    pub events: Vec<IterationEvent>,
}

/// Which iterations throw something.
#[derive(Debug)]
pub enum ThrownBy {
    /// Each.
    Each,
    /// The first.
    First,
    /// Those of which a condition is true, which the evaluator knows by this id.
    Condition(String),
}

/// What an iteration may throw.
#[derive(Debug)]
pub enum IterationEvent {
    /// The signal of this name.
    Signal(Arc<str>),
    /// The escalation with this code.
    Escalation(Arc<str>),
}

/// What there is an iteration for.
#[derive(Debug)]
pub enum Over {
    /// A number of times.
    Cardinality(Template),
    /// Each item of a list.
    Collection {
        /// Where the list is.
        path: DataPath,
        /// The variable that holds the item.
        item: Arc<str>,
    },
}

impl LoopCharacteristics {
    /// Compiles it.
    ///
    /// # Errors
    /// A sentence about what cannot be read; `validate` has reported it before.
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
    /// Ties the result of a call activity to the list of results: the list lands where the loop
    /// says, else where the call says. Without an `output` of the loop the results of the calls are
    /// what is listed.
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

    /// The variables that each iteration owns besides those of the loop.
    pub fn own_variables(&self) -> &[Arc<str>] {
        match self {
            Self::MultiInstance(multiple) => &multiple.own_variables,
            Self::Standard { .. } => &[],
        }
    }

    /// Whether the result of a call is what is listed.
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
            (None, Some(text)) => {
                Over::Cardinality(Template::compile_text(text).map_err(|error| error.sentence)?)
            }
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

/// A number is as good as its digits.
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
