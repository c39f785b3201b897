//! Reads how an activity runs more than once: BPMN's loop characteristics with Stepwire's
//! attributes, and equivalent notations of other engines.
//!
//! Not here: the names of counters (`loop_counters`), the rules of a loop (`validate::loops`).

use roxmltree::Node;

use super::{
    assignments, data_objects, errors, events,
    index::Index,
    is_bpmn, loop_counters, mappings, messages,
    reader::{Reader, own},
    xml::{LIKE_ACTIVITI, ZEEBE, filled, text},
};
use crate::model::{
    arithmetic,
    definition::ElementType,
    event_definition::EventDefinition,
    loop_characteristics::{
        ComplexBehavior, LoopCharacteristics, MultiInstance, MultiInstanceBehavior, StandardLoop,
    },
};

/// BPMN's markers.
pub(super) const CHARACTERISTICS: [&str; 2] = [
    "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics",
];

/// Stepwire's attributes that the activity itself may have.
pub(super) const ATTRIBUTES: [&str; 2] = ["collection", "item"];

const MULTIPLE_ATTRIBUTES: &[&str] = &[
    "id",
    "isSequential",
    "behavior",
    "noneBehaviorEventRef",
    "oneBehaviorEventRef",
];
const MULTIPLE_OWN: &[&str] = &["collection", "item", "outputKey", "output"];
const MULTIPLE_CHILDREN: &[&str] = &[
    "loopCardinality",
    "loopDataInputRef",
    "loopDataOutputRef",
    "inputDataItem",
    "outputDataItem",
    "completionCondition",
    COMPLEX,
];
/// The events thrown with the behavior `Complex`, and their conditions.
const COMPLEX: &str = "complexBehaviorDefinition";
const STANDARD_CHILDREN: &[&str] = &["loopCondition"];

/// Whether a name of another engine, at this element, is read here.
pub(super) fn is_understood(node: Node<'_, '_>, name: &str, namespace: &str) -> bool {
    match name {
        "collection" | "elementVariable" => {
            is_bpmn(node, CHARACTERISTICS[0]) && LIKE_ACTIVITI.contains(&namespace)
        }
        "loopCharacteristics" => namespace == ZEEBE,
        _ => false,
    }
}

