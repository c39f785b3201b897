//! Reduces a BPMN document to its diagram, without anything that is evaluated, sent, addressed or
//! noted in it: for users who may see a process, but not read its source.
//!
//! Elements and attributes that a viewer draws are written again with their usual prefixes; all
//! others are left out, as are shapes of elements that are left out. The same for the JSON form:
//! [`frontend_view`](crate::model::frontend_view).

use std::{collections::HashSet, fmt::Write};

use roxmltree::{Document, Node, ParsingOptions};

use super::{BPMN_NAMESPACE, MAX_XML_NODES, STEPWIRE_NAMESPACE, markup};

/// The namespaces of elements that are kept, with their prefixes.
const NAMESPACES: [(&str, &str); 4] = [
    (BPMN_NAMESPACE, "bpmn"),
    ("http://www.omg.org/spec/BPMN/20100524/DI", "bpmndi"),
    ("http://www.omg.org/spec/DD/20100524/DC", "dc"),
    ("http://www.omg.org/spec/DD/20100524/DI", "di"),
];
/// Elements of BPMN that are drawn or contain others, besides those recognised by the ends of their
/// names.
const STRUCTURE: [&str; 16] = [
    "collaboration",
    "participant",
    "messageFlow",
    "process",
    "laneSet",
    "childLaneSet",
    "lane",
    "sequenceFlow",
    "subProcess",
    "transaction",
    "adHocSubProcess",
    "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics",
    "dataObject",
    "dataObjectReference",
    "dataStoreReference",
];
/// Elements of BPMN whose text is the id of another.
const REFERENCES: [&str; 3] = ["flowNodeRef", "incoming", "outgoing"];
/// Elements of the diagram interchange.
const INTERCHANGE: [&str; 7] = [
    "BPMNDiagram",
    "BPMNPlane",
    "BPMNShape",
    "BPMNEdge",
    "BPMNLabel",
    "Bounds",
    "waypoint",
];
/// Attributes that others see unchanged.
const ATTRIBUTES: [&str; 20] = [
    "id",
    "name",
    "cancelActivity",
    "eventGatewayType",
    "gatewayDirection",
    "height",
    "instantiate",
    "isCollection",
    "isExecutable",
    "isExpanded",
    "isForCompensation",
    "isHorizontal",
    "isInterrupting",
    "isMarkerVisible",
    "isSequential",
    "triggeredByEvent",
    "width",
    "x",
    "y",
    "parallelMultiple",
];
/// Attributes that name another element.
const REFERRING: [&str; 7] = [
    "attachedToRef",
    "bpmnElement",
    "dataObjectRef",
    "default",
    "processRef",
    "sourceRef",
    "targetRef",
];

/// The diagram of a document; `None` if it cannot be read.
pub fn diagram(xml: &str) -> Option<String> {
    markup::check(xml).ok()?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_XML_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(xml, options).ok()?;
    let root = document.root_element();
    let shown: HashSet<&str> = root
        .descendants()
        .filter(|node| is_bpmn_kept(*node))
        .filter_map(|node| node.attribute("id"))
        .collect();
    let mut drawing = Drawing {
        text: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<bpmn:definitions"),
        shown,
    };
    for (namespace, prefix) in NAMESPACES {
        drawing.attribute(&format!("xmlns:{prefix}"), namespace);
    }
    drawing.attribute("targetNamespace", STEPWIRE_NAMESPACE);
    if let Some(id) = root.attribute("id") {
        drawing.attribute("id", id);
    }
    drawing.text.push_str(">\n");
    for child in root.children() {
        drawing.element(child, 1);
    }
    drawing.text.push_str("</bpmn:definitions>\n");
    Some(drawing.text)
}

/// A diagram while it is written.
struct Drawing<'a> {
    text: String,
    /// The ids of the elements that are kept.
    shown: HashSet<&'a str>,
}

