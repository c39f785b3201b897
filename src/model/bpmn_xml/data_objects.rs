//! Reads data objects: each is a variable of its process or subprocess. Its name is that of the
//! data object, otherwise that of the first reference to it with a name, otherwise its id. Its
//! initial value is a `stepwire:default` with JSON, in the object or in a reference to it.

use std::collections::HashMap;

use roxmltree::Node;
use serde_json::Value;

use super::{
    BPMN_NAMESPACE, is_bpmn,
    reader::Reader,
    xml::{filled, text},
};
use crate::{
    model::{mapping::DataObject, path::DataPath},
    text::json,
};

/// Name of the BPMN element.
pub(super) const OBJECT: &str = "dataObject";
/// Name of the BPMN element that is drawn.
pub(super) const REFERENCE: &str = "dataObjectReference";
const DEFAULT: &str = "default";

/// The variables of the items of a process, by the items' ids: data objects and references to them,
/// properties, inputs and outputs of activities. An item whose name cannot be a variable uses its
/// id.
pub(super) fn variables(process: Node<'_, '_>) -> HashMap<String, String> {
    let mut found: HashMap<&str, Option<&str>> = HashMap::new();
    let mut references = Vec::new();
    for node in process.descendants() {
        let id = filled(node.attribute("id"));
        let (Some(BPMN_NAMESPACE), Some(id)) = (node.tag_name().namespace(), id) else {
            continue;
        };
        let name = filled(node.attribute("name")).filter(|name| is_variable(name));
        match node.tag_name().name() {
            OBJECT | "property" | "dataInput" | "dataOutput" => drop(found.insert(id, name)),
            REFERENCE => references.extend(object_of(node).map(|object| (id, object, name))),
            _ => {}
        }
    }
    for (_, object, name) in &references {
        found
            .entry(object)
            .and_modify(|known| *known = known.or(*name));
    }
    for (id, object, _) in references {
        let name = found.get(object).map(|name| name.unwrap_or(object));
        found.entry(id).or_insert(name);
    }
    let variable = |(id, name): (&str, Option<&str>)| {
        let name = name.unwrap_or(id);
        is_variable(name).then(|| (id.to_owned(), name.to_owned()))
    };
    found.into_iter().filter_map(variable).collect()
}

/// Reads a data object of the process, or of the subprocess `scope`.
pub(super) fn read(
    object: Node<'_, '_>,
    scope: Option<&str>,
    reader: &mut Reader<'_>,
) -> DataObject {
    let id = reader.id(object);
    let known = ["id", "name", "itemSubjectRef", "isCollection"];
    reader.check_attributes(object, &id, &known, &[]);
    let variable = reader
        .variables
        .get(&id)
        .filter(|variable| **variable != id);
    DataObject {
        name: variable.cloned(),
        scope: scope.map(str::to_owned),
        default: read_default(object, &id, reader),
        id,
    }
}

/// Sets initial values of data objects that references to them declare.
pub(super) fn read_references(
    process: Node<'_, '_>,
    objects: &mut [DataObject],
    reader: &mut Reader<'_>,
) {
    let mut by_id: HashMap<String, &mut DataObject> = objects
        .iter_mut()
        .map(|object| (object.id.clone(), object))
        .collect();
    for node in process
        .descendants()
        .filter(|node| is_bpmn(*node, REFERENCE))
    {
        let id = filled(node.attribute("id")).unwrap_or_default();
        let Some(default) = read_default(node, id, reader) else {
            continue;
        };
        let object = object_of(node).and_then(|object| by_id.get_mut(object));
        match object {
            Some(object) if object.default.is_none() => object.default = Some(default),
            found => {
                let found = if found.is_some() {
                    "its data object has one already; keep one"
                } else {
                    "it refers to no data object of this process; correct dataObjectRef"
                };
                let message = format!(
                    "expected one `stepwire:default` for a data object, but in line {} there is one \
                    in a reference, and {found}",
                    reader.line(node)
                );
                reader.error(id, "invalid_default", message);
            }
        }
    }
}

fn object_of<'a>(reference: Node<'a, '_>) -> Option<&'a str> {
    let object = filled(reference.attribute("dataObjectRef"))?;
    object.rsplit(':').next()
}

pub(super) fn is_variable(name: &str) -> bool {
    DataPath::parse_members(name).is_ok_and(|path| path.depth() == 1)
}

fn read_default(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Option<Value> {
    let defaults = reader.extensions(node, id, &[DEFAULT]);
    let default = reader.only(id, "duplicate_default", defaults)?;
    match json::from_text(&text(default)) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!(
                "expected the `stepwire:default` of a data object as JSON, but in line {}: {error}",
                reader.line(default)
            );
            reader.error(id, "invalid_default", message);
            None
        }
    }
}