/// The loop of an activity; `None` if it has none.
pub(super) fn read(
    node: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<LoopCharacteristics> {
    if !kind.is_activity() {
        return None;
    }
    let markers = node
        .children()
        .filter(|child| CHARACTERISTICS.iter().any(|name| is_bpmn(*child, name)));
    let marker = reader.only(id, "unsupported_element", markers);
    match marker {
        Some(marker) if is_bpmn(marker, CHARACTERISTICS[1]) => Some(LoopCharacteristics::Standard(
            read_standard(marker, id, reader),
        )),
        None if own(node, "collection").is_none() => None,
        marker => Some(LoopCharacteristics::MultiInstance(read_multiple(
            node, marker, id, reader,
        ))),
    }
}

fn read_standard(marker: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> StandardLoop {
    reader.check_attributes(marker, id, &["id", "testBefore", "loopMaximum"], &[]);
    reader.extensions(marker, id, &[]);
    reader.refuse_other_children(marker, id, STANDARD_CHILDREN);
    let maximum = reader.integer(id, "loopMaximum", marker.attribute("loopMaximum"));
    StandardLoop {
        condition: child_text(marker, "loopCondition"),
        test_before: reader.flag(id, "testBefore", marker.attribute("testBefore"), false),
        // `validate` reports a negative maximum.
        maximum: maximum.map(|maximum| u32::try_from(maximum.max(0)).unwrap_or(u32::MAX)),
    }
}

fn read_multiple(
    node: Node<'_, '_>,
    marker: Option<Node<'_, '_>>,
    id: &str,
    reader: &mut Reader<'_>,
) -> MultiInstance {
    if let Some(marker) = marker {
        reader.check_attributes(marker, id, MULTIPLE_ATTRIBUTES, MULTIPLE_OWN);
        reader.extensions(marker, id, &[]);
        reader.refuse_other_children(marker, id, MULTIPLE_CHILDREN);
    }
    let (behavior, event) = marker
        .map(|marker| behavior(marker, id, reader))
        .unwrap_or_default();
    if let Some(marker) = marker {
        warn_of_other_behaviors(marker, id, reader);
    }
    loop_counters::warn_of_beginning(node, id, reader);
    let complex_behavior = marker.filter(|_| behavior == MultiInstanceBehavior::Complex);
    let complex_behavior =
        complex_behavior.map_or_else(Vec::new, |marker| complex_behaviors(marker, id, reader));
    let written = Notations {
        node,
        marker,
        zeebe: marker.and_then(zeebe),
    };
    let is_sequential = marker.and_then(|marker| marker.attribute("isSequential"));
    MultiInstance {
        sequential: reader.flag(id, "isSequential", is_sequential, false),
        cardinality: written
            .child("loopCardinality")
            .map(|written| cardinality(&written)),
        collection: one(id, "collection", written.collections(reader.index), reader),
        item: one(id, "item", written.items(), reader),
        completion_condition: written
            .child("completionCondition")
            .map(|written| loop_counters::in_bpmn(&written)),
        output_key: one(
            id,
            "list of results",
            written.output_keys(reader.index),
            reader,
        ),
        output: one(id, "result", written.outputs(), reader),
        behavior,
        event: event.map(Box::new),
        complex_behavior,
    }
}

/// Where the parts of a multi-instance activity are written: in the notations of Stepwire, BPMN,
/// engines like Activiti, and Zeebe, in this order.
struct Notations<'a, 'i> {
    node: Node<'a, 'i>,
    marker: Option<Node<'a, 'i>>,
    zeebe: Option<Node<'a, 'i>>,
}

impl Notations<'_, '_> {
    fn collections(&self, index: &Index<'_>) -> [Option<String>; 5] {
        let expression = |written: Option<&str>| written.map(|written| path_of(written).to_owned());
        [
            own(self.node, "collection").map(str::to_owned),
            self.own("collection"),
            self.referred("loopDataInputRef", index),
            expression(self.of_activiti("collection")),
            expression(self.of_zeebe("inputCollection")),
        ]
    }

    fn items(&self) -> [Option<String>; 5] {
        [
            own(self.node, "item").map(str::to_owned),
            self.own("item"),
            self.data_item("inputDataItem").map(str::to_owned),
            self.of_activiti("elementVariable").map(str::to_owned),
            self.of_zeebe("inputElement").map(str::to_owned),
        ]
    }

    fn output_keys(&self, index: &Index<'_>) -> [Option<String>; 3] {
        [
            self.own("outputKey"),
            self.referred("loopDataOutputRef", index),
            self.of_zeebe("outputCollection").map(str::to_owned),
        ]
    }

    fn outputs(&self) -> [Option<String>; 3] {
        let placeholder = |path: &str| format!("${{{}}}", bare(path));
        [
            self.own("output"),
            self.data_item("outputDataItem").map(placeholder),
            self.of_zeebe("outputElement").map(placeholder),
        ]
    }

    fn own(&self, name: &str) -> Option<String> {
        own(self.marker?, name).map(str::to_owned)
    }

    fn of_activiti(&self, name: &str) -> Option<&str> {
        let mut engines = LIKE_ACTIVITI.iter();
        engines.find_map(|engine| filled(self.marker?.attribute((*engine, name))))
    }

    fn of_zeebe(&self, name: &str) -> Option<&str> {
        filled(self.zeebe?.attribute(name))
    }

    fn child(&self, name: &str) -> Option<String> {
        child_text(self.marker?, name)
    }

    /// The variable of the data object that a child refers to.
    fn referred(&self, name: &str, index: &Index<'_>) -> Option<String> {
        Some(variable(self.node, &self.child(name)?, index))
    }

    /// The variable of an item: its name, or its id if the name cannot be a variable.
    fn data_item(&self, name: &str) -> Option<&str> {
        let item = self
            .marker?
            .children()
            .find(|child| is_bpmn(*child, name))?;
        let name = filled(item.attribute("name")).filter(|name| data_objects::is_variable(name));
        name.or_else(|| filled(item.attribute("id")))
    }
}

/// The path in an expression of another engine. Any other expression stays as it is, which is no
/// path.
fn path_of(written: &str) -> &str {
    let inner = bare(written);
    let is_path = inner == written || mappings::is_plain(inner);
    if is_path { inner } else { written }
}

/// Settings of another behavior than the chosen one have no effect.
fn warn_of_other_behaviors(marker: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) {
    let attribute = |name| marker.attribute(name).is_some();
    let parts = [
        (
            "noneBehaviorEventRef",
            "None",
            attribute("noneBehaviorEventRef"),
        ),
        (
            "oneBehaviorEventRef",
            "One",
            attribute("oneBehaviorEventRef"),
        ),
        (
            COMPLEX,
            "Complex",
            marker.children().any(|child| is_bpmn(child, COMPLEX)),
        ),
    ];
    let chosen = filled(marker.attribute("behavior")).unwrap_or("All");
    for (name, of, _) in parts
        .into_iter()
        .filter(|(_, of, is_there)| *is_there && chosen != *of)
    {
        let message = format!(
            "expected `{name}` with `behavior=\"{of}\"`, but `behavior` is `{chosen}`: it has no effect; set \
            `behavior`, or remove `{name}`"
        );
        reader.warning(id, "no_effect", message);
    }
}

/// Which iterations throw events, and which events.
fn behavior(
    marker: Node<'_, '_>,
    id: &str,
    reader: &mut Reader<'_>,
) -> (MultiInstanceBehavior, Option<EventDefinition>) {
    let nothing = (MultiInstanceBehavior::All, None);
    let (behavior, attribute) = match filled(marker.attribute("behavior")) {
        None | Some("All") => return nothing,
        Some("None") => (MultiInstanceBehavior::None, "noneBehaviorEventRef"),
        Some("One") => (MultiInstanceBehavior::One, "oneBehaviorEventRef"),
        Some("Complex") => return (MultiInstanceBehavior::Complex, None),
        Some(value) => {
            let message = format!(
                "expected `behavior` to be `All`, `None`, `One` or `Complex`, but got `{value}`; \
                correct it"
            );
            reader.error(id, "unsupported_attribute", message);
            return nothing;
        }
    };
    let kind = ElementType::IntermediateThrowEvent;
    let reference = filled(marker.attribute(attribute));
    let definition =
        reference.and_then(|written| events::beside_process(marker, written, reader.index));
    let event = match definition {
        Some(found) if is_bpmn(found, events::SIGNAL) => {
            messages::read_signal(found, found, kind, id, reader)
        }
        Some(found) if is_bpmn(found, events::ESCALATION) => Some(EventDefinition::Escalation {
            code: errors::read(found, kind, errors::ESCALATION, id, reader),
        }),
        None if reference.is_none() => {
            let message = format!(
                "expected `{attribute}` beside `behavior`, but there is none: the signal that BPMN \
                throws then has no name, so nothing can wait for it; name a {} beside the processes",
                events::SIGNAL
            );
            reader.warning(id, "no_effect", message);
            return nothing;
        }
        found => {
            let found = match found {
                Some(found) => format!("it names a {}", found.tag_name().name()),
                None => format!(
                    "the document has none with the id `{}` there",
                    reference.unwrap_or_default()
                ),
            };
            let message = format!(
                "expected `{attribute}` to name a {} or {} beside the processes, but {found}; \
                correct it, or remove `behavior`",
                events::SIGNAL,
                events::ESCALATION
            );
            reader.error(id, "unknown_event_definition", message);
            return nothing;
        }
    };
    (behavior, event)
}

/// The events thrown with the behavior `Complex`, and their conditions.
fn complex_behaviors(
    marker: Node<'_, '_>,
    id: &str,
    reader: &mut Reader<'_>,
) -> Vec<ComplexBehavior> {
    let kind = ElementType::IntermediateThrowEvent;
    let all = marker.children().filter(|child| is_bpmn(*child, COMPLEX));
    let read = all.map(|complex| {
        reader.check_attributes(complex, id, &["id"], &[]);
        reader.refuse_other_children(complex, id, &["condition", "event"]);
        let events = complex.children().filter(|child| is_bpmn(*child, "event"));
        let definitions = events.flat_map(|event| {
            events::definitions_of(event, reader.index)
                .filter(Node::is_element)
                .collect::<Vec<_>>()
        });
        let definitions: Vec<Node<'_, '_>> = definitions.collect();
        let events = definitions.into_iter().filter_map(|found| {
            if is_bpmn(found, events::SIGNAL) {
                messages::read_signal(found, found, kind, id, reader)
            } else if is_bpmn(found, events::ESCALATION) {
                let code = errors::read(found, kind, errors::ESCALATION, id, reader);
                Some(EventDefinition::Escalation { code })
            } else {
                let message = format!(
                    "expected a {} or {} in the event of the {COMPLEX}, but in line {} there is a \
                    {}; throw that behind the activity, or in it",
                    events::SIGNAL,
                    events::ESCALATION,
                    reader.line(found),
                    found.tag_name().name()
                );
                reader.error(id, "unsupported_element", message);
                None
            }
        });
        ComplexBehavior {
            events: events.collect(),
            condition: child_text(complex, "condition")
                .map(|written| loop_counters::in_bpmn(&written))
                .unwrap_or_default(),
        }
    });
    read.collect()
}

/// The only notation that is present; several are reported.
fn one<const N: usize>(
    id: &str,
    what: &str,
    found: [Option<String>; N],
    reader: &mut Reader<'_>,
) -> Option<String> {
    let mut found = found.into_iter().flatten();
    let first = found.next()?;
    if let Some(other) = found.find(|other| *other != first) {
        let message = format!(
            "expected the {what} of the loop once, but it is `{first}` and `{other}`; remove one"
        );
        reader.error(id, "ambiguous_loop", message);
    }
    Some(first)
}

fn zeebe<'a, 'i>(marker: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let holder = marker
        .children()
        .find(|child| is_bpmn(*child, "extensionElements"))?;
    let is_it = |child: &Node<'_, '_>| {
        child.tag_name().namespace() == Some(ZEEBE)
            && child.tag_name().name() == "loopCharacteristics"
    };
    holder.children().find(is_it)
}

fn child_text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let child = node.children().find(|child| is_bpmn(*child, name))?;
    Some(text(child)).filter(|text| !text.is_empty())
}

/// An expression without the marks around it: `${people}`, `#{people}`, `=people`.
fn bare(written: &str) -> &str {
    let written = written.trim();
    let inner = written
        .strip_prefix("${")
        .or_else(|| written.strip_prefix("#{"))
        .and_then(|rest| rest.strip_suffix('}'));
    inner
        .or_else(|| written.strip_prefix('='))
        .unwrap_or(written)
        .trim()
}

/// A number unchanged, computed if it is written as arithmetic, anything else as a placeholder.
fn cardinality(written: &str) -> String {
    match bare(written) {
        number if number.parse::<f64>().is_ok() => number.to_owned(),
        other => arithmetic::value(other)
            .map(|computed| computed.to_string())
            .or_else(|| assignments::template(written).filter(|_| other != written.trim()))
            .unwrap_or_else(|| format!("${{{other}}}")),
    }
}

/// The variable of a referenced element with data: the name of a data object, or the source of the
/// activity's data input. A reference to no element is a path itself.
fn variable(node: Node<'_, '_>, reference: &str, index: &Index<'_>) -> String {
    let local = reference.rsplit(':').next().unwrap_or(reference);
    let mut id = local.to_owned();
    // A data input, a reference and the object itself: longer chains do not occur.
    for _ in 0..4 {
        let Some(found) = index.element(node, &id) else {
            return id;
        };
        let next = match found.tag_name().name() {
            "dataObjectReference" => filled(found.attribute("dataObjectRef")).map(str::to_owned),
            "dataInput" | "dataOutput" => association(node, &id),
            _ => None,
        };
        match next.filter(|next| *next != id) {
            Some(next) => id = next,
            None => return filled(found.attribute("name")).unwrap_or(&id).to_owned(),
        }
    }
    id
}

/// The source of a data input of the activity, or the target of a data output.
fn association(node: Node<'_, '_>, id: &str) -> Option<String> {
    let associations = node.children().filter(|child| {
        is_bpmn(*child, "dataInputAssociation") || is_bpmn(*child, "dataOutputAssociation")
    });
    let mut ends = associations.filter_map(|association| {
        let (source, target) = (
            child_text(association, "sourceRef")?,
            child_text(association, "targetRef")?,
        );
        match id {
            id if id == target => Some(source),
            id if id == source => Some(target),
            _ => None,
        }
    });
    ends.next()
}