impl Drawing<'_> {
    /// Writes an element with the kept parts of it. Documents that were deployed have a limited
    /// depth.
    fn element(&mut self, node: Node<'_, '_>, depth: usize) {
        let Some(prefix) = self.prefix(node) else {
            return;
        };
        let name = node.tag_name().name();
        let indent = "  ".repeat(depth);
        let _ = write!(self.text, "{indent}<{prefix}:{name}");
        for attribute in node.attributes().filter(|one| one.namespace().is_none()) {
            let (name, value) = (attribute.name(), attribute.value());
            if ATTRIBUTES.contains(&name) {
                self.attribute(name, value);
            } else if REFERRING.contains(&name) && self.shown.contains(local(value)) {
                self.attribute(name, local(value));
            }
        }
        if REFERENCES.contains(&name) {
            self.text.push('>');
            escape(&mut self.text, local(node.text().unwrap_or_default()));
            let _ = writeln!(self.text, "</{prefix}:{name}>");
            return;
        }
        self.text.push_str(">\n");
        for child in node.children() {
            self.element(child, depth + 1);
        }
        let _ = writeln!(self.text, "{indent}</{prefix}:{name}>");
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let _ = write!(self.text, " {name}=\"");
        escape(&mut self.text, value);
        self.text.push('"');
    }

    /// The prefix with which an element is written; `None` for one that is left out.
    fn prefix(&self, node: Node<'_, '_>) -> Option<&'static str> {
        if !node.is_element() {
            return None;
        }
        let name = node.tag_name().name();
        let namespace = node.tag_name().namespace()?;
        let (_, prefix) = NAMESPACES.iter().find(|(known, _)| *known == namespace)?;
        let is_kept = if namespace == BPMN_NAMESPACE {
            is_bpmn_kept(node)
                || (REFERENCES.contains(&name)
                    && self.shown.contains(local(node.text().unwrap_or_default())))
        } else {
            // The plane draws a process or a collaboration.
            INTERCHANGE.contains(&name)
                && node
                    .attribute("bpmnElement")
                    .is_none_or(|drawn| self.shown.contains(local(drawn)))
        };
        is_kept.then_some(prefix)
    }
}

/// Whether an element of BPMN is drawn, or contains one that is.
fn is_bpmn_kept(node: Node<'_, '_>) -> bool {
    let name = node.tag_name().name();
    let by_its_end = ["Task", "Event", "Gateway", "Activity", "EventDefinition"];
    node.is_element()
        && node.tag_name().namespace() == Some(BPMN_NAMESPACE)
        && (name == "task"
            || STRUCTURE.contains(&name)
            || by_its_end.iter().any(|end| name.ends_with(end)))
}

/// A reference without its prefix.
fn local(reference: &str) -> &str {
    let reference = reference.trim();
    reference
        .split_once(':')
        .map_or(reference, |(_, local)| local)
}

