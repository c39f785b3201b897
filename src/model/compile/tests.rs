use std::{collections::HashSet, fs, path::Path};

use roxmltree::Document;
use serde_json::json;

use super::*;
use crate::model::source::{SourceFormat, read_source};

/// The example files: name and text.
fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = fs::read_dir(folder).expect("the project has examples");
    let paths = files
        .map(|file| file.expect("the folder is readable").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "bpmn"));
    paths
        .map(|path| {
            (
                path.display().to_string(),
                fs::read_to_string(&path).expect("examples are readable"),
            )
        })
        .collect()
}

#[test]
fn examples_compile_without_any_problem() {
    let examples = examples();
    assert!(examples.len() >= 5);
    for (name, text) in examples {
        let found = read_source(text.as_bytes(), SourceFormat::BpmnXml)
            .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        for (definition, warnings) in found {
            assert_eq!(warnings, [], "{name}");
            let json = serde_json::to_vec(&definition).expect("definitions are JSON");
            assert_eq!(
                read_source(&json, SourceFormat::Json),
                Ok(vec![(definition.clone(), Vec::new())]),
                "{name}"
            );
            let (_, warnings) =
                compile(definition).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
            assert_eq!(warnings, [], "{name}");
        }
    }
}

#[test]
fn examples_draw_every_node_and_flow() {
    for (name, text) in examples() {
        let document = Document::parse(&text).expect("examples are XML");
        let drawn = |shape: &str| -> HashSet<String> {
            let shapes = document
                .descendants()
                .filter(|node| node.tag_name().name() == shape);
            shapes
                .filter_map(|node| node.attribute("bpmnElement"))
                .map(str::to_owned)
                .collect()
        };
        let (definition, _) = read_source(text.as_bytes(), SourceFormat::BpmnXml)
            .expect("examples are valid")
            .remove(0);
        assert_eq!(
            drawn("BPMNShape"),
            definition.nodes.into_iter().map(|node| node.id).collect(),
            "{name}"
        );
        assert_eq!(
            drawn("BPMNEdge"),
            definition.flows.into_iter().map(|flow| flow.id).collect(),
            "{name}"
        );
    }
}

#[test]
fn references_are_resolved_and_actions_ordered() {
    let definition = json!({"id": "p", "nodes": [
        {"id": "s", "type": "startEvent", "keys": [{"path": "x"}]},
        {"id": "t", "name": "Task", "type": "userTask", "actions": [
            {"name": "second", "order": 2, "type": "saveData", "trigger": "manual", "autorunChildren": true,
                "keys": [{"path": "k", "required": true}]},
            {"name": "child2", "order": 2, "parent": "second", "type": "websocketSend", "params": {"message": "{}"}, "timer": "PT30S"},
            {"name": "child1", "order": 1, "parent": "second", "type": "websocketSend", "params": {"message": "{}"}},
            {"name": "first", "order": 1, "type": "appendToParent", "params": {"message": "1", "destination": "a.b"}}]},
        {"id": "g", "type": "exclusiveGateway", "defaultFlow": "f4"},
        {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "s", "target": "t"}, {"id": "f2", "source": "t", "target": "g"},
            {"id": "f3", "source": "g", "target": "t", "condition": "again"}, {"id": "f4", "source": "g", "target": "e"}]});
    let definition = serde_json::from_value(definition).expect("the test's definition is valid");
    let (process, warnings) = compile(definition).expect("the test's definition compiles");
    assert_eq!(warnings, []);
    assert_eq!(process.name, "p");
    assert_eq!(process.start_events().count(), 1);
    let task = process.node("t").expect("t is a node");
    assert_eq!(
        task.incoming.iter().map(|id| &**id).collect::<Vec<_>>(),
        ["f1", "f3"]
    );
    assert_eq!(
        task.actions
            .iter()
            .map(|action| &*action.name)
            .collect::<Vec<_>>(),
        ["first", "second"]
    );
    let second = task.action("second").expect("second is an action");
    assert_eq!(
        second
            .children
            .iter()
            .map(|action| &*action.name)
            .collect::<Vec<_>>(),
        ["child1", "child2"]
    );
    assert_eq!(second.keys.required(), ["k"]);
    assert_eq!(
        task.action("child2")
            .and_then(|child| child.timer)
            .map(|span| span.to_string()),
        Some("PT30S".to_owned())
    );
    let gateway = process.node("g").expect("g is a node");
    assert_eq!(gateway.default_flow, Some(1));
    assert!(gateway.outgoing[0].conditional && !gateway.outgoing[1].conditional);
}

#[test]
fn all_problems_are_reported_together() {
    let definition = json!({"id": "p q", "nodes": [{"id": "t", "type": "userTask", "keys": [{"path": "a"}], "startCondition": "x"}]});
    let definition = serde_json::from_value(definition).expect("the test's definition is valid");
    assert_eq!(
        compile(definition)
            .expect_err("nothing fits")
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .count(),
        3
    );
}

#[test]
fn candidate_groups_replace_the_roles_of_the_lane() {
    let definition = json!({"id": "p", "nodes": [
            {"id": "s", "type": "startEvent"},
            {"id": "t", "type": "userTask", "task": {"candidateGroups": ["chief"]}},
            {"id": "u", "type": "userTask"}
        ],
        "flows": [{"id": "f", "source": "s", "target": "t"}, {"id": "g", "source": "t", "target": "u"}],
        "lanes": [{"id": "l", "nodes": ["t", "u"], "execute": ["clerk"], "assign": ["boss"]}]});
    let definition = serde_json::from_value(definition).expect("the test's definition is valid");
    let (process, _) = compile(definition).expect("it compiles");
    let lane = |id: &str| {
        let node = process.node(id).expect("a node of the process");
        let lane = process.lane_of(node).expect("it lies in a lane");
        (lane.execute.clone(), lane.assign.clone())
    };
    let roles = |role: &str| Some(vec![role.to_owned()]);
    assert_eq!(lane("t"), (roles("chief"), roles("boss")));
    assert_eq!(lane("u"), (roles("clerk"), roles("boss")));
}
