//! Reads input and output mappings: `stepwire:input` and `stepwire:output`, BPMN's own data
//! associations, and equivalent notations of other engines.
//!
//! What is not a plain mapping causes a warning that names the element and the part without effect.
//! Data objects: `data_objects`.

use roxmltree::Node;
use serde_json::{Map, Value};

use super::{
    assignments, call_mappings, is_bpmn,
    reader::Reader,
    xml::{CAMUNDA, LIKE_ACTIVITI, ZEEBE, boolean, filled, text},
};
use crate::model::{
    arithmetic, computation::Computation, mapping::Mapping, path::DataPath, plain_expression,
    template::Template,
};

/// Names of the extension elements.
pub(super) const INPUT: &str = "input";
/// See [`INPUT`].
pub(super) const OUTPUT: &str = "output";

const DROOLS: &str = "http://www.jboss.org/drools";
/// Written by editors where an association ends at an activity as a whole.
const PLACEHOLDER: &str = "__targetRef_placeholder";
/// BPMN elements that this module reads.
const ASSOCIATIONS: [&str; 2] = ["dataInputAssociation", "dataOutputAssociation"];

/// Inputs and outputs.
#[derive(Default)]
pub(super) struct Mappings {
    pub(super) inputs: Vec<Mapping>,
    pub(super) outputs: Vec<Mapping>,
}

/// Whether an extension element of another engine contains mappings, which [`read_others`] reads.
pub(super) fn is_read(child: Node<'_, '_>) -> bool {
    let namespace = child.tag_name().namespace().unwrap_or_default();
    match child.tag_name().name() {
        "ioMapping" => namespace == ZEEBE,
        "inputOutput" => CAMUNDA.contains(&namespace),
        _ => call_mappings::is_read(child),
    }
}

/// Whether an attribute names the variable to which another engine writes who has started the
/// process, which [`read_others`] reads.
pub(super) fn is_initiator(node: Node<'_, '_>, name: &str, namespace: &str) -> bool {
    name == "initiator" && initiator(node, namespace).is_some()
}

fn initiator<'a>(node: Node<'a, '_>, namespace: &str) -> Option<&'a str> {
    let begins = is_bpmn(node, "startEvent") && is_bpmn(node.parent()?, "process");
    let variable = filled(node.attribute((namespace, "initiator")))?;
    let is_known = begins && LIKE_ACTIVITI.contains(&namespace);
    (is_known && DataPath::parse_members(variable).is_ok()).then_some(variable)
}

