//! Collects the parts of a document without effect here: attributes and elements of BPMN that this
//! server does not use, and those of other tools. Collected over a process, so that a file with
//! many of them has one warning for each name.
//!
//! Not here: BPMN that would change how a process runs, which is refused (`reader`).

use std::collections::{BTreeMap, HashSet};

use super::{
    STEPWIRE_NAMESPACE,
    xml::{LIKE_ACTIVITI, ZEEBE},
};
use crate::model::problem::Problem;

/// How many places a warning names.
const PLACES: usize = 5;

/// Whether a namespace belongs to another engine, whose names may change how a process runs there.
fn is_engine(namespace: &str) -> bool {
    LIKE_ACTIVITI.contains(&namespace)
        || [ZEEBE, "http://www.jboss.org/drools"].contains(&namespace)
}

const CALLS: &str =
    "give the node an action of type `httpRequest` or `businessRule` that does the work";
const FORMS: &str = "send what the form needs by an action of type `websocketSend`, and take its \
    fields by keys of a manual action";
const ROLES: &str = "name roles in `stepwire:execute` of a lane";
const MAPPINGS: &str = "write `stepwire:input` and `stepwire:output`, or `stepwire:paramsToCopy` \
    and `stepwire:outputKey`";
const ACTIONS: &str = "write `stepwire:actions`";
const MESSAGES: &str = "draw a send task or a message event, which send and wait for messages";
const DATA: &str = "instance data need no declaration";

/// The effect of other engines' names (and of BPMN names without effect here) in those engines, and
/// the equivalent here.
const ADVICE: &[(&[&str], &str)] = &[
    (&["assignee"], "write `stepwire:assignee`"),
    (
        &["assignmentDefinition"],
        "write `stepwire:assignee`, or name roles in `stepwire:execute` of a lane",
    ),
    (&["dueDate", "taskSchedule"], "write `stepwire:dueDate`"),
    (
        &[
            "candidateUsers",
            "candidateGroups",
            "candidateStarterUsers",
            "candidateStarterGroups",
            "potentialStarter",
            "potentialOwner",
            "humanPerformer",
            "performer",
            "resourceRole",
        ],
        ROLES,
    ),
    (
        &[
            "formKey",
            "formRef",
            "formData",
            "formDefinition",
            "formProperty",
            "formHandlerClass",
            "rendering",
        ],
        FORMS,
    ),
    (
        &[
            "class",
            "delegateExpression",
            "expression",
            "type",
            "topic",
            "taskDefinition",
            "connector",
            "resultVariable",
            "resultVariableName",
            "taskName",
            "decisionRef",
            "calledDecision",
            "script",
            "field",
            "implementation",
            "operationRef",
        ],
        CALLS,
    ),
    (&["messageRef"], MESSAGES),
    (
        &["inputOutput", "ioMapping", "in", "out", "properties"],
        MAPPINGS,
    ),
    (
        &[
            "calledElementBinding",
            "calledElementVersion",
            "calledElementVersionTag",
            "bindingType",
            "versionTag",
        ],
        "a call begins the version that is published then",
    ),
    (
        &["variableMappingClass", "variableMappingDelegateExpression"],
        MAPPINGS,
    ),
    (&["calledElement"], "write `calledElement` of BPMN"),
    (
        &[
            "executionListener",
            "executionListeners",
            "taskListener",
            "taskListeners",
            "onEntry-script",
            "onExit-script",
        ],
        ACTIONS,
    ),
    (
        &["collection", "elementVariable", "loopCharacteristics"],
        "write `stepwire:collection`, or BPMN's multiInstanceLoopCharacteristics",
    ),
    (
        &[
            "ioSpecification",
            "dataInputAssociation",
            "dataOutputAssociation",
            "property",
            "dataStoreReference",
        ],
        DATA,
    ),
    (
        &["variableName", "variableEvents", "conditionalFilter"],
        "a condition is evaluated whenever data change, and its event occurs when it becomes true",
    ),
    (
        &["priority"],
        "lists are in the order of due dates; put it into the data",
    ),
    (&["skipExpression"], "choose the way by a gateway"),
    (
        &[
            "jobPriority",
            "asyncBefore",
            "asyncAfter",
            "async",
            "exclusive",
            "retry",
            "failedJobRetryTimeCycle",
        ],
        "every step is durable without it",
    ),
];

