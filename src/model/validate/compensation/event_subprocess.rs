//! Event subprocesses that compensation begins: each compensates the subprocess around it after
//! that has completed.

use std::collections::{HashMap, HashSet};

use super::{Nodes, Report, around};
use crate::model::definition::{ElementType, FlowNode, ProcessDefinition};

/// Checks them; returns their ids. `compensated` has the boundary events that compensate
/// activities.
pub(super) fn check<'a>(
    definition: &'a ProcessDefinition,
    nodes: &Nodes<'a>,
    compensated: &HashMap<&str, &str>,
    report: &mut Report,
) -> HashSet<&'a str> {
    let begins =
        |start: &&FlowNode| start.kind == ElementType::StartEvent && start.is_compensation();
    let starts = || definition.nodes.iter().filter(begins);
    let all: HashSet<&str> = starts()
        .filter_map(|start| start.scope.as_deref())
        .collect();
    let mut taken: HashMap<&str, &str> = HashMap::new();
    for start in starts() {
        if !start.interrupting {
            let message = "expected nothing to interrupt where compensation begins an event \
                subprocess, as what it compensates has completed, but isInterrupting is false; remove \
                that";
            report.warning(&start.id, "no_effect", message);
        }
        let subprocess = start.scope.as_deref().and_then(|id| nodes.get(id));
        let Some(subprocess) = subprocess.filter(|subprocess| subprocess.triggered_by_event) else {
            // `events` reports a start event elsewhere.
            continue;
        };
        let Some(compensates) = subprocess.scope.as_deref() else {
            let message = "expected an event subprocess that compensation begins in a subprocess, which \
                it compensates, but it is in the process itself, which nothing compensates; attach a \
                compensation boundary event to the call activities that call the process";
            report.error(&start.id, "nothing_to_compensate", message);
            continue;
        };
        let found = if let Some(other) = taken.insert(compensates, &subprocess.id) {
            format!("`{other}` and this one do; remove one")
        } else if let Some(event) = compensated.get(compensates) {
            format!("boundary event `{event}` and this event subprocess do; remove one")
        } else {
            let undoes = |outer: &FlowNode| outer.for_compensation || all.contains(&*outer.id);
            if let Some(outer) = around(subprocess, nodes).find(|outer| undoes(outer)) {
                let message = format!(
                    "expected an event subprocess that compensation begins in a subprocess of the \
                    normal flow, but this is in `{}`, a compensation handler, which is not \
                    compensated; remove it",
                    outer.id
                );
                report.error(&start.id, "misplaced_compensation", message);
            }
            continue;
        };
        let message = format!("expected one handler to compensate `{compensates}`, but {found}");
        report.error(&start.id, "ambiguous_compensation", message);
    }
    all
}