/// Reads a `stepwire:input` or `stepwire:output`: the source is an attribute, or the text, which is
/// easier to write for a JSON template.
pub(super) fn read_own(extension: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Mapping {
    reader.check_attributes(extension, id, &["source", "target", "ifSet"], &[]);
    let inner = text(extension);
    let attribute = filled(extension.attribute("source"));
    if attribute.is_some() && !inner.is_empty() {
        let message = format!(
            "expected the source of a mapping as an attribute or as text, but in line {} it is \
            both; keep one",
            reader.line(extension)
        );
        reader.error(id, "duplicate_source", message);
    }
    Mapping {
        source: attribute.map_or(inner, str::to_owned),
        target: filled(extension.attribute("target"))
            .unwrap_or_default()
            .to_owned(),
        if_set: extension.attribute("ifSet").and_then(boolean) == Some(true),
    }
}

/// Reads the mappings of BPMN and of other engines at a node.
pub(super) fn read_others(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>) -> Mappings {
    let mut found = Mappings::default();
    let holders = node
        .children()
        .filter(|child| is_bpmn(*child, "extensionElements"));
    for child in holders
        .flat_map(|holder| holder.children())
        .filter(|child| is_read(*child))
    {
        match child.tag_name().name() {
            "ioMapping" => read_io_mapping(child, id, reader, &mut found),
            "inputOutput" => read_input_output(child, id, reader, &mut found),
            _ => {}
        }
    }
    call_mappings::read(node, &mut found);
    let mut initiators = LIKE_ACTIVITI.iter();
    if let Some(variable) = initiators.find_map(|namespace| initiator(node, namespace)) {
        found.outputs.push(Mapping {
            source: "${startedBy}".to_owned(),
            target: variable.to_owned(),
            if_set: false,
        });
    }
    read_associations(node, id, reader, &mut found);
    for mapping in found.inputs.iter_mut().chain(&mut found.outputs) {
        let source = std::mem::take(&mut mapping.source);
        mapping.source = reader.counted.in_bpmn(node, source);
    }
    found
}

/// Zeebe's mappings: sources are FEEL expressions, of which paths and literals mean the same here.
fn read_io_mapping(holder: Node<'_, '_>, id: &str, reader: &mut Reader<'_>, found: &mut Mappings) {
    for child in holder.children().filter(Node::is_element) {
        let (written, target) = (
            filled(child.attribute("source")).unwrap_or_default(),
            filled(child.attribute("target")).unwrap_or_default(),
        );
        let source = match written.strip_prefix('=') {
            Some(feel) => feel_source(feel.trim()),
            None => Some(constant(written)),
        };
        take(child, (written, source, target), id, reader, found);
    }
}

/// A FEEL expression that is a path of members, a literal, arithmetic with numbers, or computed when
/// the mapping is.
fn feel_source(feel: &str) -> Option<String> {
    if serde_json::from_str::<Value>(feel).is_ok() {
        return Some(feel.to_owned());
    }
    let computed = arithmetic::value(feel).map(|number| number.to_string());
    let fixed = computed.or_else(|| variable_path(feel));
    fixed.or_else(|| Computation::spaced(&format!("= {feel}")))
}

/// Camunda 7's mappings: texts with expressions, and lists and maps of them.
fn read_input_output(
    holder: Node<'_, '_>,
    id: &str,
    reader: &mut Reader<'_>,
    found: &mut Mappings,
) {
    for child in holder.children().filter(Node::is_element) {
        let target = filled(child.attribute("name")).unwrap_or_default();
        let inner = child.children().find(Node::is_element);
        let written = inner.map_or_else(
            || text(child),
            |inner| format!("<{}>", inner.tag_name().name()),
        );
        let source = camunda_value(child).map(|value| as_source(&value));
        take(child, (&written, source, target), id, reader, found);
    }
}

/// The variables that an element owns by the input parameters of Camunda 7 that are read.
pub(super) fn input_parameters<'a>(node: Node<'a, '_>) -> impl Iterator<Item = DataPath> + 'a {
    let holders = call_mappings::extensions(node).filter(|child| {
        let namespace = child.tag_name().namespace().unwrap_or_default();
        child.tag_name().name() == "inputOutput" && CAMUNDA.contains(&namespace)
    });
    let parameters = holders
        .flat_map(|holder| holder.children())
        .filter(|child| child.tag_name().name() == "inputParameter");
    parameters
        .filter(|parameter| camunda_value(*parameter).is_some())
        .filter_map(|parameter| DataPath::parse_members(filled(parameter.attribute("name"))?).ok())
}

/// The value of a parameter, a list's item or a map's entry, as a template.
fn camunda_value(holder: Node<'_, '_>) -> Option<Value> {
    let mut elements = holder.children().filter(Node::is_element);
    match (elements.next(), elements.next()) {
        (None, _) => match text(holder) {
            text if text.is_empty() => Some(Value::Null),
            text => camunda_text(&text),
        },
        (Some(inner), None) => camunda_structure(inner),
        (Some(_), Some(_)) => None,
    }
}

/// A list or map of values; `None` for anything else, such as a script.
fn camunda_structure(structure: Node<'_, '_>) -> Option<Value> {
    let parts = || structure.children().filter(Node::is_element);
    match structure.tag_name().name() {
        "list" => {
            let item = |part: Node<'_, '_>| match part.tag_name().name() {
                "value" => camunda_value(part),
                _ => camunda_structure(part),
            };
            parts().map(item).collect::<Option<_>>().map(Value::Array)
        }
        "map" => {
            let entry = |part: Node<'_, '_>| {
                let key = filled(part.attribute("key"))?;
                let is_fixed = !key.contains("${") && !key.contains("#{");
                Some((is_fixed.then(|| key.to_owned())?, camunda_value(part)?))
            };
            parts()
                .map(entry)
                .collect::<Option<Map<_, _>>>()
                .map(Value::Object)
        }
        _ => None,
    }
}

/// The value of an expression that is a literal or arithmetic with numbers.
fn literal(expression: &str) -> Option<Value> {
    let expression = expression.trim();
    match expression {
        "null" => return Some(Value::Null),
        "true" | "false" => return Some(Value::Bool(expression == "true")),
        _ => {}
    }
    let number = arithmetic::value(expression).map(Value::Number);
    number.or_else(|| plain_expression::quoted_text(expression).map(Value::from))
}

/// A value as the source of a mapping; an expression as a whole is one by itself.
pub(super) fn as_source(value: &Value) -> String {
    match value {
        Value::String(text) if Computation::spaced(text).as_ref() == Some(text) => {
            match Template::compile_text(text) {
                Ok(_) => value.to_string(),
                Err(_) => text.clone(),
            }
        }
        _ => value.to_string(),
    }
}

/// A text whose expressions are paths or computed, or that is a literal or arithmetic with numbers
/// as a whole; `#{…}` is another notation of `${…}`.
pub(super) fn camunda_text(text: &str) -> Option<Value> {
    let text = text.replace("#{", "${");
    let only = text.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
    if let Some(value) = only.and_then(literal) {
        return Some(value);
    }
    assignments::translated(&text, data_path).map(Value::String)
}

/// A path that reads data, and nothing of the engine.
fn data_path(written: &str) -> Option<String> {
    let written = written.trim();
    let path = DataPath::parse(written)
        .ok()
        .filter(|_| is_plain(written))?;
    let is_special = ["execution", "task"].contains(&path.first());
    let template = Template::compile(&format!("${{{path}}}")).ok();
    let reads = template.is_some_and(|template| reads_data(&template));
    (reads && !is_special).then(|| path.to_string())
}

/// BPMN's associations: from a data object, a property or an expression to an input of the
/// activity, and from its outputs back.
fn read_associations(node: Node<'_, '_>, id: &str, reader: &mut Reader<'_>, found: &mut Mappings) {
    let is_literal = node
        .document()
        .root_element()
        .namespaces()
        .any(|it| it.uri() == DROOLS);
    let mut outputs = Vec::new();
    for association in node
        .children()
        .filter(|child| ASSOCIATIONS.iter().any(|name| is_bpmn(*child, name)))
    {
        let is_input = association.tag_name().name() == ASSOCIATIONS[0];
        match pairs(association, is_literal, reader) {
            Some(pairs) => {
                for (source, target) in pairs {
                    let mapping = Mapping {
                        source,
                        target,
                        // An output that the activity has not set is not available.
                        if_set: !is_input,
                    };
                    if is_input {
                        found.inputs.push(mapping);
                    } else {
                        outputs.push(mapping);
                    }
                }
            }
            None => reader
                .without_effect
                .bpmn(id, association.tag_name().name()),
        }
    }
    // The output variables of an activity are its own until then.
    for output in &outputs {
        let own = DataPath::parse(&output.source).map(|path| path.first().to_owned());
        if let Ok(own) = own
            && found.inputs.iter().all(|input| input.target != own)
        {
            found.inputs.push(Mapping {
                source: "null".to_owned(),
                target: own,
                if_set: false,
            });
        }
    }
    let has_none = found.inputs.is_empty() && outputs.is_empty();
    found.outputs.extend(outputs);
    let specification = "ioSpecification";
    if has_none && node.children().any(|child| is_bpmn(child, specification)) {
        reader.without_effect.bpmn(id, specification);
    }
}

/// The mapping of an association; `None` when it is not plain.
fn pairs(
    association: Node<'_, '_>,
    is_literal: bool,
    reader: &Reader<'_>,
) -> Option<Vec<(String, String)>> {
    let parts = |name: &'static str| {
        let children = association.children();
        children.filter(move |child| is_bpmn(*child, name))
    };
    if parts("transformation").next().is_some() {
        return None;
    }
    let mut assignments = parts("assignment").peekable();
    if assignments.peek().is_some() {
        let pair = |assignment: Node<'_, '_>| {
            let part = |name| {
                assignment
                    .children()
                    .find(|child| is_bpmn(*child, name))
                    .map(text)
            };
            let (from, to) = (part("from")?, part("to")?);
            let source = if is_literal && !from.contains("#{") && !from.contains("${") {
                constant(&from)
            } else {
                expression(&from)?
            };
            let to = item(&to, reader).or_else(|| expression(&to))?;
            Some((source, to))
        };
        return assignments.map(pair).collect();
    }
    let [source] = parts("sourceRef")
        .map(text)
        .collect::<Vec<_>>()
        .try_into()
        .ok()?;
    let [target] = parts("targetRef")
        .map(text)
        .collect::<Vec<_>>()
        .try_into()
        .ok()?;
    Some(vec![(item(&source, reader)?, item(&target, reader)?)])
}

