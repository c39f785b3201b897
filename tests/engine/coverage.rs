//! The behaviours of each element and the cases that show them: docs/bpmn-coverage.md, derived from
//! the records of the cases.
//!
//! The page shows what the instances of a case record, not what the case claims. A new element kind
//! is added once a case runs it. `UPDATE_EXPECT=1 cargo test --test main coverage` writes the page.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use stepwire::{
    engine::{Record, RecordBatch},
    model::{
        definition::ElementType,
        executable::{ExecutableNode, ExecutableProcess},
        ids::ElementKey,
        node_kind::{EventDefinitions, NodeKind},
    },
};

use super::played::{PLAYED, Played};
use crate::support::expected;

/// A behaviour of an element, and the record that shows it.
const BEHAVIOURS: [(&str, &str); 11] = [
    ("enter", "it is activated"),
    ("complete", "it completes"),
    ("terminate", "it is ended from outside"),
    ("boundary", "a boundary event attached to it is triggered"),
    ("incident", "it has an incident"),
    ("retry", "its incident is retried"),
    ("skip", "what its incident left undone is left out"),
    ("back", "a step back returns to it"),
    ("hold", "the instance is on hold while it is active"),
    (
        "replay",
        "the server restarts while it is active, from a snapshot and the rows after it",
    ),
    ("nested", "it is activated in a subprocess"),
];

/// For each element and behaviour the first case.
type Table = BTreeMap<String, BTreeMap<&'static str, &'static str>>;

#[test]
fn the_coverage_table_is_what_the_cases_record() {
    let mut table = Table::new();
    for played in PLAYED.iter() {
        for (element, behaviour) in Reading::of(played).seen {
            let cells = table.entry(element).or_default();
            cells.entry(behaviour).or_insert(&played.case);
        }
    }
    let path = expected::path(&["docs", "bpmn-coverage.md"]);
    expected::settle(&path, &expected::read(&path), &page(&table));
}

/// The behaviours shown by the records of an instance, element by element.
struct Reading<'a> {
    process: &'a ExecutableProcess,
    /// The nodes of the elements, and whether each is active.
    elements: BTreeMap<ElementKey, (String, bool)>,
    seen: BTreeSet<(String, &'static str)>,
}

impl<'a> Reading<'a> {
    fn of(played: &'a Played) -> Self {
        let mut reading = Self {
            process: &played.process,
            elements: BTreeMap::new(),
            seen: BTreeSet::new(),
        };
        for (nr, row) in played.rows.iter().enumerate() {
            if played.restarts.contains(&nr) {
                reading.all_active("replay");
            }
            reading.row(row);
        }
        reading
    }

    fn row(&mut self, row: &RecordBatch) {
        for (seq, record) in row.numbered() {
            match record {
                Record::ElementActivated { scope, node, .. } => {
                    self.elements
                        .insert(ElementKey(seq), (node.to_string(), true));
                    self.see(ElementKey(seq), "enter");
                    if scope.is_some() {
                        self.see(ElementKey(seq), "nested");
                    }
                    if let Some(NodeKind::Boundary { attached_to, .. }) = self.kind_of(node) {
                        self.see_node(&attached_to.clone(), "boundary");
                    }
                }
                Record::ElementCompleted { element, .. } => self.end(*element, "complete"),
                Record::ElementTerminated { element, .. } => self.end(*element, "terminate"),
                Record::IncidentRaised { element, .. } => self.see(*element, "incident"),
                Record::IncidentsResolved { element, skipped } => {
                    self.see(*element, if *skipped { "skip" } else { "retry" });
                }
                Record::Returned { node, .. } => {
                    self.elements
                        .insert(ElementKey(seq), (node.to_string(), true));
                    self.see(ElementKey(seq), "back");
                }
                Record::Held => self.all_active("hold"),
                _ => {}
            }
        }
    }

