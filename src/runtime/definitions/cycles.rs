//! Processes that start themselves without end, directly or through others. They are warnings,
//! because only the limits of a tree stop them.
//!
//! Only certain starts are a problem ([`certain_starts`]); a call that a condition may skip is
//! normal recursion.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    limits::{CYCLE_SEARCH_NODES, CYCLE_SEARCH_STARTS, TREE_LEVELS},
    model::{
        executable::ExecutableProcess,
        problem::Problem,
        unconditional_starts::{CertainStart, certain_starts, start_event},
    },
};

/// A process and the start event at which it begins; `None` for its implicit starts.
type StartEventRef = (String, Option<String>);
/// A node, and the process it starts.
type StartOf = (String, StartEventRef);

/// Searches for processes that start themselves; `find` returns the started process by id.
pub(super) struct Search<F> {
    find: F,
    known: BTreeMap<StartEventRef, Arc<Vec<StartOf>>>,
    /// How many more starts are followed.
    left: usize,
    /// How many more nodes are followed to find starts.
    nodes: usize,
}

impl<F: Fn(&str) -> Option<Arc<ExecutableProcess>>> Search<F> {
    pub(super) fn new(find: F) -> Self {
        Self {
            find,
            known: BTreeMap::new(),
            left: CYCLE_SEARCH_STARTS,
            nodes: CYCLE_SEARCH_NODES,
        }
    }

    /// The warning for a process that certainly starts itself.
    pub(super) fn warning(&mut self, process: &ExecutableProcess) -> Option<Problem> {
        let own = &process.definition.id;
        let implicit = (!process.implicit_starts.is_empty()).then(|| (own.clone(), None));
        let begins: Vec<StartEventRef> = process
            .start_events()
            .map(|(node, _)| (own.clone(), Some(node.id.to_string())))
            .chain(implicit)
            .collect();
        let (node, chain) = begins.iter().find_map(|begin| self.cycle(begin))?;
        let message = format!(
            "expected a process whose subprocesses end, but `{own}` starts itself in every case: \
            {}; put a condition, a user task or a timer before the call",
            chain
                .iter()
                .map(|id| format!("`{id}`"))
                .collect::<Vec<_>>()
                .join(" → ")
        );
        Some(Problem::warning(node, "endless_starts", message))
    }

    /// The shortest path from a start event back to it: the node that begins it, and the processes
    /// on it. Paths longer than the levels of a tree are not searched.
    fn cycle(&mut self, begin: &StartEventRef) -> Option<(String, Vec<String>)> {
        let mut from: BTreeMap<StartEventRef, StartOf> = BTreeMap::new();
        let mut next = VecDeque::from([(begin.clone(), 0)]);
        while let Some((place, distance)) = next.pop_front() {
            for (node, reached) in self.starts_at(&place)?.iter() {
                self.left = self.left.checked_sub(1)?;
                if reached == begin {
                    return Some(path_to(begin, (node.clone(), place), &from));
                }
                if distance < TREE_LEVELS && !from.contains_key(reached) {
                    from.insert(reached.clone(), (node.clone(), place.clone()));
                    next.push_back((reached.clone(), distance + 1));
                }
            }
        }
        None
    }

    /// What certainly starts from there; `None` when too many nodes were followed.
    fn starts_at(&mut self, place: &StartEventRef) -> Option<Arc<Vec<StartOf>>> {
        if let Some(known) = self.known.get(place) {
            return Some(known.clone());
        }
        let started = |CertainStart {
                           node,
                           process,
                           start_condition,
                       }: CertainStart| {
            let event = start_event(&*(self.find)(&process)?, start_condition.as_deref())?
                .map(|node| node.id.to_string());
            Some((node, (process, event)))
        };
        let starts = match (self.find)(&place.0) {
            Some(process) => certain_starts(&process, place.1.as_deref(), &mut self.nodes)?,
            None => Vec::new(),
        };
        let starts = Arc::new(starts.into_iter().filter_map(started).collect());
        self.known.insert(place.clone(), Arc::clone(&starts));
        Some(starts)
    }
}

/// The path that ends with this start, from its beginning.
fn path_to(
    begin: &StartEventRef,
    last: StartOf,
    from: &BTreeMap<StartEventRef, StartOf>,
) -> (String, Vec<String>) {
    let (mut node, mut place) = last;
    let mut chain = vec![begin.0.clone()];
    while place != *begin
        && let Some((before, above)) = from.get(&place)
    {
        chain.push(place.0);
        (node, place) = (before.clone(), above.clone());
    }
    chain.push(begin.0.clone());
    chain.reverse();
    (node, chain)
}