/// The variable that an item is, which something refers to by its id.
fn item(id: &str, reader: &Reader<'_>) -> Option<String> {
    let id = id.rsplit(':').next().unwrap_or(id);
    let variable = reader.variables.get(id)?;
    variable_path(variable).filter(|variable| variable != PLACEHOLDER)
}

/// An expression that is a JSON value or a path, also within `${…}`.
fn expression(text: &str) -> Option<String> {
    if serde_json::from_str::<Value>(text).is_ok() {
        return Some(text.to_owned());
    }
    let inner = text
        .strip_prefix("${")
        .or_else(|| text.strip_prefix("#{"))
        .and_then(|rest| rest.strip_suffix('}'));
    let path = variable_path(inner.unwrap_or(text).trim());
    let is_text = || text.contains("${") || text.contains("#{");
    path.or_else(|| is_text().then(|| Some(as_source(&camunda_text(text)?)))?)
}

/// A path of members that reads data, and no built-in.
pub(super) fn variable_path(text: &str) -> Option<String> {
    let path = DataPath::parse_members(text)
        .ok()
        .filter(|_| is_plain(text))?;
    Template::compile(&format!("${{{path}}}"))
        .ok()
        .filter(reads_data)?;
    Some(path.to_string())
}

/// Whether a path has letters only that are part of a name in every language.
pub(super) fn is_plain(path: &str) -> bool {
    path.chars()
        .all(|c| c.is_alphanumeric() || "_.[]".contains(c))
}

