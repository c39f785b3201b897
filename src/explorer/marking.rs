//! Markings: where the tokens are. Compares two states, and finds one that has more tokens than
//! another.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::Value;

use crate::{
    engine::{
        InstanceState,
        state::{ElementInstance, Scope},
    },
    model::{ids::ElementKey, node_kind::WAITING_FOR_START},
};

/// The number of tokens at each place: an active node or a flow that waits at a join, with the
/// nodes of the subprocesses around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Marking(BTreeMap<String, u32>);

impl Marking {
    /// The marking of a state.
    pub fn of(state: &InstanceState) -> Self {
        let mut places = BTreeMap::new();
        let mut add = |place: String| *places.entry(place).or_default() += 1;
        for (key, element) in state.active() {
            let place = path(state, element.scope());
            // An element that was not moved yet counts as elsewhere: its content comes later.
            let is_paused = if element.incidents().is_empty() {
                ""
            } else {
                "~"
            };
            let node = node_of(element);
            add(format!("{place}{node}{is_paused}"));
            if let Some(scope) = state.scope(Some(key)) {
                waiting(scope, &format!("{place}{node}/")).for_each(&mut add);
            }
        }
        if let Some(scope) = state.scope(None) {
            waiting(scope, "").for_each(&mut add);
        }
        Self(places)
    }

    /// A place where this marking has more tokens than the other, if it has fewer nowhere.
    pub fn beyond(&self, other: &Self) -> Option<String> {
        let at = |marking: &Self, place: &String| marking.0.get(place).copied().unwrap_or(0);
        let covers = other
            .0
            .iter()
            .all(|(place, count)| at(self, place) >= *count);
        let mut more = self
            .0
            .iter()
            .filter(|(place, count)| **count > at(other, place));
        let (place, _) = more.next().filter(|_| covers)?;
        Some(name(place))
    }

    /// A place with more than one token.
    pub fn twice(&self) -> Option<String> {
        let (place, _) = self.0.iter().find(|(_, count)| **count > 1)?;
        Some(name(place))
    }
}

/// The node of a place.
fn name(place: &str) -> String {
    let node = place.split(" <- ").next().unwrap_or(place);
    let node = node.trim_end_matches('~');
    let node = node.rsplit('/').next().unwrap_or(node);
    node.split('[').next().unwrap_or(node).to_owned()
}

/// The node of an element, with the number of its iteration, or a mark that it is being compensated
/// or is the reset of a complex gateway.
fn node_of(element: &ElementInstance) -> String {
    match element.loop_counter() {
        _ if element.is_undoing() => format!("{}[undo]", element.node()),
        Some(number) => format!("{}[{number}]", element.node()),
        None if resets(element) => format!("{}[reset]", element.node()),
        None => element.node().to_string(),
    }
}

/// Whether it is the visit in which a complex gateway resets: a token continues from it only by a
/// condition.
fn resets(element: &ElementInstance) -> bool {
    let own = element.variables();
    own.is_some_and(|own| own.get(WAITING_FOR_START) == Some(&Value::Bool(false)))
}

fn waiting<'a>(scope: &'a Scope, place: &'a str) -> impl Iterator<Item = String> + 'a {
    let joins = Scope::waiting(scope);
    joins.flat_map(move |(node, arrivals)| {
        let flows = arrivals.iter();
        flows.map(move |arrival| format!("{place}{node} <- {}", arrival.flow))
    })
}

/// The nodes of the subprocesses that enclose a scope.
fn path(state: &InstanceState, scope: Option<ElementKey>) -> String {
    let around = std::iter::successors(scope, |key| state.element(*key)?.scope());
    let mut nodes: Vec<String> = around
        .filter_map(|key| Some(node_of(state.element(key)?)))
        .collect();
    nodes.reverse();
    nodes.iter().map(|node| format!("{node}/")).collect()
}

/// The key that distinguishes a state from others: for each scope its elements with everything they
/// remember except times and numbers that grow, and the waiting flows.
pub fn key(state: &InstanceState) -> String {
    let mut children: BTreeMap<Option<ElementKey>, Vec<ElementKey>> = BTreeMap::new();
    for (key, element) in state.active() {
        children.entry(element.scope()).or_default().push(key);
    }
    let mut text = state.status().name().to_owned();
    scope_key(state, None, &children, &mut text);
    text
}

fn scope_key(
    state: &InstanceState,
    scope: Option<ElementKey>,
    children: &BTreeMap<Option<ElementKey>, Vec<ElementKey>>,
    text: &mut String,
) {
    if let Some(held) = state.scope(scope) {
        let mut waits: Vec<String> = waiting(held, "").collect();
        waits.sort();
        let open = held
            .subscriptions()
            .into_iter()
            .flat_map(|open| open.iter());
        let open: Vec<String> = open.map(|(event, _)| event.to_string()).collect();
        let resets = held.all_resetting().filter_map(|node| {
            let taken = held.resetting(node)?.iter();
            Some((
                node,
                taken.map(|arrival| &arrival.flow).collect::<BTreeSet<_>>(),
            ))
        });
        let resets: Vec<_> = resets.collect();
        let _ = write!(text, "({waits:?}{open:?}{resets:?}");
        compensation_key(held, text);
    }
    let inner = children.get(&scope).into_iter().flatten();
    let mut elements: Vec<String> = inner
        .filter_map(|key| {
            let mut text = element_key(state.element(*key)?);
            scope_key(state, Some(*key), children, &mut text);
            Some(text)
        })
        .collect();
    elements.sort();
    let _ = write!(text, "{})", elements.join(";"));
}

/// The nodes that may be compensated in a scope, and those to be compensated next; only the nodes,
/// as loops may remember each without bound.
fn compensation_key(held: &Scope, text: &mut String) {
    if !held.compensations().is_empty() {
        let nodes: BTreeSet<_> = held.compensations().iter().map(|one| one.node()).collect();
        let _ = write!(text, "undo{nodes:?}");
    }
    for run in held.compensation_runs() {
        let nodes: BTreeSet<_> = run.pending().iter().map(|one| one.node()).collect();
        let _ = write!(text, "undoing{nodes:?}");
    }
}

fn element_key(element: &ElementInstance) -> String {
    let open: Vec<String> = element
        .subscriptions()
        .map(|(event, open)| format!("{event}:{}", open.occurrence()))
        .collect();
    let incidents: Vec<&str> = element.incidents().iter().map(|one| &*one.code).collect();
    let triggered = element.triggered();
    let call = without_numbers(&format!("{:?}", element.call()));
    let ad_hoc = element.ad_hoc();
    // Bounded, because every loop runs twice.
    let loops = element.looping().map(|it| (it.begun(), it.completed()));
    let undoes = (element.is_undoing(), element.has_thrown_compensation());
    let resets = resets(element);
    let node = element.node();
    format!("{node}{open:?}{incidents:?}{triggered:?}{call}{ad_hoc:?}{loops:?}{undoes:?}{resets}")
}

/// The text with every run of letters, digits and hyphens that contains a digit replaced by `#`.
fn without_numbers(text: &str) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '-';
    let mut kept = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().chain(['\n']) {
        if is_word(letter) {
            word.push(letter);
            continue;
        }
        let has_digit = word.contains(|letter: char| letter.is_ascii_digit());
        kept.push_str(if has_digit { "#" } else { &word });
        kept.push(letter);
        word.clear();
    }
    kept
}