/// The names without effect of one process, with their places.
#[derive(Default)]
pub(super) struct WithoutEffect {
    found: BTreeMap<ElementGroup, Vec<ElementPosition>>,
}

/// The subject of one warning.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum ElementGroup {
    /// An attribute or element of BPMN.
    Bpmn(String),
    /// A name of another engine, as written, that has an effect there; with the equivalent here.
    Engine(String, &'static str),
    /// All other names of a namespace.
    Namespace(String),
    /// Tasks that make calls in other engines, without any action here.
    CallsNothing,
}

#[derive(PartialEq, Eq)]
struct ElementPosition {
    element: String,
    /// The name as it is written.
    name: String,
}

impl WithoutEffect {
    /// Records a name of BPMN.
    pub(super) fn bpmn(&mut self, element: &str, name: &str) {
        self.note(
            ElementGroup::Bpmn(name.to_owned()),
            element,
            name.to_owned(),
        );
    }

    /// Records a task that calls nothing.
    pub(super) fn calls_nothing(&mut self, element: &str) {
        self.note(ElementGroup::CallsNothing, element, String::new());
    }

    /// Records a name of another namespace, with its prefix at that place.
    pub(super) fn foreign(
        &mut self,
        element: &str,
        prefix: Option<&str>,
        name: &str,
        namespace: &str,
    ) {
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        let written = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}:{name}"));
        let group = match advice(name).filter(|_| is_engine(namespace)) {
            Some(advice) => ElementGroup::Engine(written.clone(), advice),
            None => ElementGroup::Namespace(namespace.to_owned()),
        };
        self.note(group, element, written);
    }

    fn note(&mut self, group: ElementGroup, element: &str, name: String) {
        let (places, place) = (
            self.found.entry(group).or_default(),
            ElementPosition {
                element: element.to_owned(),
                name,
            },
        );
        if places.last() != Some(&place) {
            places.push(place);
        }
    }

    /// A warning for each subject, at the first element.
    pub(super) fn warnings(self) -> Vec<Problem> {
        self.found
            .iter()
            .map(|(group, places)| warning(group, places))
            .collect()
    }
}

fn warning(group: &ElementGroup, places: &[ElementPosition]) -> Problem {
    let first = places
        .first()
        .map(|place| place.element.as_str())
        .unwrap_or_default();
    let at = listed(places, |place| format!("`{}`", place.element));
    match group {
        ElementGroup::Bpmn(name) => {
            let advice = advice(name).unwrap_or("it may be removed");
            let message = format!(
                "expected only what has an effect here, but `{name}` (at {at}) has none; {advice}"
            );
            Problem::warning(first, "no_effect", message)
        }
        ElementGroup::Engine(name, advice) => {
            let message = format!(
                "expected extensions of {STEPWIRE_NAMESPACE} only, but `{name}` (at {at}) has no \
                effect here; {advice}"
            );
            Problem::warning(first, "foreign_extension", message)
        }
        ElementGroup::CallsNothing => {
            let message = format!(
                "expected actions that do the work of the task, but there are none at {at}: nothing \
                is called, and the token goes on at once; {CALLS}"
            );
            Problem::warning(first, "calls_nothing", message)
        }
        ElementGroup::Namespace(namespace) => {
            let mut seen = HashSet::new();
            let names: Vec<&str> = places
                .iter()
                .map(|place| place.name.as_str())
                .filter(|name| seen.insert(*name))
                .collect();
            let names = listed(&names, |name| format!("`{name}`"));
            let message = format!(
                "expected extensions of {STEPWIRE_NAMESPACE} only, but got {names} of \
                {namespace} (first at `{first}`), without effect here; they may be removed"
            );
            Problem::warning(first, "foreign_extension", message)
        }
    }
}

/// The equivalent here of a name of another engine.
fn advice(name: &str) -> Option<&'static str> {
    ADVICE
        .iter()
        .find(|(names, _)| names.contains(&name))
        .map(|(_, advice)| *advice)
}

fn listed<T>(places: &[T], shown: impl Fn(&T) -> String) -> String {
    let some = places
        .iter()
        .take(PLACES)
        .map(shown)
        .collect::<Vec<_>>()
        .join(", ");
    match places.len().saturating_sub(PLACES) {
        0 => some,
        more => format!("{some} and {more} more"),
    }
}