fn reads_data(template: &Template) -> bool {
    template.paths().next().is_some()
}

/// A text as a source.
fn constant(text: &str) -> String {
    Value::from(text).to_string()
}

/// Takes a mapping of another engine; one that means something else is named in a warning.
fn take(
    child: Node<'_, '_>,
    (written, source, target): (&str, Option<String>, &str),
    id: &str,
    reader: &mut Reader<'_>,
    found: &mut Mappings,
) {
    let name = child.tag_name().name();
    let is_input = name.starts_with(INPUT);
    let target_is_path = DataPath::parse_members(target).is_ok();
    match source.filter(|_| target_is_path && (is_input || name.starts_with(OUTPUT))) {
        Some(source) => {
            let mapping = Mapping {
                source,
                target: target.to_owned(),
                if_set: false,
            };
            if is_input {
                found.inputs.push(mapping);
            } else {
                found.outputs.push(mapping);
            }
        }
        None => {
            let message = format!(
                "expected a mapping of a path, a value, or arithmetic and logic of these, but the \
                {name} `{target}` in line {} reads `{written}`, which has no effect here; write \
                `stepwire:{}`, or compute it by an action of type businessRule",
                reader.line(child),
                if is_input { INPUT } else { OUTPUT }
            );
            reader.warning(id, "no_effect", message);
        }
    }
}