#[cfg(test)]
mod tests {
    use crate::{
        model::{ids::Time, problem::Problem, source::SourceFormat},
        runtime::{definitions::DeployCheck, http_calls::HttpCallSettings},
    };

    /// A process of these nodes in a row; `flows` is for tests that need other flows.
    fn process(id: &str, nodes: &str, flows: &[(&str, &str)]) -> String {
        let flow = |(number, (from, to)): (usize, &(&str, &str))| {
            format!(r#"<sequenceFlow id="{id}F{number}" sourceRef="{from}" targetRef="{to}"/>"#)
        };
        let flows: String = flows.iter().enumerate().map(flow).collect();
        format!(
            r#"<process id="{id}" isExecutable="true"><startEvent id="{id}S"/>{nodes}<endEvent id="{id}E"/>{flows}</process>"#
        )
    }

    fn call(id: &str, called: &str) -> String {
        process(
            id,
            &format!(r#"<callActivity id="{id}C" calledElement="{called}"/>"#),
            &[
                (&format!("{id}S"), &format!("{id}C")),
                (&format!("{id}C"), &format!("{id}E")),
            ],
        )
    }

    fn document(processes: &[String]) -> String {
        format!(
            r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="http://example.org"
                xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0">{}</definitions>"#,
            processes.concat()
        )
    }

    /// The warnings about cycles in the last of these documents, which are deployed one after the
    /// other.
    fn problems_in(documents: &[String]) -> Vec<(String, String)> {
        let mut check = DeployCheck::new(HttpCallSettings::default());
        let all = documents
            .iter()
            .map(|source| check.deploy(source.as_bytes(), SourceFormat::BpmnXml, Time(0)));
        let last = all.last().unwrap_or_default();
        let errors: Vec<_> = last
            .iter()
            .filter(|problem| problem.severity == crate::model::problem::Severity::Error)
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let cycles = last
            .into_iter()
            .filter(|problem| problem.code == "endless_starts");
        cycles
            .map(|problem| (problem.element, problem.message))
            .collect()
    }

    #[track_caller]
    fn check(documents: &[String], expected: &[(&str, &str)]) {
        let found = problems_in(documents);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((element, message), (node, chain)) in found.iter().zip(expected) {
            assert!(
                element == node && message.contains(chain),
                "{element}: {message}"
            );
        }
    }

    fn with_action(kind: &str, action: &str) -> String {
        let node = format!(
            r#"<{kind} id="pC"><extensionElements><stepwire:actions>{action}</stepwire:actions></extensionElements></{kind}>"#
        );
        process("p", &node, &[("pS", "pC"), ("pC", "pE")])
    }

    #[test]
    fn a_search_ends_after_a_limited_number_of_nodes() {
        let (starts, row) = (500, 500);
        let mut nodes = String::new();
        let mut flows = String::new();
        for start in 0..starts {
            nodes += &format!(
                r#"<startEvent id="s{start}"><signalEventDefinition signalRef="g{start}"/></startEvent>"#
            );
            flows +=
                &format!(r#"<sequenceFlow id="a{start}" sourceRef="s{start}" targetRef="n0"/>"#);
        }
        for node in 0..row {
            nodes += &format!(r#"<intermediateThrowEvent id="n{node}"/>"#);
            let next = node + 1;
            flows +=
                &format!(r#"<sequenceFlow id="b{node}" sourceRef="n{node}" targetRef="n{next}"/>"#);
        }
        nodes += &format!(r#"<endEvent id="n{row}"/>"#);
        let many = format!(r#"<process id="many" isExecutable="true">{nodes}{flows}</process>"#);
        let signals: String = (0..starts)
            .map(|start| format!(r#"<signal id="g{start}" name="g{start}"/>"#))
            .collect();
        assert!(starts * row > crate::limits::CYCLE_SEARCH_NODES);
        check(
            &[document(&[signals.clone(), call("p", "p"), many.clone()])],
            &[("pC", "`p` → `p`")],
        );
        check(&[document(&[signals, many, call("p", "p")])], &[]);
    }

    #[test]
    fn a_source_has_a_limited_number_of_processes() {
        let most = crate::limits::PROCESSES_PER_SOURCE;
        let of = |count: usize| {
            let processes: Vec<String> = (0..count)
                .map(|number| process(&format!("p{number}"), "", &[]))
                .collect();
            let mut check = DeployCheck::new(HttpCallSettings::default());
            check.deploy(
                document(&processes).as_bytes(),
                SourceFormat::BpmnXml,
                Time(0),
            )
        };
        let error = |problems: &[Problem]| {
            let mut errors = problems
                .iter()
                .filter(|problem| problem.code == "too_large");
            errors.next().map(|problem| problem.message.clone())
        };
        assert_eq!(error(&of(most)), None);
        let message = error(&of(most + 1)).unwrap();
        assert!(
            message.contains("at most 100 executable processes"),
            "{message}"
        );
    }

    #[test]
    fn a_process_that_calls_itself_in_every_case_is_named_with_its_chain() {
        check(&[document(&[call("p", "p")])], &[("pC", "`p` → `p`")]);
        check(
            &[document(&[call("p", "q"), call("q", "p")])],
            &[("pC", "`p` → `q` → `p`"), ("qC", "`q` → `p` → `q`")],
        );
        check(
            &[
                document(&[call("p", "q")]),
                document(&[call("q", "r")]),
                document(&[call("r", "p")]),
            ],
            &[("rC", "`r` → `p` → `q` → `r`")],
        );
        let sub = r#"<stepwire:action name="again" order="1" type="startSubprocess" trigger="automatic"><stepwire:param name="process">p</stepwire:param></stepwire:action>"#;
        let ask = r#"<stepwire:action name="again" order="1" type="websocketSend" trigger="automatic"><stepwire:param name="messageType">action</stepwire:param><stepwire:param name="message">{"processName":"p","params":{"startOn":"server"}}</stepwire:param></stepwire:action>"#;
        check(
            &[document(&[with_action("task", sub)])],
            &[("pC", "`p` → `p`")],
        );
        // The user task comes after the start.
        check(
            &[document(&[with_action("userTask", sub)])],
            &[("pC", "`p` → `p`")],
        );
        check(
            &[document(&[with_action("serviceTask", ask)])],
            &[("pC", "`p` → `p`")],
        );
        let fork = process(
            "p",
            r#"<parallelGateway id="pG"/><callActivity id="pC" calledElement="p"/><userTask id="pU"/>"#,
            &[
                ("pS", "pG"),
                ("pG", "pC"),
                ("pG", "pU"),
                ("pC", "pE"),
                ("pU", "pE"),
            ],
        );
        check(&[document(&[fork])], &[("pC", "`p` → `p`")]);
    }

    #[test]
    fn a_recursion_that_may_end_is_accepted() {
        check(&[document(&[call("p", "q"), call("q", "q2")])], &[]);
        // A caller of an endless process that is deployed alone is not on the cycle.
        check(
            &[document(&[call("q", "q")]), document(&[call("p", "q")])],
            &[],
        );
        let waits = process(
            "p",
            r#"<userTask id="pU"/><callActivity id="pC" calledElement="p"/>"#,
            &[("pS", "pU"), ("pU", "pC"), ("pC", "pE")],
        );
        check(&[document(&[waits])], &[]);
        let chooses = r#"<process id="p" isExecutable="true"><startEvent id="pS"/><exclusiveGateway id="pG" default="f2"/>
            <callActivity id="pC" calledElement="p"/><endEvent id="pE"/>
            <sequenceFlow id="f0" sourceRef="pS" targetRef="pG"/>
            <sequenceFlow id="f1" sourceRef="pG" targetRef="pC"><conditionExpression>n &gt; 0</conditionExpression></sequenceFlow>
            <sequenceFlow id="f2" sourceRef="pG" targetRef="pE"/><sequenceFlow id="f3" sourceRef="pC" targetRef="pE"/></process>"#;
        check(&[document(&[chooses.to_owned()])], &[]);
        let each = process(
            "p",
            r#"<callActivity id="pC" calledElement="p" stepwire:collection="items"/>"#,
            &[("pS", "pC"), ("pC", "pE")],
        );
        check(&[document(&[each])], &[]);
        let later = r#"<stepwire:action name="again" order="1" type="startSubprocess" trigger="automatic" timer="PT1H"><stepwire:param name="process">p</stepwire:param></stepwire:action>"#;
        check(&[document(&[with_action("task", later)])], &[]);
        let by_hand = r#"<stepwire:action name="again" order="1" type="startSubprocess" trigger="manual"><stepwire:param name="process">p</stepwire:param></stepwire:action>"#;
        check(&[document(&[with_action("userTask", by_hand)])], &[]);
        check(
            &[document(&[
                call("p", "q"),
                process(
                    "q",
                    r#"<userTask id="qU"/><callActivity id="qC" calledElement="p"/>"#,
                    &[("qS", "qU"), ("qU", "qC"), ("qC", "qE")],
                ),
            ])],
            &[],
        );
    }
}
