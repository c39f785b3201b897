//! Finds the elements of a document by their ids, and the events that catch beside each other, so
//! that reading a document takes time in proportion to its size: without it, each reference would be
//! searched for in the whole document.
//!
//! Not here: what a reference means, and the problem when it names nothing (each reader).

use std::collections::{HashMap, HashSet};

use roxmltree::{Node, NodeId};

use super::{is_bpmn, xml::filled};

/// The place of an event that catches: the element around it and, for a boundary event, its
/// activity. A start event is one level deeper than the events it competes with.
type Place<'d> = (NodeId, Option<&'d str>);

/// The elements of a document. Of several with the same id, the first.
pub(super) struct Index<'d> {
    /// All ids, also those of elements that BPMN does not define.
    ids: HashSet<&'d str>,
    elements: HashMap<&'d str, NodeId>,
    /// Those beside the processes.
    beside: HashMap<&'d str, NodeId>,
    catching: HashMap<Place<'d>, Vec<NodeId>>,
}

impl<'d> Index<'d> {
    /// The index of the document with this root element.
    pub(super) fn of(root: Node<'d, '_>) -> Self {
        let mut index = Self {
            ids: HashSet::new(),
            elements: HashMap::new(),
            beside: HashMap::new(),
            catching: HashMap::new(),
        };
        for node in root.descendants().filter(Node::is_element) {
            if let Some(id) = filled(node.attribute("id")) {
                index.ids.insert(id);
                if is_bpmn(node, node.tag_name().name()) {
                    index.elements.entry(id).or_insert(node.id());
                }
                if node.parent() == Some(root) {
                    index.beside.entry(id).or_insert(node.id());
                }
            }
            if let Some(place) = place(node) {
                index.catching.entry(place).or_default().push(node.id());
            }
        }
        index
    }

    /// Whether an element has this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The BPMN element with this id; `anywhere` is any node of the document.
    pub(super) fn element<'a, 'i>(&self, anywhere: Node<'a, 'i>, id: &str) -> Option<Node<'a, 'i>> {
        anywhere.document().get_node(*self.elements.get(id)?)
    }

    /// The element beside the processes with this id; `anywhere` is any node of the document.
    pub(super) fn beside<'a, 'i>(&self, anywhere: Node<'a, 'i>, id: &str) -> Option<Node<'a, 'i>> {
        anywhere.document().get_node(*self.beside.get(id)?)
    }

    /// Whether the test holds for an event that catches at the same place as this one, itself
    /// included: at the same activity, or in event subprocesses of the same scope.
    pub(super) fn any_beside_event<'a, 'i>(
        &self,
        event: Node<'a, 'i>,
        mut test: impl FnMut(Node<'a, 'i>) -> bool,
    ) -> bool {
        let found = place(event).and_then(|place| self.catching.get(&place));
        let mut ids = found.into_iter().flatten();
        ids.any(|id| event.document().get_node(*id).is_some_and(&mut test))
    }
}

fn place<'d>(event: Node<'d, '_>) -> Option<Place<'d>> {
    if let Some(host) = event.attribute("attachedToRef") {
        return Some((event.parent()?.id(), Some(host)));
    }
    is_bpmn(event, "startEvent").then_some(())?;
    Some((event.parent()?.parent()?.id(), None))
}
