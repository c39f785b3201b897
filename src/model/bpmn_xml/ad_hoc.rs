//! Reads an ad-hoc subprocess: BPMN's ordering and completion condition, Stepwire's list of
//! activities that start with it, and Zeebe's notation of that list.
//!
//! Not here: its contents (`process`), its rules (`validate::ad_hoc`).

use roxmltree::Node;

use super::{
    is_bpmn, languages,
    reader::{Reader, own},
    xml::{ZEEBE, filled},
};
use crate::{
    model::{
        ad_hoc::{ActiveElements, AdHoc},
        definition::ElementType,
    },
    text::json,
};

pub(super) const ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "triggeredByEvent",
    "ordering",
    "cancelRemainingInstances",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];
pub(super) const OWN_ATTRIBUTES: &[&str] = &["canGoBack", ACTIVE];

/// The element of the condition.
pub(super) const CONDITION: &str = "completionCondition";
/// The attribute with the activities that start with it.
const ACTIVE: &str = "activeElements";

/// Zeebe's element for the same.
const OF_ZEEBE: &str = "adHoc";

/// Whether an element is an ad-hoc subprocess.
pub(super) fn is_one(node: Node<'_, '_>) -> bool {
    is_bpmn(node, ElementType::AdHocSubProcess.bpmn_name())
}

/// Whether a name of another engine is read here.
pub(super) fn is_understood(name: &str, namespace: &str) -> bool {
    name == OF_ZEEBE && namespace == ZEEBE
}

/// The settings of an ad-hoc subprocess; `None` for another kind of element.
pub(super) fn read(
    node: Node<'_, '_>,
    kind: ElementType,
    id: &str,
    reader: &mut Reader<'_>,
) -> Option<AdHoc> {
    if kind != ElementType::AdHocSubProcess {
        return None;
    }
    let orderings = [("Parallel", false), ("Sequential", true)];
    let conditions = node.children().filter(|child| is_bpmn(*child, CONDITION));
    let condition = reader.only(id, "duplicate_condition", conditions);
    let name = "cancelRemainingInstances";
    let read = AdHoc {
        sequential: reader.word(
            id,
            "ordering",
            node.attribute("ordering"),
            &orderings,
            false,
        ),
        completion_condition: condition.map(|condition| languages::read(condition, id, reader)),
        cancel_remaining_instances: reader.flag(id, name, node.attribute(name), true),
        active_elements: own(node, ACTIVE)
            .map(written)
            .or_else(|| of_zeebe(node, id, reader)),
    };
    Some(read).filter(|read| *read != AdHoc::default())
}

/// A JSON list of ids, otherwise a path.
fn written(text: &str) -> ActiveElements {
    json::from_text::<Vec<String>>(text).map_or_else(
        |_| ActiveElements::Path(text.to_owned()),
        ActiveElements::Ids,
    )
}

/// Zeebe's list: an expression that is a path or a list of texts.
fn of_zeebe(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Option<ActiveElements> {
    let holders = node
        .children()
        .filter(|child| is_bpmn(*child, "extensionElements"));
    let found = holders
        .flat_map(|holder| holder.children())
        .find(|child| child.has_tag_name((ZEEBE, OF_ZEEBE)))?;
    for attribute in ["outputCollection", "outputElement"] {
        if filled(found.attribute(attribute)).is_some() {
            reader
                .without_effect
                .foreign(id, found.lookup_prefix(ZEEBE), attribute, ZEEBE);
        }
    }
    let expression = filled(found.attribute("activeElementsCollection"))?;
    Some(written(expression.trim().trim_start_matches('=').trim()))
}