/// Writes a text with escapes, for elements and attributes.
fn escape(text: &mut String, value: &str) {
    for sign in value.chars() {
        match sign {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\n' => text.push_str("&#10;"),
            '\r' => text.push_str("&#13;"),
            '\t' => text.push_str("&#9;"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document with something to hide wherever a modeller may write it.
    const WHOLE: &str = r#"<?xml version="1.0"?><!-- SECRET --><?tool SECRET?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI"
  xmlns:o="http://www.omg.org/spec/DD/20100524/DC" xmlns:w="http://www.omg.org/spec/DD/20100524/DI"
  xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0" xmlns:other="urn:SECRET" xmlns:t="urn:SECRET:target"
  id="d" targetNamespace="urn:SECRET:target" exporter="SECRET">
  <error id="e" errorCode="SECRET" name="SECRET"/><message id="m" name="SECRET"/>
  <itemDefinition id="i" structureRef="SECRET"/>
  <collaboration id="c"><participant id="pool" name="Desk" processRef="t:loan"/>
    <textAnnotation id="note"><text>SECRET</text></textAnnotation></collaboration>
  <process id="loan" name="Loan &amp; &quot;more&quot;" isExecutable="true" stepwire:expiry="SECRET" other:x="SECRET">
    <documentation>SECRET</documentation>
    <extensionElements><stepwire:webhook url="https://SECRET.example"/></extensionElements>
    <laneSet id="ls"><lane id="l" name="Lane" stepwire:execute="SECRET"><flowNodeRef>ask</flowNodeRef>
      <flowNodeRef>note2</flowNodeRef></lane></laneSet>
    <startEvent id="start" name="Begin"><outgoing>t:f1</outgoing>
      <timerEventDefinition id="td"><timeCycle>SECRET</timeCycle></timerEventDefinition></startEvent>
    <userTask id="ask" name="Ask &lt;who&gt;" implementation="SECRET" stepwire:assignee="SECRET">
      <extensionElements><stepwire:actions><stepwire:action name="rule" type="businessRule">
        <stepwire:param name="script"><![CDATA[SECRET]]></stepwire:param></stepwire:action></stepwire:actions></extensionElements>
      <ioSpecification id="io"><dataInput id="in" name="SECRET"/></ioSpecification>
      <multiInstanceLoopCharacteristics isSequential="false" stepwire:collection="SECRET"><loopCardinality>SECRET</loopCardinality></multiInstanceLoopCharacteristics>
    </userTask>
    <scriptTask id="s" scriptFormat="SECRET"><script>SECRET</script></scriptTask>
    <callActivity id="call" calledElement="SECRET"/>
    <boundaryEvent id="b" attachedToRef="call" cancelActivity="true"><errorEventDefinition id="ed" errorRef="e"/></boundaryEvent>
    <exclusiveGateway id="g" name="Much?" default="f1"/>
    <sequenceFlow id="f1" name="yes" sourceRef="start" targetRef="ask"><conditionExpression>SECRET</conditionExpression></sequenceFlow>
    <textAnnotation id="note2"><text>SECRET</text></textAnnotation>
    <association id="as" sourceRef="ask" targetRef="note2"/>
    <other:shape>SECRET</other:shape>
  </process>
  <di:BPMNDiagram id="dd" documentation="SECRET"><di:BPMNPlane id="pl" bpmnElement="t:c">
    <di:BPMNShape id="sh" bpmnElement="t:ask" other:color="SECRET"><o:Bounds x="1" y="2" width="3" height="4"/></di:BPMNShape>
    <di:BPMNShape id="sn" bpmnElement="note2"><o:Bounds x="77" y="2" width="3" height="4"/></di:BPMNShape>
    <di:BPMNEdge id="ed1" bpmnElement="f1"><w:waypoint x="5" y="6"/><w:extension><other:x>SECRET</other:x></w:extension></di:BPMNEdge>
  </di:BPMNPlane></di:BPMNDiagram>
</definitions>"#;

    #[test]
    fn a_diagram_holds_only_drawn_elements() {
        let drawn = diagram(WHOLE).expect("the test's document can be read");
        assert!(!drawn.contains("SECRET"), "{drawn}");
        assert!(
            !drawn.contains("note2") && !drawn.contains("\"77\""),
            "{drawn}"
        );
        for part in [
            r#"<bpmn:process id="loan" name="Loan &amp; &quot;more&quot;" isExecutable="true">"#,
            r#"<bpmn:participant id="pool" name="Desk" processRef="loan">"#,
            r#"<bpmn:userTask id="ask" name="Ask &lt;who&gt;">"#,
            r#"<bpmn:multiInstanceLoopCharacteristics isSequential="false">"#,
            r#"<bpmn:boundaryEvent id="b" attachedToRef="call" cancelActivity="true">"#,
            r#"<bpmn:errorEventDefinition id="ed">"#,
            r#"<bpmn:timerEventDefinition id="td">"#,
            r#"<bpmn:exclusiveGateway id="g" name="Much?" default="f1">"#,
            r#"<bpmn:sequenceFlow id="f1" name="yes" sourceRef="start" targetRef="ask">"#,
            "<bpmn:flowNodeRef>ask</bpmn:flowNodeRef>",
            "<bpmn:outgoing>f1</bpmn:outgoing>",
            r#"<bpmndi:BPMNPlane id="pl" bpmnElement="c">"#,
            r#"<bpmndi:BPMNShape id="sh" bpmnElement="ask">"#,
            r#"<dc:Bounds x="1" y="2" width="3" height="4">"#,
            r#"<di:waypoint x="5" y="6">"#,
        ] {
            assert!(drawn.contains(part), "expected {part} in\n{drawn}");
        }
        let again = diagram(&drawn).expect("a drawing is a document");
        assert_eq!(again, drawn);
    }

    #[test]
    fn unreadable_shapes_are_not_drawn() {
        for none in ["", "<a", "<!DOCTYPE a><a/>"] {
            assert_eq!(diagram(none), None, "{none}");
        }
    }
}
