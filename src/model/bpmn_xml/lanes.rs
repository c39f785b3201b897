//! Reads lanes: their names, roles and nodes. A lane within a lane becomes a lane of its own.

use roxmltree::Node;

use super::{
    is_bpmn,
    reader::{Reader, own},
    xml::{filled, text},
};
use crate::model::definition::Lane;

const ROLE_ATTRIBUTES: &[&str] = &["view", "execute", "assign", "hold"];

/// Reads a lane set, or the child lane set of `parent`, into `lanes`. The recursion is as deep as
/// the document, whose depth is limited.
pub(super) fn read(
    lane_set: Node<'_, '_>,
    parent: Option<&str>,
    reader: &mut Reader<'_>,
    lanes: &mut Vec<Lane>,
) {
    for lane in lane_set.children().filter(|child| is_bpmn(*child, "lane")) {
        let id = &*reader.id(lane);
        reader.check_attributes(
            lane,
            id,
            &["id", "name", "partitionElementRef"],
            ROLE_ATTRIBUTES,
        );
        reader.extensions(lane, id, &[]);
        reader.refuse_other_children(lane, id, &["flowNodeRef", "childLaneSet"]);
        let nodes = lane
            .children()
            .filter(|child| is_bpmn(*child, "flowNodeRef"));
        let nodes = nodes
            .map(|node| reader.reference(node, id, "flowNodeRef", Some(&text(node))))
            .collect();
        lanes.push(Lane {
            id: id.to_owned(),
            name: filled(lane.attribute("name")).map(str::to_owned),
            parent: parent.map(str::to_owned),
            nodes,
            view: roles(lane, "view"),
            execute: roles(lane, "execute"),
            assign: roles(lane, "assign"),
            hold: roles(lane, "hold"),
        });
        for children in lane
            .children()
            .filter(|child| is_bpmn(*child, "childLaneSet"))
        {
            read(children, Some(id), reader, lanes);
        }
    }
}

/// A list of roles, separated by blanks; an empty attribute counts as absent.
fn roles(lane: Node<'_, '_>, name: &str) -> Option<Vec<String>> {
    own(lane, name).map(|names| names.split_whitespace().map(str::to_owned).collect())
}
