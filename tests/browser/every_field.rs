//! Every part of a definition is either a field of the designer or is drawn: the table of
//! `fields-of-definitions.json` names each member of the JSON form, as the parsing types know them.
//! The script `every_field.mjs` looks for the fields in the designer.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use stepwire::model::{
    action::Key,
    ad_hoc::AdHoc,
    definition::{CallActivity, FlowNode, Lane, ProcessDefinition, SequenceFlow},
    event_definition::EventDefinition,
    loop_characteristics::{ComplexBehavior, MultiInstance, StandardLoop},
    mapping::{DataObject, Mapping},
    schedule::{Schedule, When},
    task_settings::UserTask,
    webhook::Webhook,
};

const TABLE: &str = include_str!("fields-of-definitions.json");

/// What a reader says it would have read.
fn known<T: DeserializeOwned>(written: &str) -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>(written) else {
        panic!("expected `{written}` to be refused");
    };
    let error = error.to_string();
    let (_, expected) = error
        .split_once(", expected ")
        .unwrap_or_else(|| panic!("expected the names that are known, but got: {error}"));
    let names = expected.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

fn members<T: DeserializeOwned>() -> BTreeSet<String> {
    known::<T>(r#"{"?": 0}"#)
}

#[test]
fn each_member_of_a_definition_is_a_field_or_drawn() {
    let table: BTreeMap<String, BTreeMap<String, serde_json::Value>> =
        serde_json::from_str(TABLE).expect("the table is JSON");
    let mut all = BTreeMap::from([
        ("process", members::<ProcessDefinition>()),
        ("webhook", members::<Webhook>()),
        ("dataObject", members::<DataObject>()),
        ("node", members::<FlowNode>()),
        ("call", members::<CallActivity>()),
        ("task", members::<UserTask>()),
        ("adHoc", members::<AdHoc>()),
        ("multiInstance", members::<MultiInstance>()),
        ("complexBehavior", members::<ComplexBehavior>()),
        ("standardLoop", members::<StandardLoop>()),
        ("schedule", members::<Schedule>()),
        ("when", known::<When>(r#""?""#)),
        ("mapping", members::<Mapping>()),
        ("key", members::<Key>()),
        ("flow", members::<SequenceFlow>()),
        ("lane", members::<Lane>()),
    ])
    .into_iter()
    .map(|(name, members)| (name.to_owned(), members))
    .collect::<BTreeMap<_, _>>();
    let events = known::<EventDefinition>(r#"{"type": "?"}"#);
    for event in &events {
        // Those without members of their own say so by being read.
        let written = format!(r#"{{"type": "{event}"}}"#);
        if matches!(event.as_str(), "cancel" | "terminate") {
            assert!(serde_json::from_str::<EventDefinition>(&written).is_ok());
            continue;
        }
        let written = format!(r#"{{"type": "{event}", "?": 0}}"#);
        all.insert(format!("event/{event}"), known::<EventDefinition>(&written));
    }
    all.insert("events".to_owned(), events);
    let written: BTreeMap<_, BTreeSet<_>> = table
        .into_iter()
        .map(|(name, members)| (name, members.into_keys().collect()))
        .collect();
    assert_eq!(
        written, all,
        "expected fields-of-definitions.json to name what definitions can say; add what is new \
        to the designer's panel and to the table"
    );
}
