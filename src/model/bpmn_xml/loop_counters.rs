//! The counters of an activity that runs more than once, in the notation of other engines: their
//! names, and where they begin.

use std::collections::HashSet;

use roxmltree::{Node, NodeId};

use super::{
    is_bpmn,
    loops::CHARACTERISTICS,
    reader::Reader,
    xml::{LIKE_ACTIVITI, filled},
};
use crate::model::loop_characteristics::{COUNTERS, LOOP_COUNTER};

/// Names in other engines for BPMN's counters.
const OTHER_COUNTERS: [(&str, &str); 4] = [
    ("nrOfInstances", COUNTERS[0]),
    ("nrOfActiveInstances", COUNTERS[1]),
    ("nrOfCompletedInstances", COUNTERS[2]),
    ("nrOfTerminatedInstances", COUNTERS[3]),
];

/// The multi-instance activities of a process.
#[derive(Default)]
pub(super) struct Counted {
    nodes: HashSet<NodeId>,
    ids: HashSet<String>,
}

impl Counted {
    /// Those of this process.
    pub(super) fn of(process: Node<'_, '_>) -> Self {
        let markers = process.descendants();
        let markers = markers.filter(|node| is_bpmn(*node, CHARACTERISTICS[0]));
        let mut found = Self::default();
        for activity in markers.filter_map(|marker| marker.parent()) {
            found.nodes.insert(activity.id());
            let id = filled(activity.attribute("id"));
            found.ids.extend(id.map(str::to_owned));
        }
        found
    }

    /// An expression read at this element, with BPMN's names of counters where it reads them: in
    /// such an activity, and at its boundary.
    pub(super) fn in_bpmn(&self, element: Node<'_, '_>, written: String) -> String {
        let is_counted = |node: Node<'_, '_>| {
            let attached_to = filled(node.attribute("attachedToRef"));
            self.nodes.contains(&node.id()) || attached_to.is_some_and(|id| self.ids.contains(id))
        };
        if !self.nodes.is_empty() && element.ancestors().any(is_counted) {
            in_bpmn(&written)
        } else {
            written
        }
    }
}

/// An expression with BPMN's names in place of those of other engines.
pub(super) fn in_bpmn(written: &str) -> String {
    let mut read = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find(|c: char| c.is_alphanumeric() || c == '_') {
        read.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let word = &rest[..end];
        let known = OTHER_COUNTERS.iter().find(|(other, _)| *other == word);
        read.push_str(known.map_or(word, |(_, own)| own));
        rest = &rest[end..];
    }
    read + rest
}

/// Warns that the counter of iterations begins at 0 in the engine that the document is written for.
pub(super) fn warn_of_beginning(activity: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) {
    let mut namespaces = activity.document().root_element().namespaces();
    let reads = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word == LOOP_COUNTER)
    };
    let reads_it = |part: Node<'_, '_>| {
        part.text().is_some_and(reads) || part.attributes().any(|it| reads(it.value()))
    };
    let is_other = namespaces.any(|it| LIKE_ACTIVITI.contains(&it.uri()));
    if is_other && activity.descendants().any(reads_it) {
        let message = format!(
            "expected `{LOOP_COUNTER}` to begin at 1, as in BPMN, but in the engine that this \
            document is written for it begins at 0; check what reads it"
        );
        reader.warning(id, "loop_counter", message);
    }
}