    fn end(&mut self, element: ElementKey, how: &'static str) {
        self.see(element, how);
        if let Some((_, active)) = self.elements.get_mut(&element) {
            *active = false;
        }
    }

    fn all_active(&mut self, behaviour: &'static str) {
        let active = self.elements.values().filter(|(_, active)| *active);
        for node in active.map(|(node, _)| node.clone()).collect::<Vec<_>>() {
            self.see_node(&node, behaviour);
        }
    }

    fn see(&mut self, element: ElementKey, behaviour: &'static str) {
        if let Some((node, _)) = self.elements.get(&element) {
            self.see_node(&node.clone(), behaviour);
        }
    }

    fn see_node(&mut self, node: &str, behaviour: &'static str) {
        if let Some(node) = self.process.node(node) {
            self.seen.insert((label(node), behaviour));
        }
    }

    fn kind_of(&self, node: &str) -> Option<&'a NodeKind> {
        Some(&self.process.node(node)?.kind)
    }
}

/// The name of an element in the table: its BPMN name, with its event.
fn label(node: &ExecutableNode) -> String {
    let event = |event: &EventDefinitions| -> String {
        let mut all = event.iter();
        let shown = match (all.next(), all.next()) {
            (None, _) => "none".to_owned(),
            (Some(_), Some(_)) if event.is_parallel() => "parallelMultiple".to_owned(),
            (Some(_), Some(_)) => "multiple".to_owned(),
            (Some(one), None) => format!("{one:?}"),
        };
        let name = shown.chars().take_while(|letter| letter.is_alphanumeric());
        name.collect::<String>().to_lowercase()
    };
    let name = node.kind.bpmn_name();
    match &node.kind {
        NodeKind::End(definition) | NodeKind::Catch(definition) | NodeKind::Throw(definition) => {
            format!("{name}, {}", event(definition))
        }
        NodeKind::Boundary {
            event: definition,
            interrupting,
            ..
        } => {
            let goes_on = if *interrupting {
                ""
            } else {
                ", non-interrupting"
            };
            format!("{name}, {}{goes_on}", event(definition))
        }
        _ => name.to_owned(),
    }
}

fn page(table: &Table) -> String {
    let mut text = "# Coverage: element × behaviour × case\n\n\
        Written by the tests from the records of the engine's cases: `UPDATE_EXPECT=1 cargo test --test \
        main coverage`. A mark says that at least\none case does it; which is the first one is listed below. \
        An empty cell says that no case does it, or that the element cannot.\n\n"
        .to_owned();
    for (name, meaning) in BEHAVIOURS {
        let _ = writeln!(text, "- **{name}**: {meaning}");
    }
    text.push_str("\nAfter every step of every case the live state is compared with the replay of its rows, and with its \
        encoded form read back.\n\n| element |");
    for (name, _) in BEHAVIOURS {
        let _ = write!(text, " {name} |");
    }
    let _ = writeln!(text, "\n| --- |{}", " :-: |".repeat(BEHAVIOURS.len()));
    for (element, cells) in table {
        let _ = write!(text, "| {element} |");
        for (name, _) in BEHAVIOURS {
            let _ = write!(
                text,
                " {} |",
                if cells.contains_key(name) { "✓" } else { "" }
            );
        }
        text.push('\n');
    }
    let played = |kind: &ElementType| table.keys().any(|name| name.starts_with(kind.bpmn_name()));
    let missing: Vec<&str> = ElementType::ALL
        .iter()
        .filter(|kind| !played(kind))
        .map(|kind| kind.bpmn_name())
        .collect();
    if !missing.is_empty() {
        let _ = writeln!(text, "\nNo case plays: {}.", missing.join(", "));
    }
    for (element, cells) in table {
        let _ = write!(text, "\n## {element}\n\n");
        for (name, _) in BEHAVIOURS {
            if let Some(case) = cells.get(name) {
                let _ = writeln!(text, "- {name}: {case}");
            }
        }
    }
    text
}
