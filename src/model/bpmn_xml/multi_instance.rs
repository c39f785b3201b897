//! Reads what makes a call activity run once per item: `stepwire:collection`. BPMN's own marker may
//! stand beside it, as editors draw by it, but only when it asks for nothing else than what runs:
//! all items at the same time.

use roxmltree::Node;

use super::{
    is_bpmn,
    reader::{Reader, own},
    xml::filled,
};

/// BPMN's marker.
pub(super) const CHARACTERISTICS: &str = "multiInstanceLoopCharacteristics";

/// The collection of a call activity; without one it runs once.
pub(super) fn read(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Option<String> {
    let collection = own(node, "collection").map(str::to_owned);
    let markers = node
        .children()
        .filter(|child| is_bpmn(*child, CHARACTERISTICS));
    let Some(marker) = reader.only(id, "unsupported_element", markers) else {
        return collection;
    };
    reader.check_attributes(marker, id, &["id", "isSequential", "behavior"], &[]);
    reader.extensions(marker, id, &[]);
    reader.refuse_other_children(marker, id, &[]);
    if reader.flag(id, "isSequential", marker.attribute("isSequential"), false) {
        let message = "expected all items to run at the same time, but isSequential is true, \
            which is not supported; remove it";
        reader.error(id, "unsupported_attribute", message);
    }
    if let Some(value) = filled(marker.attribute("behavior")).filter(|value| *value != "All") {
        let message = format!(
            "expected `behavior` to be `All`, but got `{value}`, which throws events that are \
            not supported; remove it"
        );
        reader.error(id, "unsupported_attribute", message);
    }
    if collection.is_none() {
        let message = "expected `stepwire:collection` on a multi-instance call activity, but \
            there is none; name the list that has an item for each run";
        reader.error(id, "missing_attribute", message);
    }
    collection
}
